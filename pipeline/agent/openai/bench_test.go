//go:build unix

package openai

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	library "github.com/sashabaranov/go-openai"

	"docbatch/pipeline/agent"
)

// serverVariable makes the test binary a server, so that the server's CPU time is not the client's.
const serverVariable = "DOCBATCH_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverVariable) == "" {
		os.Exit(m.Run())
	}
	srv := httptest.NewServer(http.HandlerFunc(benchServer))
	fmt.Println(srv.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent is gone
}

var (
	benchText   = strings.Repeat("An invoice of the water works, <due> in March. ", 11)
	benchAnswer = []byte(strings.Replace(good, "a letter", benchText, 1))
	benchStream = []byte(strings.Repeat(pieceA, 50) + stopped + usage + doneLine)
)

func benchServer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if bytes.Contains(body[len(body)-80:], []byte(`"stream":true`)) {
		w.Write(benchStream)
		return
	}
	w.Write(benchAnswer)
}

// startServer gives the URL of a server in a process of its own.
func startServer(b *testing.B) string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverVariable+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// cpu gives the CPU time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAsk measures, as cpu-ns/op, what a request costs this process. The ceiling is a loop of net/http calls with bytes
// made before and no JSON; library is go-openai alone.
func BenchmarkAsk(b *testing.B) {
	url := startServer(b)
	for _, size := range []int{1 << 10, 10 << 10} {
		req := question()
		req.Messages[0].Content = strings.Repeat("A page of a document & more.\n", size/29)
		b.Run(fmt.Sprintf("bare/%dK", size>>10), func(b *testing.B) { benchBare(b, url, req) })
		b.Run(fmt.Sprintf("library/%dK", size>>10), func(b *testing.B) { benchLibrary(b, url, req) })
		b.Run(fmt.Sprintf("plain/%dK", size>>10), func(b *testing.B) { benchAsk(b, url, *req) })
	}
	req := question()
	req.Stream = true
	b.Run("stream", func(b *testing.B) { benchAsk(b, url, *req) })
}

// measure runs one 64 at a time, as workers do.
func measure(b *testing.B, one func() error) {
	b.ReportAllocs()
	b.SetParallelism(max(64/runtime.GOMAXPROCS(0), 1))
	before := cpu()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := one(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

func benchBare(b *testing.B, base string, req *agent.Request) {
	body, _, err := new(quirks).encode(req)
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Transport: newTransport(Options{Connections: 64})}
	measure(b, func() error {
		r, _ := http.NewRequest(http.MethodPost, base+"/v1"+chatPath, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	})
}

func benchLibrary(b *testing.B, base string, req *agent.Request) {
	config := library.DefaultConfig(testKey)
	config.BaseURL = base + "/v1"
	config.HTTPClient = &http.Client{Transport: newTransport(Options{Connections: 64})}
	client := library.NewClientWithConfig(config)
	measure(b, func() error {
		_, err := client.CreateChatCompletion(b.Context(), library.ChatCompletionRequest{
			Model: req.Agent, Messages: []library.ChatCompletionMessage{{Role: "user", Content: req.Messages[0].Content}},
		})
		return err
	})
}

func benchAsk(b *testing.B, base string, req agent.Request) {
	a := dial(b, base+"/v1")
	measure(b, func() error {
		_, err := a.Ask(b.Context(), &req)
		return err
	})
}
