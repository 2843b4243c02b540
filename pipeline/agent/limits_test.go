package agent_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

func TestUnknownLimit(t *testing.T) {
	const documents, limit, workers = 1000, 300, 16
	least := time.Minute * documents / limit
	for _, window := range []string{"sliding", "fixed"} {
		for _, latency := range []time.Duration{0, 50 * time.Millisecond, time.Second, 2900 * time.Millisecond} {
			for _, retryAfter := range []string{"", "exact", "1s"} {
				for _, headers := range []string{"", "full", "next"} {
					name := fmt.Sprintf("%s, %v, retry after %q, headers %q", window, latency, retryAfter, headers)
					t.Run(name, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							s := newService(service{limit: limit, window: window, latency: latency, network: 300 * time.Microsecond, retryAfter: retryAfter, headers: headers})
							o := work(t.Context(), s, agent.NewPace(s, agent.NewMeter(), agent.Limits{InFlight: workers}), workers, equal(documents, 400))
							t.Log(o)
							if o.failed > 0 || o.took > least*112/100 || o.refused*100 >= o.requests {
								t.Errorf("%v; want 0 failed, fewer than 1 %% refused, at most %v", o, least*112/100)
							}
						})
					})
				}
			}
		}
	}
}

// TestKnownLimit is a limit that is told: nothing is refused, and no time lost.
func TestKnownLimit(t *testing.T) {
	const documents, limit, workers = 1000, 300, 16
	least := time.Minute * documents / limit
	for _, window := range []string{"sliding", "fixed"} {
		for _, latency := range []time.Duration{0, time.Second, 3 * time.Second} {
			t.Run(fmt.Sprintf("%s, %v", window, latency), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newService(service{limit: limit, window: window, latency: latency, network: 20 * time.Millisecond, headers: "full"})
					o := work(t.Context(), s, agent.NewPace(s, agent.NewMeter(), agent.Limits{Requests: limit}), workers, equal(documents, 400))
					if most := latency + least*101/100; o.failed+o.refused > 0 || o.took > most {
						t.Errorf("%v; want 0 failed, 0 refused, at most %v", o, most)
					}
				})
			})
		}
	}
}

func TestTokenLimit(t *testing.T) {
	const limit, workers = 60000, 16
	rng := rand.New(rand.NewPCG(3, 4))
	sizes := make([]int, 1000)
	for i := range sizes {
		sizes[i] = 4 * (100 + rng.IntN(5900) - replyTokens)
		sizes[i] = max(4, sizes[i])
	}
	for _, latency := range []time.Duration{0, 2 * time.Second, 10 * time.Second} {
		t.Run(latency.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(service{tokens: limit, latency: latency, network: 20 * time.Millisecond})
				o := work(t.Context(), s, agent.NewPace(s, agent.NewMeter(), agent.Limits{Tokens: limit, InFlight: workers}), workers, sizes)
				sum := 0
				for _, n := range sizes {
					sum += costOf(&agent.Request{Messages: []agent.Message{{Content: text(n)}}})
				}
				used := float64(sum) / (o.took.Minutes() * limit)
				t.Logf("%v, %.1f %% used", o, 100*used)
				if o.failed > 0 || used < 0.95 || o.refused*100 >= o.requests {
					t.Errorf("%v, %.1f %% used; want 0 failed, fewer than 1 %% refused, 95 %% used", o, 100*used)
				}
			})
		})
	}
}

