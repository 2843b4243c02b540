package demo_test

import (
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline/agent/demo"
)

// until asks for the models until it comes out as wanted.
func until(t *testing.T, url, what string, ok func(error) bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var err error
	for range 2000 {
		var resp *http.Response
		if resp, err = http.Get(url + "/models"); err == nil {
			_ = resp.Body.Close()
		}
		if ok(err) {
			return
		}
		<-tick.C
	}
	t.Fatalf("it was not %s in 10 s; the last error: %v", what, err)
}

func refused(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

func up(err error) bool { return err == nil }

func setDown(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDownFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "down")
	hangs := make(signal)
	s := demo.New(demo.Options{DownFile: file, Journal: hangs, Faults: mustFaults(t, "hang=1")})
	url, stop, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	until(t, url, "up", up)
	sent := make(chan error, 1)
	go func() {
		_, err := http.Post(url+"/chat/completions", "application/json", strings.NewReader(question("x", "")))
		sent <- err
	}()
	<-hangs
	setDown(t, file)
	if err := <-sent; err == nil {
		t.Error("a request that was on its way when the agent went down was answered")
	}
	until(t, url, "refusing connections", refused)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	until(t, url, "up again", up)
	setDown(t, file)
	until(t, url, "refusing connections again", refused)
	if err := stop(); err != nil {
		t.Errorf("stop while down: %v", err)
	}
}

func TestDownFileFromTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "down")
	setDown(t, file)
	url, stop, err := demo.New(demo.Options{DownFile: file}).Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	until(t, url, "refusing connections", refused)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	until(t, url, "up", up)
	if err := stop(); err != nil {
		t.Error(err)
	}
}
