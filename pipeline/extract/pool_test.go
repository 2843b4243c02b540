package extract

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
)

// readBy has a pool read an RTF document.
func readBy(ctx context.Context, p *Pool, data string) (*Reading, error) {
	return New(Options{Pool: p}).Read(ctx, "a.rtf", []byte(data))
}

// TestMisbehaviour has readers do what none should: it costs that document and nothing else.
func TestMisbehaviour(t *testing.T) {
	for _, tt := range []struct {
		name, command, kind, want string
	}{
		{"hangs", "hang", pipeline.KindSlow, "reading it takes longer than 1s (the bound on time)"},
		{"is slow and heeds the bound", "wait", pipeline.KindSlow, "reading it takes longer than 1s (the bound on time)"},
		{"takes memory", "allocate", pipeline.KindTooLarge, "reading it takes more than 400 MiB of memory (the bound on memory)"},
		{"panics", "panic", pipeline.KindDamaged, "the reader of RTF (application/rtf) gave up: boom at main_test.go:"},
		{"panics in a goroutine", "crash", pipeline.KindDamaged, "ended the process that reads documents: panic: boom"},
		{"overflows the stack", "overflow", pipeline.KindDamaged, "ended the process that reads documents: runtime: goroutine stack exceeds"},
		{"exits with an error", "exit 3", pipeline.KindDamaged, "ended the process that reads documents: exit status 3"},
		{"exits without an error", "exit 0", pipeline.KindDamaged, "ended the process that reads documents: exit status 0"},
		{"gives too much", "flood", pipeline.KindTooLarge, "gives more than 80 MiB of it (the bound on what it gives)"},
		{"closes its output", "close", pipeline.KindDamaged, "ended the process that reads documents: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := poolOptions()
			o.Time = time.Second
			p := newPool(t, o)
			_, err := readBy(t.Context(), p, bad(tt.command))
			wantError(t, err, tt.kind, tt.want)
			if r, err := readBy(t.Context(), p, `{\rtf1 good}`); err != nil || strings.TrimSpace(r.Text) != "good" {
				t.Errorf("the next document: got %+v, %v, want its text", r, err)
			}
		})
	}
}

// TestPrints has a reader print something: that does not come between it and the pool.
func TestPrints(t *testing.T) {
	p := newPool(t, poolOptions())
	for range 2 {
		if r, err := readBy(t.Context(), p, bad("print")); err != nil || r.Text != "read" {
			t.Errorf("got %+v, %v, want what it read", r, err)
		}
	}
}

// TestEndedBetween ends a process that has nothing to do: the next document does not pay for it.
func TestEndedBetween(t *testing.T) {
	p := newPool(t, poolOptions())
	for range 2 {
		r, err := readBy(t.Context(), p, `{\rtf1 good}`)
		if err != nil || strings.TrimSpace(r.Text) != "good" {
			t.Fatalf("got %+v, %v, want its text", r, err)
		}
		c := <-p.idle
		if c == nil {
			t.Fatal("the process is not kept")
		}
		c.kill()
		p.idle <- c
	}
}

// TestKept reads one document after the other in one process, and says what that took.
func TestKept(t *testing.T) {
	p := newPool(t, poolOptions())
	var kept *child
	for i := range 3 {
		r, err := readBy(t.Context(), p, `{\rtf1 good}`)
		if err != nil {
			t.Fatal(err)
		}
		if r.Memory < 1<<20 || r.Memory > memoryBound || r.took <= 0 {
			t.Errorf("got %d bytes and %v, want what it took", r.Memory, r.took)
		}
		c := <-p.idle
		p.idle <- c
		if i > 0 && c != kept {
			t.Errorf("document %d: another process than before", i)
		}
		kept = c
	}
}

func TestNoProcess(t *testing.T) {
	p := newPool(t, PoolOptions{Command: []string{t.TempDir() + "/nothing"}})
	_, err := readBy(t.Context(), p, `{\rtf1 good}`)
	if e := pipeline.AsError(err); e.Class != pipeline.Fatal || e.Kind != pipeline.KindMachine || !strings.Contains(err.Error(), "start a process that reads documents") {
		t.Errorf("got %v, want a fatal error of kind %s", err, pipeline.KindMachine)
	}
}

