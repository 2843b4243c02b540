package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

const selectAnswer = `SELECT text, model, finish_reason, prompt_tokens, completion_tokens
	FROM answers WHERE request = ? AND superseded_at IS NULL AND num > ?`

// Answer implements agent.Store.
func (r *Reader) Answer(ctx context.Context, request string, after int64) (*agent.Answer, error) {
	hash, err := decodeRequest(request)
	if err != nil {
		return nil, err
	}
	var a agent.Answer
	// Without the cancelling that ctx could do, the driver needs no goroutine for it: a look by a key takes microseconds.
	err = r.answer.QueryRowContext(context.WithoutCancel(ctx), hash, after).Scan(&a.Text, &a.Model, &a.FinishReason, &a.Tokens.Prompt, &a.Tokens.Completion)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, r.failure(ctx, "read answer", err)
	}
	return &a, nil
}

// Answer implements agent.Store. Most requests are new, so it asks the file only where the answer may be there.
func (s *Store) Answer(ctx context.Context, request string, after int64) (*agent.Answer, error) {
	hash, err := decodeRequest(request)
	if err != nil {
		return nil, err
	}
	stored, err := s.storedRequests(ctx)
	if err != nil || !stored.mayHave(hash) {
		return nil, err
	}
	return s.Reader.Answer(ctx, request, after)
}

// storedRequests is the filter of the requests that have an answer. It is made when it is first needed.
func (s *Store) storedRequests(ctx context.Context) (*filter, error) {
	s.storedMu.Lock()
	defer s.storedMu.Unlock()
	if s.stored != nil {
		return s.stored, nil
	}
	f := newFilter()
	err := s.query(ctx, "read requests", `SELECT request FROM answers WHERE superseded_at IS NULL AND request IS NOT NULL`, nil,
		func(rows *sql.Rows) error {
			var hash sql.RawBytes
			err := rows.Scan(&hash)
			if len(hash) == requestBytes {
				f.add(hash)
			}
			return err
		})
	if err != nil {
		return nil, err
	}
	s.stored = f
	return f, nil
}

// PutAnswer implements agent.Store.
func (s *Store) PutAnswer(ctx context.Context, request string, after int64, a *agent.Answer) error {
	hash, err := decodeRequest(request)
	if err != nil {
		return err
	}
	if a.Text == "" {
		return fmt.Errorf("store answer of request %s: it is empty", request)
	}
	stored, err := s.storedRequests(ctx)
	if err != nil {
		return err
	}
	var num int64
	err = s.writer.do(ctx, len(a.Text)+200, func(tx *tx) error {
		num = 0
		if after > 0 {
			_, err := tx.exec(`UPDATE answers SET superseded_at = ? WHERE request = ? AND superseded_at IS NULL AND num <= ?`, s.now(), hash, after)
			if err != nil {
				return err
			}
		}
		res, err := tx.exec(`INSERT INTO answers (request, text, model, finish_reason, prompt_tokens, completion_tokens, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (request) WHERE superseded_at IS NULL DO NOTHING`,
			hash, a.Text, a.Model, a.FinishReason, a.Tokens.Prompt, a.Tokens.Completion, s.now())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			return err
		}
		num, err = res.LastInsertId()
		return err
	})
	if err != nil {
		return err
	}
	stored.add(hash)
	if num != 0 {
		s.fresh.Store(request, num)
	}
	return nil
}

// answerOf gives the number of a record's answer. It was stored when it came, as a rule. One that was not, or that differs
// from what is stored for its request because two equal requests were sent at once, is stored now; but it is not found by its
// request: only what the agent's decorators put there may be.
func (s *Store) answerOf(tx *tx, rec *pipeline.Record, request []byte) (num sql.NullInt64, err error) {
	if fresh, ok := s.fresh.Load(rec.Request); ok {
		return sql.NullInt64{Int64: fresh.(int64), Valid: true}, nil
	}
	if request != nil {
		found, err := tx.get(`SELECT num FROM answers WHERE request = ? AND superseded_at IS NULL AND text = ?`,
			[]any{request, rec.Answer}, &num)
		if found || err != nil {
			return num, err
		}
	}
	res, err := tx.exec(`INSERT INTO answers (request, text, model, finish_reason, prompt_tokens, completion_tokens, created_at, superseded_at)
		VALUES (?1, ?2, ?3, '', ?4, ?5, ?6, ?6)`, orNull(request), rec.Answer, rec.Model, rec.Tokens.Prompt, rec.Tokens.Completion, s.now())
	if err != nil {
		return num, err
	}
	num.Valid = true
	num.Int64, err = res.LastInsertId()
	return num, err
}
