package demo

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Headers is how the server tells of its limits beside each answer. It is a flag.Value; the zero value is HeadersFull.
type Headers string

// The headers that services send. A service without limits sends none.
const (
	HeadersFull Headers = "full" // x-ratelimit-*, the reset being the time until all is free again, as OpenAI counts it
	HeadersNext Headers = "next" // x-ratelimit-*, the reset being the time until there is more than now
	HeadersIETF Headers = "ietf" // RateLimit-Limit, -Remaining and -Reset, of requests or else of tokens
	HeadersNone Headers = "none"
)

// Set takes one of the kinds of headers by its name.
func (h *Headers) Set(s string) error {
	return choose(h, s, HeadersFull, HeadersNext, HeadersIETF, HeadersNone)
}

func (h *Headers) String() string { return string(*h) }

// Type is the kind of value, for the help of a flag.
func (h *Headers) Type() string { return "kind" }

// RetryAfter is what a 429 of a limit on requests or tokens says of the time to wait: one of the constants, or a number of
// seconds, however wrong, for a service that always says the same. It is a flag.Value; the zero value is RetryExact.
type RetryAfter string

// What services say.
const (
	RetryExact RetryAfter = "exact" // Retry-After: the time until the request would be admitted, in seconds, rounded up
	RetryMS    RetryAfter = "ms"    // retry-after-ms: that time in milliseconds
	RetryDate  RetryAfter = "date"  // Retry-After: that time as a date
	RetryNone  RetryAfter = "none"
)

// Set takes a constant by its name, or a number of seconds.
func (r *RetryAfter) Set(s string) error {
	if _, err := strconv.Atoi(s); err == nil {
		*r = RetryAfter(s)
		return nil
	}
	if err := choose(r, s, RetryExact, RetryMS, RetryDate, RetryNone); err != nil {
		return fmt.Errorf("%w, nor a number of seconds", err)
	}
	return nil
}

func (r *RetryAfter) String() string { return string(*r) }

// Type is the kind of value, for the help of a flag.
func (r *RetryAfter) Type() string { return "form" }

// write says in a header that the client has to wait.
func (r RetryAfter) write(h http.Header, now time.Time, wait time.Duration) {
	switch r {
	case RetryExact, "":
		h.Set("Retry-After", strconv.Itoa(ceil(wait, time.Second)))
	case RetryMS:
		h.Set("Retry-After-Ms", strconv.Itoa(ceil(wait, time.Millisecond)))
	case RetryDate:
		h.Set("Retry-After", now.Add(wait+time.Second-1).UTC().Format(http.TimeFormat))
	case RetryNone:
	default:
		h.Set("Retry-After", string(r))
	}
}

// ceil is d in units, rounded up.
func ceil(d, unit time.Duration) int { return int((d + unit - 1) / unit) }

// rateHeaders says how much of the limits is left.
func (s *Server) rateHeaders(h http.Header, now time.Time) {
	if s.opts.Headers == HeadersNone {
		return
	}
	if s.requests != nil {
		s.opts.Headers.write(h, "Requests", s.opts.RPM, s.requests.room(now))
	}
	if s.tokens != nil {
		s.opts.Headers.write(h, "Tokens", s.opts.TPM, s.tokens.room(now))
	}
}

func (h Headers) write(to http.Header, what string, size int, r room) {
	reset := r.all
	if h == HeadersNext {
		reset = r.next
	}
	if h != HeadersIETF {
		to.Set("X-Ratelimit-Limit-"+what, strconv.Itoa(size))
		to.Set("X-Ratelimit-Remaining-"+what, strconv.Itoa(r.left))
		to.Set("X-Ratelimit-Reset-"+what, reset.Round(time.Millisecond).String())
	} else if to.Get("Ratelimit-Limit") == "" {
		to.Set("Ratelimit-Limit", strconv.Itoa(size))
		to.Set("Ratelimit-Remaining", strconv.Itoa(r.left))
		to.Set("Ratelimit-Reset", strconv.Itoa(ceil(reset, time.Second)))
	}
}
