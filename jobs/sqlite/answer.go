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
	FROM answers WHERE request = ? AND superseded_at IS NULL`

// Answer implements agent.Store.
func (r *Reader) Answer(ctx context.Context, request string) (*agent.Answer, error) {
	hash, err := decodeRequest(request)
	if err != nil {
		return nil, err
	}
	var a agent.Answer
	err = r.answer.QueryRowContext(ctx, hash).Scan(&a.Text, &a.Model, &a.FinishReason, &a.Tokens.Prompt, &a.Tokens.Completion)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, r.failure(ctx, "read answer", err)
	}
	return &a, nil
}

// PutAnswer implements agent.Store.
func (s *Store) PutAnswer(ctx context.Context, request string, a *agent.Answer) error {
	hash, err := decodeRequest(request)
	if err != nil {
		return err
	}
	if a.Text == "" {
		return fmt.Errorf("store answer of request %s: it is empty", request)
	}
	return s.writer.do(ctx, len(a.Text)+200, func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO answers (request, text, model, finish_reason, prompt_tokens, completion_tokens, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (request) WHERE superseded_at IS NULL DO NOTHING`,
			hash, a.Text, a.Model, a.FinishReason, a.Tokens.Prompt, a.Tokens.Completion, s.now())
		return err
	})
}

// answerOf gives the number of a record's answer. It was stored when it came, as a rule. One that was not, or that differs
// from what is stored for its request because two equal requests were sent at once, is stored now; but it is not found by its
// request: only what the agent's decorators put there may be.
func (t *tx) answerOf(rec *pipeline.Record, request []byte, now int64) (num sql.NullInt64, err error) {
	if request != nil {
		found, err := t.get(`SELECT num FROM answers WHERE request = ? AND superseded_at IS NULL AND text = ?`,
			[]any{request, rec.Answer}, &num)
		if found || err != nil {
			return num, err
		}
	}
	res, err := t.exec(`INSERT INTO answers (request, text, model, finish_reason, prompt_tokens, completion_tokens, created_at, superseded_at)
		VALUES (?1, ?2, ?3, '', ?4, ?5, ?6, ?6)`, orNull(request), rec.Answer, rec.Model, rec.Tokens.Prompt, rec.Tokens.Completion, now)
	if err != nil {
		return num, err
	}
	num.Valid = true
	num.Int64, err = res.LastInsertId()
	return num, err
}
