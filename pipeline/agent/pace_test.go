package agent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// A panic below costs its document, and not a place among the calls in flight.
func TestPaceAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		p := agent.NewPace(agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) {
			if calls++; calls == 1 {
				panic("a bug")
			}
			return &agent.Answer{Text: "fine"}, nil
		}), agent.NewMeter(), agent.Limits{InFlight: 1})
		func() {
			defer func() { _ = recover() }() // as the runner does
			p.Ask(t.Context(), &agent.Request{})
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := p.Ask(ctx, &agent.Request{}); err != nil {
			t.Errorf("then: %v, want an answer", err)
		}
	})
}

// Each request to an agent that hangs may be billed: none is sent more than twice, and once it is clear that the agent hangs, one
// after the other.
func TestHungAgent(t *testing.T) {
	for _, workers := range []int{1, 16, 256} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				sent := map[string]int{}
				now, most, all := 0, 0, 0
				hangs := agent.Func(func(ctx context.Context, req *agent.Request) (*agent.Answer, error) {
					mu.Lock()
					sent[req.Key]++
					all++
					if now++; all > 2*workers {
						most = max(most, now)
					}
					mu.Unlock()
					defer func() { mu.Lock(); now--; mu.Unlock() }()
					if err := pipeline.Sleep(ctx, 30*time.Second); err != nil {
						return nil, err
					}
					return nil, late
				})
				s := newService(service{})
				work(t.Context(), s, agent.NewPace(hangs, agent.NewMeter(), agent.Limits{InFlight: workers}), workers, equal(2*workers, 100))
				for key, n := range sent {
					if n > 2 {
						t.Errorf("document %s was sent %d times, want at most twice", key, n)
					}
				}
				if most > 1 && workers > 1 {
					t.Errorf("%d at once while the agent was known to hang, want one after the other", most)
				}
			})
		})
	}
}

// A failure that comes minutes after a short loss of connection, while the agent is working on others, is no reason to give up.
func TestSlowAgentAfterABlip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		var n atomic.Int64
		slow := agent.Func(func(ctx context.Context, req *agent.Request) (*agent.Answer, error) {
			switch n.Add(1) {
			case 1:
				return nil, pipeline.Errorf(pipeline.Transient, pipeline.KindConnect, "no such host")
			case 2:
				if err := pipeline.Sleep(ctx, 125*time.Second); err != nil {
					return nil, err
				}
				return nil, pipeline.Errorf(pipeline.Transient, pipeline.KindServer, "500")
			}
			return &agent.Answer{Text: "fine"}, pipeline.Sleep(ctx, 3*time.Minute)
		})
		s := newService(service{})
		o := work(t.Context(), s, agent.NewPace(slow, agent.NewMeter(), agent.Limits{InFlight: 16}), 16, equal(16, 100))
		if o.failed > 0 {
			t.Errorf("%d of 16 failed, want none (%v)", o.failed, time.Since(started))
		}
	})
}

// After a stop nothing is sent, whoever has the turn.
func TestNothingIsSentAfterAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next, calls := answers()
		p := agent.NewPace(next, agent.NewMeter(), agent.Limits{})
		stop := make(chan struct{})
		close(stop)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range 100 {
			if _, err := p.Ask(pipeline.WithStopping(t.Context(), stop), &agent.Request{}); !errors.Is(err, pipeline.ErrStopping) {
				t.Fatalf("after a stop: %v, want ErrStopping", err)
			}
			if _, err := p.Ask(ended, &agent.Request{}); !errors.Is(err, context.Canceled) {
				t.Fatalf("after the end: %v, want the context's error", err)
			}
		}
		if calls.Load() > 0 {
			t.Errorf("%d requests were sent, want none", calls.Load())
		}
	})
}

