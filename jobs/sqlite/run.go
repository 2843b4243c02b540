package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// A Run is one execution of the job. Its number is that of the owner that worked in it.
type Run struct {
	Num     int64
	Started time.Time
	Ended   time.Time // zero while it goes on, and where it was killed
	Alive   bool      // has a lease; one that was killed keeps it until the next run opens the file
	Host    string
	PID     int
	Command string
	Exit    int             // the exit code; means nothing while Ended is zero
	Summary json.RawMessage // as given to EndRun; nil before
}

// Runs gives the newest runs, the newest first: at most so many, or all where most is 0.
func (r *Reader) Runs(ctx context.Context, most int) ([]Run, error) {
	if most == 0 {
		most = -1 // without limit
	}
	var runs []Run
	err := r.query(ctx, "read runs", `SELECT num, started_at, ended_at, lease_until_at IS NOT NULL, host, pid, command, coalesce(exit, 0), summary
		FROM runs ORDER BY num DESC LIMIT ?`, []any{most},
		func(rows *sql.Rows) error {
			var (
				run            Run
				started, ended sql.NullInt64
				summary        sql.NullString
			)
			err := rows.Scan(&run.Num, &started, &ended, &run.Alive, &run.Host, &run.PID, &run.Command, &run.Exit, &summary)
			run.Started, run.Ended = timeOf(started), timeOf(ended)
			if summary.Valid {
				run.Summary = json.RawMessage(summary.String)
			}
			runs = append(runs, run)
			return err
		})
	return runs, err
}

// EndRun notes how a run ended: its exit code, and a summary that is stored as JSON.
func (s *Store) EndRun(ctx context.Context, run int64, exit int, summary any) error {
	text, err := json.Marshal(summary)
	if err != nil {
		return fmt.Errorf("end run %d: %w", run, err)
	}
	return s.writer.do(ctx, len(text), func(tx *tx) error {
		res, err := tx.exec(`UPDATE runs SET ended_at = ?, exit = ?, summary = ? WHERE num = ?`, s.now(), exit, string(text), run)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			return fmt.Errorf("end run %d: there is none", run)
		}
		return nil
	})
}

// retryable are the items that a retry puts back. One that a listing could not have recovers by a listing.
const retryable = `items.state IN ('failed', 'truncated') AND items.gone_at IS NULL AND items.fault IS NULL`

// Retry makes documents that failed, or whose answer was truncated, pending again and returns how many: all of them, or
// those that ids name, each an ID or "SOURCE:ID". Their requests are sent again even where there is an answer: it is kept,
// but not used again. An ID that is not there is an error, and then nothing is changed.
func (s *Store) Retry(ctx context.Context, ids ...string) (n int, err error) {
	err = s.writer.do(ctx, 0, func(tx *tx) error {
		n = 0
		if len(ids) == 0 {
			n, err = tx.retry(s.now(), retryable)
			return err
		}
		for _, id := range ids {
			nums, err := tx.numbers(matchID, id)
			if err != nil {
				return err
			}
			if len(nums) == 0 {
				return fmt.Errorf("retry %q: no document has this ID", id)
			}
			for _, num := range nums {
				one, err := tx.retry(s.now(), retryable+` AND items.num = ?`, num)
				if err != nil {
					return err
				}
				n += one
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// retry puts back the items that which selects.
func (t *tx) retry(now int64, which string, args ...any) (int, error) {
	_, err := t.exec(`UPDATE answers SET superseded_at = ? WHERE superseded_at IS NULL AND request IN
		(SELECT r.request FROM items JOIN records r ON r.item = items.num AND r.num = items.record WHERE `+which+`)`,
		append([]any{now}, args...)...)
	if err != nil {
		return 0, err
	}
	res, err := t.exec(`UPDATE items SET state = 'pending', attempts = 0 WHERE `+which, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}
