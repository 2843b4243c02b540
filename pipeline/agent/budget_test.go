package agent_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// shop is an agent that takes a while, and then gives each request the next of its outcomes; the last one for ever. It counts
// what reaches it, and stands behind Traced as an adapter does.
type shop struct {
	takes    time.Duration
	tokens   pipeline.Tokens // of an answer
	failures []error         // of the first requests

	mu   sync.Mutex
	sent int
}

func (s *shop) Ask(ctx context.Context, _ *agent.Request) (*agent.Answer, error) {
	s.mu.Lock()
	n := s.sent
	s.sent++
	s.mu.Unlock()
	t := time.NewTimer(s.takes)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.C:
	}
	if n < len(s.failures) {
		return nil, s.failures[n]
	}
	return &agent.Answer{Text: "fine", Tokens: s.tokens}, nil
}

// request is one of 3,500 bytes: by a new Meter about 1,000 tokens, and 300 for the answer.
func request() *agent.Request {
	return &agent.Request{Messages: []agent.Message{{Role: "user", Content: strings.Repeat("x", 3500)}}}
}

// exhaust asks with that many workers until each has got a fatal error, and returns one of those.
func exhaust(t *testing.T, a agent.Agent, workers int) error {
	t.Helper()
	var all sync.WaitGroup
	errs := make([]error, workers)
	for i := range workers {
		all.Go(func() {
			for pipeline.ClassOf(errs[i]) != pipeline.Fatal {
				_, errs[i] = a.Ask(t.Context(), request())
			}
		})
	}
	all.Wait()
	return errs[0]
}

func TestBudgetIsUsedToItsEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		budget *agent.Budget
		next   *shop
		sent   int
		says   string
	}{
		"requests": {
			&agent.Budget{MaxRequests: 20}, &shop{},
			20, "the budget of 20 requests is used up (--max-requests)",
		},
		"requests that fail cost one each": {
			&agent.Budget{MaxRequests: 20}, &shop{failures: repeat(throttled, 15)},
			20, "--max-requests",
		},
		"what could not connect was not sent": {
			&agent.Budget{MaxRequests: 20}, &shop{failures: repeat(pipeline.Errorf(pipeline.Transient, pipeline.KindConnect, "refused"), 7)},
			27, "--max-requests",
		},
		// Each claims 1,300 and costs 500: the 20th fits only once the others have told what they cost.
		"tokens, as the service counts them": {
			&agent.Budget{MaxTokens: 10_800}, &shop{tokens: pipeline.Tokens{Prompt: 400, Completion: 100}},
			20, "the budget of 10800 tokens is used up (--max-tokens): 10000 spent, and the next request needs about 1300",
		},
		"tokens, where the service counts none": {
			&agent.Budget{MaxTokens: 13_000}, &shop{},
			10, "13000 spent, and the next request needs about 1300",
		},
		"a time-out may have been billed": {
			&agent.Budget{MaxTokens: 13_000}, &shop{failures: repeat(pipeline.Errorf(pipeline.Transient, pipeline.KindTimeout, "no answer"), 100)},
			12, "12000 spent, and the next request needs about 1300",
		},
		"a request that was refused costs no tokens": {
			&agent.Budget{MaxTokens: 13_000}, &shop{failures: repeat(refused, 5)},
			15, "13000 spent",
		},
		// 400 x 1.00 and 100 x 4.00 a million: 0.0008 each; claimed 1000 x 1.00 and 300 x 4.00: 0.0022.
		"cost": {
			&agent.Budget{MaxCost: 0.0174, Price: agent.Price{Input: 1, Output: 4}}, &shop{tokens: pipeline.Tokens{Prompt: 400, Completion: 100}},
			20, "the budget of 0.0174 is used up (--max-cost): 0.016 spent, and the next request costs about 0.0022",
		},
		"one request is over it alone": {
			&agent.Budget{MaxTokens: 500}, &shop{},
			0, "0 spent, and the next request needs about 1300",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, next := tt.budget, tt.next
				next.takes = time.Second
				b.Next, b.Meter = agent.Traced{Next: next}, agent.NewMeter()
				err := exhaust(t, b, 8)
				if e := pipeline.AsError(err); e.Kind != pipeline.KindBudget || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error %q of kind %q, want kind budget and %q", err, e.Kind, tt.says)
				}
				if next.sent != tt.sent {
					t.Errorf("%d requests were sent, want %d", next.sent, tt.sent)
				}
			})
		})
	}
}

// TestBudgetGivesBack is a budget of 20 requests whose workers wait for a limit when the run stops: what was not sent is not spent.
func TestBudgetGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &shop{}
		meter := agent.NewMeter()
		pace := agent.NewPace(agent.Traced{Next: next}, meter, agent.Limits{Requests: 1})
		b := &agent.Budget{Next: pace, Meter: meter, MaxRequests: 20}
		stop := make(chan struct{})
		ctx := pipeline.WithStopping(t.Context(), stop)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for {
					if _, err := b.Ask(ctx, request()); err != nil {
						if !errors.Is(err, pipeline.ErrStopping) {
							t.Errorf("err %v, want ErrStopping", err)
						}
						return
					}
				}
			})
		}
		time.Sleep(5*time.Minute + 30*time.Second)
		close(stop)
		all.Wait()
		if got := b.Spent().Requests; got != next.sent || got < 4 || got > 7 {
			t.Errorf("%d requests spent and %d sent in 5.5 minutes at one a minute", got, next.sent)
		}
	})
}

func TestBudgetOfARequestThatWasInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &agent.Budget{Next: agent.Traced{Next: &shop{takes: time.Hour}}, Meter: agent.NewMeter(), MaxRequests: 1}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := b.Ask(ctx, request()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err %v, want that of the context", err)
		}
		want := agent.Spending{Requests: 1, Tokens: pipeline.Tokens{Prompt: 1000}}
		if got := b.Spent(); got != want {
			t.Errorf("spent %+v, want %+v: it may have been billed", got, want)
		}
	})
}

// TestBudgetAfterAPanic is one whose only request panics: the next one does not wait for it.
func TestBudgetAfterAPanic(t *testing.T) {
	b := &agent.Budget{Next: agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) { panic("boom") }),
		Meter: agent.NewMeter(), MaxRequests: 1}
	for range 2 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_, _ = b.Ask(t.Context(), request())
		}()
	}
}

// TestBudgetPassesTheTraceOn sees that a record still hears of each attempt.
func TestBudgetPassesTheTraceOn(t *testing.T) {
	var attempts int
	ctx := agent.WithTrace(t.Context(), &agent.Trace{Attempt: func(pipeline.Attempt) { attempts++ }})
	b := &agent.Budget{Next: agent.Traced{Next: &shop{}}, Meter: agent.NewMeter()}
	if _, err := b.Ask(ctx, request()); err != nil || attempts != 1 {
		t.Errorf("%d attempts told of (%v), want 1", attempts, err)
	}
}