func TestThrottledForAWhile(t *testing.T) {
	const workers = 16
	for _, begins := range []time.Duration{0, 5 * time.Second} {
		for _, retryAfter := range []time.Duration{0, time.Second, 10 * time.Second} {
			t.Run(fmt.Sprintf("from %v, retry after %v", begins, retryAfter), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newService(service{latency: 50 * time.Millisecond, network: time.Millisecond})
					s.fault = func(s *service, now time.Time, _ int) error {
						if d := now.Sub(s.began); d < begins || d >= begins+10*time.Second {
							return nil
						}
						return &pipeline.Error{Class: pipeline.Throttled, Kind: pipeline.KindRate, Status: 429, RetryAfter: retryAfter, Err: errors.New("slow down")}
					}
					o := work(t.Context(), s, agent.NewPace(s, agent.NewMeter(), agent.Limits{InFlight: workers}), workers, equal(3000, 400))
					t.Log(o)
					// The first ten seconds after it is fine.
					for i, at := range s.arrived {
						n := 0
						for _, next := range s.arrived[i:] {
							if next.Sub(at) < time.Second {
								n++
							}
						}
						if since := at.Sub(s.began); n > workers/4 && since > begins+time.Second && since < begins+10*time.Second+time.Second {
							t.Fatalf("%d calls in the second from %v", n, since)
						}
					}
					if o.failed > 0 {
						t.Errorf("%v", o)
					}
				})
			})
		}
	}
}

func TestRandomRefusals(t *testing.T) {
	for _, latency := range []time.Duration{0, 50 * time.Millisecond, 2 * time.Second} {
		t.Run(latency.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(service{latency: latency, network: time.Millisecond})
				s.fault = func(s *service, now time.Time, n int) error {
					switch x := s.rng.Float64(); {
					case x < 0.1:
						return &pipeline.Error{Class: pipeline.Throttled, Kind: pipeline.KindRate, Status: 429, RetryAfter: time.Second, Err: errors.New("slow down")}
					case x < 0.2:
						return pipeline.Errorf(pipeline.Transient, pipeline.KindServer, "500")
					case x < 0.3:
						return pipeline.Errorf(pipeline.Transient, pipeline.KindNetwork, "reset")
					}
					return nil
				}
				o := work(t.Context(), s, agent.NewPace(s, agent.NewMeter(), agent.Limits{InFlight: 16}), 16, equal(1000, 400))
				t.Log(o)
				if o.took > 15*time.Minute {
					t.Error("too slow")
				}
			})
		})
	}
}

// TestKindsOfLimit is what is found of limits of other kinds and sizes, without any word of the service about them.
func TestKindsOfLimit(t *testing.T) {
	for name, tt := range map[string]struct {
		service   service
		workers   int
		documents int
		used      float64 // of the limit, at least
		refused   float64 // share of the requests, at most
	}{
		"10 a minute":                  {service{limit: 10, latency: time.Second}, 16, 60, 0.5, 0.5},
		"60 a minute":                  {service{limit: 60, latency: 5 * time.Second}, 16, 600, 0.8, 0.04},
		"6,000 a minute":               {service{limit: 6000, latency: 50 * time.Millisecond}, 64, 60000, 0.9, 0.01},
		"a bucket of a second":         {service{limit: 600, window: "bucket", latency: time.Second}, 16, 3000, 0.7, 0.02},
		"a bucket of a second, faster": {service{limit: 6000, window: "bucket", latency: time.Second}, 256, 30000, 0.7, 0.02},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.service.network = time.Millisecond
				s := newService(tt.service)
				o := work(t.Context(), s, agent.NewPace(s, agent.NewMeter(), agent.Limits{InFlight: tt.workers}), tt.workers, equal(tt.documents, 400))
				used := float64(tt.documents) / (o.took.Minutes() * float64(tt.service.limit))
				t.Logf("%v, %.1f %% used", o, 100*used)
				if o.failed > 0 || used < tt.used || float64(o.refused) > tt.refused*float64(o.requests) {
					t.Errorf("%v, %.1f %% used; want 0 failed, at most %.1f %% refused, %.1f %% used", o, 100*used, 100*tt.refused, 100*tt.used)
				}
			})
		})
	}
}

