package demo_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline/agent/demo"
)

// at sends a request at a time after start and gives what came.
func at(s http.Handler, start time.Time, d time.Duration, body string) *httptest.ResponseRecorder {
	time.Sleep(time.Until(start.Add(d)))
	return ask(s, body)
}

// TestWindows sends requests at some times and looks at each answer: status, remaining, and the reset as full and as next.
func TestWindows(t *testing.T) {
	type step struct {
		at   time.Duration
		want string
	}
	const s = time.Second
	for _, tt := range []struct {
		name  string
		opts  demo.Options
		steps []step
	}{
		{"sliding", demo.Options{RPM: 2}, []step{
			{0, "200 1 1m0s 1m0s"}, {59 * s, "200 0 1m0s 1s"}, {59 * s, "429 0 1m0s 1s"}, {60 * s, "200 0 1m0s 59s"}, {60 * s, "429 0 1m0s 59s"},
			{119 * s, "200 0 1m0s 1s"}, {300 * s, "200 1 1m0s 1m0s"},
		}},
		{"fixed", demo.Options{RPM: 2, Window: demo.Fixed}, []step{
			{10 * s, "200 1 50s 50s"}, {59 * s, "200 0 1s 1s"}, {59 * s, "429 0 1s 1s"}, {60 * s, "200 1 1m0s 1m0s"}, {60 * s, "200 0 1m0s 1m0s"},
			{61 * s, "429 0 59s 59s"}, {310 * s, "200 1 50s 50s"},
		}},
		{"bucket", demo.Options{RPM: 120, Window: demo.Bucket}, []step{
			{0, "200 1 500ms 500ms"}, {0, "200 0 1s 500ms"}, {0, "429 0 1s 500ms"}, {s / 4, "429 0 750ms 250ms"}, {s / 2, "200 0 1s 500ms"},
			{s / 2, "429 0 1s 500ms"}, {60 * s, "200 1 500ms 500ms"}, {60 * s, "200 0 1s 500ms"}, {60 * s, "429 0 1s 500ms"},
		}},
		{"a bucket holds one at least", demo.Options{RPM: 6, Window: demo.Bucket}, []step{
			{0, "200 0 10s 10s"}, {9 * s, "429 0 1s 1s"}, {10 * s, "200 0 10s 10s"}, {300 * s, "200 0 10s 10s"}, {300 * s, "429 0 10s 10s"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.opts.Headers = demo.HeadersFull
				full := demo.New(tt.opts)
				tt.opts.Headers = demo.HeadersNext
				next := demo.New(tt.opts)
				start := time.Now()
				for i, step := range tt.steps {
					w := at(full, start, step.at, question("x", ""))
					h, other := w.Header(), ask(next, question("x", "")).Header()
					got := fmt.Sprintf("%d %s %s %s", w.Code, h.Get("X-Ratelimit-Remaining-Requests"), h.Get("X-Ratelimit-Reset-Requests"), other.Get("X-Ratelimit-Reset-Requests"))
					if got != step.want {
						t.Errorf("step %d, at %v: got %s, want %s", i, step.at, got, step.want)
					}
				}
			})
		})
	}
}

// Who waits as long as the agent says is admitted then, and would not have been a millisecond before.
func TestRetryAfterIsExact(t *testing.T) {
	for _, opts := range []demo.Options{{RPM: 20}, {RPM: 20, Window: demo.Fixed}, {RPM: 180, Window: demo.Bucket}, {TPM: 500}} {
		name := fmt.Sprintf("%d a minute, %s", opts.RPM+opts.TPM, &opts.Window)
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts.RetryAfter = demo.RetryMS
				s := demo.New(opts)
				random := rand.New(rand.NewPCG(1, 2))
				waits := 0
				for range 300 {
					time.Sleep(time.Duration(random.Int64N(int64(200 * time.Millisecond))))
					body := question(strings.Repeat("x", random.IntN(200)), "")
					w := ask(s, body)
					if w.Code == 200 {
						continue
					}
					waits++
					ms, err := strconv.Atoi(w.Header().Get("Retry-After-Ms"))
					if err != nil || ms < 1 || ms > 60000 {
						t.Fatalf("Retry-After-Ms: got %d, %v", ms, err)
					}
					time.Sleep(time.Duration(ms-2) * time.Millisecond)
					if got := ask(s, body).Code; got != 429 && ms > 2 {
						t.Errorf("2 ms before its time: got %d", got)
					}
					time.Sleep(2 * time.Millisecond)
					if got := ask(s, body).Code; got != 200 {
						t.Errorf("at its time: got %d", got)
					}
				}
				if waits < 10 {
					t.Errorf("the limit was met %d times", waits)
				}
			})
		})
	}
}

func TestTokensAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := demo.New(demo.Options{TPM: 200, RPM: 10})
		body := question(letter, "")
		used := decode(t, ask(demo.New(demo.Options{}), body).Body.Bytes()).Usage.Total
		if used <= 100 || used > 180 {
			t.Fatalf("the letter costs %d tokens: one must go into the limit, and two must not", used)
		}
		w := ask(s, body)
		if got := w.Header().Get("X-Ratelimit-Remaining-Tokens"); w.Code != 200 || got != fmt.Sprint(200-used) || w.Header().Get("X-Ratelimit-Limit-Tokens") != "200" {
			t.Errorf("first: got %d, %v, want %d remaining", w.Code, w.Header(), 200-used)
		}
		time.Sleep(20 * time.Second)
		w = ask(s, body)
		message := fmt.Sprintf("Rate limit reached for a on tokens per min (TPM): Limit 200, Used %d, Requested %d. Please try again in 40s.", used, used)
		if e := decode(t, w.Body.Bytes()).Error; w.Code != 429 || e.Type != "tokens" || str(e.Code) != "rate_limit_exceeded" || e.Message != message {
			t.Errorf("over: got %d %s, want %s", w.Code, w.Body, message)
		}
		if h := w.Header(); h.Get("Retry-After") != "40" || h.Get("X-Ratelimit-Reset-Tokens") != "40s" || h.Get("X-Ratelimit-Remaining-Requests") != "9" {
			t.Errorf("what is over in tokens: got %v, want no request counted", h)
		}
		w = ask(s, question(letter, `,"max_tokens":1`))
		if w.Code != 200 {
			t.Errorf("an answer of one token: got %d %s", w.Code, w.Body)
		}
		time.Sleep(time.Minute)
		w = ask(s, question(strings.Repeat("word ", 200), ""))
		e := decode(t, w.Body.Bytes()).Error
		if w.Code != 429 || e.Type != "tokens" || !strings.HasPrefix(e.Message, "Request too large for a on tokens per min (TPM): Limit 200, Requested ") {
			t.Errorf("too large: got %d %s", w.Code, w.Body)
		}
		if h := w.Header(); h.Get("Retry-After") != "" || h.Get("X-Ratelimit-Remaining-Tokens") != "200" {
			t.Errorf("too large: got %v, want nothing counted and no time to wait", h)
		}
	})
}

// A refusal for what is asked counts its prompt, and there is no answer to count.
func TestTokensOfABadRequest(t *testing.T) {
	w := ask(demo.New(demo.Options{TPM: 1000}), question("four letters", `,"max_tokens":-5`))
	if got := w.Header().Get("X-Ratelimit-Remaining-Tokens"); w.Code != 400 || got != "993" {
		t.Errorf("got %d, %s remaining, want 400 and 993", w.Code, got)
	}
}

