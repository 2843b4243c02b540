package agent

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"docbatch/pipeline"
)

// Pace keeps to the limits of the service for all workers together: it sends no more requests a minute than allowed, and
// when the service asks for a pause, everyone pauses.
//
// Requests pass one at a time: only the one at the front holds a reservation. What waits behind it feels a new pause at
// once; with a reservation each, all of them would be due together when the pause ends.
type Pace struct {
	next  Agent
	limit *rate.Limiter // nil: no limit known
	turn  chan struct{} // holds one token: who has it is at the front

	mu       sync.Mutex
	held     time.Time // nobody sends before
	why      string    // the reason, for people
	episode  time.Time // when the pause in force was asked for
	episodes int       // pauses in a row without an answer between them
}

var _ Agent = (*Pace)(nil)

const (
	// rateMargin is the share of a known limit that is used. Requests sent evenly arrive unevenly: with a network jitter of
	// 0.3 s a window of 60 s sees up to 0.5 % more than was sent in 60 s (measured against three kinds of server window: no
	// 429 at 0.995, 9 to 40 a run at 1.0).
	rateMargin = 0.995

	// catchUp is how much of its schedule a late wake-up may make good: with none, a busy machine reached 75 % of 6,000
	// requests a minute.
	catchUp = 20 * time.Millisecond

	// The pause where the service asks for one without saying how long; doubled while it goes on asking. The longest outlasts a
	// window of a minute.
	firstPause = 2 * time.Second
	mostPause  = 90 * time.Second
)

// NewPace paces next. rpm is the service's limit in requests a minute; 0 where none is known.
func NewPace(next Agent, rpm float64) *Pace {
	p := &Pace{next: next, turn: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	if rpm > 0 {
		perSecond := rpm / 60 * rateMargin
		burst := max(1, int(perSecond*catchUp.Seconds()))
		p.limit = rate.NewLimiter(rate.Limit(perSecond), burst)
	}
	return p
}

// Ask implements Agent. It waits its turn, as long as that takes; it returns early with ctx's error or pipeline.ErrStopping.
func (p *Pace) Ask(ctx context.Context, req *Request) (*Answer, error) {
	if err := p.wait(ctx); err != nil {
		return nil, err
	}
	sent := time.Now()
	a, err := p.next.Ask(ctx, req)
	p.learn(sent, err)
	return a, err
}

// wait returns when a request may be sent.
func (p *Pace) wait(ctx context.Context) error {
	select {
	case <-p.turn:
	case <-ctx.Done():
		return ctx.Err()
	case <-pipeline.Stopping(ctx):
		return pipeline.ErrStopping
	}
	defer func() { p.turn <- struct{}{} }()

	var slot *rate.Reservation
	if p.limit != nil {
		slot = p.limit.Reserve()
		if err := pipeline.Sleep(ctx, slot.Delay()); err != nil {
			slot.Cancel()
			return err
		}
	}
	for {
		pause := p.Paused()
		if pause.For <= 0 {
			return nil
		}
		if err := pipeline.Sleep(ctx, pause.For); err != nil {
			return err
		}
	}
}

// learn draws the conclusion from the outcome of a request sent at that time.
func (p *Pace) learn(sent time.Time, err error) {
	if err == nil {
		p.mu.Lock()
		p.episodes = 0
		p.mu.Unlock()
		return
	}
	if e := pipeline.AsError(err); e.Class == pipeline.Throttled {
		p.throttled(sent, e)
	}
}

// throttled starts a pause for everyone, or lengthens the one in force. Requests that were on their way when the pause began
// tell nothing new by being throttled too, but a longer time that the service asks for counts.
func (p *Pace) throttled(sent time.Time, e *pipeline.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if e.RetryAfter > 0 {
		p.hold(now.Add(e.RetryAfter+rand.N(min(e.RetryAfter/10, time.Second)+1)), "the agent asked for a pause")
	}
	if sent.Before(p.episode) {
		return
	}
	p.episode = now
	p.episodes++
	if e.RetryAfter <= 0 {
		p.hold(now.Add(backoff(firstPause, mostPause, p.episodes)), fmt.Sprintf("the agent is at its limit (%s)", e.Kind))
	}
}

// hold moves the end of the pause to until, if that is later. p.mu is held.
func (p *Pace) hold(until time.Time, why string) {
	if until.After(p.held) {
		p.held, p.why = until, why
	}
}

// A Pause says that requests are held back, for how long yet, and why; the zero Pause says that they are not.
type Pause struct {
	For time.Duration
	Why string
}

// Spent begins with nothing saved up: the first request waits for its place like one in the middle of a run. It is for a run that
// follows another at once, so that stopping and starting again does not send more than the limit allows.
func (p *Pace) Spent() {
	if p.limit != nil {
		p.limit.AllowN(time.Now(), p.limit.Burst())
	}
}

// Paused reports whether everyone is waiting because the service asked for it.
func (p *Pace) Paused() Pause {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := time.Until(p.held)
	if left <= 0 {
		return Pause{}
	}
	return Pause{For: left, Why: p.why}
}
