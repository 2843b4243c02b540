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

// Pace keeps to the limits of the service for all workers together. Limits that are known are used to 99 %. What is not known is
// found: it starts gently, learns from a refusal how much the service takes a minute (see throttle), and from headers how much is
// left (see allowance). When the service asks for a pause everyone pauses, and comes back slowly. When the agent is down, one
// request after the other looks whether it is back, and none of that counts as an attempt (see outage).
//
// Requests pass one at a time, and only the one at the front decides when to go. What waits behind it feels a new pause at once;
// with a reservation each, all of them would be due together when the pause ends.
type Pace struct {
	next   Agent
	meter  *Meter
	limits Limits
	turn   chan struct{} // holds one token: who has it is at the front
	wake   chan struct{} // tells the front that something has changed

	mu       sync.Mutex
	clock    clock
	sent     uint64 // calls, ever
	tokens   int    // estimated for them
	inFlight int
	peak     int // the most that may be in flight at once, or were
	answers  int
	began    time.Time // the first call, of an earlier run if it was remembered
	changed  time.Time // the last time that a call went off or ended
	ledger   ledger

	known    *rate.Limiter // nil: the limit on requests is not known
	minute   float64       // tokens that may be sent in one: the limit, and less where it was refused
	bucket   tokenBucket
	ease     ease
	throttle throttle
	outage   outage
	said     struct{ requests, tokens allowance }

	held  time.Time // nobody sends before
	since time.Time // when the pause began
	why   string    // the reason, for people
	probe *call     // the first after a pause; nil once it is known what came of it
	front Pause     // what the one at the front waits for, where that is not the rate
	until time.Time // when front is over
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

	// A refusal while that much of a known limit on tokens is in use is taken for one of tokens: the service counts them otherwise
	// than we do, and a little less is sent from then on.
	nearlyFull  = 0.8
	tokenStep   = 0.003
	leastTokens = 0.8

	// surePeak is how many calls in flight every service is taken to bear, where there are as many workers.
	surePeak = 16

	// worthSaying is how long a wait must be to be told.
	worthSaying = time.Second

	// probeTime is how long the others wait for what comes of the first call after a pause: a refusal comes at once, an answer may
	// take minutes. While the agent is down it is longer: see outage.
	probeTime = time.Second
)

// NewPace paces next.
func NewPace(next Agent, meter *Meter, l Limits) *Pace {
	if l.MaxPause <= 0 {
		l.MaxPause = DefaultMaxPause
	}
	p := &Pace{next: next, meter: meter, limits: l, turn: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	if l.Requests > 0 {
		p.known = newLimiter(l.Requests / 60 * rateMargin)
		p.throttle.least = l.Requests / 60 * leastOfKnown
	}
	p.clock.start = time.Now()
	p.minute, p.bucket = l.Tokens, tokenBucket{rate: l.Tokens / 60 * rateMargin}
	p.ease = ease{limit: rate.NewLimiter(startRate, 1), starting: l.Requests <= 0}
	p.peak = min(l.InFlight, surePeak)
	return p
}

// newLimiter makes a limiter of so many requests a second.
func newLimiter(perSecond float64) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(perSecond), burstOf(perSecond))
}

func burstOf(perSecond float64) int { return max(1, int(perSecond*catchUp.Seconds())) }

// A call is a request on its way, as Pace knows it.
type call struct {
	num    uint64 // of all calls
	tokens int    // estimated for all calls up to it
	cost   int    // estimated for it, in tokens
	sent   time.Time
	slot   int64 // of the ledger
}

// Ask implements Agent. It waits its turn, as long as that takes; it returns early with ctx's error or pipeline.ErrStopping. A request
// that the limits can never let pass is Invalid, of kind KindTooLong, and is not sent. After the agent was down for
// Limits.GiveUp the error is Fatal, of kind KindUnreachable.
func (p *Pace) Ask(ctx context.Context, req *Request) (*Answer, error) {
	cost, err := p.limits.Cost(p.meter, req)
	if err != nil {
		return nil, err
	}
	c, err := p.wait(ctx, cost)
	if err != nil {
		return nil, err
	}
	returned := false
	defer func() {
		if !returned { // a panic: its place is free again
			p.leave(c)
		}
	}()
	a, err := p.next.Ask(withRates(ctx, func(r Rates) { p.note(c, r) }), req)
	returned = true
	return a, p.learn(ctx, c, req, a, err)
}

// note takes what the service says of its limits, when it says it: an answer may go on for minutes after.
func (p *Pace) note(c *call, r Rates) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	if p.limits.Requests <= 0 { // who knows a limit knows it better: what is said is as old as the answer
		p.said.requests.note(c, r.Requests, now, p.limits.MaxPause)
	}
	if p.limits.Tokens <= 0 {
		p.said.tokens.note(c, r.Tokens, now, p.limits.MaxPause)
	}
	p.poke()
}

