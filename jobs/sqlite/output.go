package sqlite

import (
	"context"
	"database/sql"
)

// OutputHolds reports whether the output at path, written in that way, holds what the records say now: nothing has changed since it
// was written, and it still has the stamp that it had then.
func (r *Reader) OutputHolds(ctx context.Context, path, how, stamp string) (bool, error) {
	holds := false
	err := r.query(ctx, "read outputs", `SELECT 1 FROM outputs WHERE path = ? AND how = ? AND stamp = ?`, []any{path, how, stamp},
		func(*sql.Rows) error { holds = true; return nil })
	return holds, err
}

// BeginOutput notes that the output at path is about to be written from the records, in that way.
func (s *Store) BeginOutput(ctx context.Context, path, how string) error {
	return s.writer.do(ctx, 0, func(tx *tx) error {
		_, err := tx.exec(`INSERT OR REPLACE INTO outputs (path, how) VALUES (?, ?)`, path, how)
		return err
	})
}

// EndOutput notes the stamp of the output at path after it was written. Where a record has changed since BeginOutput, or OutputHolds, it
// notes nothing.
func (s *Store) EndOutput(ctx context.Context, path, stamp string) error {
	return s.writer.do(ctx, 0, func(tx *tx) error {
		_, err := tx.exec(`UPDATE outputs SET stamp = ? WHERE path = ?`, stamp, path)
		return err
	})
}
