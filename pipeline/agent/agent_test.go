package agent_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// answers is an agent that fails with each of errs in turn, then answers.
func answers(errs ...error) (agent.Agent, *atomic.Int64) {
	var calls atomic.Int64
	return agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) {
		n := int(calls.Add(1))
		if n <= len(errs) {
			return nil, errs[n-1]
		}
		return &agent.Answer{Text: "fine"}, nil
	}), &calls
}

var (
	transient = pipeline.Errorf(pipeline.Transient, pipeline.KindServer, "502")
	late      = pipeline.Errorf(pipeline.Transient, pipeline.KindTimeout, "no answer in time")
	throttled = pipeline.Errorf(pipeline.Throttled, pipeline.KindRate, "429")
	refused   = pipeline.Errorf(pipeline.Refused, pipeline.KindRequest, "400")
	fatal     = pipeline.Errorf(pipeline.Fatal, pipeline.KindKey, "401")
)

func repeat(err error, n int) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

func TestRetry(t *testing.T) {
	for name, tt := range map[string]struct {
		errs  []error
		calls int64
		class pipeline.Class
	}{
		"an answer at once":                      {nil, 1, ""},
		"transient failures are tried again":     {repeat(transient, 4), 5, ""},
		"but not for ever":                       {repeat(transient, 19), 8, pipeline.Transient},
		"a time-out is repeated once":            {repeat(late, 9), 2, pipeline.Transient},
		"a time-out between others, too":         {[]error{transient, late, transient, late}, 4, pipeline.Transient},
		"throttling is never counted":            {repeat(throttled, 40), 41, ""},
		"throttling between failures costs none": {append(repeat(transient, 4), repeat(throttled, 9)...), 14, ""},
		"a refusal is final":                     {repeat(refused, 1), 1, pipeline.Refused},
		"a fatal failure is final":               {repeat(fatal, 1), 1, pipeline.Fatal},
		"an error that nobody classed is final":  {repeat(errors.New("what?"), 1), 1, pipeline.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				next, calls := answers(tt.errs...)
				_, err := (&agent.Retry{Next: next, Repeats: agent.DefaultRepeats}).Ask(t.Context(), &agent.Request{})
				if got := pipeline.ClassOf(err); got != tt.class {
					t.Errorf("class %q, want %q", got, tt.class)
				}
				if got := calls.Load(); got != tt.calls {
					t.Errorf("%d calls, want %d", got, tt.calls)
				}
			})
		})
	}
}

func TestRetryWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next, _ := answers(transient, transient, &pipeline.Error{Class: pipeline.Transient, RetryAfter: time.Minute, Err: errors.New("503")})
		started := time.Now()
		if _, err := (&agent.Retry{Next: next}).Ask(t.Context(), &agent.Request{}); err != nil {
			t.Fatal(err)
		}
		// 0.5-1 s, then 1-2 s, then what the service asks for.
		if got := time.Since(started); got < 61500*time.Millisecond || got > 63*time.Second {
			t.Errorf("took %v, want between 61.5 s and 63 s", got)
		}
	})
}

func TestRetryEndsWhenTheRunStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		next, calls := answers(repeat(transient, 9)...)
		time.AfterFunc(100*time.Millisecond, func() { close(stop) })
		_, err := (&agent.Retry{Next: next}).Ask(pipeline.WithStopping(t.Context(), stop), &agent.Request{})
		if !errors.Is(err, pipeline.ErrStopping) || calls.Load() != 1 {
			t.Errorf("err %v after %d calls, want ErrStopping after 1", err, calls.Load())
		}
	})
}

// recorder notes when each request is sent.
type recorder struct {
	mu    sync.Mutex
	sent  []time.Time
	agent func(n int) error
}

