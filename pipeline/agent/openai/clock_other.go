//go:build !windows

package openai

import "time"

var started = time.Now()

// now reads both clocks at once: a time.Time has the time of day and a monotonic clock, which stops while the machine sleeps.
func now() instant {
	t := time.Now()
	return instant{wall: time.Duration(t.UnixNano()), awake: t.Sub(started)}
}
