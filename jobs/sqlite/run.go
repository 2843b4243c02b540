package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"docbatch/pipeline"
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

	Progress   json.RawMessage // as given to SaveProgress last; nil before
	ProgressAt time.Time
}

// Runs gives the newest runs, the newest first: at most so many, or all where most is 0.
func (r *Reader) Runs(ctx context.Context, most int) ([]Run, error) {
	if most == 0 {
		most = -1 // without limit
	}
	var runs []Run
	err := r.query(ctx, "read runs", `SELECT num, started_at, ended_at, lease_until_at IS NOT NULL, host, pid, command, coalesce(exit, 0), summary,
			progress, progress_at FROM runs ORDER BY num DESC LIMIT ?`, []any{most},
		func(rows *sql.Rows) error {
			var (
				run                  Run
				started, ended, seen sql.NullInt64
				summary, progress    sql.NullString
			)
			err := rows.Scan(&run.Num, &started, &ended, &run.Alive, &run.Host, &run.PID, &run.Command, &run.Exit, &summary, &progress, &seen)
			run.Started, run.Ended, run.ProgressAt = timeOf(started), timeOf(ended), timeOf(seen)
			run.Summary, run.Progress = rawJSON(summary), rawJSON(progress)
			runs = append(runs, run)
			return err
		})
	return runs, err
}

// rawJSON is JSON that was stored; nil for NULL.
func rawJSON(text sql.NullString) json.RawMessage {
	if !text.Valid {
		return nil
	}
	return json.RawMessage(text.String)
}

// SaveProgress notes where a run stands, as JSON: a sign of life for those who watch it.
func (s *Store) SaveProgress(ctx context.Context, run int64, progress any) error {
	text, err := json.Marshal(progress)
	if err != nil {
		return fmt.Errorf("progress of run %d: %w", run, err)
	}
	return s.writer.do(ctx, len(text), func(tx *tx) error {
		_, err := tx.exec(`UPDATE runs SET progress = ?, progress_at = ? WHERE num = ?`, string(text), s.now(), run)
		return err
	})
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
			n, err = tx.retry(retryable)
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
				one, err := tx.retry(retryable+` AND items.num = ?`, num)
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
func (t *tx) retry(which string, args ...any) (int, error) {
	res, err := t.exec(`UPDATE items SET `+askAgain+` WHERE `+which, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// askAgain makes an item pending, and has no answer count for it that is there now.
const askAgain = `state = 'pending', attempts = 0, reason = 'again', after_answer = (SELECT coalesce(max(num), 0) FROM answers)`

// redoable are the items that can be asked again on purpose: those that had an outcome, also where they wait for another one.
const redoable = `gone_at IS NULL AND fault IS NULL AND record IS NOT NULL AND state <> 'claimed'`

// Known gives the source, ID and state of every document that a redo may choose.
func (r *Reader) Known(ctx context.Context, each func(source, id string, state pipeline.State)) error {
	return r.query(ctx, "read documents", `SELECT s.name, i.id, i.state FROM items i CROSS JOIN sources s ON s.num = i.source WHERE `+redoable, nil,
		func(rows *sql.Rows) error {
			var source, id string
			var state pipeline.State
			err := rows.Scan(&source, &id, &state)
			each(source, id, state)
			return err
		})
}

// Asked is how many documents have an outcome, old or new, and were listed last with that question.
func (r *Reader) Asked(ctx context.Context, question string) (n int, err error) {
	err = r.query(ctx, "count documents", `SELECT count(*) FROM items WHERE record IS NOT NULL AND gone_at IS NULL
		AND question = (SELECT num FROM questions WHERE fingerprint = ?)`, []any{question},
		func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n, err
}

// Redo makes the documents pending again that choose chooses, and returns how many, all in one transaction. The question, as that of
// List, is asked of them again: the answers that they have are kept, and count for other questions and other documents.
func (s *Store) Redo(ctx context.Context, question string, choose func(source, id string, state pipeline.State) bool) (n int, err error) {
	err = s.writer.do(ctx, 0, func(tx *tx) error {
		n = 0
		asked, err := tx.intern("questions", "fingerprint", question)
		if err != nil {
			return err
		}
		for from, more := int64(0), true; more; {
			var nums []int64
			from, nums, more, err = tx.chosen(from, choose)
			if err != nil {
				return err
			}
			for _, num := range nums {
				if _, err := tx.exec(`UPDATE items SET question = ?, `+askAgain+` WHERE num = ?`, asked, num); err != nil {
					return err
				}
			}
			n += len(nums)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// chosen gives those of a page of redoable items that choose chooses; last is where the next page begins.
func (t *tx) chosen(from int64, choose func(source, id string, state pipeline.State) bool) (last int64, nums []int64, more bool, err error) {
	const page = 1000
	seen := 0
	err = t.each(`SELECT i.num, s.name, i.id, i.state FROM items i CROSS JOIN sources s ON s.num = i.source
		WHERE i.num > ? AND `+redoable+` ORDER BY i.num LIMIT ?`, []any{from, page},
		func(rows *sql.Rows) (bool, error) {
			var source, id string
			var state pipeline.State
			if err := rows.Scan(&last, &source, &id, &state); err != nil {
				return false, err
			}
			if seen++; choose(source, id, state) {
				nums = append(nums, last)
			}
			return true, nil
		})
	return last, nums, seen == page, err
}
