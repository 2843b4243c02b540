package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// applicationID marks a state file as one: "docb" in the file's header, see https://www.sqlite.org/pragma.html#pragma_application_id.
const applicationID = 0x646f6362

// dsn is the driver's name for a file: a URI, so that no character of the path means anything.
func dsn(path string, query ...string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	slashed := filepath.ToSlash(abs)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a drive letter
	}
	u := url.URL{Scheme: "file", Path: slashed, RawQuery: strings.Join(append(query, "_dqs=0", "_defensive=1",
		"_busy_timeout=10000", "_pragma=trusted_schema(0)", "_pragma=cell_size_check(1)"), "&")}
	return u.String()
}

// maxLinks is how many symbolic links one after another a path may lead through, as on Linux.
const maxLinks = 40

// followLinks gives the path that a symbolic link at path leads to in the end, whether a file is there or not; path itself where
// it is none. SQLite keeps the log and its index beside that file, so the lock must be there too: one file has one lock.
func followLinks(path string) (string, error) {
	link := path
	for range maxLinks {
		to, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link, or nothing is there: who opens it is told
		}
		if !filepath.IsAbs(to) {
			dir, _ := filepath.Split(path)
			to = dir + to
		}
		dir, name := filepath.Split(to)
		if dir, err = filepath.EvalSymlinks(dir); err != nil { // the .. of a folder that is a link is that of its target
			return "", stateError(fmt.Errorf("open state file: %s is a link to %s: %w", link, to, err))
		}
		path = filepath.Join(dir, name)
	}
	return "", stateError(fmt.Errorf("open state file: %s is a link through more than %d others", link, maxLinks))
}

// prepareDSN opens a file without changing how it is written.
func prepareDSN(path string) string { return dsn(path, "mode=rw", "_pragma=synchronous(FULL)") }

// writerDSN opens a prepared file for the writer. wal_autocheckpoint is in pages: 40 MB a checkpoint gave a third more rows
// a second than 4 MB. cache_size is in KiB. busy_timeout is in ms: the writer itself decides how often it waits for that long.
func writerDSN(path string) string {
	return dsn(path, "mode=rw", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=wal_autocheckpoint(10000)",
		"_pragma=journal_size_limit(67108864)", "_pragma=cache_size(-8000)", "_pragma=busy_timeout(1000)")
}

func readerDSN(path string) string { return dsn(path, "mode=ro", "_query_only=1") }

// prepare makes the state file, or checks that it is one and lost nothing since a mark was noted, and brings its schema up to
// date. It works without a write-ahead log, so that from its first byte on the file itself says what it is.
func prepare(ctx context.Context, path string, l *lock) error {
	err := inspect(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = l.forget(); err == nil {
			err = create(path)
		}
	}
	if err == nil {
		err = checkMark(ctx, path, l.noted)
	}
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", prepareDSN(path))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	err = migrate(ctx, db, path)
	return errors.Join(err, db.Close())
}

func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return stateError(fmt.Errorf("create state file: %w", err))
	}
	return f.Close()
}

// inspect looks at the file's header without SQLite, which changes a file as soon as it is told to use a write-ahead log. An
// empty file is fine: one that is about to be made.
func inspect(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return stateError(fmt.Errorf("open state file: %w", err))
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return stateError(errors.Join(fmt.Errorf("%s %w", filepath.Base(path), ErrNotState), err))
	}
	if _, err := os.Lstat(path + "-journal"); err == nil {
		return nil // killed while it was made or migrated: SQLite rolls it back, then its pragmas tell
	}
	header := make([]byte, 100)
	n, err := io.ReadFull(f, header)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return stateError(fmt.Errorf("read state file: %w", err))
	}
	if !isHeader(header[:n]) {
		return stateError(fmt.Errorf("%s %w", filepath.Base(path), ErrNotState))
	}
	return nil
}

// isEmpty reports whether there is an empty file at path. It must not be given to SQLite, which deletes the log of such a file
// as soon as it opens it: it may hold everything.
func isEmpty(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() == 0
}

// isHeader reports whether b is the beginning of an empty file, or the header of a database of ours, see
// https://www.sqlite.org/fileformat.html#the_database_header.
func isHeader(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	return len(b) == 100 && bytes.HasPrefix(b, []byte("SQLite format 3\x00")) && binary.BigEndian.Uint32(b[68:]) == applicationID
}

// versionOf gives the schema version of a file, 0 for an empty one, and an error where this docbatch can't use it.
func versionOf(ctx context.Context, db *sql.DB, name string) (int, error) {
	var id, version, tables int
	for query, dest := range map[string]*int{
		"PRAGMA application_id": &id, "PRAGMA user_version": &version, "SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := db.QueryRowContext(ctx, query).Scan(dest); err != nil {
			return 0, sqlError(name, err)
		}
	}
	switch {
	case id == 0 && version == 0 && tables == 0:
		return 0, nil
	case id != applicationID:
		return 0, stateError(fmt.Errorf("%s %w", name, ErrNotState))
	case version > schemaVersion:
		return 0, stateError(fmt.Errorf("%s %w: its version is %d, this one knows %d", name, ErrNewer, version, schemaVersion))
	case version < 1 || tables == 0:
		return 0, stateError(fmt.Errorf("%s %w: it has no schema", name, ErrDamaged))
	}
	return version, nil
}
