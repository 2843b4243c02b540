package agent

import (
	"context"
	"math/rand/v2"
	"time"

	"docbatch/pipeline"
)

// Retry asks Next again where a failure may go away by itself. A transient failure counts and is followed by a growing,
// random pause; one that was throttled, or met an agent that is down, does not count, and the pause is Pace's business; any other
// is final.
type Retry struct {
	Next     Agent
	Attempts int           // transient failures until it gives up; 0 means DefaultAttempts
	Repeats  int           // how often a request is sent again that had no answer in time: it may have been billed
	Pause    time.Duration // the first pause, at most; doubled each time; 0 means one second
	MaxPause time.Duration // no pause is longer, but for one that the service asks for; 0 means one minute
	MaxAsked time.Duration // and none that it asks for is longer than that; 0 means DefaultMaxPause
}

// DefaultAttempts is how often a document is tried before it fails with its last cause, DefaultRepeats how often of that after a
// time-out.
const (
	DefaultAttempts = 8
	DefaultRepeats  = 1
)

var _ Agent = (*Retry)(nil)

// Ask implements Agent. The error is that of the last attempt.
func (r *Retry) Ask(ctx context.Context, req *Request) (*Answer, error) {
	for counted, late := 0, 0; ; {
		a, err := r.Next.Ask(ctx, req)
		if err == nil || interrupted(ctx, err) {
			return a, err
		}
		e := pipeline.AsError(err)
		if e.Class == pipeline.Transient && e.Kind == pipeline.KindTimeout {
			late++ // also while the agent is down: it may have been billed
		}
		switch {
		case late > r.Repeats && e.Class == pipeline.Transient:
			return nil, err
		case e.Class == pipeline.Throttled || isDown(err):
			continue
		case e.Class != pipeline.Transient:
			return nil, err
		}
		if counted++; counted >= r.attempts() {
			return nil, err
		}
		if err := pipeline.Sleep(ctx, max(r.pause(counted, e), min(e.RetryAfter, r.maxAsked()))); err != nil {
			return nil, err
		}
	}
}

func (r *Retry) maxAsked() time.Duration {
	if r.MaxAsked <= 0 {
		return DefaultMaxPause
	}
	return r.MaxAsked
}

func (r *Retry) attempts() int {
	if r.Attempts <= 0 {
		return DefaultAttempts
	}
	return r.Attempts
}

// pause is the wait after the n-th failure: between half and the whole of an exponentially growing bound, so that workers
// that failed together do not come back together. It grows faster where a gateway says that the service behind it is gone: the
// attempts of the last documents of a run must outlast a restart of the service.
func (r *Retry) pause(n int, e *pipeline.Error) time.Duration {
	first, most := r.Pause, r.MaxPause
	if first <= 0 {
		first = time.Second
	}
	if most <= 0 {
		most = time.Minute
	}
	if isGateway(e.Status) {
		first, n = 2*first, 2*n-1
	}
	return backoff(first, most, n)
}

// backoff is a random duration between half and the whole of first doubled n-1 times, the whole at most most.
func backoff(first, most time.Duration, n int) time.Duration {
	d := most
	if shift := n - 1; shift < 32 && first<<shift < most {
		d = first << shift
	}
	return d/2 + rand.N(d/2+1)
}
