package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"docbatch/pipeline"
)

// What is wrong with a state file, for errors.Is. The errors themselves name the file and the cause.
var (
	ErrNotState = errors.New("is not a docbatch state file")
	ErrNewer    = errors.New("is from a newer docbatch")
	ErrDamaged  = errors.New("is damaged")
)

// applicationID marks a state file as one: "docb" in the file's header, see https://www.sqlite.org/pragma.html#pragma_application_id.
const applicationID = 0x646f6362

//go:embed migrations/*.sql
var migrations embed.FS

// schemaVersion is the version that this docbatch knows: the number of migrations, kept as user_version.
var schemaVersion = len(migrationNames())

func migrationNames() []string {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		panic(err) // only for a bad pattern
	}
	return names
}

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

// prepareDSN opens a file without changing how it is written.
func prepareDSN(path string) string { return dsn(path, "mode=rw", "_pragma=synchronous(FULL)") }

// writerDSN opens a prepared file for the writer. wal_autocheckpoint is in pages: 40 MB a checkpoint gave a third more rows
// a second than 4 MB. cache_size is in KiB.
func writerDSN(path string) string {
	return dsn(path, "mode=rw", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=wal_autocheckpoint(10000)",
		"_pragma=journal_size_limit(67108864)", "_pragma=cache_size(-8000)")
}

func readerDSN(path string) string { return dsn(path, "mode=ro", "_query_only=1") }

// prepare makes the state file, or checks that it is one, and brings its schema up to date. It works without a write-ahead
// log, so that from its first byte on the file itself says what it is.
func prepare(ctx context.Context, path string) error {
	if err := inspect(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", prepareDSN(path))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	err = migrate(ctx, db, filepath.Base(path))
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

// isHeader reports whether b is the beginning of an empty file, or the header of a database of ours, see
// https://www.sqlite.org/fileformat.html#the_database_header.
func isHeader(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	return len(b) == 100 && bytes.HasPrefix(b, []byte("SQLite format 3\x00")) && binary.BigEndian.Uint32(b[68:]) == applicationID
}

// migrate applies the migrations that the file has not seen, each in its own transaction.
func migrate(ctx context.Context, db *sql.DB, name string) error {
	version, err := versionOf(ctx, db, name)
	if err != nil {
		return err
	}
	for i, file := range migrationNames()[version:] {
		script, err := migrations.ReadFile(file)
		if err != nil {
			return err
		}
		if err := applyMigration(ctx, db, string(script), version+i+1); err != nil {
			return sqlError(name, fmt.Errorf("apply %s: %w", file, err))
		}
	}
	return nil
}

func applyMigration(ctx context.Context, db *sql.DB, script string, version int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	mark := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, version)
	if _, err := tx.ExecContext(ctx, script+mark); err != nil {
		return err
	}
	return tx.Commit()
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

// stateError classes an error as one of the state: no document can succeed.
func stateError(err error) error {
	return &pipeline.Error{Class: pipeline.Fatal, Kind: pipeline.KindState, Err: err}
}

// sqlError classes what SQLite reports of the file called name. A constraint that fails is our bug, not the file's state, and
// an error that is not SQLite's is passed on as it is.
func sqlError(name string, err error) error {
	switch code := codeOf(err); code {
	case -1:
		return err
	case codes.SQLITE_CONSTRAINT, codes.SQLITE_MISMATCH, codes.SQLITE_TOOBIG, codes.SQLITE_ERROR, codes.SQLITE_MISUSE, codes.SQLITE_RANGE:
		return fmt.Errorf("%s: %w", name, err)
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return stateError(fmt.Errorf("%s %w: %w", name, ErrDamaged, err))
	default:
		return stateError(fmt.Errorf("%s: %w", name, err))
	}
}

// codeOf is SQLite's primary result code; -1 for an error that is not SQLite's.
func codeOf(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code() & 0xff
	}
	return -1
}