// leave frees the place of a call of which nothing is learned.
func (p *Pace) leave(c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end(c)
}

// end notes that a call is over. p.mu is held.
func (p *Pace) end(c *call) {
	p.inFlight--
	if p.probe == c {
		p.probe = nil
	}
	p.poke()
}

// poke wakes the one at the front, now or when it next sleeps.
func (p *Pace) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// wait returns when a request of so many tokens may be sent: the call is on its way then.
func (p *Pace) wait(ctx context.Context, cost int) (*call, error) {
	select {
	case <-p.turn:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-pipeline.Stopping(ctx):
		return nil, pipeline.ErrStopping
	}
	defer func() { p.turn <- struct{}{} }()
	for {
		if err := ended(ctx); err != nil {
			return nil, err
		}
		c, pause, err := p.try(cost)
		if c != nil || err != nil {
			return c, err
		}
		if err := p.sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// ended is the error of one that must not begin any more.
func ended(ctx context.Context) error {
	select {
	case <-pipeline.Stopping(ctx):
		return pipeline.ErrStopping
	default:
		return ctx.Err()
	}
}

// nap is the longest sleep without a look at the clock on the wall: timers stop while a laptop sleeps.
const nap = 2 * time.Second

// sleep waits for d, but not for long, or until something has changed.
func (p *Pace) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(min(d, nap))
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.wake:
	case <-ctx.Done():
		return ctx.Err()
	case <-pipeline.Stopping(ctx):
		return pipeline.ErrStopping
	}
	return nil
}

// try sends a call off, or says how long it must wait at least.
func (p *Pace) try(cost int) (*call, time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	if p.outage.err != nil {
		return nil, 0, p.outage.err
	}
	if pause := p.due(now, cost); pause.For > 0 {
		p.front, p.until = pause, now.Add(pause.For)
		return nil, pause.For, nil
	}
	p.front = Pause{}
	return p.send(now, cost), 0, nil
}

// due is the longest of all that a call of that cost has to wait for. p.mu is held.
func (p *Pace) due(now time.Time, cost int) Pause {
	var longest Pause
	wait := func(d time.Duration, why string) {
		if d > longest.For {
			longest = Pause{For: d, Why: why}
		}
	}
	wait(p.held.Sub(now), p.why)
	if p.probe != nil {
		wait(p.probe.sent.Add(p.outage.probeTime()).Sub(now), p.outage.why)
	}
	if p.limits.InFlight > 0 && p.inFlight >= p.limits.InFlight {
		wait(nap, "")
	}
	if p.known != nil {
		wait(delay(p.known, now), "")
	}
	wait(p.ease.delay(now, p.answers), "")
	wait(p.throttle.delay(now, &p.ledger), "the agent's limit that was found is used up")
	if p.limits.Tokens > 0 {
		wait(p.bucket.delay(now), "the tokens of this minute are used up")
		wait(p.ledger.until(now, func(s slot) bool { return float64(s.tokens+cost) <= p.minute || s.tokens <= 0 }),
			"the tokens of this minute are used up")
	}
	wait(p.said.requests.wait(now, 1, func(c *call) int { return int(p.sent - c.num) }), "the agent says that no request is left")
	wait(p.said.tokens.wait(now, cost, func(c *call) int { return p.tokens - c.tokens }), "the agent says that its tokens are used up")
	return longest
}

// delay is how long until a limiter lets a request pass.
func delay(l *rate.Limiter, now time.Time) time.Duration {
	lacks := 1 - l.TokensAt(now)
	if lacks <= 0 {
		return 0
	}
	return time.Duration(min(lacks/float64(l.Limit()), time.Hour.Seconds())*float64(time.Second)) + 1
}

// send notes that a call goes off. p.mu is held.
func (p *Pace) send(now time.Time, cost int) *call {
	p.sent++
	p.tokens += cost
	p.inFlight++
	p.peak = max(p.peak, p.inFlight)
	if p.began.IsZero() {
		p.began = now
	}
	p.changed = now
	c := &call{num: p.sent, tokens: p.tokens, cost: cost, sent: now, slot: p.ledger.at(now)}
	p.ledger.add(c.slot, slot{sent: 1, accepted: 1, tokens: cost})
	if p.known != nil {
		p.known.AllowN(now, 1)
	}
	p.bucket.take(now, cost)
	if !p.held.IsZero() { // the first after a pause
		p.resume(now, c)
	}
	p.ease.take(now)
	p.said.requests.take(now)
	p.said.tokens.take(now)
	p.throttle.take(now)
	return c
}