// TestLimitChanges is a limit that is lowered in the middle of a run, and one that is raised.
func TestLimitChanges(t *testing.T) {
	for name, later := range map[string]int{"lowered": 100, "raised": 900} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const workers, first = 16, 300
				s := newService(service{limit: first, latency: 100 * time.Millisecond, network: time.Millisecond})
				time.AfterFunc(3*time.Minute, func() {
					s.mu.Lock()
					defer s.mu.Unlock()
					s.limit = later
				})
				documents := 3*first + 12*later
				o := work(t.Context(), s, agent.NewPace(s, agent.NewMeter(), agent.Limits{InFlight: workers}), workers, equal(documents, 400))
				least := 15 * time.Minute
				t.Logf("%v, at least %v", o, least)
				if o.failed > 0 || o.took > least*5/3 || o.refused*50 > o.requests {
					t.Errorf("%v; want 0 failed, at most 2 %% refused, not much more than %v", o, least)
				}
			})
		})
	}
}

// TestOutage is an agent that is down for a minute in the middle of a run.
func TestOutage(t *testing.T) {
	const workers, down = 16, time.Minute
	for name, e := range map[string]*pipeline.Error{
		"no connection":  {Class: pipeline.Transient, Kind: pipeline.KindConnect, Err: errors.New("connection refused")},
		"502":            {Class: pipeline.Transient, Kind: pipeline.KindServer, Status: 502, Err: errors.New("bad gateway")},
		"500":            {Class: pipeline.Transient, Kind: pipeline.KindServer, Status: 500, Err: errors.New("internal error")},
		"page of HTML":   {Class: pipeline.Transient, Kind: pipeline.KindResponse, Status: 200, Err: errors.New("HTML page instead of JSON")},
		"broken at once": {Class: pipeline.Transient, Kind: pipeline.KindNetwork, Err: errors.New("connection reset")},
	} {
		for _, begins := range []time.Duration{0, 5 * time.Second} {
			t.Run(fmt.Sprintf("%s from %v", name, begins), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newService(service{latency: 50 * time.Millisecond, network: time.Millisecond})
					var back time.Time
					s.fault = func(s *service, now time.Time, _ int) error {
						if d := now.Sub(s.began); d >= begins && d < begins+down {
							return e
						}
						if back.IsZero() && now.Sub(s.began) > begins+down {
							back = now
						}
						return nil
					}
					o := work(t.Context(), s, agent.NewPace(s, agent.NewMeter(), agent.Limits{InFlight: workers}), workers, equal(5000, 400))
					lost := back.Sub(s.began.Add(begins + down))
					t.Logf("%v, went on %v after it was back", o, lost)
					if o.failed > 0 || lost > 17*time.Second || o.requests > 5000+2*workers+20 {
						t.Errorf("%v, went on %v after it was back; want 0 failed, at most 17 s, few requests more than documents", o, lost)
					}
				})
			})
		}
	}
}

// TestOutageOfTheLastDocument is a gateway that fails while only one document is left.
func TestOutageOfTheLastDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(service{latency: 50 * time.Millisecond, network: time.Millisecond})
		s.fault = func(s *service, now time.Time, _ int) error {
			if now.Sub(s.began) < time.Minute {
				return &pipeline.Error{Class: pipeline.Transient, Kind: pipeline.KindServer, Status: 502, Err: errors.New("bad gateway")}
			}
			return nil
		}
		if o := work(t.Context(), s, agent.NewPace(s, agent.NewMeter(), agent.Limits{InFlight: 16}), 16, equal(1, 400)); o.failed > 0 {
			t.Errorf("%v, want 0 failed", o)
		}
	})
}

func TestGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(service{network: time.Millisecond})
		s.fault = func(*service, time.Time, int) error {
			return pipeline.Errorf(pipeline.Transient, pipeline.KindConnect, "connection refused")
		}
		p := agent.NewPace(s, agent.NewMeter(), agent.Limits{GiveUp: 5 * time.Minute})
		started := time.Now()
		_, err := (&agent.Retry{Next: p}).Ask(t.Context(), &agent.Request{})
		e := pipeline.AsError(err)
		if took := time.Since(started); e.Class != pipeline.Fatal || e.Kind != pipeline.KindUnreachable || took < 5*time.Minute || took > 5*time.Minute+16*time.Second {
			t.Errorf("%v after %v, want %s/%s after 5 minutes", err, took, pipeline.Fatal, pipeline.KindUnreachable)
		}
		if _, err := p.Ask(t.Context(), &agent.Request{}); pipeline.AsError(err).Kind != pipeline.KindUnreachable {
			t.Errorf("then %v, want the same", err)
		}
	})
}

