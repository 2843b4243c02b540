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
		if err := keep(ctx, db, path, keptName(path, version)); err != nil {
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

// keptName is where a file of a version is kept when a newer docbatch changes its schema.
func keptName(path string, version int) string { return fmt.Sprintf("%s.v%d.bak", path, version) }

// KeptCopies are the files in which Open may have kept, or be keeping, what the state file at path was before a migration.
func KeptCopies(path string) []string {
	var files []string
	for version := 1; version < schemaVersion; version++ {
		kept := keptName(path, version)
		files = append(files, kept, kept+".tmp", kept+".tmp-journal")
	}
	return files
}

// keep copies the file that db is to kept, with what is in its log, unless that is there: then it is from a try that did not
// get any further.
func keep(ctx context.Context, db *sql.DB, path, kept string) error {
	if _, err := os.Lstat(kept); err == nil {
		return nil
	}
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
