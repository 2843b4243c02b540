package openai

import (
	"net/http"
	"testing"
	"time"

	"docbatch/pipeline"
)

func TestRetryAfterReachesTheError(t *testing.T) {
	for _, status := range []int{429, 503, 529} {
		for _, stream := range []bool{false, true} {
			a := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "17")
				w.Header().Set("X-Should-Retry", "false") // of no account: it is OpenAI's client's
				w.WriteHeader(status)
			})
			req := question()
			req.Stream = stream
			_, err := a.Ask(t.Context(), req)
			if e := pipeline.AsError(err); e.Class != pipeline.Throttled || e.RetryAfter != 17*time.Second {
				t.Errorf("%d, stream=%v: got %s after %v, want throttled after 17s", status, stream, e.Class, e.RetryAfter)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name, value, ms, date string
		want                  time.Duration
	}{
		{name: "none"},
		{name: "seconds", value: "20", want: 20 * time.Second},
		{name: "a fraction", value: " 1.5 ", want: 1500 * time.Millisecond},
		{name: "a duration", value: "1m30s", want: 90 * time.Second},
		{name: "milliseconds", ms: "250.5", want: 250500 * time.Microsecond},
		{name: "milliseconds first", value: "20", ms: "250", want: 250 * time.Millisecond},
		{name: "milliseconds of 0", value: "20", ms: "0", want: 20 * time.Second},
		{name: "milliseconds are negative", value: "20", ms: "-1", want: 20 * time.Second},
		{name: "milliseconds are junk", value: "20", ms: "soon", want: 20 * time.Second},
		{name: "milliseconds are absurd", value: "20", ms: "1e300", want: 24 * time.Hour},
		{name: "zero", value: "0"},
		{name: "negative", value: "-5"},
		{name: "negative duration", value: "-5s"},
		{name: "absurd", value: "99999999999999999999", want: 24 * time.Hour},
		{name: "absurd duration", value: "2000000h", want: 24 * time.Hour},
		{name: "too large for a number", value: "1e400"},
		{name: "Unix time", value: "1795435290", want: 90 * time.Second},
		{name: "Unix time gone by", value: "1795435100"},
		{name: "Unix time in milliseconds", value: "1795435290500", want: 90500 * time.Millisecond},
		{name: "RFC 3339", value: "2026-11-23T12:01:30Z", want: 90 * time.Second},
		{name: "RFC 3339 with a zone", value: "2026-11-23T13:01:30.5+01:00", want: 90500 * time.Millisecond},
		{name: "year 1", value: "Mon, 01 Jan 0001 00:00:00 GMT"},
		{name: "year 9999", value: "9999-12-31T23:59:59Z", want: 24 * time.Hour},
		{name: "infinite", value: "Inf", want: 24 * time.Hour},
		{name: "not a number", value: "NaN"},
		{name: "junk", value: "soon"},
		{name: "date", value: "Mon, 23 Nov 2026 12:01:30 GMT", want: 90 * time.Second},
		{name: "date by the service's clock", value: "Mon, 23 Nov 2026 15:01:30 GMT", date: "Mon, 23 Nov 2026 15:00:00 GMT", want: 90 * time.Second},
		{name: "date gone by", value: "Mon, 23 Nov 2026 11:00:00 GMT"},
		{name: "date far away", value: "Mon, 23 Nov 2099 11:00:00 GMT", want: 24 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			for name, value := range map[string]string{"Retry-After": tt.value, "Retry-After-Ms": tt.ms, "Date": tt.date} {
				if value != "" {
					h.Set(name, value)
				}
			}
			if got := retryAfter(h, now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// FuzzRetryAfter: whatever the headers hold, the pause is bounded.
func FuzzRetryAfter(f *testing.F) {
	f.Add("20", "", "")
	f.Add("-1e400", "NaN", "x")
	f.Add("Mon, 23 Nov 2026 12:01:30 GMT", "", "Mon, 23 Nov 0001 12:01:30 GMT")
	f.Fuzz(func(t *testing.T, value, ms, date string) {
		h := http.Header{"Retry-After": {value}, "Retry-After-Ms": {ms}, "Date": {date}}
		if d := retryAfter(h, time.Unix(1_800_000_000, 0)); d < 0 || d > longestPause {
			t.Errorf("got %v, want 0 to %v", d, longestPause)
		}
	})
}