func TestHeaders(t *testing.T) {
	openai := map[string]string{
		"X-Ratelimit-Limit-Requests": "4", "X-Ratelimit-Remaining-Requests": "2", "X-Ratelimit-Reset-Requests": "1m0s",
		"X-Ratelimit-Limit-Tokens": "1000", "X-Ratelimit-Remaining-Tokens": "974", "X-Ratelimit-Reset-Tokens": "1m0s",
	}
	next := maps.Clone(openai)
	next["X-Ratelimit-Reset-Requests"], next["X-Ratelimit-Reset-Tokens"] = "40s", "40s"
	for _, tt := range []struct {
		name string
		opts demo.Options
		want map[string]string
	}{
		{"default", demo.Options{RPM: 4, TPM: 1000}, openai},
		{"full", demo.Options{RPM: 4, TPM: 1000, Headers: demo.HeadersFull}, openai},
		{"next", demo.Options{RPM: 4, TPM: 1000, Headers: demo.HeadersNext}, next},
		{"none", demo.Options{RPM: 4, TPM: 1000, Headers: demo.HeadersNone}, map[string]string{}},
		{"ietf", demo.Options{RPM: 4, TPM: 1000, Headers: demo.HeadersIETF}, map[string]string{"Ratelimit-Limit": "4", "Ratelimit-Remaining": "2", "Ratelimit-Reset": "60"}},
		{"ietf, tokens alone", demo.Options{TPM: 1000, Headers: demo.HeadersIETF}, map[string]string{"Ratelimit-Limit": "1000", "Ratelimit-Remaining": "974", "Ratelimit-Reset": "60"}},
		{"without a limit", demo.Options{Headers: demo.HeadersFull}, map[string]string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := demo.New(tt.opts)
				body := question("four letters", `,"max_tokens":6`)
				ask(s, body)
				time.Sleep(20 * time.Second)
				got := map[string]string{}
				for name, values := range ask(s, body).Header() {
					if strings.Contains(name, "Ratelimit") {
						got[name] = values[0]
					}
				}
				if !maps.Equal(got, tt.want) {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestRetryAfterForms(t *testing.T) {
	for form, want := range map[demo.RetryAfter][2]string{
		"": {"46", ""}, demo.RetryExact: {"46", ""}, demo.RetryMS: {"", "45600"}, demo.RetryNone: {"", ""}, "7": {"7", ""}, "-3": {"-3", ""},
		demo.RetryDate: {"Sat, 01 Jan 2000 00:01:01 GMT", ""}, // synctest's clock begins with 2000
	} {
		t.Run(string(form), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(300 * time.Millisecond) // a date has no fractions
				s := demo.New(demo.Options{RPM: 1, RetryAfter: form})
				ask(s, question("x", ""))
				time.Sleep(14400 * time.Millisecond)
				w := ask(s, question("x", ""))
				if got := [2]string{w.Header().Get("Retry-After"), w.Header().Get("Retry-After-Ms")}; w.Code != 429 || got != want {
					t.Errorf("got %d %q, want 429 %q", w.Code, got, want)
				}
			})
		})
	}
}

// value is what a flag sets.
type value interface {
	Set(string) error
	String() string
}

func TestChoices(t *testing.T) {
	for _, tt := range []struct {
		v          value
		good, bad  string
		wantPrefix string
	}{
		{new(demo.Window), "sliding fixed bucket", "leaky", `"leaky" is none of [sliding fixed bucket]`},
		{new(demo.Headers), "full next ietf none", "all", `"all" is none of [full next ietf none]`},
		{new(demo.RetryAfter), "exact ms date none 0 30 -1", "soon", `"soon" is none of [exact ms date none], nor a number of seconds`},
	} {
		for _, s := range strings.Fields(tt.good) {
			if err := tt.v.Set(s); err != nil || tt.v.String() != s {
				t.Errorf("%T: set %s: got %s, %v", tt.v, s, tt.v, err)
			}
		}
		before := tt.v.String()
		if err := tt.v.Set(tt.bad); err == nil || err.Error() != tt.wantPrefix || tt.v.String() != before {
			t.Errorf("%T: set %s: got %v, %s; want %s", tt.v, tt.bad, err, tt.v, tt.wantPrefix)
		}
	}
}

func TestMaxInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := demo.New(demo.Options{MaxInFlight: 3, RPM: 100, Latency: 10 * time.Second})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if got := ask(s, question("x", "")).Code; got != 200 {
					t.Errorf("one of three: got %d", got)
				}
			})
		}
		synctest.Wait()
		w := ask(s, question("x", ""))
		e := decode(t, w.Body.Bytes()).Error
		if w.Code != 429 || e.Message != "Too many concurrent requests: at most 3 are allowed at once." {
			t.Errorf("the fourth: got %d %s", w.Code, w.Body)
		}
		if h := w.Header(); h.Get("Retry-After") != "" || h.Get("X-Ratelimit-Limit-Requests") != "" {
			t.Errorf("headers: got %v, want none", h)
		}
		wg.Wait()
		if w := ask(s, question("x", "")); w.Code != 200 || w.Header().Get("X-Ratelimit-Remaining-Requests") != "96" {
			t.Errorf("after them: got %d, %v", w.Code, w.Header())
		}
	})
}

