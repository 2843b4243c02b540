package sqlite

import (
	"context"
	"database/sql"
)

// PaceState gives what was kept of the limits of a service; nil where there is nothing.
func (r *Reader) PaceState(ctx context.Context, service string) ([]byte, error) {
	var state []byte
	err := r.query(ctx, "read limits", `SELECT state FROM limits WHERE service = ?`, []any{service},
		func(rows *sql.Rows) error { return rows.Scan(&state) })
	return state, err
}

// SavePaceState keeps what is known of the limits of a service for later runs, in the place of what was kept before. state
// is JSON. It returns when that is durable.
func (s *Store) SavePaceState(ctx context.Context, service string, state []byte) error {
	return s.writer.do(ctx, len(state), func(tx *tx) error {
		_, err := tx.exec(`INSERT OR REPLACE INTO limits (service, state, saved_at) VALUES (?, ?, ?)`, service, string(state), s.now())
		return err
	})
}
