package agent

import (
	"context"
	"errors"
	"time"

	"docbatch/pipeline"
)

// Traced tells the trace of the context about every request that Next is given: when, how long, and what came of it. It
// stands next to the adapter, so that waiting for a limit is not counted as the agent's time.
type Traced struct {
	Next Agent
}

var _ Agent = Traced{}

// Ask implements Agent.
func (t Traced) Ask(ctx context.Context, req *Request) (*Answer, error) {
	started := time.Now()
	a, err := t.Next.Ask(ctx, req)
	attempt := pipeline.Attempt{Started: started, Duration: time.Since(started), Status: 200}
	if err != nil {
		e := pipeline.AsError(err)
		attempt.Status, attempt.Class, attempt.Kind, attempt.Message = e.Status, e.Class, e.Kind, e.Error()
		if interrupted(ctx, err) {
			attempt.Class, attempt.Kind, attempt.Message = pipeline.Transient, pipeline.KindInterrupted, "interrupted by the end of the run"
		}
	}
	traceOf(ctx).Attempt(attempt)
	return a, err
}

// interrupted reports whether err is there because the run ends, not because of the document or the agent.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, pipeline.ErrStopping)
}