// resume begins anew after a pause, with the first call. p.mu is held.
func (p *Pace) resume(now time.Time, c *call) {
	p.probe = c
	p.ledger.hold(p.since, now)
	switch {
	case p.throttle.chain == 0: // the agent was down: nothing was too much for it
		p.ease.resume(now, p.peak, 0, leastFlat)
	case p.throttle.alone(now):
		p.ease.resume(now, p.peak, p.throttle.hit.best/2, p.held.Sub(p.since))
	default:
		p.ease.resume(now, p.peak, 0, mostFlat)
	}
	p.held, p.since = time.Time{}, time.Time{}
}

// learn draws the conclusions from the outcome of a call, and gives its error.
func (p *Pace) learn(ctx context.Context, c *call, req *Request, a *Answer, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	p.changed = now
	p.ledger.at(now)
	p.end(c)
	switch {
	case err == nil:
		p.answered(now, c, p.meter.Learn(req, a.Tokens, now.Sub(c.sent)).Total())
	case interrupted(ctx, err):
		// says nothing
	default:
		err = p.failed(now, c, req, err)
	}
	return err
}

// answered learns from an answer. p.mu is held.
func (p *Pace) answered(now time.Time, c *call, cost int) {
	p.answers++
	p.outage.over()
	p.settle(now, c, cost)
	p.throttle.answered(now, c, &p.ledger, p.began)
}

// settle puts the true cost of a call in place of the estimate. p.mu is held.
func (p *Pace) settle(now time.Time, c *call, cost int) {
	if p.limits.Reserve && cost > 0 {
		return
	}
	p.ledger.add(c.slot, slot{tokens: cost - c.cost})
	p.bucket.take(now, cost-c.cost)
}

// failed learns from a failure, and gives the error that Retry is to see. p.mu is held.
func (p *Pace) failed(now time.Time, c *call, req *Request, err error) error {
	e := pipeline.AsError(err)
	switch e.Class {
	case pipeline.Throttled:
		p.ledger.add(c.slot, slot{accepted: -1})
		p.settle(now, c, 0)
		p.throttled(now, c, e)
	case pipeline.Transient:
		pause := p.outage.failed(c, req.Key, e, p.sent, p.peak)
		p.hold(now, now.Add(pause), p.outage.why)
		if p.outage.open {
			return p.outage.verdict(e, p.giveUp(), p.inFlight)
		}
	default:
		p.outage.over() // the agent is there
		p.settle(now, c, 0)
	}
	return err
}

// giveUp is how long the agent may be down.
func (p *Pace) giveUp() time.Duration {
	switch {
	case p.limits.GiveUp > 0:
		return p.limits.GiveUp
	case p.answers == 0:
		return DefaultGiveUpEarly
	}
	return DefaultGiveUp
}

// throttled starts a pause for everyone, or lengthens the one in force. Calls that were on their way when the pause began tell nothing
// new by being refused too, but a longer time that the service asks for counts.
func (p *Pace) throttled(now time.Time, c *call, e *pipeline.Error) {
	asked := min(e.RetryAfter, p.limits.MaxPause)
	if asked > 0 {
		p.hold(now, now.Add(asked+rand.N(min(asked/10, time.Second)+1)), "the agent asked for a pause")
	}
	byTokens := p.limits.Tokens > 0 && float64(p.ledger.sums.tokens) >= nearlyFull*p.minute
	pause, news := p.throttle.refused(now, c, refusal{asked: asked, byTokens: byTokens}, p.sent, &p.ledger)
	if news && byTokens {
		p.minute = max(p.minute*(1-tokenStep), leastTokens*p.limits.Tokens)
	}
	if news {
		p.hold(now, now.Add(min(pause, p.limits.MaxPause)), fmt.Sprintf("the agent is at its limit (%s)", e.Kind))
	}
}

// hold moves the end of the pause to until, if that is later. p.mu is held.
func (p *Pace) hold(now, until time.Time, why string) {
	if !until.After(now) || !until.After(p.held) {
		return
	}
	if p.since.IsZero() {
		p.since = now
	}
	p.held, p.why = until, why
}

// Rate is how many requests a minute the limit in force lets pass: the known one, or else the one that was found; 0 where there is
// none.
func (p *Pace) Rate() (perMinute float64, found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.known != nil:
		return p.limits.Requests * rateMargin, false
	case p.throttle.limit != nil:
		return float64(p.throttle.limit.Limit()) * time.Minute.Seconds(), true
	}
	return 0, false
}

// A Pause says that requests are held back, for how long yet, and why; the zero Pause says that they are not.
type Pause struct {
	For time.Duration
	Why string
}

// Paused reports whether everyone waits for longer than a known rate makes them.
func (p *Pace) Paused() Pause {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	if left := p.held.Sub(now); left > 0 {
		return Pause{For: left, Why: p.why}
	}
	if left := p.until.Sub(now); p.front.Why != "" && p.front.For >= worthSaying && left > 0 {
		return Pause{For: left, Why: p.front.Why}
	}
	return Pause{}
}
