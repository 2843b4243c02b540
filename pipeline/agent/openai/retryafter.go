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

// retryAfter reads how long the service asks to wait: retry-after-ms, or else Retry-After (RFC 9110, section 10.2.3). It is 0
// where nothing is said or nothing sensible, and never more than longestPause.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, ok := number(h.Get("Retry-After-Ms")); ok && ms > 0 {
		return seconds(ms / 1000)
	}
	return span(h.Get("Retry-After"), h, now)
}

// span reads how long it is until what value names: a number of seconds, a duration such as 6m0s or 20ms, a date, or a moment
// in Unix time, which some services send in milliseconds. It is 0 for the past and for junk, and never more than longestPause.
func span(value string, h http.Header, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if n, ok := number(value); ok {
		if n > 1e12 {
			n /= 1000
		}
		if n > 1e9 {
			n -= float64(serviceTime(h, now).UnixMilli()) / 1000
		}
		return seconds(n)
	}
	if d, err := time.ParseDuration(value); err == nil {
		return bounded(d)
	}
	until, err := http.ParseTime(value)
	if err != nil {
		until, err = time.Parse(time.RFC3339, value)
	}
	if err != nil {
		return 0
	}
	return bounded(until.Sub(serviceTime(h, now)))
}

// serviceTime is now by the service's own clock, which is the one that it means its dates by.
func serviceTime(h http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return date
	}
	return now
}

// number reads a number; what is negative counts as 0.
func number(value string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsNaN(n) {
		return 0, false
	}
	return max(n, 0), true
}

// seconds is n seconds, within bounds before they are too many for a Duration.
func seconds(n float64) time.Duration {
	return bounded(time.Duration(min(n, longestPause.Seconds()) * float64(time.Second)))
}

func bounded(d time.Duration) time.Duration { return min(max(d, 0), longestPause) }
