package sqlite

import (
	"context"
	"database/sql"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// A Share is how many documents a run gave an outcome, for one reason and with one result.
type Share struct {
	Reason    jobs.Reason
	State     pipeline.State
	Kind      string // of a failure, or of a truncated answer; else ""
	Cached    bool   // answered from the store
	Before    bool   // cached, and the document had the same request before
	Duplicate bool   // cached, and another document that is there has the same request
	Count     int
}

// Worked says what a run gave an outcome, as far as that is still the newest one of a document that is there. It reads all items.
func (r *Reader) Worked(ctx context.Context, run int64) ([]Share, error) {
	var shares []Share
	err := r.query(ctx, "read what a run worked on", `
		WITH newest AS MATERIALIZED (
			SELECT r.run, r.item, r.num, r.state, coalesce(r.kind, '') AS kind, r.cached, r.request, i.reason
			FROM items i CROSS JOIN records r ON r.item = i.num AND r.num = i.record
			WHERE i.gone_at IS NULL AND i.state IN ('done', 'truncated', 'failed')),
		twice AS MATERIALIZED (SELECT request FROM newest WHERE request IS NOT NULL GROUP BY request HAVING count(*) > 1),
		ours AS MATERIALIZED (
			SELECT iif(num = 1, 'new', coalesce(reason, 'again')) AS why, state, kind, cached, request,
				cached AND EXISTS (SELECT 1 FROM records p WHERE p.item = newest.item AND p.num < newest.num AND p.request = newest.request) AS before
			FROM newest WHERE run = ?)
		SELECT why, state, kind, cached, before, cached AND request IN (SELECT request FROM twice) AS duplicate, count(*)
		FROM ours GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6`, []any{run},
		func(rows *sql.Rows) error {
			var s Share
			err := rows.Scan(&s.Reason, &s.State, &s.Kind, &s.Cached, &s.Before, &s.Duplicate, &s.Count)
			shares = append(shares, s)
			return err
		})
	return shares, err
}
