package openai

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// askWithin asks and checks that no more than limit bytes are allocated for it, by client and server together.
func askWithin(t *testing.T, a *Agent, req *agent.Request, limit uint64) error {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := a.Ask(t.Context(), req)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > limit {
		t.Errorf("got %d MB allocated, want at most %d", used>>20, limit>>20)
	}
	return err
}

// endless is a body of n bytes of JSON text that does not end.
func endless(w io.Writer, n int64) {
	io.WriteString(w, `{"choices":[{"message":{"content":"`)
	chunk := bytes.Repeat([]byte("a"), 64<<10)
	for ; n > 0; n -= int64(len(chunk)) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func TestHugeAnswers(t *testing.T) {
	small := func(o *Options) { o.MaxResponseBytes = 1 << 20 }
	gzipped := func(w http.ResponseWriter) io.WriteCloser {
		w.Header().Set("Content-Encoding", "gzip")
		return gzip.NewWriter(w)
	}
	tests := []struct {
		name string
		h    http.HandlerFunc
	}{
		{"1 GB", func(w http.ResponseWriter, r *http.Request) { endless(w, 1<<30) }},
		{"1 GB of comments", func(w http.ResponseWriter, r *http.Request) {
			line := []byte(strings.Repeat(": wait\n", 10_000))
			for range (1 << 30) / len(line) {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}},
		{"gzip bomb", func(w http.ResponseWriter, r *http.Request) {
			z := gzipped(w)
			endless(z, 1<<26)
			z.Close()
		}},
	}
	for _, tt := range tests {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%v", tt.name, stream), func(t *testing.T) {
				a := serve(t, tt.h, small)
				req := question()
				req.Stream = stream
				err := askWithin(t, a, req, 32<<20)
				want := "larger than 1048576 bytes"
				if stream {
					want = "larger than 8388608 bytes"
				}
				wantError(t, err, pipeline.Refused, pipeline.KindTooLarge, want)
			})
		}
	}
	t.Run("error", func(t *testing.T) {
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			endless(w, 1<<30)
		})
		_, err := a.Ask(t.Context(), question())
		wantError(t, err, pipeline.Transient, pipeline.KindServer)
	})
}

func TestAnswerOfExactlyTheBound(t *testing.T) {
	a := serve(t, with200("application/json", good), func(o *Options) { o.MaxResponseBytes = int64(len(good)) })
	if _, err := a.Ask(t.Context(), question()); err != nil {
		t.Error(err)
	}
	a = serve(t, with200("application/json", good), func(o *Options) { o.MaxResponseBytes = int64(len(good)) - 1 })
	_, err := a.Ask(t.Context(), question())
	wantError(t, err, pipeline.Refused, pipeline.KindTooLarge)
}

// TestFloodsBeforeTheAnswer has services send heads without end.
func TestFloodsBeforeTheAnswer(t *testing.T) {
	forever := func(c net.Conn, head, line string) {
		_, err := io.WriteString(c, head)
		for lines := strings.Repeat(line, 1000); err == nil; {
			_, err = io.WriteString(c, lines)
		}
	}
	tests := []struct {
		name  string
		flood func(c net.Conn)
	}{
		{"1xx", func(c net.Conn) { forever(c, "", "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n") }},
		{"headers", func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\n", "X-Wait: a while\r\n") }},
		{"one header", func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\nX-Wait: ", "a while ") }},
		{"no HTTP at all", func(c net.Conn) { forever(c, "", "a while ") }},
	}
	for _, tt := range tests {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%v", tt.name, stream), func(t *testing.T) {
				a := dial(t, "http://"+listen(t, func(c net.Conn) {
					readRequest(c)
					tt.flood(c)
				}))
				req := question()
				req.Stream = stream
				err := askWithin(t, a, req, 32<<20)
				wantError(t, err, pipeline.Transient, pipeline.KindNetwork, "ask http://")
				if n := len(err.Error()); n > sentenceBytes+100 {
					t.Errorf("got an error of %d bytes, want a sentence", n)
				}
			})
		}
	}
}

// TestTrickle has a service send a byte a second for ever: it is never silent, and the call's time-out ends it.
func TestTrickle(t *testing.T) {
	for name, begin := range map[string]string{"plain": good[:80], "stream": pieceA + ":"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var service sync.WaitGroup
				defer service.Wait() // it ends when it next writes
				a := dial(t, "http://127.0.0.1:1/v1")
				a.client = clientOver(roundTripFunc(func(r *http.Request) (*http.Response, error) {
					httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
					out, in := io.Pipe()
					context.AfterFunc(r.Context(), func() { in.CloseWithError(r.Context().Err()) })
					service.Go(func() {
						_, err := io.WriteString(in, begin)
						for err == nil {
							time.Sleep(time.Second)
							_, err = io.WriteString(in, "x")
						}
					})
					return &http.Response{StatusCode: 200, Header: http.Header{}, Body: out}, nil
				}), a.base)
				req := question()
				req.Stream = name == "stream"
				began := time.Now()
				_, err := a.Ask(t.Context(), req)
				wantError(t, err, pipeline.Transient, pipeline.KindTimeout, "no answer from http://127.0.0.1:1/v1 within 10m0s")
				if took := time.Since(began); took != 10*time.Minute {
					t.Errorf("got the error after %v, want 10m0s", took)
				}
			})
		})
	}
}
