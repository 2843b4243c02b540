package agent

import (
	"math"
	"math/rand/v2"
	"time"

	"golang.org/x/time/rate"
)

// A throttle finds a limit on requests that nobody told. The first refusal (a 429) begins an episode; those of calls that were
// sent before do not begin another. What comes of the first call after the pause says what the refusal meant:
//
//   - It is refused again, and again: the service's window is full, and what it took in the last minute is its limit.
//   - It is accepted at once: the window is short, or something else was refused; the run goes on at the best that was
//     accepted in a second.
//   - More than a minute has passed: the run goes on at the rate that it had, but for pauses.
//
// Then the limit is raised, the more the longer nothing is refused, but only while it is really used.
type throttle struct {
	limit  *rate.Limiter // nil: none found
	window int           // requests that the service takes in a minute; 0: none found

	cut   uint64 // refusals of calls up to this one are of the episode that is known
	chain int    // episodes in a row of which each refused the first call after the pause
	hit   hit    // what was at the first of them

	least    float64   // what is found below it, in requests a second, is not believed
	measured float64   // what was found last, in requests a second
	used     bool      // the limit made a call wait since it was last changed
	changed  time.Time // when it was found or raised
	first    raise     // the first step upward
	next     raise     // the one that comes next
	most     int       // accepted in any minute
}

// A raise is the next step upward: by how much, and after how long without a refusal. Each is twice as large as the one before,
// after half the time; each time that the same limit is found again, the patience is doubled.
type raise struct {
	growth   float64
	patience time.Duration
}

// The first raises of a limit that is sure, and of one that a guess was made of.
var (
	ofSure   = raise{growth: 0.003, patience: 30 * time.Second}
	ofUnsure = raise{growth: 0.1, patience: 3 * time.Second}
)

// A hit is what a refusal found.
type hit struct {
	at       time.Time
	accepted int     // in the last minute
	best     int     // in a second
	rate     float64 // requests a second in the last minute, but for pauses
	refused  int     // calls that were on their way and were refused too
	refusal
}

// A refusal is what is known of a request that was refused for its rate.
type refusal struct {
	asked    time.Duration // the (longest) pause that the service asked for
	byTokens bool          // it is for tokens, and says nothing of requests
}

const (
	// The pauses where the service names none, doubled; after them the window of a minute must have room.
	firstPause   = 2 * time.Second
	blindPauses  = 3
	mostPause    = 90 * time.Second
	fullAfter    = 3                // refusals in a row that mean that a window is full
	fullAsked    = 10 * time.Second // or one, with such a pause
	limitMargin  = 0.999
	alonePause   = 2500 * time.Millisecond
	aloneMost    = 3
	leastShare   = 0.9 // of the best minute: a service that refuses at random must not bring the rate down to nothing
	mostGrowth   = 0.3
	mostPatience = 10 * time.Minute
	sameLimit    = 0.1 // share by which a limit that is found again may differ
	sureOf       = 50  // accepted in a minute: a window that took fewer, and once only, may be a service that had a bad moment
	leastOfKnown = 0.5 // a limit that the user names is not that wrong
)

// delay is how long the next call has to wait.
func (t *throttle) delay(now time.Time, l *ledger) time.Duration {
	t.most = max(t.most, l.sums.accepted)
	if t.limit == nil {
		return 0
	}
	t.raise(now)
	d := delay(t.limit, now)
	if t.window > 0 {
		d = max(d, l.until(now, func(s slot) bool { return s.accepted < t.window }))
	}
	t.used = t.used || d > 0
	return d
}

func (t *throttle) take(now time.Time) {
	if t.limit != nil {
		t.limit.AllowN(now, 1)
	}
}

