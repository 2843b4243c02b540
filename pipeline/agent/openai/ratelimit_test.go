package openai

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline/agent"
)

// headersOf makes headers of lines, as net/http reads them.
func headersOf(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

func TestRates(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	known := func(limit, remaining int, reset time.Duration) agent.Rate {
		return agent.Rate{Known: true, Limit: limit, Remaining: remaining, Reset: reset}
	}
	openAI := func(reset string) []string {
		return []string{"x-ratelimit-limit-requests: 60", "x-ratelimit-remaining-requests: 59", "x-ratelimit-reset-requests: " + reset}
	}
	tests := []struct {
		name     string
		lines    []string
		requests agent.Rate
		tokens   agent.Rate
	}{
		{name: "none"},
		{name: "seconds", lines: openAI("1s"), requests: known(60, 59, time.Second)},
		{name: "minutes", lines: openAI("6m0s"), requests: known(60, 59, 6*time.Minute)},
		{name: "milliseconds", lines: openAI("20ms"), requests: known(60, 59, 20*time.Millisecond)},
		{name: "a fraction", lines: openAI("2m59.56s"), requests: known(60, 59, 179560*time.Millisecond)},
		{name: "a number of seconds", lines: openAI("12.5"), requests: known(60, 59, 12500*time.Millisecond)},
		{name: "a date", lines: openAI("2026-11-23T12:00:30Z"), requests: known(60, 59, 30*time.Second)},
		{name: "a date by the service's clock", lines: append(openAI("2026-11-23T15:00:30Z"), "Date: Mon, 23 Nov 2026 15:00:00 GMT"), requests: known(60, 59, 30*time.Second)},
		{name: "Unix time", lines: openAI("1795435230"), requests: known(60, 59, 30*time.Second)},
		{name: "Unix time in milliseconds", lines: openAI("1795435230000"), requests: known(60, 59, 30*time.Second)},
		{name: "negative reset", lines: openAI("-1s"), requests: known(60, 59, 0)},
		{name: "absurd reset", lines: openAI("1e300"), requests: known(60, 59, longestPause)},
		{name: "junk as reset", lines: openAI("soon"), requests: known(60, 59, 0)},
		{name: "requests and tokens", lines: append(openAI("1s"), "X-RateLimit-Limit-Tokens: 150000", "X-RateLimit-Remaining-Tokens: 149984", "X-RateLimit-Reset-Tokens: 6m0s"),
			requests: known(60, 59, time.Second), tokens: known(150000, 149984, 6*time.Minute)},
		{name: "tokens only", lines: []string{"x-ratelimit-remaining-tokens: 5"}, tokens: known(0, 5, 0)},
		{name: "nothing remains", lines: []string{"X-RATELIMIT-REMAINING-REQUESTS: 0", "X-RATELIMIT-RESET-REQUESTS: 30"}, requests: known(0, 0, 30*time.Second)},
		{name: "without what remains", lines: []string{"x-ratelimit-limit-requests: 60", "x-ratelimit-reset-requests: 1s"}},
		{name: "negative remains", lines: []string{"x-ratelimit-limit-requests: 60", "x-ratelimit-remaining-requests: -1"}},
		{name: "junk remains", lines: []string{"x-ratelimit-limit-requests: 60", "x-ratelimit-remaining-requests: None"}},
		{name: "not a number remains", lines: []string{"x-ratelimit-remaining-requests: NaN"}},
		{name: "negative limit", lines: []string{"x-ratelimit-limit-requests: -1", "x-ratelimit-remaining-requests: 3"}, requests: known(0, 3, 0)},
		{name: "absurd", lines: []string{"x-ratelimit-limit-requests: 1e30", "x-ratelimit-remaining-requests: 99999999999999999999"}, requests: known(math.MaxInt32, math.MaxInt32, 0)},
		{name: "IETF, older", lines: []string{"RateLimit-Limit: 100", "RateLimit-Remaining: 50", "RateLimit-Reset: 30"}, requests: known(100, 50, 30*time.Second)},
		{name: "IETF, older, with policies", lines: []string{"RateLimit-Limit: 100, 100;w=60, 5000;w=3600", "RateLimit-Remaining: 50", "RateLimit-Reset: 30"}, requests: known(100, 50, 30*time.Second)},
		{name: "IETF", lines: []string{`RateLimit: "default";r=50;t=30`, `RateLimit-Policy: "default";q=100;w=60`}, requests: known(100, 50, 30*time.Second)},
		{name: "IETF, no policy", lines: []string{`ratelimit: default; R=50 ; t=30`}, requests: known(0, 50, 30*time.Second)},
		{name: "IETF, several", lines: []string{`RateLimit: "day";r=900;t=3000, "min;r=1,ute";r=5;t=20`, `RateLimit-Policy: "min;r=1,ute";q=60;w=60`, `RateLimit-Policy: "day";q=1000;w=86400`}, requests: known(60, 5, 20*time.Second)},
		{name: "IETF, of something else", lines: []string{`RateLimit: "bytes";r=1;t=30, "calls";r=50;t=30`, `RateLimit-Policy: "bytes";q=100;qu="content-bytes", "calls";q=80;qu="requests"`}, requests: known(80, 50, 30*time.Second)},
		{name: "IETF, without what remains", lines: []string{`RateLimit: "default";t=30`}},
		{name: "IETF, junk", lines: []string{`RateLimit: ";;=,"",r=;`}},
		{name: "IETF, endless", lines: []string{"RateLimit: " + strings.Repeat(`"default";r=1,`, 100_000)}, requests: known(0, 1, 0)},
		{name: "custom", lines: []string{"X-RateLimit-Limit: 20", "X-RateLimit-Remaining: 19", "X-RateLimit-Reset: 1795435230000"}, requests: known(20, 19, 30*time.Second)},
		{name: "the more exact first", lines: append(openAI("1s"), "RateLimit-Remaining: 1", "X-RateLimit-Remaining: 2", `RateLimit: "a";r=3`), requests: known(60, 59, time.Second)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, want := rates(headersOf(tt.lines...), now), agent.Rates{Requests: tt.requests, Tokens: tt.tokens}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// A noting context stands for a pacer: it takes what agent.NoteRates is told.
type noting struct {
	context.Context
	noted *[]agent.Rates
}

func (n noting) Value(key any) any {
	if fmt.Sprintf("%T", key) == "agent.ratesKey" {
		return func(r agent.Rates) { *n.noted = append(*n.noted, r) }
	}
	return n.Context.Value(key)
}

// TestRatesAreNoted checks that each call tells what it learned once, whatever came of it.
func TestRatesAreNoted(t *testing.T) {
	refuseOptions := func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), "stream_options") {
			w.WriteHeader(400)
			io.WriteString(w, `{"error":"stream_options is unknown"}`)
			return
		}
		io.WriteString(w, pieceA+stopped)
	}
	status := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }
	}
	tests := []struct {
		name   string
		h      http.HandlerFunc
		stream bool
	}{
		{"answer", with200("application/json", good), false},
		{"answer as a stream", with200("text/event-stream", pieceA+stopped+doneLine), true},
		{"no answer", with200("application/json", `{}`), false},
		{"429", status(429), false},
		{"429 to a stream", status(429), true},
		{"500", status(500), false},
		{"a second request", refuseOptions, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var noted []agent.Rates
			a := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("x-ratelimit-remaining-requests", "7")
				tt.h(w, r)
			})
			req := question()
			req.Stream = tt.stream
			a.Ask(noting{t.Context(), &noted}, req)
			if len(noted) != 1 || noted[0].Requests.Remaining != 7 || noted[0].Tokens.Known {
				t.Errorf("got %+v, want 7 requests once", noted)
			}
		})
	}
	t.Run("nothing said", func(t *testing.T) {
		var noted []agent.Rates
		serve(t, with200("application/json", good)).Ask(noting{t.Context(), &noted}, question())
		if len(noted) != 0 {
			t.Errorf("got %+v, want nothing noted", noted)
		}
	})
}