// What a service says of its limits holds from when it says it, and no longer than the longest pause.
func TestRatesAreBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		reset, answer time.Duration
		most          time.Duration // that the second call may wait
	}{
		"a day":                          {20 * time.Hour, 0, time.Minute},
		"told long before the answer is": {60 * time.Second, 3 * time.Minute, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := true
				p := agent.NewPace(agent.Func(func(ctx context.Context, _ *agent.Request) (*agent.Answer, error) {
					if !first {
						return &agent.Answer{Text: "fine"}, nil
					}
					first = false
					agent.NoteRates(ctx, agent.Rates{Requests: agent.Rate{Known: true, Limit: 50, Reset: tt.reset}})
					return &agent.Answer{Text: "fine"}, pipeline.Sleep(ctx, tt.answer)
				}), agent.NewMeter(), agent.Limits{MaxPause: time.Minute})
				p.Ask(t.Context(), &agent.Request{})
				started := time.Now()
				p.Ask(t.Context(), &agent.Request{})
				if waited := time.Since(started); waited > tt.most+time.Second {
					t.Errorf("the second call waited %v, want at most %v", waited, tt.most)
				}
			})
		})
	}
}

// One answer that cost far more than a minute's tokens holds the run for about a minute.
func TestOneDearAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := agent.NewPace(agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) {
			return &agent.Answer{Text: "fine", Tokens: pipeline.Tokens{Prompt: 1_000_000, Completion: 10}}, nil
		}), agent.NewMeter(), agent.Limits{Tokens: 60000})
		p.Ask(t.Context(), &agent.Request{})
		started := time.Now()
		time.AfterFunc(10*time.Second, func() {
			if pause := p.Paused(); pause.For < 30*time.Second || !strings.Contains(pause.Why, "tokens") {
				t.Errorf("after 10 s: %+v, want most of a minute, for its tokens", pause)
			}
		})
		p.Ask(t.Context(), &agent.Request{})
		if waited := time.Since(started); waited > 65*time.Second {
			t.Errorf("the next waited %v, want about a minute", waited)
		}
	})
}

// A limit that the user knows now is not bound by one that was found before.
func TestRestoreWithALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(service{limit: 24, network: time.Millisecond})
		p := agent.NewPace(s, agent.NewMeter(), agent.Limits{InFlight: 8})
		work(t.Context(), s, p, 8, equal(60, 100))
		s.limit = 0
		again := agent.NewPace(s, agent.NewMeter(), agent.Limits{Requests: 600, InFlight: 8})
		if err := again.Restore(p.Snapshot()); err != nil {
			t.Fatal(err)
		}
		if o := work(t.Context(), s, again, 8, equal(600, 100)); o.took > 62*time.Second {
			t.Errorf("%v for 600 at 600 a minute", o.took)
		}
	})
}

// The agent's own instructions come with each document: a long one has them once.
func TestMeterOfInstructions(t *testing.T) {
	m := agent.NewMeter()
	for i := range 3000 {
		size := 150 + i%100
		m.Learn(&agent.Request{Messages: []agent.Message{{Content: text(size)}}}, pipeline.Tokens{Prompt: 2000 + size/4, Completion: 50}, time.Second)
	}
	if got := m.Estimate(&agent.Request{Messages: []agent.Message{{Content: text(40_000)}}}).Prompt; got < 9000 || got > 16000 {
		t.Errorf("%d tokens for a document that has 12,000", got)
	}
}

// A service that refuses everything for a while at the start, after a few answers, has no small limit for that.
func TestBadMomentAtTheStart(t *testing.T) {
	for name, tt := range map[string]struct {
		rpm  float64
		most time.Duration
	}{"no limit known": {0, 80 * time.Second}, "600 a minute": {600, 70 * time.Second}} {
		for _, asked := range []time.Duration{0, time.Second} {
			t.Run(fmt.Sprintf("%s, asking for %v", name, asked), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newService(service{latency: 100 * time.Millisecond, network: time.Millisecond})
					s.fault = func(s *service, now time.Time, _ int) error {
						if d := now.Sub(s.began); d < 400*time.Millisecond || d > 18*time.Second {
							return nil
						}
						return &pipeline.Error{Class: pipeline.Throttled, Kind: pipeline.KindRate, Status: 429, RetryAfter: asked, Err: errors.New("slow down")}
					}
					o := work(t.Context(), s, agent.NewPace(s, agent.NewMeter(), agent.Limits{Requests: tt.rpm, InFlight: 8}), 8, equal(60, 100))
					if o.failed > 0 || o.took > tt.most {
						t.Errorf("%v, want at most %v", o, tt.most)
					}
				})
			})
		}
	}
}
