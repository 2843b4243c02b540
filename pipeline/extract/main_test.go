package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mediatype"
	"docbatch/pipeline/extract/rtf"
)

// asChild is the argument that makes the test binary a child process of a pool.
const asChild = "extract-test-child"

// shared is the pool of all tests that need none of their own: a process takes a moment to start.
var shared *Pool

// childOut is where a child sends what it read.
var childOut = os.Stdout

// cache is where the processes of all pools keep what they compile.
var cache string

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == asChild {
		readers[mediatype.RTF] = misbehave
		if err := Serve(os.Stdin, childOut, os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	cache = filepath.Join(os.Getenv("DOCBATCH_TEST_CACHE"), "docbatch") // the Makefile sets it: what one package compiles the next has
	if cache == "docbatch" {
		dir, err := os.MkdirTemp("", "docbatch-extract-*")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		cache = dir
	}
	shared = NewPool(poolOptions())
	defer shared.Close()
	// PDFium is compiled once for all, whatever that takes: under the race detector more than a document may.
	_, _ = shared.read(context.Background(), "first.pdf", mediatype.PDF, []byte("%PDF-1.7"))
	return m.Run()
}

// poolOptions are those of a pool of one process, which is the test binary.
func poolOptions() PoolOptions {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return PoolOptions{Command: []string{program, asChild, cache}}
}

// newPool makes a pool for one test.
func newPool(t *testing.T, o PoolOptions) *Pool {
	t.Helper()
	p := NewPool(o)
	t.Cleanup(p.Close)
	return p
}

// bounded are the options of a pool with bounds that set changes.
func bounded(set func(*content.Bounds)) PoolOptions {
	o := poolOptions()
	o.Bounds = content.DefaultBounds()
	set(o.Bounds)
	return o
}

func file(name, data string) *pipeline.Document {
	return &pipeline.Document{Ref: pipeline.Ref{ID: "in/" + name, Name: name}, Data: []byte(data)}
}

// do has the step read a document by the shared pool.
func do(doc *pipeline.Document) (*pipeline.Record, error) {
	rec := &pipeline.Record{}
	return rec, New(Options{Pool: shared}).Do(context.Background(), doc, rec)
}

// wantError fails unless err is of class invalid and of that kind, with those words in it.
func wantError(t *testing.T, err error, kind, words string) {
	t.Helper()
	e, ok := errors.AsType[*pipeline.Error](err)
	if !ok || e.Class != pipeline.Invalid || e.Kind != kind || !strings.Contains(err.Error(), words) {
		t.Errorf("got %v, want class invalid, kind %s: %s", err, kind, words)
	}
}

// bad is an RTF document that makes the reader of a child misbehave.
func bad(command string) string { return `{\rtf1 misbehave ` + command + `}` }

// misbehave is the reader of RTF in a child of these tests. What bad makes does what no reader should.
func misbehave(ctx context.Context, f *content.File) (*content.Content, error) {
	words, ok := strings.CutPrefix(string(f.Data), `{\rtf1 misbehave `)
	if !ok {
		return rtf.Read(ctx, f)
	}
	command, arg, _ := strings.Cut(strings.TrimSuffix(words, "}"), " ")
	switch command {
	case "hang":
		tell(arg)
		select {}
	case "wait":
		<-ctx.Done()
		return nil, ctx.Err()
	case "allocate":
		var held [][]byte
		for len(held) < 64 { // four times the bound, so that a bound that fails harms no one
			held = append(held, make([]byte, memoryBound/16))
			for i := range held[len(held)-1] {
				held[len(held)-1][i] = 1
			}
		}
		return nil, fmt.Errorf("%d blocks held", len(held))
	case "panic":
		panic("boom")
	case "crash":
		go panic("boom")
		select {}
	case "overflow":
		return nil, fmt.Errorf("%d", overflow(1))
	case "exit":
		os.Exit(int(arg[0] - '0'))
	case "close":
		childOut.Close()
		select {}
	case "flood":
		return &content.Content{Text: "read", Warnings: []string{strings.Repeat("!", besidesText+content.DefaultBounds().Text)}}, nil
	case "print":
		fmt.Println("a library that prints")
		return &content.Content{Text: "read"}, nil
	case "environment":
		return &content.Content{Text: strings.Join(os.Environ(), "\n")}, nil
	}
	return nil, fmt.Errorf("misbehave: unknown command %q", command)
}

func overflow(n int) int {
	if n == 0 {
		return 0
	}
	return overflow(n+1) + 1
}

// tell says to a watcher that the reader is under way, and keeps the connection as long as the process lives.
func tell(addr string) {
	if addr == "" {
		return
	}
	if _, err := net.Dial("tcp", addr); err != nil {
		panic(err)
	}
}

// A watcher knows when a child has begun to read a document, and when it has ended.
type watcher struct {
	net.Listener
	t *testing.T
}

func watch(t *testing.T) *watcher {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &watcher{l, t}
}

// began waits for a child to begin. ended waits until its process is gone.
func (w *watcher) began() (ended func()) {
	w.t.Helper()
	conn, err := w.Accept()
	if err != nil {
		w.t.Fatal(err)
	}
	return func() {
		defer conn.Close()
		if n, _ := io.Copy(io.Discard, conn); n > 0 {
			w.t.Errorf("the child sent %d bytes", n)
		}
	}
}
