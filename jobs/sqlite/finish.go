package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// Finish implements jobs.Lease.
func (l *lease) Finish(ctx context.Context, outcomes []jobs.Outcome) (lost []int64, err error) {
	bytes := 0
	requests := make([][]byte, len(outcomes))
	for i, o := range outcomes {
		if requests[i], err = checkOutcome(o); err != nil {
			return nil, err
		}
		bytes += len(o.Record.Answer) + 200
	}
	err = l.s.writer.do(ctx, bytes, func(tx *tx) error {
		lost = nil
		for i, o := range outcomes {
			ours, err := l.finish(tx, o, requests[i])
			if err != nil {
				return fmt.Errorf("finish item %d: %w", o.Num, err)
			}
			if !ours {
				lost = append(lost, o.Num)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, o := range outcomes {
		l.s.fresh.Delete(o.Record.Request)
	}
	return lost, nil
}

// checkOutcome refuses what is no outcome, and gives the hash of its request.
func checkOutcome(o jobs.Outcome) (request []byte, err error) {
	rec := o.Record
	switch {
	case rec.State == pipeline.Pending:
		return nil, nil
	case !rec.State.Final():
		return nil, fmt.Errorf("finish item %d: state %q is no outcome", o.Num, rec.State)
	case rec.State == pipeline.Failed && rec.Err == nil:
		return nil, fmt.Errorf("finish item %d: failed without a reason", o.Num)
	case rec.State == pipeline.Done && rec.Err != nil:
		return nil, fmt.Errorf("finish item %d: done, and yet: %w", o.Num, rec.Err)
	}
	if rec.Request == "" {
		return nil, nil
	}
	request, err = decodeRequest(rec.Request)
	if err != nil {
		return nil, fmt.Errorf("finish item %d: %w", o.Num, err)
	}
	return request, nil
}

// requestBytes is the length of a request's hash, a SHA-256.
const requestBytes = 32

// decodeRequest gives the bytes of a request's hash.
func decodeRequest(request string) ([]byte, error) {
	b, err := hex.DecodeString(request)
	if err != nil || len(b) != requestBytes {
		return nil, fmt.Errorf("request %q is no SHA-256 in hex", request)
	}
	return b, nil
}

// finish stores one outcome, unless the owner does not hold the item any more. The stamp is part of the fence: an outcome of
// the document as it was before a listing changed it is not one of the document as it is.
func (l *lease) finish(tx *tx, o jobs.Outcome, request []byte) (ours bool, err error) {
	rec := o.Record
	final := rec.State.Final()
	res, err := tx.exec(`UPDATE items SET state = ?, owner = NULL, attempts = attempts + ?, record = iif(?3, coalesce(record, 0) + 1, record)
		WHERE num = ? AND state = 'claimed' AND owner = ? AND (stamp = ? OR NOT ?3)`,
		string(rec.State), jobs.Counted(rec.Attempts), final, o.Num, l.owner, rec.Stamp)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		return false, err
	}
	keys := outcomeKeys{request: request}
	attempts := rec.Attempts
	if final {
		attempts, keys.asked = splitAnswered(attempts)
	}
	if err := l.putAttempts(tx, o.Num, attempts); err != nil {
		return false, err
	}
	if !final {
		return true, nil
	}
	if rec.State != pipeline.Failed {
		if keys.answer, err = l.s.answerOf(tx, rec, request); err != nil {
			return false, err
		}
	}
	return true, tx.putRecord(o.Num, l.owner, rec, keys)
}

// splitAnswered takes off the last attempt, if that one brought the answer.
func splitAnswered(attempts []pipeline.Attempt) (before []pipeline.Attempt, answered *pipeline.Attempt) {
	last := len(attempts) - 1
	if last < 0 || attempts[last].Class != "" {
		return attempts, nil
	}
	return attempts[:last], &attempts[last]
}

func (l *lease) putAttempts(tx *tx, item int64, attempts []pipeline.Attempt) error {
	for _, a := range attempts {
		_, err := tx.exec(`INSERT INTO attempts (item, num, run, started_at, duration_ms, status, class, kind, message)
			VALUES (?1, (SELECT coalesce(max(num), 0) + 1 FROM attempts WHERE item = ?1), ?, ?, ?, ?, ?, ?, ?)`,
			item, l.owner, a.Started.UnixMilli(), a.Duration.Milliseconds(), a.Status, string(a.Class), a.Kind, a.Message)
		if err != nil {
			return err
		}
	}
	return nil
}

// outcomeKeys are what a record refers to.
type outcomeKeys struct {
	request []byte            // nil where none was rendered
	answer  sql.NullInt64     // answers.num
	asked   *pipeline.Attempt // the one that brought the answer; nil where none was sent
}

// putRecord writes the newest record of an item, of the number that the item says; run is 0 where the listing found it.
func (t *tx) putRecord(item, run int64, rec *pipeline.Record, keys outcomeKeys) error {
	var class, kind, status, message, askedAt, askedMS any
	if e := rec.Err; e != nil {
		class, kind, status, message = string(e.Class), e.Kind, e.Status, e.Error()
	}
	if a := keys.asked; a != nil {
		askedAt, askedMS = a.Started.UnixMilli(), a.Duration.Milliseconds()
	}
	_, err := t.exec(`INSERT INTO records (item, num, run, state, class, kind, status, error, request, answer,
			model, prompt_tokens, completion_tokens, cached, started_at, duration_ms, tries, asked_at, asked_ms, warnings)
		VALUES (?1, (SELECT record FROM items WHERE num = ?1), nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		item, run, string(rec.State), class, kind, status, message, orNull(keys.request), keys.answer,
		rec.Model, rec.Tokens.Prompt, rec.Tokens.Completion, rec.Cached, millis(rec.Started), rec.Duration.Milliseconds(), rec.Tries,
		askedAt, askedMS, listOrNull(rec.Warnings))
	return err
}

// listOrNull is texts as a JSON array; NULL for none.
func listOrNull(texts []string) any {
	if len(texts) == 0 {
		return nil
	}
	b, err := json.Marshal(texts)
	if err != nil {
		panic(err) // strings
	}
	return string(b)
}

// orNull is NULL for a hash that is not there.
func orNull(hash []byte) any {
	if hash == nil {
		return nil
	}
	return hash
}
