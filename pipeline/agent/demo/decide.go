package demo

import (
	"net/http"
	"strings"
	"time"
)

// decisions is what the server has to remember to decide on a request. Server.mu guards it.
type decisions struct {
	requests limit // nil: without limit
	tokens   limit // nil: without limit
	first    time.Time
	inFlight int
	answers  int    // good ones
	n        uint64 // requests that got as far as an answer or a fault
}

// decide tells what becomes of a request that could be read: a refusal, a fault, or an answer, which is the zero Fault. What
// is not refused is in flight until leave.
func (s *Server) decide(h http.Header, c *completion, now time.Time) (Fault, *problem) {
	cost := 0
	if s.tokens != nil {
		cost = c.cost()
	}
	fault := s.faultFor(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first.IsZero() {
		s.first = now
	}
	if p := s.admit(h, c, cost, now); p != nil {
		return Fault{}, p
	}
	s.n++
	if fault.name == "" {
		fault = pick(s.opts.Faults, s.opts.Seed, s.n, now.Sub(s.first))
	}
	if fault.name == "" {
		s.answers++
	}
	s.inFlight++
	return fault, nil
}

// leave ends the time in flight of a request. It is called before the client can have the end of the answer: its next
// request must not be one too many.
func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
}

// faultFor is the fault that the document in the prompt was given.
func (s *Server) faultFor(c *completion) Fault {
	for _, f := range s.opts.FaultsFor {
		for _, m := range c.Messages {
			if strings.Contains(string(m.Content), f.text) {
				return f.fault
			}
		}
	}
	return Fault{}
}

// admit refuses what is over a limit or can't be answered. What is refused for what it asks counts against the limits.
func (s *Server) admit(h http.Header, c *completion, cost int, now time.Time) *problem {
	switch {
	case s.revoked():
		return revokedKey()
	case s.opts.Quota > 0 && s.answers >= s.opts.Quota:
		return noQuota()
	case s.opts.MaxInFlight > 0 && s.inFlight >= s.opts.MaxInFlight:
		return tooManyAtOnce(s.opts.MaxInFlight)
	}
	if p := s.limited(h, c, cost, now); p != nil {
		return p
	}
	if p := c.check(); p != nil {
		return p
	}
	if !s.known(c.Model) {
		status := http.StatusNotFound
		if s.opts.BadRequest {
			status = http.StatusBadRequest
		}
		return unknownAgent(status, c.Model)
	}
	if n := c.promptTokens(); s.opts.Context > 0 && n > s.opts.Context {
		return tooLong(s.opts.Context, n)
	}
	return nil
}

// revoked reports whether the key has had all of its answers. s.mu is held.
func (s *Server) revoked() bool { return s.opts.RevokeAfter > 0 && s.answers >= s.opts.RevokeAfter }

// limited refuses what is over the limits of a minute, or counts it. Either way the headers say what is left.
func (s *Server) limited(h http.Header, c *completion, cost int, now time.Time) *problem {
	if s.tokens != nil && cost > s.opts.TPM {
		s.rateHeaders(h, now)
		return tooLargeForLimit(c.Model, s.opts.TPM, cost)
	}
	p, wait := s.over(c.Model, cost, now)
	if p != nil {
		s.opts.RetryAfter.write(h, now, wait)
	} else {
		if s.requests != nil {
			s.requests.take(now, 1)
		}
		if s.tokens != nil {
			s.tokens.take(now, cost)
		}
	}
	s.rateHeaders(h, now)
	return p
}

// over tells by which limit a request is refused, and for how long.
func (s *Server) over(agent string, cost int, now time.Time) (*problem, time.Duration) {
	if s.requests != nil {
		if wait := s.requests.wait(now, 1); wait > 0 {
			used := s.opts.RPM - s.requests.room(now).left
			return tooMany(agent, "requests", "RPM", s.opts.RPM, used, 1, wait), wait
		}
	}
	if s.tokens != nil {
		if wait := s.tokens.wait(now, cost); wait > 0 {
			used := s.opts.TPM - s.tokens.room(now).left
			return tooMany(agent, "tokens", "TPM", s.opts.TPM, used, cost, wait), wait
		}
	}
	return nil, 0
}
