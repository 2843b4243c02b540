package demo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
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
		{"boom=0.1", 0, `fault "boom": no such fault; there are statuses from 400 to 599 (500, or 500page, 500after), reset, hang`},
		{"200=0.1", 0, `fault "200": no such fault`},
		{"+500=0.1", 0, `fault "+500": no such fault`},
		{"=0.1", 0, `fault "": no such fault`},
		{"500=5%", 0, `fault 500: the share "5%" is not a number from 0 to 1`},
		{"500=-1", 0, `is not a number from 0 to 1`},
		{"500=NaN", 0, `is not a number from 0 to 1`},
		{"500=1.5", 0, `is not a number from 0 to 1`},
		{"500=0.1,500=0.2", 0, `fault "500": named twice`},
		{"500=0.7,cut=0.7", 0, `more than 1 together`},
		{"503after=0.1,502page=0.1,hangbody=0.1,cutstream=0.1,html=0.1,nothing=0.1,nochoices=0.1,null=0.1,error200=0.1,filter=0.05,too_long=0.05", 11, ""},
		{"429=1@10s-20s,500=1@20s-1m,429=0.5@2h-", 3, ""},
		{"500=0.6@0s-10s,502=0.4@5s-,503=0.5@10s-11s", 3, ""},
		{"502pages=0.1", 0, `fault "502pages": no such fault`},
		{"page=0.1", 0, `fault "page": no such fault`},
		{"500=1@10s-20s,500=1@19s-30s", 0, `fault "500": named twice`},
		{"500=1@10s-20s,429=0.5@15s-", 0, `more than 1 together`},
		{"500=1@", 0, `fault 500: the time "" is not written as FROM-TO, such as 10s-20s or 30s-`},
		{"500=1@10s", 0, `the time "10s" is not written as`},
		{"500=1@10-20", 0, `the time "10-20" is not`},
		{"500=1@20s-10s", 0, `the time "20s-10s" is not`},
		{"500=1@-10s", 0, `the time "-10s" is not`},
		{"500@10s-20s", 0, `no share`},
	} {
		faults, err := demo.ParseFaults(tt.list)
		if len(faults) != tt.n || (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%q: got %d faults, %v; want %d, %q", tt.list, len(faults), err, tt.n, tt.wrong)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	for _, s := range []string{"500=0.05,reset=0.1", "hang", "=,=", "429=1e-3", "cut=0x1p-2", "500=0.9,501=0.9", "429=1@10s-20s,503after=0.5@1h-", "marker-7=502page"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		if faults, err := demo.ParseFaultsFor(list); err != nil && (len(faults) != 0 || len(err.Error()) > 2000) {
			t.Errorf("for documents: got %d faults and a message of %d bytes", len(faults), len(err.Error()))
		}
		faults, err := demo.ParseFaults(list)
		if err != nil && (len(faults) != 0 || len(err.Error()) > 2000) {
			t.Errorf("got %d faults and a message of %d bytes", len(faults), len(err.Error()))
		}
	})
}

func TestParseFaultsFor(t *testing.T) {
	for _, tt := range []struct {
		list  string
		n     int
		wrong string
	}{
		{"", 0, ""},
		{"marker-0007=400, marker-0042 = hang,a=b=too_long", 3, ""},
		{"hang", 0, `fault "hang": no text; write it as TEXT=FAULT, such as marker-7=400`},
		{"=hang", 0, `no text`},
		{"x=boom", 0, `fault "boom": no such fault`},
		{"x=400=0.5", 0, `fault "0.5": no such fault`},
	} {
		faults, err := demo.ParseFaultsFor(tt.list)
		if len(faults) != tt.n || (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%q: got %d faults, %v; want %d, %q", tt.list, len(faults), err, tt.n, tt.wrong)
		}
	}
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

func TestFaultsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := demo.New(demo.Options{Faults: mustFaults(t, "429=1@10s-20s,500=1@20s-30s,503=1@40s-")})
		time.Sleep(time.Hour) // the time begins with the first request
		start := time.Now()
		for _, step := range []struct {
			at   time.Duration
			want int
		}{
			{0, 200}, {10*time.Second - 1, 200}, {10 * time.Second, 429}, {20*time.Second - 1, 429}, {20 * time.Second, 500}, {30 * time.Second, 200},
			{40 * time.Second, 503}, {100 * time.Hour, 503},
		} {
			if got := at(s, start, step.at, question("x", "")).Code; got != step.want {
				t.Errorf("at %v: got %d, want %d", step.at, got, step.want)
			}
		}
	})
}

func TestFaultsForDocuments(t *testing.T) {
	faults, err := demo.ParseFaultsFor("marker-7=400,marker-42=502page,marker-50=too_long,marker=empty")
	if err != nil {
		t.Fatal(err)
	}
	s := demo.New(demo.Options{FaultsFor: faults, Faults: mustFaults(t, "500=1")})
	for document, want := range map[string]string{
		"marker-7": "400 400", "before marker-42 behind": "502 502page", "marker-50": "400 too_long", "marker-8": "200 empty", "other": "500 500",
	} {
		before := s.Stats()
		for range 2 {
			w := ask(s, question(document, ""))
			_, name, _ := strings.Cut(want, " ")
			if got := fmt.Sprint(w.Code); !strings.HasPrefix(want, got+" ") {
				t.Errorf("%s: got %s, want %s", document, got, want)
			}
			if now := s.Stats(); now.Faults[name] == before.Faults[name] {
				t.Errorf("%s: got %v, want %s", document, now.Faults, name)
			}
		}
	}
	if w := ask(s, question("marker-50", "")); str(decode(t, w.Body.Bytes()).Error.Code) != "context_length_exceeded" {
		t.Errorf("too_long: got %s", w.Body)
	}
}