// TestPoisonedDocument is one document that always fails, while others go well: it must fail, and not hold them up.
func TestPoisonedDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(service{latency: 50 * time.Millisecond, network: time.Millisecond})
		poisoned := agent.Func(func(ctx context.Context, req *agent.Request) (*agent.Answer, error) {
			if req.Key == "7" {
				return nil, pipeline.Errorf(pipeline.Transient, pipeline.KindServer, "500")
			}
			return s.Ask(ctx, req)
		})
		o := work(t.Context(), s, agent.NewPace(poisoned, agent.NewMeter(), agent.Limits{InFlight: 4}), 4, equal(200, 400))
		if o.failed != 1 || o.took > 3*time.Minute {
			t.Errorf("%v, want 1 failed within 3 minutes", o)
		}
	})
}

// TestRestarts is a run that is stopped every few seconds and goes on with what it noted then, or, where it was killed, a second
// before.
func TestRestarts(t *testing.T) {
	const life = 7 * time.Second
	for name, tt := range map[string]struct {
		limits  agent.Limits
		service service
		sizes   []int
		noted   time.Duration
		refused float64 // share of the requests, at most
	}{
		"requests":              {agent.Limits{Requests: 600}, service{limit: 600}, equal(3000, 400), life, 0},
		"requests, killed":      {agent.Limits{Requests: 600}, service{limit: 600}, equal(3000, 400), life - time.Second, 0},
		"tokens":                {agent.Limits{Tokens: 60000}, service{tokens: 60000}, equal(300, 3000), life, 0},
		"tokens, killed":        {agent.Limits{Tokens: 60000}, service{tokens: 60000}, equal(300, 3000), life - time.Second, 0.06},
		"unknown limit":         {agent.Limits{}, service{limit: 300}, equal(900, 400), life, 0.02},
		"unknown limit, killed": {agent.Limits{}, service{limit: 300}, equal(900, 400), life - time.Second, 0.03},
		"a pause to keep":       {agent.Limits{}, service{retryAfter: "exact", limit: 300}, equal(900, 400), life, 0.01},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.service.network, tt.service.latency = time.Millisecond, 100*time.Millisecond
				s := newService(tt.service)
				var noted atomic.Pointer[[]byte]
				left := tt.sizes
				for len(left) > 0 {
					p := agent.NewPace(s, agent.NewMeter(), tt.limits)
					if state := noted.Load(); state != nil {
						if err := p.Restore(*state); err != nil {
							t.Fatal(err)
						}
					}
					before := s.answered
					ctx, kill := context.WithTimeout(t.Context(), life)
					stop := time.AfterFunc(tt.noted, func() {
						state := p.Snapshot()
						noted.Store(&state)
					})
					work(ctx, s, p, 8, left)
					kill()
					stop.Stop()
					synctest.Wait()
					left = left[min(len(left), s.answered-before):]
				}
				t.Logf("%d requests, %d refused, %v", s.n, s.refused, time.Since(s.began))
				if float64(s.refused) > tt.refused*float64(s.n) {
					t.Errorf("%d of %d requests refused, want at most %.0f %%", s.refused, s.n, 100*tt.refused)
				}
			})
		})
	}
}

