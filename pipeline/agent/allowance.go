package agent

import "time"

// An allowance is what a service said last of one of its limits, and what was sent since. Services differ in what they call the
// reset: the time until all of the limit is free again, which moves on with every request, or the end of a window, which does
// not.
type allowance struct {
	rate    Rate
	by      *call     // whose answer said so; nil: nothing is known
	at      time.Time // when that one was sent: most services count then
	resetAt time.Time
	base    time.Time // a reset that was said, and is still to come
	rolling bool      // the reset moves on
	sounded time.Time // when a call was sent after the reset
}

// movedBy is how much later a reset must be to have moved: less is the network.
const movedBy = time.Second

// note takes what was said beside the outcome of c; no reset is believed to be further away than most. What was said to a call that
// was sent later is newer.
func (a *allowance) note(c *call, r Rate, now time.Time, most time.Duration) {
	if !r.Known || r.Reset <= 0 || a.by != nil && c.num < a.by.num {
		return
	}
	r.Reset = min(r.Reset, most)
	resetAt := now.Add(r.Reset)
	if !now.Before(a.base) {
		a.base = resetAt
	}
	a.rolling = a.rolling || resetAt.Sub(a.base) > movedBy
	a.rate, a.by, a.at, a.resetAt, a.sounded = r, c, c.sent, resetAt, time.Time{}
}

// wait is how long need must wait; since says how much was sent after a call.
func (a *allowance) wait(now time.Time, need int, since func(*call) int) time.Duration {
	if a.by == nil {
		return 0
	}
	if late := now.Sub(a.resetAt); late > forgetAfter {
		a.by = nil
		return 0
	} else if late >= 0 {
		return a.sounded.Add(probeTime).Sub(now)
	}
	free := 0
	used := a.rate.Limit - a.rate.Remaining
	if a.rolling && used > 0 {
		free = int(float64(used) * float64(now.Sub(a.at)) / float64(a.rate.Reset))
	}
	lacks := need - (a.rate.Remaining + free - since(a.by))
	if lacks <= 0 {
		return 0
	}
	if !a.rolling || used <= 0 {
		return a.resetAt.Sub(now)
	}
	return min(a.resetAt.Sub(now), time.Duration(float64(a.rate.Reset)*float64(free+lacks)/float64(used))-now.Sub(a.at)+time.Millisecond)
}

// take notes that a call goes off. After the reset others follow at intervals only, until the service says how much is free.
func (a *allowance) take(now time.Time) {
	if a.by != nil && !now.Before(a.resetAt) {
		a.sounded = now
	}
}

// forgetAfter is how long after a reset what was said before is no use any more.
const forgetAfter = 10 * time.Second