// TestRatesAreNotedEarly has a stream wait until what its head said is known.
func TestRatesAreNotedEarly(t *testing.T) {
	var noted []agent.Rates
	known := make(chan int, 1)
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("x-ratelimit-remaining-requests", "7")
		io.WriteString(w, pieceA+stopped+doneLine)
	})
	req := question()
	req.Stream, req.OnText = true, func(string) { known <- len(noted) }
	if _, err := a.Ask(noting{t.Context(), &noted}, req); err != nil {
		t.Fatal(err)
	}
	if n := <-known; n != 1 {
		t.Errorf("got %d notes at the first piece, want 1", n)
	}
}

// FuzzRates: whatever the headers hold, what is read of them is bounded.
func FuzzRates(f *testing.F) {
	f.Add("60", "59", "6m0s", `"default";r=50;t=30`, `"default";q=100;w=60`)
	f.Add("-1", "1e400", "-9223372036854775808ns", `"a;b,c";r=1, x;r=-1;t=1e99`, `"a;b,c";q=NaN;qu="requests"`)
	f.Add("Inf", "0x1p4", "9999-12-31T23:59:59Z", `";r=1`, `;q`)
	f.Fuzz(func(t *testing.T, limit, remaining, reset, list, policies string) {
		h := http.Header{"Ratelimit": {list}, "Ratelimit-Policy": {policies}, "Date": {reset}}
		for _, unit := range []string{"-Requests", "-Tokens", ""} {
			h["X-Ratelimit-Limit"+unit], h["X-Ratelimit-Remaining"+unit], h["X-Ratelimit-Reset"+unit] = []string{limit}, []string{remaining}, []string{reset}
		}
		check := func(r agent.Rate) {
			if !r.Known && r != (agent.Rate{}) || r.Limit < 0 || r.Remaining < 0 || r.Reset < 0 || r.Reset > longestPause {
				t.Errorf("got %+v, want it bounded", r)
			}
		}
		r := rates(h, time.Unix(1_800_000_000, 0))
		check(r.Requests)
		check(r.Tokens)
		check(structured(h, time.Unix(1_800_000_000, 0)))
	})
}