// TestTooLong is a document that no waiting would help.
func TestTooLong(t *testing.T) {
	for name, tt := range map[string]struct {
		limits agent.Limits
		bytes  int
		params agent.Params
		kind   string
	}{
		"within the tokens of a minute":          {agent.Limits{Tokens: 1000}, 3000, agent.Params{}, ""},
		"over the tokens of a minute":            {agent.Limits{Tokens: 1000}, 8000, agent.Params{}, pipeline.KindTooLong},
		"over them with its answer only":         {agent.Limits{Tokens: 1000, Reserve: true}, 3000, agent.Params{MaxTokens: 900}, ""},
		"within the agent's context":             {agent.Limits{Context: 1000}, 3000, agent.Params{}, ""},
		"over the agent's context":               {agent.Limits{Context: 1000}, 8000, agent.Params{}, pipeline.KindTooLong},
		"over the context with its answer":       {agent.Limits{Context: 1000}, 3000, agent.Params{MaxTokens: 500}, pipeline.KindTooLong},
		"no limit is known: any length is asked": {agent.Limits{}, 60000, agent.Params{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				next, calls := answers()
				req := &agent.Request{Params: tt.params, Messages: []agent.Message{{Content: text(tt.bytes)}}}
				_, err := agent.NewPace(next, agent.NewMeter(), tt.limits).Ask(t.Context(), req)
				if tt.kind == "" {
					if err != nil || calls.Load() != 1 {
						t.Errorf("%v after %d calls, want an answer", err, calls.Load())
					}
					return
				}
				if e := pipeline.AsError(err); e == nil || e.Class != pipeline.Invalid || e.Kind != tt.kind || calls.Load() != 0 {
					t.Errorf("%v after %d calls, want %s/%s and no call", err, calls.Load(), pipeline.Invalid, tt.kind)
				}
			})
		})
	}
}

func TestInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		next := agent.Func(func(ctx context.Context, _ *agent.Request) (*agent.Answer, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			return &agent.Answer{Text: "fine"}, pipeline.Sleep(ctx, time.Second)
		})
		ask(t.Context(), agent.NewPace(next, agent.NewMeter(), agent.Limits{InFlight: 3}), 16, 200)
		if most.Load() != 3 {
			t.Errorf("%d calls in flight, want 3", most.Load())
		}
	})
}

// TestMeter is how well the cost of a request is known after some answers.
func TestMeter(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for name, bytesPerToken := range map[string]float64{"English": 4.6, "JSON": 2.4, "Chinese": 2.1} {
		t.Run(name, func(t *testing.T) {
			m := agent.NewMeter()
			estimated, truly := 0.0, 0.0
			for i := range 300 {
				size := 400 + rng.IntN(24000)
				req := &agent.Request{Messages: []agent.Message{{Content: text(size)}}}
				guess := m.Estimate(req)
				cost := pipeline.Tokens{Prompt: 200 + int(float64(size)/bytesPerToken*(0.9+0.2*rng.Float64())), Completion: 50 + rng.IntN(400)}
				if got := m.Learn(req, cost, time.Second); got != cost {
					t.Fatalf("cost %v, want %v as the service said", got, cost)
				}
				if i >= 20 {
					estimated += float64(guess.Total())
					truly += float64(cost.Total())
				}
			}
			if off := estimated/truly - 1; off < -0.05 || off > 0.05 {
				t.Errorf("the estimates are %+.1f %% off in sum, want within 5 %%", 100*off)
			}
			unsaid := &agent.Request{Messages: []agent.Message{{Content: text(4000)}}}
			if got, want := m.Learn(unsaid, pipeline.Tokens{}, time.Second), m.Estimate(unsaid); got != want || got.Total() == 0 {
				t.Errorf("without a word of the service %v, want the estimate %v", got, want)
			}
		})
	}
}

func BenchmarkPace(b *testing.B) {
	next := agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) {
		return &agent.Answer{Text: "fine", Tokens: pipeline.Tokens{Prompt: 100, Completion: 10}}, nil
	})
	req := &agent.Request{Key: "1", Messages: []agent.Message{{Content: text(1000)}}}
	for name, l := range map[string]agent.Limits{"no limit": {}, "limits": {Requests: 1e9, Tokens: 1e12, InFlight: 64}} {
		b.Run(name, func(b *testing.B) {
			p := agent.NewPace(next, agent.NewMeter(), l)
			for range 3000 { // until it goes at full speed
				p.Ask(b.Context(), req)
			}
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					p.Ask(b.Context(), req)
				}
			})
		})
	}
}
