package demo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"docbatch/pipeline/agent/demo"
)

func mustFaults(t *testing.T, list string) []demo.Fault {
	t.Helper()
	faults, err := demo.ParseFaults(list)
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

func TestParseFaults(t *testing.T) {
	for _, tt := range []struct {
		list  string
		n     int
		wrong string
	}{
		{"", 0, ""},
		{" , ", 0, ""},
		{"500=0.05,429=0.1,reset=0.02,hang=0.01,malformed=0.02,empty=0.01,truncate=0.02,cut=0.01", 8, ""},
		{" 500 = 0.5 , cut=.5 ", 2, ""},
		{"404=1", 1, ""},
		{"400=0.1,401=0.1,402=0.1,403=0.1,404=0.1,405=0.1,406=0.1,407=0.1,408=0.1,409=0.1", 10, ""},
		{"500", 0, `fault "500": no share; write it as NAME=SHARE, such as 500=0.05`},
		{"boom=0.1", 0, `fault "boom": no such fault; there are statuses from 400 to 599, reset, hang`},
		{"200=0.1", 0, `fault "200": no such fault`},
		{"+500=0.1", 0, `fault "+500": no such fault`},
		{"=0.1", 0, `fault "": no such fault`},
		{"500=5%", 0, `fault 500: the share "5%" is not a number from 0 to 1`},
		{"500=-1", 0, `is not a number from 0 to 1`},
		{"500=NaN", 0, `is not a number from 0 to 1`},
		{"500=1.5", 0, `is not a number from 0 to 1`},
		{"500=0.1,500=0.2", 0, `fault "500": named twice`},
		{"500=0.7,cut=0.7", 0, `more than 1 together`},
	} {
		faults, err := demo.ParseFaults(tt.list)
		if len(faults) != tt.n || (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%q: got %d faults, %v; want %d, %q", tt.list, len(faults), err, tt.n, tt.wrong)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	for _, s := range []string{"500=0.05,reset=0.1", "hang", "=,=", "429=1e-3", "cut=0x1p-2", "500=0.9,501=0.9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		faults, err := demo.ParseFaults(list)
		if err != nil && (len(faults) != 0 || len(err.Error()) > 2000) {
			t.Errorf("got %d faults and a message of %d bytes", len(faults), len(err.Error()))
		}
	})
}

// Equal seeds give equal faults, other seeds others, and the shares come out.
func TestFaultsAreReproducible(t *testing.T) {
	const n = 2000
	sequence := func(seed uint64) (codes string, stats demo.Stats) {
		s := demo.New(demo.Options{Faults: mustFaults(t, "500=0.05,429=0.1,empty=0.2"), Seed: seed})
		var b strings.Builder
		for range n {
			w := ask(s, question("x", ""))
			fmt.Fprintf(&b, "%d ", w.Code)
			if got := w.Header().Get("Retry-After"); (got == "1") != (w.Code == 429) {
				t.Fatalf("status %d with Retry-After %q", w.Code, got)
			}
		}
		return b.String(), s.Stats()
	}
	first, stats := sequence(1)
	again, _ := sequence(1)
	other, _ := sequence(2)
	if first != again || first == other {
		t.Errorf("equal seeds equal: %v, other seeds equal: %v", first == again, first == other)
	}
	for name, want := range map[string]int{"500": n / 20, "429": n / 10, "empty": n / 5} {
		if got := stats.Faults[name]; got < want*7/10 || got > want*13/10 {
			t.Errorf("%s hit %d of %d, want about %d", name, got, n, want)
		}
	}
	if stats.Status[500] != stats.Faults["500"] || stats.Status[200]+stats.Status[500]+stats.Status[429] != n {
		t.Errorf("stats: got %+v", stats)
	}
}

// What each fault looks like on the wire.
func TestFaultsOnTheWire(t *testing.T) {
	for _, tt := range []struct {
		fault  string
		status int // 0: no answer
		check  func(body string, err error) error
	}{
		{"503", 503, func(body string, err error) error {
			return want(err == nil && strings.Contains(body, `"type":"server_error"`))
		}},
		{"400", 400, func(body string, err error) error {
			return want(err == nil && strings.Contains(body, `"invalid_request_error"`))
		}},
		{"429", 429, func(body string, err error) error {
			return want(err == nil && strings.Contains(body, `"rate_limit_exceeded"`))
		}},
		{"reset", 0, func(_ string, err error) error { return want(errors.Is(err, syscall.ECONNRESET)) }},
		{"hang", 0, func(_ string, err error) error { return want(errors.Is(err, context.DeadlineExceeded)) }},
		{"empty", 200, func(body string, err error) error {
			return want(err == nil && !strings.Contains(body, "deposit") && strings.Contains(body, `"finish_reason":"stop"`))
		}},
		{"truncate", 200, func(body string, err error) error {
			return want(err == nil && strings.Contains(body, `"finish_reason":"length"`))
		}},
		{"malformed", 200, func(body string, err error) error {
			return want(err == nil && len(body) > 20 && !strings.Contains(body, "[DONE]"))
		}},
		{"cut", 200, func(body string, err error) error {
			return want(errors.Is(err, io.ErrUnexpectedEOF) && len(body) > 20 && !strings.Contains(body, "[DONE]"))
		}},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s stream=%v", tt.fault, stream), func(t *testing.T) {
				status, body, err := through(t, tt.fault, stream)
				if status != tt.status {
					t.Errorf("got status %d, want %d", status, tt.status)
				}
				if tt.check(body, err) != nil {
					t.Errorf("got %v, %s", err, body)
				}
				if tt.status == 200 && !stream && tt.fault != "empty" && tt.fault != "truncate" && validReply(body) {
					t.Errorf("the body can be read: %s", body)
				}
			})
		}
	}
}

func want(ok bool) error {
	if ok {
		return nil
	}
	return errors.New("not as it should be")
}

func validReply(body string) bool { return strings.HasSuffix(strings.TrimSpace(body), "}}") }

// through sends a request to a server where every request has a fault.
func through(t *testing.T, fault string, stream bool) (status int, body string, err error) {
	t.Helper()
	server := httptest.NewServer(demo.New(demo.Options{Faults: mustFaults(t, fault+"=1")}))
	defer server.Close()
	ctx, cancel := t.Context(), context.CancelFunc(func() {})
	if fault == "hang" {
		ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
	}
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(question(letter, fmt.Sprintf(`,"stream":%v`, stream))))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(r)
	if err != nil {
		return 0, "", err
	}
	data, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode, string(data), err
}
