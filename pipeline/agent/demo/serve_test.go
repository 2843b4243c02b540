package demo_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"docbatch/pipeline/agent/demo"
)

// signal is a journal that tells of each entry.
type signal chan struct{}

func (s signal) Write(p []byte) (int, error) {
	s <- struct{}{}
	return len(p), nil
}

func TestStart(t *testing.T) {
	hangs := make(signal)
	s := demo.New(demo.Options{Faults: mustFaults(t, "hang=1"), Journal: hangs})
	url, stop, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(url + "/models")
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("got %v, %v", resp, err)
	}
	_ = resp.Body.Close()
	sent := make(chan error, 1)
	go func() {
		_, err := http.Post(url+"/chat/completions", "application/json", strings.NewReader(question("x", "")))
		sent <- err
	}()
	<-hangs
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := <-sent; err == nil {
		t.Error("a request that hung was answered")
	}
	if _, err := http.Get(url + "/models"); err == nil {
		t.Error("it still answers")
	}
	if err := stop(); err != nil {
		t.Errorf("stop again: %v", err)
	}
}

func TestServeLoopbackOnly(t *testing.T) {
	if _, _, err := demo.New(demo.Options{}).Start("0.0.0.0:0"); err == nil || !strings.Contains(err.Error(), "other machines") {
		t.Errorf("got %v, want a refusal", err)
	}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := demo.New(demo.Options{Public: true}).Serve(ctx, l); err != nil {
		t.Errorf("public: got %v", err)
	}
}

func TestBaseURL(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:80": "http://127.0.0.1:80/v1", "[::1]:8080": "http://[::1]:8080/v1", "0.0.0.0:1": "http://localhost:1/v1", "[::]:1": "http://localhost:1/v1",
	} {
		a, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := demo.BaseURL(a); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}
