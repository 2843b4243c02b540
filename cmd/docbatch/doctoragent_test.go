package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline/agent/demo"
)

// TestDoctorOnline has services of many kinds answer the question.
func TestDoctorOnline(t *testing.T) {
	const good = `{"model":"m-1","choices":[{"message":{"content":"rea\u001b[2Jdy"},"finish_reason":"stop"}]}`
	reply := func(status int, body string, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	inputs := writeDocuments(t, 1)
	for _, tt := range []struct {
		name    string
		service http.HandlerFunc
		check   string
		want    []string // told of check
		exit    int
	}{
		{"an answer", reply(200, good), "answer", nil, exitOK},
		{"cut", reply(200, strings.Replace(good, "stop", "length", 1)), "answer", []string{"warning: it was cut"}, exitOK},
		{"the key is refused", reply(401, `{"error":{"message":"bad key `+testKey+`"}}`), "answer", []string{"error: "}, exitKey},
		{"no such agent", reply(404, `{"error":{"code":"model_not_found","message":"no"}}`), "answer", []string{"error: the agent"}, exitUsage},
		{"no service", reply(404, `<html>`), "answer", []string{"error: there is no chat service"}, exitUsage},
		{"out of quota", reply(402, `{}`), "answer", []string{"error: "}, exitQuota},
		{"refused", reply(400, `{"error":{"message":"temperature is not supported"}}`), "answer", []string{"error: "}, exitUsage},
		{"broken", reply(502, `<html>`), "answer", []string{"error: "}, exitUnreachable},
		{"a pause", reply(429, `{}`, "Retry-After", "30"), "answer", []string{"warning: "}, exitOK},
		{"a clock that agrees", reply(200, good, "Date", time.Now().UTC().Format(http.TimeFormat)), "time", nil, exitOK},
		{"a clock ahead", reply(200, good, "Date", time.Now().Add(5*time.Minute).UTC().Format(http.TimeFormat)), "time", []string{"warning: this machine's clock"}, exitOK},
		{"a clock behind", reply(200, good, "Date", time.Now().Add(-5*time.Minute).UTC().Format(http.TimeFormat)), "time", []string{"warning: this machine's clock"}, exitOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(tt.service)
			defer srv.Close()
			found, exit := examine(t, "--state", filepath.Join(t.TempDir(), "s.db"), "--agent", "x", "--base-url", srv.URL+"/v1", "--online", inputs)
			wantTold(t, tt.check, of(found, tt.check), tt.want...)
			if exit != tt.exit {
				t.Errorf("got exit %d, want %d: %+v", exit, tt.exit, found)
			}
		})
	}
}

// TestDoctorAsksAsTheJob looks at the one request that --online sends.
func TestDoctorAsksAsTheJob(t *testing.T) {
	var bodies []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(r.Body)
		bodies = append(bodies, b.String())
		w.Header().Set("X-RateLimit-Limit-Requests", "60")
		w.Header().Set("RateLimit", `"default";r=50;t=30`)
		w.Header().Set("X-Other", "x")
		w.Header().Set("X-RateLimit-Note", "for "+testKey+"\u202e")
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: {\"model\":\"m-1\",\"choices\":[{\"delta\":{\"content\":\"ready\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	}))
	defer srv.Close()
	found, _ := examine(t, "--state", filepath.Join(t.TempDir(), "s.db"), "--agent", "x", "--base-url", srv.URL+"/v1",
		"--temperature", "0", "--max-answer-tokens", "50", "--stream", "--online", writeDocuments(t, 1))
	want := []string{`{"model":"x","messages":[{"role":"user","content":"Reply with the word: ready"}],"temperature":0,"max_tokens":50,"stream":true,"stream_options":{"include_usage":true}}` + "\n"}
	if !slices.Equal(bodies, want) {
		t.Errorf("sent %q\nwant %q", bodies, want)
	}
	i := slices.IndexFunc(found, func(f finding) bool { return f.Check == "headers" })
	if i < 0 {
		t.Fatal("nothing is told of headers")
	}
	if got, want := found[i].Found, "ratelimit: \"default\";r=50;t=30\nx-ratelimit-limit-requests: 60\nx-ratelimit-note: for ***"; got != want {
		t.Errorf("headers: got %q\nwant %q", got, want)
	}
}

// TestDoctorKeyFile has key files that others can read, and can't.
func TestDoctorKeyFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing there")
	}
	if info, err := os.Stat(os.TempDir()); err != nil || info.Mode()&0o001 == 0 {
		t.Skip("nobody else can enter the folder for temporary files")
	}
	open := t.TempDir()
	for dir := open; len(dir) > len(filepath.Clean(os.TempDir())); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	url := startAgent(t, demo.Options{})
	for _, tt := range []struct {
		name         string
		folder, file os.FileMode
		want         []string
	}{
		{"for its owner only", 0o755, 0o600, nil},
		{"for its group", 0o755, 0o640, nil},
		{"for all", 0o755, 0o644, []string{"warning: everyone on this machine can read "}},
		{"for all, in a folder that is not", 0o700, 0o644, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(open, strings.ReplaceAll(tt.name, " ", "-"))
			file := filepath.Join(dir, "key")
			if err := os.Mkdir(dir, tt.folder); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(testKey+"\n"), tt.file); err != nil {
				t.Fatal(err)
			}
			found, _ := examine(t, "--state", filepath.Join(dir, "s.db"), "--agent", "x", "--base-url", url, "--key-file", file, writeDocuments(t, 1))
			wantTold(t, "key", of(found, "key"), tt.want...)
		})
	}
	found, exit := examine(t, "--state", filepath.Join(open, "s.db"), "--agent", "x", "--base-url", url, "--key-file", filepath.Join(open, "none"), writeDocuments(t, 1))
	wantTold(t, "no key file", of(found, "key"), "error: read the key: ")
	if exit != exitUsage {
		t.Errorf("no key file: got exit %d, want %d", exit, exitUsage)
	}
}
