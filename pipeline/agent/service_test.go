package agent_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// A service is one that keeps to limits, in the time of a synctest bubble.
type service struct {
	limit      int           // requests in a window; 0: none
	window     string        // "sliding", "fixed" (both of a minute), "bucket" (a second's worth)
	tokens     int           // in any minute; 0: none
	latency    time.Duration // how long an answer takes
	network    time.Duration // one way
	retryAfter string        // "", "exact" or "1s"
	headers    string        // "", "full" (the reset is when all is free) or "next" (when one is)
	fault      func(s *service, now time.Time, n int) error

	mu       *sync.Mutex
	rng      *rand.Rand
	began    time.Time
	n        int
	arrived  []time.Time // every request
	taken    []entry     // those that were let in
	refused  int
	answered int
	level    float64
	leveled  time.Time
}

type entry struct {
	at     time.Time
	tokens int
}

func newService(s service) *service {
	s.mu = new(sync.Mutex)
	s.rng = rand.New(rand.NewPCG(1, 2))
	s.began = time.Now()
	return &s
}

// Ask implements agent.Agent.
func (s *service) Ask(ctx context.Context, req *agent.Request) (*agent.Answer, error) {
	if err := pipeline.Sleep(ctx, s.travel()); err != nil {
		return nil, err
	}
	rates, err := s.admit(ctx, req)
	if s.headers != "" {
		agent.NoteRates(ctx, rates)
	}
	if err != nil {
		if err := pipeline.Sleep(ctx, s.network); err != nil {
			return nil, err
		}
		return nil, err
	}
	if err := pipeline.Sleep(ctx, s.latency+s.network); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.answered++
	s.mu.Unlock()
	cost := costOf(req)
	return &agent.Answer{Text: "fine", Tokens: pipeline.Tokens{Prompt: cost - replyTokens, Completion: replyTokens}}, nil
}

// travel is the way of a request: some take longer.
func (s *service) travel() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.network + time.Duration(s.rng.ExpFloat64()*float64(s.network)/2)
}

const replyTokens = 100

// costOf is what a request costs: a token for every four bytes, and the answer.
func costOf(req *agent.Request) int {
	n := 4
	for _, m := range req.Messages {
		n += len(m.Content) / 4
	}
	return n + replyTokens
}

func (s *service) admit(_ context.Context, req *agent.Request) (agent.Rates, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.n++
	s.arrived = append(s.arrived, now)
	if s.fault != nil {
		if err := s.fault(s, now, s.n); err != nil {
			if pipeline.ClassOf(err) == pipeline.Throttled {
				s.refused++
			}
			return agent.Rates{}, err
		}
	}
	cost := costOf(req)
	free, ok := s.room(now, cost)
	if ok {
		s.taken = append(s.taken, entry{now, cost})
		s.level--
		return s.rates(now), nil
	}
	s.refused++
	e := &pipeline.Error{Class: pipeline.Throttled, Kind: pipeline.KindRate, Status: 429, Err: errors.New("slow down")}
	switch s.retryAfter {
	case "exact":
		e.RetryAfter = free.Sub(now).Truncate(time.Second) + time.Second
	case "1s":
		e.RetryAfter = time.Second
	}
	return s.rates(now), e
}

// windowStart is the time before which nothing counts.
func (s *service) windowStart(now time.Time) time.Time {
	if s.window == "fixed" {
		return s.began.Add(now.Sub(s.began).Truncate(time.Minute)).Add(-1)
	}
	return now.Add(-time.Minute)
}

// room reports whether a request is let in, or when the next one would be.
func (s *service) room(now time.Time, cost int) (time.Time, bool) {
	if s.window == "bucket" {
		perSecond := float64(s.limit) / 60
		if s.leveled.IsZero() {
			s.level = max(1, perSecond)
		}
		s.level, s.leveled = min(max(1, perSecond), s.level+now.Sub(s.leveled).Seconds()*perSecond), now
		return now.Add(time.Duration((1 - s.level) / perSecond * float64(time.Second))), s.level >= 1
	}
	start := s.windowStart(now)
	for len(s.taken) > 0 && !s.taken[0].at.After(start) {
		s.taken = s.taken[1:]
	}
	sum := 0
	for _, e := range s.taken {
		sum += e.tokens
	}
	if (s.limit == 0 || len(s.taken) < s.limit) && (s.tokens == 0 || sum+cost <= s.tokens) {
		return now, true
	}
	if s.window == "fixed" {
		return start.Add(time.Minute), false
	}
	return s.taken[0].at.Add(time.Minute), false
}

// rates is what the headers say.
func (s *service) rates(now time.Time) agent.Rates {
	if s.limit == 0 || s.window == "bucket" {
		return agent.Rates{}
	}
	r := agent.Rate{Known: true, Limit: s.limit, Remaining: max(0, s.limit-len(s.taken))}
	if len(s.taken) > 0 {
		at := s.taken[len(s.taken)-1].at
		if s.headers == "next" {
			at = s.taken[0].at
		}
		if r.Reset = at.Add(time.Minute).Sub(now); s.window == "fixed" {
			r.Reset = s.windowStart(now).Add(time.Minute).Sub(now)
		}
	}
	return agent.Rates{Requests: r}
}

// outcome is how a run of a job over a service went.
type outcome struct {
	requests, refused, failed int
	took                      time.Duration
}

func (o outcome) String() string {
	return fmt.Sprintf("%d requests, %d refused, %d failed, %v", o.requests, o.refused, o.failed, o.took.Round(time.Second))
}

// work has workers ask about documents of the given sizes.
func work(ctx context.Context, s *service, p *agent.Pace, workers int, sizes []int) outcome {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var o outcome
	started := time.Now()
	a := &agent.Retry{Next: p, Repeats: 1}
	next := 0
	for range workers {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(sizes) {
					return
				}
				req := &agent.Request{Key: fmt.Sprint(i), Messages: []agent.Message{{Role: "user", Content: text(sizes[i])}}}
				if _, err := a.Ask(ctx, req); err != nil {
					mu.Lock()
					o.failed++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	o.took, o.requests, o.refused = time.Since(started), len(s.arrived), s.refused
	return o
}

var letters = make([]byte, 1<<16)

// text is so many bytes of a document.
func text(n int) string { return string(letters[:n]) }

// equal is n times the same size.
func equal(n, size int) []int {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = size
	}
	return sizes
}