// eager is a client that asks again when it has the first bytes of the answer.
type eager struct {
	*httptest.ResponseRecorder
	again func()
}

func (e *eager) Write(p []byte) (int, error) {
	again := e.again
	e.again = func() {}
	again()
	return e.ResponseRecorder.Write(p)
}

// A client that has its answer may ask again at once: its request before is not in flight any more.
func TestMaxInFlightOfEagerClients(t *testing.T) {
	for _, fault := range []string{"", "500", "502page", "html", "null"} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s stream=%v", fault, stream), func(t *testing.T) {
				opts := demo.Options{MaxInFlight: 1}
				if fault != "" {
					opts.Faults = mustFaults(t, fault+"=1")
				}
				s := demo.New(opts)
				body := question("x", fmt.Sprintf(`,"stream":%v`, stream))
				var second int
				w := &eager{httptest.NewRecorder(), func() { second = ask(s, body).Code }}
				s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body)))
				if second != w.Code || second == 0 || second == 429 {
					t.Errorf("got status %d, and %d for the next request", w.Code, second)
				}
			})
		}
	}
}

// A number of good answers is given, however many ask at once, and no fault counts as one.
func TestEndOfAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		opts   demo.Options
		status int
		kind   string
		code   string
		words  string
	}{
		{"quota", demo.Options{Quota: 20}, 429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details"},
		{"revoked key", demo.Options{RevokeAfter: 20}, 401, "invalid_request_error", "invalid_api_key", "revoked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.opts.Faults = mustFaults(t, "500=0.3")
			s := demo.New(tt.opts)
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() { ask(s, question("x", "")) })
			}
			wg.Wait()
			n := s.Stats()
			if n.Status[200] != 20 || n.Status[500] == 0 || n.Status[tt.status] != 80-n.Status[500] {
				t.Errorf("got %+v, want 20 answers and then %d", n, tt.status)
			}
			w := ask(s, question("x", ""))
			e := decode(t, w.Body.Bytes()).Error
			if w.Code != tt.status || e.Type != tt.kind || str(e.Code) != tt.code || !strings.Contains(e.Message, tt.words) || w.Header().Get("Retry-After") != "" {
				t.Errorf("got %d %s %v", w.Code, w.Body, w.Header())
			}
			models := httptest.NewRecorder()
			s.ServeHTTP(models, httptest.NewRequest(http.MethodGet, "/v1/models", nil))
			if want := map[int]int{429: 200, 401: 401}[tt.status]; models.Code != want {
				t.Errorf("models: got %d, want %d", models.Code, want)
			}
		})
	}
}

func TestContext(t *testing.T) {
	s := demo.New(demo.Options{Context: 50})
	for size, want := range map[int]int{46 * 4: 200, 46*4 + 1: 400} {
		w := ask(s, question(strings.Repeat("x", size), ""))
		if w.Code != want {
			t.Errorf("%d bytes: got %d %s, want %d", size, w.Code, w.Body, want)
		}
		if want == 200 {
			continue
		}
		e := decode(t, w.Body.Bytes()).Error
		const message = "This model's maximum context length is 50 tokens. However, your messages resulted in 51 tokens. Please reduce the length of the messages."
		if str(e.Code) != "context_length_exceeded" || str(e.Param) != "messages" || e.Type != "invalid_request_error" || e.Message != message {
			t.Errorf("got %s", w.Body)
		}
	}
}