func (r *recorder) Ask(ctx context.Context, _ *agent.Request) (*agent.Answer, error) {
	r.mu.Lock()
	r.sent = append(r.sent, time.Now())
	n := len(r.sent)
	r.mu.Unlock()
	if err := pipeline.Sleep(ctx, 50*time.Millisecond); err != nil {
		return nil, err
	}
	if r.agent != nil {
		if err := r.agent(n); err != nil {
			return nil, err
		}
	}
	return &agent.Answer{Text: "fine"}, nil
}

// ask lets workers ask n requests in all and waits for them.
func ask(ctx context.Context, a agent.Agent, workers, n int) {
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				a.Ask(ctx, &agent.Request{})
			}
		})
	}
	wg.Wait()
}

// densest is the largest number of requests in any window of that length.
func densest(sent []time.Time, window time.Duration) int {
	most, first := 0, 0
	for i := range sent {
		for sent[i].Sub(sent[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func TestPaceKeepsToTheLimit(t *testing.T) {
	for name, tt := range map[string]struct {
		rpm     float64
		workers int
		n       int
	}{
		"60 a minute":     {60, 4, 180},
		"600 a minute":    {600, 8, 1800},
		"6,000 a minute":  {6000, 64, 12000},
		"60,000 a minute": {60000, 256, 120000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &recorder{}
				ask(t.Context(), agent.NewPace(r, agent.NewMeter(), agent.Limits{Requests: tt.rpm}), tt.workers, tt.n)
				if got := densest(r.sent, time.Minute); got > int(tt.rpm) {
					t.Errorf("%d requests in 60 s, want at most %v", got, tt.rpm)
				}
				took := r.sent[len(r.sent)-1].Sub(r.sent[0]).Minutes()
				if got := float64(tt.n) / took / tt.rpm; got < 0.985 {
					t.Errorf("used %.1f %% of the limit, want at least 98.5 %%", 100*got)
				}
			})
		})
	}
}

func TestPaceHoldsEveryone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		r := &recorder{agent: func(n int) error {
			if n <= 8 { // all that were sent at once are throttled
				return &pipeline.Error{Class: pipeline.Throttled, RetryAfter: 20 * time.Second, Err: errors.New("429")}
			}
			return nil
		}}
		p := agent.NewPace(r, agent.NewMeter(), agent.Limits{Requests: 0})
		time.AfterFunc(5*time.Second, func() {
			if pause := p.Paused(); pause.For < 14*time.Second || pause.Why == "" {
				t.Errorf("after 5 s the pause is %+v, want about 15 s with a reason", pause)
			}
		})
		ask(t.Context(), &agent.Retry{Next: p}, 8, 16)
		for i, sent := range r.sent[8:] {
			if at := sent.Sub(started); at < 20*time.Second {
				t.Errorf("request %d was sent %v after the start, want after the pause of 20 s", i+9, at)
			}
		}
		if len(r.sent) != 24 {
			t.Errorf("%d requests, want 24", len(r.sent))
		}
	})
}

// TestPaceCutsOncePerEpisode has all 64 workers refused at once, after they were let in for a while.
func TestPaceCutsOncePerEpisode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		var pause atomic.Int64
		r := &recorder{agent: func(int) error {
			if at := time.Since(started); at > 5*time.Second && at < 5200*time.Millisecond {
				return throttled // no Retry-After
			}
			return nil
		}}
		p := agent.NewPace(r, agent.NewMeter(), agent.Limits{})
		time.AfterFunc(5500*time.Millisecond, func() { pause.Store(int64(p.Paused().For)) })
		ask(t.Context(), &agent.Retry{Next: p}, 64, 10000)
		// One episode is a pause of about 2 s; 64 of them in a row would be 90 s each.
		if waited := time.Duration(pause.Load()); waited < time.Second || waited > 2*time.Second {
			t.Errorf("half a second later the pause is %v yet, want between 1 and 2 s", waited)
		}
	})
}

func TestPaceEndsWhenTheRunStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		ctx := pipeline.WithStopping(t.Context(), stop)
		p := agent.NewPace(&recorder{}, agent.NewMeter(), agent.Limits{Requests: 1})
		p.Ask(ctx, &agent.Request{}) // takes the only slot of this minute
		time.AfterFunc(time.Second, func() { close(stop) })
		for range 2 {
			if _, err := p.Ask(ctx, &agent.Request{}); !errors.Is(err, pipeline.ErrStopping) {
				t.Errorf("err %v, want ErrStopping", err)
			}
		}
	})
}

// memory is an agent.Store in memory.
type memory struct {
	mu      sync.Mutex
	answers map[string]*agent.Answer
	nums    map[string]int64
	err     error
}

func (m *memory) Answer(_ context.Context, request string, after int64) (*agent.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.nums[request] <= after {
		return nil, nil
	}
	return m.answers[request], nil
}

func (m *memory) PutAnswer(ctx context.Context, request string, after int64, a *agent.Answer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.nums == nil {
		m.nums = map[string]int64{}
	}
	if m.err == nil && ctx.Err() == nil && (m.answers[request] == nil || m.nums[request] <= after) {
		m.answers[request], m.nums[request] = a, int64(len(m.nums)+1)
	}
	return errors.Join(m.err, ctx.Err())
}

func TestCacheAsksOnce(t *testing.T) {
	next, calls := answers()
	store := &memory{answers: map[string]*agent.Answer{}}
	c := &agent.Cache{Next: next, Store: store, Base: "https://a.example/v1"}
	var keys []string
	var cached int
	ctx := agent.WithTrace(t.Context(), &agent.Trace{Request: func(key string) { keys = append(keys, key) }, Cached: func() { cached++ }})
	for range 3 {
		a, err := c.Ask(ctx, &agent.Request{Agent: "x", Messages: []agent.Message{{Role: "user", Content: "hello"}}})
		if err != nil || a.Text != "fine" {
			t.Fatalf("got %v, %v", a, err)
		}
	}
	if calls.Load() != 1 || cached != 2 || len(keys) != 3 || keys[0] != keys[2] {
		t.Errorf("%d calls, %d from the store, keys %v; want 1, 2, three equal ones", calls.Load(), cached, keys)
	}
}

func TestCacheAsksOnceForEqualRequestsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls, cached, failed atomic.Int64
		next := agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) {
			time.Sleep(time.Second) // the agent thinks
			if calls.Add(1) == 1 {
				return nil, transient
			}
			return &agent.Answer{Text: "fine"}, nil
		})
		c := &agent.Cache{Next: next, Store: &memory{answers: map[string]*agent.Answer{}}}
		ctx := agent.WithTrace(t.Context(), &agent.Trace{Cached: func() { cached.Add(1) }})
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if _, err := c.Ask(ctx, &agent.Request{Agent: "x"}); err != nil {
					failed.Add(1)
				}
			})
		}
		all.Wait()
		// The first fails by itself; one of those that waited for it asks again, and answers the others.
		if calls.Load() != 2 || failed.Load() != 1 || cached.Load() != 8 {
			t.Errorf("%d calls, %d failed, %d from the store; want 2, 1, 8", calls.Load(), failed.Load(), cached.Load())
		}
	})
}

func TestCacheStoresWhatInterrupts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	store := &memory{answers: map[string]*agent.Answer{}}
	next := agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) {
		cancel() // the run ends while the answer arrives
		return &agent.Answer{Text: "paid"}, nil
	})
	if _, err := (&agent.Cache{Next: next, Store: store}).Ask(ctx, &agent.Request{}); err != nil {
		t.Fatal(err)
	}
	if len(store.answers) != 1 {
		t.Error("the answer that was paid for is not stored")
	}
}