// raise raises the limit that was found, if it is time.
func (t *throttle) raise(now time.Time) {
	if !t.used || now.Sub(t.changed) < t.next.patience || t.chain > 0 {
		return
	}
	t.set(now, float64(t.limit.Limit())*(1+t.next.growth))
	if t.window > 0 {
		t.window += max(1, int(float64(t.window)*t.next.growth))
	}
	t.next.growth = min(2*t.next.growth, mostGrowth)
	t.next.patience = max(t.next.patience/2, t.first.patience)
}

// set makes it so many requests a second.
func (t *throttle) set(now time.Time, perSecond float64) {
	if t.limit == nil {
		t.limit = newLimiter(perSecond)
		t.limit.AllowN(now, t.limit.Burst())
	}
	t.limit.SetLimitAt(now, rate.Limit(perSecond))
	t.limit.SetBurstAt(now, burstOf(perSecond))
	t.used, t.changed = false, now
}

// refused notes a refusal. It gives the pause for everyone, where the service named none that is long enough, and whether it
// began an episode; sent is the newest call.
func (t *throttle) refused(now time.Time, c *call, r refusal, sent uint64, l *ledger) (time.Duration, bool) {
	t.hit.asked = max(t.hit.asked, r.asked)
	if c.num <= t.cut {
		t.hit.accepted-- // it was counted as one that would be
		t.hit.refused++
		return 0, false
	}
	if c.num != t.cut+1 {
		t.chain = 0 // the first call after the pause is on its way still: it was let in
	}
	t.cut = sent
	t.chain++
	if t.chain == 1 {
		t.hit = hit{at: now, accepted: l.sums.accepted, best: l.best(now), refusal: r,
			rate: float64(l.sums.sent) / l.active().Seconds()}
	}
	pause := firstPause << min(t.chain-1, 10)
	switch {
	case r.asked > 0 && t.chain == 1:
		return 0, true
	case t.chain > blindPauses && t.hit.accepted >= sureOf:
		room := l.until(now, func(s slot) bool { return s.accepted < t.hit.accepted })
		pause = min(max(room, pause/2), mostPause)
	}
	return pause + rand.N(pause/10+1), true
}

// alone reports whether the pause that is over was a short one, after hardly more than a single refusal: then half of what was
// accepted before is safe.
func (t *throttle) alone(now time.Time) bool {
	return t.chain == 1 && now.Sub(t.hit.at) <= alonePause && t.hit.refused <= aloneMost
}

// answered ends a chain of refusals: the service takes requests again.
func (t *throttle) answered(now time.Time, c *call, l *ledger, began time.Time) {
	if t.chain == 0 || c.num <= t.cut {
		return
	}
	h, full := t.hit, t.chain >= fullAfter || t.hit.asked >= fullAsked
	again := t.window > 0 && h.accepted >= t.window-1-t.window/50
	t.chain, t.hit = 0, hit{}
	switch {
	case h.byTokens:
	case h.accepted > 0 && again || h.accepted >= sureOf && full && l.sums.accepted < h.accepted:
		t.found(now, float64(h.accepted)/60*limitMargin, h.accepted, ofSure)
	case h.accepted > 0 && full && l.sums.accepted < h.accepted:
		t.found(now, float64(h.accepted)/60*limitMargin, h.accepted, ofUnsure)
	case h.at.Sub(began) >= ledgerTime:
		least := leastShare * float64(t.most) / ledgerTime.Seconds()
		t.found(now, max(h.rate*limitMargin, least), 0, ofSure)
	case h.best > 0:
		t.found(now, float64(h.best), 0, ofUnsure)
	}
}

// found notes that the service takes so many requests a second, and so many a minute where that is known.
func (t *throttle) found(now time.Time, perSecond float64, window int, first raise) {
	if perSecond < t.least {
		return
	}
	patience := first.patience
	if math.Abs(perSecond-t.measured) <= sameLimit*t.measured {
		patience = min(max(2*t.next.patience, patience), mostPatience)
	}
	t.measured, t.window, t.first, t.next = perSecond, window, first, raise{first.growth, patience}
	t.set(now, perSecond)
}
