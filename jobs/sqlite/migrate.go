package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

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

// migrate applies the migrations that the file has not seen, each in its own transaction. What they change is kept beside it.
func migrate(ctx context.Context, db *sql.DB, path string) error {
	version, err := versionOf(ctx, db, filepath.Base(path))
	if err != nil {
		return err
	}
	if version > 0 && version < schemaVersion {
		if err := keep(ctx, db, path, version); err != nil {
			return err
		}
	}
	for i, file := range migrationNames()[version:] {
		script, err := migrations.ReadFile(file)
		if err != nil {
			return err
		}
		if err := applyMigration(ctx, db, string(script), version+i+1); err != nil {
			return writeError(path, fmt.Errorf("apply %s: %w", file, err))
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

// maxKept bounds the copies that are kept of one version: a migration that fails each time must not fill the disk.
const maxKept = 9

// keptNames are where files of a version are kept when a newer docbatch changes their schema, in the order of their use.
func keptNames(path string, version int) []string {
	names := []string{fmt.Sprintf("%s.v%d.bak", path, version)}
	for n := 2; n <= maxKept; n++ {
		names = append(names, fmt.Sprintf("%s.v%d.%d.bak", path, version, n))
	}
	return names
}

// Files are all files that may belong to the state at path: where a link leads to, its log and lock, and the copies in which Open may
// have kept, or be keeping, what it was before a migration.
func Files(path string) []string {
	files := []string{path}
	if real, err := followLinks(path); err == nil && real != path {
		path, files = real, append(files, real)
	}
	for _, end := range []string{"-wal", "-shm", "-journal", ".lock"} {
		files = append(files, path+end)
	}
	for version := 1; version < schemaVersion; version++ {
		for _, kept := range keptNames(path, version) {
			files = append(files, kept, kept+".tmp", kept+".tmp-journal")
		}
	}
	return files
}

// keep copies the file that db is, with what is in its log. A copy that is there stays: it may be of another file that was at
// path, or of this one before an older docbatch went on with it.
func keep(ctx context.Context, db *sql.DB, path string, version int) error {
	names := keptNames(path, version)
	free := slices.IndexFunc(names, isFree)
	if free < 0 {
		return stateError(fmt.Errorf("%s: no copy of it can be kept before its schema changes: there are %d, %s to %s; move those away that are not needed",
			filepath.Base(path), maxKept, filepath.Base(names[0]), filepath.Base(names[maxKept-1])))
	}
	kept := names[free]
	err := copyDurably(ctx, db, kept)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("keep a copy of it before its schema changes, in %s: %w", filepath.Base(kept), err)
	if codeOf(err) == -1 {
		return stateError(fmt.Errorf("%s: %w", filepath.Base(path), err))
	}
	return writeError(path, err)
}

// isFree reports whether nothing can be found at path: whoever makes it is told why.
func isFree(path string) bool {
	_, err := os.Lstat(path)
	return err != nil
}

// copyDurably writes the file that db is to another, which is there as a whole or not at all.
func copyDurably(ctx context.Context, db *sql.DB, to string) error {
	tmp := to + ".tmp"
	for _, left := range []string{tmp, tmp + "-journal"} {
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, tmp) // it takes a file that is empty
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(tmp, to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return syncFolder(filepath.Dir(to))
}

// syncFolder makes what was renamed in a folder durable, where the platform knows how.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder can't be synced
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
