package agent

import "time"

// A tokenBucket evens out what is sent in tokens. Unlike a rate.Limiter it lets a request pass that is larger than all it holds,
// and goes into debt for it; and it takes back what an estimate was too high.
type tokenBucket struct {
	rate  float64 // tokens a second; 0: no limit
	level float64
	at    time.Time // when level was right
}

// bucketTime is how much of the limit it saves up: enough for the largest document that the limit admits to be made good for.
const bucketTime = 10 * time.Second

// mostDebt bounds what one answer can cost in time: the service's own window is no longer.
const mostDebt = time.Minute

func (b *tokenBucket) fill(now time.Time) {
	most := b.rate * bucketTime.Seconds()
	if b.at.IsZero() {
		b.level = most
	} else if gone := now.Sub(b.at).Seconds(); gone > 0 {
		b.level = min(most, b.level+gone*b.rate)
	}
	b.at = now
}

// delay is how long until it is out of debt.
func (b *tokenBucket) delay(now time.Time) time.Duration {
	if b.rate <= 0 {
		return 0
	}
	b.fill(now)
	if b.level >= 0 {
		return 0
	}
	return time.Duration(-b.level/b.rate*float64(time.Second)) + 1
}

func (b *tokenBucket) take(now time.Time, tokens int) {
	if b.rate > 0 {
		b.fill(now)
		b.level = max(b.level-float64(tokens), -b.rate*mostDebt.Seconds())
	}
}
