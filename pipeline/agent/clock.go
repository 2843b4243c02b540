package agent

import "time"

// A clock shows the time on the wall, but never goes back. Go's own stands still while a laptop sleeps, the one on the wall may be
// set back: it goes with whichever is ahead.
type clock struct {
	start time.Time     // with both readings
	ahead time.Duration // how much more has passed on the wall
}

func (c *clock) now() time.Time {
	now := time.Now()
	gone := now.Sub(c.start)
	c.ahead = max(c.ahead, now.Round(0).Sub(c.start.Round(0))-gone)
	return c.start.Round(0).Add(gone + c.ahead)
}