func TestCacheFailsWhenItCannotStore(t *testing.T) {
	next, _ := answers()
	full := pipeline.Errorf(pipeline.Fatal, pipeline.KindState, "disk full")
	store := &memory{answers: map[string]*agent.Answer{}, err: full}
	if _, err := (&agent.Cache{Next: next, Store: store}).Ask(t.Context(), &agent.Request{}); !errors.Is(err, full) {
		t.Errorf("err %v, want that of the store", err)
	}
}

func TestHash(t *testing.T) {
	zero, one := 0.0, 1.0
	base := func() *agent.Request {
		return &agent.Request{Agent: "a", Messages: []agent.Message{{Role: "system", Content: "s"}, {Role: "user", Content: "u"}}}
	}
	want := agent.Hash("https://x/v1", base())
	for name, tt := range map[string]struct {
		base   string
		change func(*agent.Request)
		same   bool
	}{
		"nothing changed":           {"https://x/v1", func(*agent.Request) {}, true},
		"streamed":                  {"https://x/v1", func(r *agent.Request) { r.Stream = true }, true},
		"another base URL":          {"https://y/v1", func(*agent.Request) {}, false},
		"another agent":             {"https://x/v1", func(r *agent.Request) { r.Agent = "b" }, false},
		"temperature 0":             {"https://x/v1", func(r *agent.Request) { r.Params.Temperature = &zero }, false},
		"temperature 1":             {"https://x/v1", func(r *agent.Request) { r.Params.Temperature = &one }, false},
		"a bound on tokens":         {"https://x/v1", func(r *agent.Request) { r.Params.MaxTokens = 5 }, false},
		"another role":              {"https://x/v1", func(r *agent.Request) { r.Messages[0].Role = "user" }, false},
		"text moved between fields": {"https://x/v1", func(r *agent.Request) { r.Messages[0].Content, r.Messages[1].Content = "su", "" }, false},
		"not a number":              {"https://x/v1", func(r *agent.Request) { n := math.NaN(); r.Params.TopP = &n }, false},
	} {
		t.Run(name, func(t *testing.T) {
			req := base()
			tt.change(req)
			if got := agent.Hash(tt.base, req) == want; got != tt.same {
				t.Errorf("same hash: %v, want %v", got, tt.same)
			}
		})
	}
}

func TestTraced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{agent: func(n int) error {
			if n == 1 {
				return &pipeline.Error{Class: pipeline.Transient, Kind: pipeline.KindServer, Status: 502, Err: errors.New("bad gateway")}
			}
			return nil
		}}
		var got []pipeline.Attempt
		ctx := agent.WithTrace(t.Context(), &agent.Trace{Attempt: func(a pipeline.Attempt) { got = append(got, a) }})
		if _, err := (&agent.Retry{Next: agent.Traced{Next: r}}).Ask(ctx, &agent.Request{}); err != nil {
			t.Fatal(err)
		}
		if len(got) != 2 || got[0].Status != 502 || got[0].Message != "bad gateway" || got[1].Class != "" || got[1].Duration != 50*time.Millisecond {
			t.Errorf("attempts %+v, want a 502 and an answer of 50 ms", got)
		}
	})
}

// TestCacheAsksAgain is a document that is to be asked again: what was stored before does not count for it, and does for others.
func TestCacheAsksAgain(t *testing.T) {
	asked := 0
	next := agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) {
		asked++
		return &agent.Answer{Text: fmt.Sprint("answer ", asked)}, nil
	})
	c := &agent.Cache{Next: next, Store: &memory{answers: map[string]*agent.Answer{}}}
	for i, tt := range []struct {
		after int64
		want  string
	}{{0, "answer 1"}, {0, "answer 1"}, {1, "answer 2"}, {1, "answer 2"}, {0, "answer 2"}} {
		a, err := c.Ask(t.Context(), &agent.Request{Agent: "a", After: tt.after})
		if err != nil || a.Text != tt.want {
			t.Errorf("request %d, after %d: %v, %v, want %s", i, tt.after, a, err, tt.want)
		}
	}
}
