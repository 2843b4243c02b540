package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// asServer makes the test binary the server of the benchmarks: a process of its own, so that it shares neither memory nor
// garbage collector with what is measured. The value is the latency of each answer.
const asServer = "DOCBATCH_TEST_AS_SERVER"

// benchAnswer is what that server answers: a completion of about 500 characters.
var benchAnswer = []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1764000000,"model":"bench","choices":[{"index":0,"message":` +
	`{"role":"assistant","content":"` + strings.Repeat("The goods were found complete. ", 16) + `"},"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":300,"completion_tokens":110,"total_tokens":410}}`)

// serveBench reads every request as a service of this protocol has to, and answers all alike, until stdin ends. It prints its
// base URL, and then "first" when the first request arrives.
func serveBench(latency time.Duration) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("http://%s/v1\n", l.Addr())
	var first sync.Once
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first.Do(func() { fmt.Println("first") })
		var req benchRequest
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil || req.Model == "" || len(req.Messages) == 0 {
			http.Error(w, "no request", http.StatusBadRequest)
			return
		}
		time.Sleep(latency) // the agent thinks
		w.Header().Set("Content-Type", "application/json")
		w.Write(benchAnswer)
	}))
	io.Copy(io.Discard, os.Stdin)
}

// benchServer starts the server as a process. first is closed when the first request arrives.
func benchServer(tb testing.TB, latency time.Duration) (baseURL string, first <-chan struct{}) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asServer+"="+latency.String())
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	url, err := lines.ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	arrived := make(chan struct{})
	go func() {
		defer close(arrived)
		lines.ReadString('\n')
	}()
	tb.Cleanup(func() {
		stdin.Close()
		<-arrived
		cmd.Wait()
	})
	return strings.TrimSpace(url), arrived
}

// builtInAgent starts docbatch demo-agent as a process: a server that reads the document.
func builtInAgent(tb testing.TB) (baseURL string) {
	tb.Helper()
	cmd := process(tb.TempDir(), "demo-agent", "--listen", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(url)
}

// bareLoop is what docbatch is measured against: workers that ask about the same document again and again, and forget the
// answer. With asJSON they encode the request and decode the answer, as whoever wants an answer has to; without, they post the
// same bytes and throw away what comes: the floor of net/http itself.
func bareLoop(tb testing.TB, baseURL string, workers, n int, asJSON bool) time.Duration {
	tb.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, workers
	client := &http.Client{Transport: transport}
	defer transport.CloseIdleConnections()
	req := benchRequest{Model: "bench", Messages: []benchMessage{{Role: "user", Content: "Sum up.\n" + sentences(1300)}}}
	body, err := json.Marshal(req)
	if err != nil {
		tb.Fatal(err)
	}
	ask := func() error {
		if asJSON {
			if body, err := json.Marshal(req); err != nil {
				return err
			} else if resp, err := client.Post(baseURL+"/chat/completions", "application/json", bytes.NewReader(body)); err != nil {
				return err
			} else {
				defer resp.Body.Close()
				return json.NewDecoder(resp.Body).Decode(&benchCompletion{})
			}
		}
		resp, err := client.Post(baseURL+"/chat/completions", "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	var left atomic.Int64
	left.Store(int64(n))
	started := time.Now()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := ask(); err != nil {
					tb.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(started)
}

type (
	benchMessage struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	benchRequest struct {
		Model    string         `json:"model"`
		Messages []benchMessage `json:"messages"`
	}
	benchCompletion struct {
		Choices []struct {
			Message benchMessage `json:"message"`
			Finish  string       `json:"finish_reason"`
		} `json:"choices"`
		Usage struct {
			Prompt     int `json:"prompt_tokens"`
			Completion int `json:"completion_tokens"`
		} `json:"usage"`
	}
)

// docbatch runs the whole program over the rows, as a process, and returns how long it took.
func docbatch(tb testing.TB, rows, baseURL string, workers int) time.Duration {
	tb.Helper()
	cmd := process(tb.TempDir(), "run", rows, "--key", "id", "--agent", "bench", "--base-url", baseURL,
		"--workers", fmt.Sprint(workers), "--prompt", "Sum up.", "-q")
	started := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("docbatch: %v\n%s", err, out)
	}
	return time.Since(started)
}

// BenchmarkThroughput is the whole program, its start included, as a share of the speed of a bare loop on the same server: the
// median of rounds in which all take their turn.
func BenchmarkThroughput(b *testing.B) {
	lean := func(latency time.Duration) func(testing.TB) string {
		return func(tb testing.TB) string {
			base, _ := benchServer(tb, latency)
			return base
		}
	}
	for _, bm := range []struct {
		name       string
		server     func(testing.TB) string
		workers, n int
	}{
		{"latency=50ms/workers=64", lean(50 * time.Millisecond), 64, 12800},
		{"latency=0/workers=256/server=built-in", builtInAgent, 256, 20000},
		{"latency=0/workers=256/server=prebuilt", lean(0), 256, 40000},
	} {
		b.Run(bm.name, func(b *testing.B) {
			rows := writeRows(b, bm.n, 1000)
			base := bm.server(b)
			var ofJSON, ofBytes, rate []float64
			for b.Loop() {
				for range 3 {
					asJSON := bareLoop(b, base, bm.workers, bm.n, true).Seconds()
					took := docbatch(b, rows, base, bm.workers).Seconds()
					asBytes := bareLoop(b, base, bm.workers, bm.n, false).Seconds()
					ofJSON, ofBytes, rate = append(ofJSON, asJSON/took), append(ofBytes, asBytes/took), append(rate, float64(bm.n)/took)
				}
			}
			b.ReportMetric(median(ofJSON), "of-bare-JSON")
			b.ReportMetric(median(ofBytes), "of-bare-bytes")
			b.ReportMetric(median(rate), "documents/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// BenchmarkFirstCall is how long after the start of the process the first document of a million rows is asked about.
func BenchmarkFirstCall(b *testing.B) {
	rows := writeRows(b, 1_000_000, 100)
	var worst time.Duration
	for b.Loop() {
		base, first := benchServer(b, 0)
		cmd := process(b.TempDir(), "run", rows, "--agent", "bench", "--base-url", base, "--prompt", "Sum up.", "-q")
		started := time.Now()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		<-first
		worst = max(worst, time.Since(started))
		cmd.Process.Kill()
		cmd.Wait()
	}
	b.ReportMetric(float64(worst.Milliseconds()), "ms-to-first-call")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkSecondRun is a run over 100,000 rows that are all finished, and the memory of the first run.
func BenchmarkSecondRun(b *testing.B) {
	rows := writeRows(b, 100_000, 200)
	base, _ := benchServer(b, 0)
	dir := b.TempDir()
	run := func() (time.Duration, *exec.Cmd) {
		cmd := process(dir, "run", rows, "--agent", "bench", "--base-url", base, "--workers", "64", "--prompt", "Sum up.", "-q")
		started := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("docbatch: %v\n%s", err, out)
		}
		return time.Since(started), cmd
	}
	_, cmd := run()
	var worst time.Duration
	for b.Loop() {
		took, _ := run()
		worst = max(worst, took)
	}
	b.ReportMetric(float64(maxRSS(cmd))/(1<<20), "MB-first-run")
	b.ReportMetric(float64(worst.Milliseconds()), "ms-second-run")
	b.ReportMetric(0, "ns/op")
	if _, err := os.Stat(filepath.Join(dir, defaultState)); err != nil {
		b.Fatal(err)
	}
}
