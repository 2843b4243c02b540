package openai

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// TestRequestOnTheWire checks what the library would have changed or refused.
func TestRequestOnTheWire(t *testing.T) {
	zero, half, seed := 0.0, 0.1, 0
	tests := []struct {
		name string
		req  agent.Request
		want string
	}{
		{
			"temperature and top_p 0", agent.Request{Agent: "x", Messages: question().Messages, Params: agent.Params{Temperature: &zero, TopP: &zero, Seed: &seed}},
			`{"model":"x","messages":[{"role":"user","content":"what is this?"}],"temperature":0,"top_p":0,"seed":0}`,
		},
		{
			"a slug that looks like a model", agent.Request{Agent: "o1-mini", Messages: question().Messages, Params: agent.Params{Temperature: &half, MaxTokens: 9}},
			`{"model":"o1-mini","messages":[{"role":"user","content":"what is this?"}],"temperature":0.1,"max_tokens":9}`,
		},
		{
			"one that looks like an old model", agent.Request{Agent: "text-davinci-003", Messages: question().Messages},
			`{"model":"text-davinci-003","messages":[{"role":"user","content":"what is this?"}]}`,
		},
		{
			"as the document has it, and an empty message", agent.Request{Agent: "x", Messages: []agent.Message{{Role: "system"}, {Role: "user", Content: "<b>&é\n"}}},
			`{"model":"x","messages":[{"role":"system","content":""},{"role":"user","content":"<b>&é\n"}]}`,
		},
		{
			"stream", agent.Request{Agent: "gpt-5-x", Stream: true, Messages: question().Messages, Params: agent.Params{MaxTokens: 9}},
			`{"model":"gpt-5-x","messages":[{"role":"user","content":"what is this?"}],"max_tokens":9,"stream":true,"stream_options":{"include_usage":true}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			a := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = strings.TrimSpace(string(body))
				io.WriteString(w, good)
			})
			if _, err := a.Ask(t.Context(), &tt.req); err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestHeadersOnTheWire(t *testing.T) {
	var got *http.Request
	h := func(w http.ResponseWriter, r *http.Request) {
		got = r
		io.WriteString(w, good)
	}
	req := question()
	req.Key = "abc123"
	if _, err := serve(t, h, func(o *Options) { o.UserAgent = "docbatch/1" }).Ask(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer " + testKey, "Idempotency-Key": "abc123", "User-Agent": "docbatch/1", "Content-Type": "application/json",
	} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s: got %q, want %q", name, v, want)
		}
	}
	if got.URL.Path != "/v1/chat/completions" || got.ContentLength <= 0 {
		t.Errorf("got path %s, length %d, want /v1/chat/completions with a length", got.URL.Path, got.ContentLength)
	}

	if _, err := serve(t, h, func(o *Options) { o.Key = "" }).Ask(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Authorization", "Idempotency-Key"} {
		if v, there := got.Header[name]; there {
			t.Errorf("%s: got %q, want none", name, v)
		}
	}
}

// TestNotSentTwice breaks a connection that was used before, after the request arrived: net/http would ask again by itself
// for a request that carries an Idempotency-Key.
func TestNotSentTwice(t *testing.T) {
	var requests atomic.Int32
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, good)
	})
	req := question()
	req.Key = "abc123"
	if _, err := a.Ask(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	_, err := a.Ask(t.Context(), req)
	wantError(t, err, pipeline.Transient, pipeline.KindNetwork)
	if n := requests.Load(); n != 2 {
		t.Errorf("got %d requests, want 2", n)
	}
}

// countConnections starts a server like serve and counts its connections.
func countConnections(t *testing.T, h http.HandlerFunc) (*Agent, *atomic.Int32) {
	var n atomic.Int32
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			n.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	return dial(t, srv.URL+"/v1"), &n
}

func TestConnectionsAreReused(t *testing.T) {
	late := func(body string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body)
			w.(http.Flusher).Flush()
			time.Sleep(2 * time.Millisecond) // the last chunk comes late: that is the case at hand
		}
	}
	tests := []struct {
		name   string
		h      http.HandlerFunc
		stream bool
	}{
		{"last chunk late", late(good, 200), false},
		{"spaces late", late(good+"\n\n  ", 200), false},
		{"stream, last chunk late", late(pieceA+pieceB+stopped+doneLine, 200), true},
		{"error", late(`{"error":"no"}`, 500), false},
		{"error, stream", late(`{"error":"no"}`, 500), true},
		{"page", late("<html>"+strings.Repeat("x", 100<<10), 200), false},
		{"page, stream", late("<html>"+strings.Repeat("x", 100<<10), 200), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, connections := countConnections(t, tt.h)
			for range 10 {
				req := question()
				req.Stream = tt.stream
				a.Ask(t.Context(), req)
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("got %d connections for 10 requests, want 1", n)
			}
		})
	}
}

// TestAnswerBeforeTheEnd has the service hold the connection open behind a whole answer.
func TestAnswerBeforeTheEnd(t *testing.T) {
	for _, stream := range []bool{false, true} {
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if stream {
				io.WriteString(w, pieceA+pieceB+doneLine)
			} else {
				io.WriteString(w, good)
			}
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		})
		req := question()
		req.Stream = stream
		if got, err := a.Ask(t.Context(), req); err != nil || got.Text != "a letter" {
			t.Errorf("stream=%v: got %v, %v, want the answer", stream, got, err)
		}
	}
}

// TestLibraryGivesUpEarly has go-openai stop at the first byte of a long answer.
func TestLibraryGivesUpEarly(t *testing.T) {
	long := strings.Repeat("a letter ", 100_000)
	a := serve(t, with200("application/json", "\uFEFF"+strings.Replace(good, "a letter", long, 1)))
	if got, err := a.Ask(t.Context(), question()); err != nil || got.Text != long {
		t.Errorf("got %v, want the whole answer", err)
	}
}

// TestBrokenAfterTheAnswer breaks the connection behind the JSON that go-openai can't read: the answer is there.
func TestBrokenAfterTheAnswer(t *testing.T) {
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Replace(good, "1700000000", "1.5", 1))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	if got, err := a.Ask(t.Context(), question()); err != nil || got.Text != "a letter" {
		t.Errorf("got %v, %v, want the answer", got, err)
	}
}

func TestBrokenWithinTheAnswer(t *testing.T) {
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, good[:80])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	_, err := a.Ask(t.Context(), question())
	wantError(t, err, pipeline.Transient, pipeline.KindNetwork, "broke within the answer")
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308, 300, 304} {
		for _, stream := range []bool{false, true} {
			a := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+"/secret-path?token=secret")
				w.WriteHeader(status)
			})
			req := question()
			req.Stream = stream
			_, err := a.Ask(t.Context(), req)
			wantError(t, err, pipeline.Fatal, pipeline.KindConfig, "redirects to localhost (")
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("got %q, want the host only", err)
			}
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("got %d requests at the other host, want 0", n)
	}
}

func TestHTTP2(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.Header.Get("Idempotency-Key") != "abc123" {
			t.Errorf("got %s with key %q, want HTTP/2 with abc123", r.Proto, r.Header.Get("Idempotency-Key"))
		}
		io.WriteString(w, good)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	trusting := newTransport(Options{Connections: 2})
	trusting.TLSClientConfig = srv.Client().Transport.(*http.Transport).TLSClientConfig
	for _, stream := range []bool{false, true} {
		a := dial(t, srv.URL)
		a.client = clientOver(trusting, srv.URL)
		req := question()
		req.Key, req.Stream = "abc123", stream
		if got, err := a.Ask(t.Context(), req); err != nil || got.Text != "a letter" {
			t.Errorf("stream=%v: got %v, %v, want the answer", stream, got, err)
		}
	}
}

func TestLongSentenceIsCut(t *testing.T) {
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		io.WriteString(w, strings.Repeat("é", 10_000))
	})
	_, err := a.Ask(t.Context(), question())
	wantError(t, err, pipeline.Refused, pipeline.KindRequest)
	if n := strings.Count(err.Error(), "é"); n > sentenceBytes/2 || n < 200 {
		t.Errorf("got %d letters of the sentence, want about %d", n, sentenceBytes/2)
	}
}

// TestNaNIsNotSent has a parameter that JSON can't hold.
func TestNaNIsNotSent(t *testing.T) {
	nan := 0.0
	nan /= nan
	req := question()
	req.Params.Temperature = &nan
	_, err := serve(t, with200("application/json", good)).Ask(t.Context(), req)
	wantError(t, err, pipeline.Fatal, pipeline.KindConfig, "encode the request")
}
