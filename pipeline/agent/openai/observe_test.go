package openai

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestObserve(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   string
		stream bool
	}{
		{"an answer", http.StatusOK, good, false},
		{"a stream", http.StatusOK, "data: " + strings.Replace(good, `"message"`, `"delta"`, 1) + "\n\ndata: [DONE]\n\n", true},
		{"a refusal", http.StatusUnauthorized, `{"error":{"message":"no"}}`, false},
		{"a failure", http.StatusBadGateway, "<html>", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []Response
			a := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Ratelimit-Limit-Requests", "60")
				w.Header().Set("X-Echo", "Bearer "+testKey)
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}, func(o *Options) { o.Observe = func(r Response) { got = append(got, r) } })
			req := question()
			req.Stream = tt.stream
			_, err := a.Ask(t.Context(), req)
			if (err == nil) != (tt.status == http.StatusOK) {
				t.Fatalf("got error %v", err)
			}
			if len(got) != 1 {
				t.Fatalf("was shown %d responses, want 1", len(got))
			}
			r := got[0]
			if r.Status != tt.status || r.Proto != "HTTP/1.1" || r.TLS != "" || r.Header.Get("X-Ratelimit-Limit-Requests") != "60" {
				t.Errorf("got %+v", r)
			}
			if echo := r.Header.Get("X-Echo"); echo != "Bearer ***" {
				t.Errorf("the key in a header: got %q, want it scrubbed", echo)
			}
		})
	}
}

// TestObserveTLS has a service that speaks HTTP/2 over TLS.
func TestObserveTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(with200("application/json", good))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	var got Response
	a := dial(t, srv.URL+"/v1", func(o *Options) { o.Observe = func(r Response) { got = r } })
	a.client = clientOver(srv.Client().Transport, a.base)
	if _, err := a.Ask(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	if got.Proto != "HTTP/2.0" || got.TLS != "TLS 1.3" {
		t.Errorf("got %q over %q, want HTTP/2.0 over TLS 1.3", got.Proto, got.TLS)
	}
}
