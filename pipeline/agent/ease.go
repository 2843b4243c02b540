package agent

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// ease keeps a run from going off at full speed where nobody knows what the service bears: at the start, where its limit is not
// known, and after a pause, when all workers wait to go on.
type ease struct {
	limit    *rate.Limiter // without catching up: what goes off together meets a limit together
	starting bool          // what may be sent a second grows with what was answered
	flat     time.Time     // after a pause: until then the rate stays, then it is doubled every doubleTime; zero: no pause
	from     float64       // the rate after the pause
}

const (
	// At the start the rate is fourteen times a second what was answered yet, which doubles it every 50 ms at most: a limit on
	// requests is met while few are on their way, and a service without one is at full speed after a quarter of a second.
	startRate    = 280
	startGrowth  = 14
	startAnswers = 2000 // then it has shown that it bears what we send

	// After a pause no second may see more than a quarter of the calls that were in flight before. It stays so for as long as the
	// pause was, within bounds.
	resumeShare = 0.225
	leastFlat   = time.Second
	mostFlat    = 10 * time.Second
	doubleTime  = 2 * time.Second
	easedRate   = 1e4 // requests a second that are as good as no limit
)

// delay is how long the next call has to wait.
func (e *ease) delay(now time.Time, answers int) time.Duration {
	perSecond, ok := e.rate(now, answers)
	if !ok {
		return 0
	}
	if l := rate.Limit(perSecond); l != e.limit.Limit() {
		e.limit.SetLimitAt(now, l)
	}
	return delay(e.limit, now)
}

// rate is what may be sent a second; false where that is no matter any more.
func (e *ease) rate(now time.Time, answers int) (float64, bool) {
	perSecond := math.Inf(1)
	if e.starting {
		perSecond = max(startRate, startGrowth*float64(answers))
		e.starting = answers < startAnswers
	}
	if !e.flat.IsZero() {
		doubled := max(0, now.Sub(e.flat).Seconds()) / doubleTime.Seconds()
		resumed := e.from * math.Exp2(doubled)
		if resumed > easedRate {
			e.flat = time.Time{}
		}
		perSecond = min(perSecond, resumed)
	}
	return perSecond, perSecond <= easedRate
}

func (e *ease) take(now time.Time) {
	if e.starting || !e.flat.IsZero() {
		e.limit.AllowN(now, 1)
	}
}

// resume begins anew after a pause, with so many calls in flight at most before it. It begins with a rate of least, if that is more,
// and stays at it for as long as the pause was.
func (e *ease) resume(now time.Time, peak, least int, paused time.Duration) {
	e.from = max(1, resumeShare*float64(peak), float64(least))
	e.flat = now.Add(min(max(paused, leastFlat), mostFlat))
	e.limit.SetLimitAt(now, rate.Limit(e.from))
	e.limit.AllowN(now, 1) // nothing is saved up; this call takes the first place
}
