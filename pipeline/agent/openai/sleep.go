package openai

import (
	"sync"
	"time"
)

// An instant is read from two clocks: the one on the wall, and one that stops while the machine sleeps, as all timers do.
// Both count from a start of their own.
type instant struct{ wall, awake time.Duration }

// asleep is how long the machine slept from one instant to another. It is 0 or less where only the clock was set back.
func asleep(from, to instant) time.Duration { return (to.wall - from.wall) - (to.awake - from.awake) }

const (
	// longestNap is how long the machine may sleep, or its clock be set forward, until connections are taken for dead.
	longestNap = 15 * time.Second

	// lookEvery is the time between two looks at the clocks while calls are in flight.
	lookEvery = time.Second
)

// slept is the cause with which calls end that were in flight while the machine slept for so long. Their time-outs slept too,
// and nobody would tell them that the connection is gone.
type slept time.Duration

func (s slept) Error() string {
	return "this machine slept for " + time.Duration(s).Round(time.Second).String()
}

// traffic is the calls in flight. While there are any it looks at the clocks, with a timer and no goroutine.
type traffic struct {
	clock func() instant
	woken func() // called before calls are ended

	mu      sync.Mutex
	calls   map[*call]struct{}
	seen    instant // when the clocks were last looked at
	looking bool    // a look is due
}

func newTraffic(clock func() instant, woken func()) *traffic {
	return &traffic{clock: clock, woken: woken, calls: map[*call]struct{}{}, seen: clock()}
}

// add puts c among the calls in flight. It looks at the clocks before, so that c does not go over a connection that did not
// survive a pause between two calls.
func (t *traffic) add(c *call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look()
	t.calls[c] = struct{}{}
	if !t.looking {
		t.looking = true
		time.AfterFunc(lookEvery, t.lookAgain)
	}
}

func (t *traffic) remove(c *call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.calls, c)
}

// lookAgain goes on as long as there are calls in flight.
func (t *traffic) lookAgain() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look()
	if t.looking = len(t.calls) > 0; t.looking {
		time.AfterFunc(lookEvery, t.lookAgain)
	}
}

// look ends all calls if the machine slept since the last look. t.mu is held.
func (t *traffic) look() {
	now := t.clock()
	nap := asleep(t.seen, now)
	t.seen = now
	if nap <= longestNap {
		return
	}
	t.woken()
	for c := range t.calls {
		c.cancel(slept(nap))
	}
}