// What comes from a proxy is nginx's page, to the byte, and has no header of the service.
func TestPages(t *testing.T) {
	for fault, title := range map[string]string{
		"502page": "502 Bad Gateway", "503page": "503 Service Temporarily Unavailable", "504page": "504 Gateway Time-out",
		"413page": "413 Request Entity Too Large", "429page": "429 Too Many Requests", "html": "Welcome to nginx!",
	} {
		w := ask(demo.New(demo.Options{Faults: mustFaults(t, fault+"=1"), RPM: 10}), question("x", ""))
		want := "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title + "</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
		if got := w.Body.String(); got != want {
			t.Errorf("%s: got %q, want %q", fault, got, want)
		}
		if h := w.Header(); h.Get("Server") != "nginx" || h.Get("Content-Type") != "text/html" || len(h) != 3 {
			t.Errorf("%s: headers: got %v", fault, h)
		}
	}
}

func TestRetryAfterOfFaults(t *testing.T) {
	for fault, want := range map[string]string{"429": "1", "429after": "1", "503after": "1", "503": "", "429page": "", "503page": ""} {
		w := ask(demo.New(demo.Options{Faults: mustFaults(t, fault+"=1")}), question("x", ""))
		if got := w.Header().Get("Retry-After"); got != want {
			t.Errorf("%s: got %q, want %q", fault, got, want)
		}
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
		{"hang", 0, func(_ string, err error) error { return want(errors.Is(err, context.Canceled)) }},
		{"empty", 200, func(body string, err error) error {
			return want(err == nil && !strings.Contains(body, "deposit") && strings.Contains(body, `"finish_reason":"stop"`))
		}},
		{"truncate", 200, func(body string, err error) error {
			return want(err == nil && strings.Contains(body, `"finish_reason":"length"`))
		}},
		{"malformed", 200, func(body string, err error) error {
			return want(err == nil && len(body) > 20 && !strings.Contains(body, "[DONE]"))
		}},
		{"filter", 200, func(body string, err error) error {
			return want(err == nil && strings.Contains(body, `"finish_reason":"content_filter"`))
		}},
		{"cut", 200, func(body string, err error) error {
			return want(errors.Is(err, io.ErrUnexpectedEOF) && halfOfIt(body))
		}},
		{"cutstream", 200, func(body string, err error) error {
			streamed := strings.HasPrefix(body, "data: ")
			return want((err == nil) == streamed && halfOfIt(body))
		}},
		{"hangbody", 200, func(body string, err error) error {
			return want(errors.Is(err, context.Canceled) && halfOfIt(body))
		}},
		{"html", 200, func(body string, err error) error { return want(err == nil && strings.HasPrefix(body, "<html>")) }},
		{"502page", 502, func(body string, err error) error { return want(err == nil && strings.HasPrefix(body, "<html>")) }},
		{"too_long", 400, func(body string, err error) error {
			return want(err == nil && strings.Contains(body, `"context_length_exceeded"`))
		}},
		{"nothing", 200, func(body string, err error) error { return want(err == nil && body == "") }},
		{"nochoices", 200, saysOnly(`{"object":"chat.completion","choices":[]}`)},
		{"null", 200, saysOnly(`{"role":"assistant","content":null},"finish_reason":"stop"}]}`)},
		{"error200", 200, saysOnly(`{"error":{"message":"The server had an error (a fault that was asked for).","type":"server_error","param":null,"code":null}}`)},
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

// halfOfIt reports whether a body, plain or streamed, begins like an answer and does not end like one.
func halfOfIt(body string) bool {
	return len(body) > 100 && strings.Contains(body, "Return of the deposit") && !strings.Contains(body, "usage") &&
		!strings.Contains(body, `"finish_reason":"`) && !strings.Contains(body, "[DONE]")
}

// saysOnly wants a body that is JSON with this end, or a stream of one such event.
func saysOnly(end string) func(body string, err error) error {
	return func(body string, err error) error {
		if event, ok := strings.CutPrefix(body, "data: "); ok {
			body = strings.TrimSuffix(event, "\n\ndata: [DONE]\n\n")
		}
		return want(err == nil && json.Valid([]byte(body)) && strings.HasSuffix(body, end))
	}
}

// through sends a request to a server where every request has a fault.
func through(t *testing.T, fault string, stream bool) (status int, body string, err error) {
	t.Helper()
	server := httptest.NewServer(demo.New(demo.Options{Faults: mustFaults(t, fault+"=1")}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if fault == "hang" {
		time.AfterFunc(50*time.Millisecond, cancel)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(question(letter, fmt.Sprintf(`,"stream":%v`, stream))))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(r)
	if err != nil {
		return 0, "", err
	}
	if fault == "hangbody" {
		time.AfterFunc(200*time.Millisecond, cancel)
	}
	data, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode, string(data), err
}