// TestNoProcessNeeded reads what is text already: a run over such documents starts no process.
func TestNoProcessNeeded(t *testing.T) {
	step := New(Options{Pool: newPool(t, PoolOptions{Command: []string{t.TempDir() + "/nothing"}})})
	for _, doc := range []*pipeline.Document{
		file("a.txt", "hello"), file("a.csv", "a,b\n1,2\n"), file("a.json", `{"a": 1}`), file("a.xml", "<?xml version=\"1.0\"?><a/>"), file("main.go", "package main\n"),
		file("a.txt", "\xff\xfeh\x00i\x00"),
		{Ref: pipeline.Ref{Name: "t.xlsx row 2", Row: 2}, Text: "id: 2\n"},
	} {
		if err := step.Do(t.Context(), doc, &pipeline.Record{}); err != nil {
			t.Errorf("%s: %v", doc.Name, err)
		}
	}
}

func TestInterrupted(t *testing.T) {
	w := watch(t)
	o := poolOptions()
	o.Time = time.Hour // the test ends only if it is interrupted
	p := newPool(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := readBy(ctx, p, bad("hang "+w.Addr().String()))
		failed <- err
	}()
	ended := w.began()

	waiting, stop := context.WithCancel(t.Context())
	stop()
	if _, err := readBy(waiting, p, `{\rtf1 good}`); !errors.Is(err, context.Canceled) {
		t.Errorf("one that waits for a process: got %v, want %v", err, context.Canceled)
	}
	if _, err := p.hold(waiting); !errors.Is(err, context.Canceled) {
		t.Errorf("hold: got %v, want %v", err, context.Canceled)
	}

	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	ended()
	if r, err := readBy(t.Context(), p, `{\rtf1 good}`); err != nil || strings.TrimSpace(r.Text) != "good" {
		t.Errorf("the next document: got %+v, %v, want its text", r, err)
	}
}

// TestClose closes a pool while a document hangs: it waits no longer than that one may take.
func TestClose(t *testing.T) {
	w := watch(t)
	o := poolOptions()
	o.Time, o.Size = time.Second, 2
	p := NewPool(o)
	if _, err := readBy(t.Context(), p, `{\rtf1 good}`); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := readBy(context.Background(), p, bad("hang "+w.Addr().String()))
		failed <- err
	}()
	ended := w.began()
	p.Close()
	ended()
	wantError(t, <-failed, pipeline.KindSlow, "the bound on time")
}

// TestHold keeps the only process for something else: a document waits meanwhile.
func TestHold(t *testing.T) {
	p := newPool(t, poolOptions())
	release, err := p.hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readBy(ctx, p, `{\rtf1 good}`); !errors.Is(err, context.Canceled) {
		t.Errorf("the process is held: got %v, want %v", err, context.Canceled)
	}
	release()
	if _, err := readBy(t.Context(), p, `{\rtf1 good}`); err != nil {
		t.Errorf("the process is free again: %v", err)
	}
}

// TestEnvironment shows that a process knows no key.
func TestEnvironment(t *testing.T) {
	t.Setenv("SWIFTASK_API_KEY", "sk-canary")
	t.Setenv("DOCBATCH_BASE_URL", "http://canary.example")
	t.Setenv("PATH", "/its/path")
	r, err := readBy(t.Context(), newPool(t, poolOptions()), bad("environment"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.Text, "canary") || !strings.Contains(r.Text, "PATH=/its/path") {
		t.Errorf("got the environment\n%s\nwant the path and no secret", r.Text)
	}
}

// TestTail keeps the beginning of what a process says, and tells the first line.
func TestTail(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"none", "", ""},
		{"empty lines first", "\n \r\n\tpanic: boom\ngoroutine 1\n", "panic: boom"},
		{"one line without an end", strings.Repeat("x", 3*tailBytes), strings.Repeat("x", tailBytes)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &tail{}
			for part := range strings.Lines(tt.text) {
				if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
					t.Fatalf("got %d, %v, want %d", n, err, len(part))
				}
			}
			if n, err := w.Write(nil); n != 0 || err != nil {
				t.Errorf("got %d, %v, want nothing", n, err)
			}
			if got := w.first(); got != tt.want {
				t.Errorf("got %.40q, want %.40q", got, tt.want)
			}
		})
	}
}

// TestServe has a child without a pool: it ends when its input does, and when that is no request.
func TestServe(t *testing.T) {
	for _, tt := range []struct {
		name, in, said string
		code           int
	}{
		{"no requests", "", "", 0},
		{"garbage", "garbage", "read a request: ", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			command := poolOptions().Command
			cmd := exec.Command(command[0], command[1:]...)
			var said strings.Builder
			cmd.Stdin, cmd.Stderr = strings.NewReader(tt.in), &said
			if err := cmd.Run(); cmd.ProcessState == nil {
				t.Fatal(err)
			}
			if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.HasPrefix(said.String(), tt.said) {
				t.Errorf("got exit code %d and %q, want %d and %q", code, said.String(), tt.code, tt.said)
			}
		})
	}
}
