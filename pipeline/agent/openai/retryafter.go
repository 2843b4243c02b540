package openai

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestPause bounds what a service may ask for; what is longer is a mistake or a quota, and a run that waits a day looks dead.
const longestPause = 24 * time.Hour

// retryAfter reads how long the service asks to wait: retry-after-ms, or Retry-After as seconds or as a date (RFC 9110,
// section 10.2.3). It is 0 where nothing is said or nothing sensible, and never more than longestPause.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if d, ok := number(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d
	}
	value := h.Get("Retry-After")
	if d, ok := number(value, time.Second); ok {
		return d
	}
	until, err := http.ParseTime(strings.TrimSpace(value))
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date // the service's own clock is the one that until is meant by
	}
	return min(max(until.Sub(now), 0), longestPause)
}

// number reads a count of units; what is negative counts as 0.
func number(value string, unit time.Duration) (time.Duration, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsNaN(f) {
		return 0, false
	}
	f = min(max(f, 0), float64(longestPause/unit))
	return time.Duration(f * float64(unit)), true
}
