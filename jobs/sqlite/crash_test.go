package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// The test binary is also the process that crash and lock tests kill: it then does what the variable says.
const childEnv = "DOCBATCH_SQLITE_TEST_CHILD"

func TestMain(m *testing.M) {
	what, path, isChild := strings.Cut(os.Getenv(childEnv), " ")
	if !isChild {
		os.Exit(m.Run())
	}
	exit(map[string]func(path string) error{"work": childWork, "hold": childHold, "version1": childVersion1}[what](path))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// childWork answers what is pending with 16 workers, and prints the number of each item when it is stored.
func childWork(path string) error {
	ctx := context.Background()
	s, err := Open(ctx, path, Options{})
	if err != nil {
		return err
	}
	l, err := s.Join(ctx)
	if err != nil {
		return err
	}
	for {
		items, err := l.Claim(ctx, 64)
		if err != nil || len(items) == 0 {
			return errors.Join(err, s.Close())
		}
		var g errgroup.Group
		g.SetLimit(16)
		for _, it := range items {
			g.Go(func() error {
				if err := work(ctx, s, l, it); err != nil {
					return err
				}
				_, err := fmt.Println(it.Num)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
}

// childHold holds the store until its standard input ends.
func childHold(path string) error {
	s, err := Open(context.Background(), path, Options{Command: "docbatch run"})
	if err != nil {
		return err
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, s.Close())
}

// child starts the test binary as another process.
func child(t *testing.T, what, path string) (cmd *exec.Cmd, stdin io.WriteCloser, lines *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd = exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"="+what+" "+path)
	cmd.Stderr = os.Stderr
	stdin, err = cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	return cmd, stdin, bufio.NewScanner(stdout)
}

// A process that is killed at any moment loses nothing that it acknowledged.
func TestKill(t *testing.T) {
	const kills, documents = 12, 6000
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	list(t, s, rows(documents))
	must(t, s.Close())

	acknowledged := map[int64]bool{}
	for range kills {
		killAfter(t, path, rand.IntN(300), acknowledged)
		must(t, Check(t.Context(), path))
		r, err := OpenReader(t.Context(), path)
		must(t, err)
		got, err := r.Counts(t.Context())
		must(t, errors.Join(err, r.Close()))
		if got.Total() != documents || got.Done < len(acknowledged) {
			t.Fatalf("after a kill: got %+v, want %d in all and at least %d done", got, documents, len(acknowledged))
		}
	}
	checkAcknowledged(t, path, acknowledged)
}

// killAfter starts a worker and kills it a random moment after its line number n, and collects what it acknowledged.
func killAfter(t *testing.T, path string, n int, acknowledged map[int64]bool) {
	t.Helper()
	cmd, _, lines := child(t, "work", path)
	seen := 0
	for lines.Scan() {
		num, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			break // a line that the kill cut
		}
		acknowledged[num] = true
		if seen++; seen == n+1 {
			time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, func() { cmd.Process.Kill() })
		}
	}
	cmd.Wait() // the error says that it was killed
}

// checkAcknowledged checks that every item that was acknowledged is done and has its own answer.
func checkAcknowledged(t *testing.T, path string, acknowledged map[int64]bool) {
	t.Helper()
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	i := int64(0)
	done := 0
	for rec, err := range s.Records(t.Context()) {
		must(t, err)
		i++ // listed once, in order: the number is the place
		if want := "answer to " + rec.ID; rec.State.Final() && rec.Answer != want {
			t.Errorf("item %d: got answer %q, want %q", i, rec.Answer, want)
		}
		if acknowledged[i] && !rec.State.Final() {
			t.Errorf("item %d was acknowledged and is %s", i, rec.State)
		}
		if rec.State.Final() {
			done++
		}
	}
	must(t, s.Close())
	must(t, Check(t.Context(), path))
	t.Logf("%d acknowledged, %d done", len(acknowledged), done)
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	cmd, stdin, lines := child(t, "hold", path)
	if !lines.Scan() {
		t.Fatal("the other process did not get the lock")
	}
	began := time.Now()
	_, err := Open(t.Context(), path, Options{})
	want := fmt.Sprintf("state.db is held by docbatch run, pid %d, since ", cmd.Process.Pid)
	if !errors.Is(err, ErrLocked) || !strings.HasPrefix(fmt.Sprint(err), want) {
		t.Errorf("open of a held file: got error %v, want %q", err, want)
	}
	if _, err := Open(t.Context(), path, Options{WaitLock: 2 * lockRetry}); !errors.Is(err, ErrLocked) {
		t.Errorf("open after waiting: got error %v, want %v", err, ErrLocked)
	}
	if took := time.Since(began); took < 2*lockRetry {
		t.Errorf("waiting took %v, want at least %v", took, 2*lockRetry)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, path, Options{WaitLock: time.Hour}); !errors.Is(err, context.Canceled) {
		t.Errorf("open while waiting ends: got error %v, want %v", err, context.Canceled)
	}
	r, err := OpenReader(t.Context(), path)
	must(t, err)
	_, err = r.Counts(t.Context())
	must(t, errors.Join(err, r.Close()))

	// The one that waits gets it when the other lets go.
	must(t, stdin.Close())
	open(t, path, Options{WaitLock: time.Minute})
	must(t, cmd.Wait())
}

// A process that was killed holds no lock.
func TestLockOfTheDead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	cmd, _, lines := child(t, "hold", path)
	if !lines.Scan() {
		t.Fatal("the other process did not get the lock")
	}
	must(t, cmd.Process.Kill())
	cmd.Wait() // the error says that it was killed
	open(t, path, Options{})
}

func TestHolder(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name, info, want string
	}{
		{"today", `{"command":"docbatch run","pid":4711,"since":"2026-11-23T02:00:13Z"}`, "docbatch run, pid 4711, since 02:00:13"},
		{"another day", `{"command":"docbatch run","pid":4711,"since":"2026-11-21T02:00:13Z"}`, "docbatch run, pid 4711, since 2026-11-21 02:00:13"},
		{"another host", `{"command":"docbatch run","pid":1,"host":"far","since":"2026-11-23T02:00:13Z"}`, "docbatch run, pid 1 on far, since 02:00:13"},
		{"control characters", `{"command":"\u001b[2Jrun\n","pid":1,"since":"2026-11-23T02:00:13Z"}`, "[2Jrun, pid 1, since 02:00:13"},
		{"nothing yet", ``, "another process"},
		{"half", `{"command":"docb`, "another process"},
		{"no pid", `{"command":"docbatch run","since":"2026-11-23T02:00:13Z"}`, "another process"},
	}
	for _, tt := range tests {
		path := filepath.Join(t.TempDir(), "lock")
		must(t, os.WriteFile(path, append([]byte{0}, tt.info...), 0o600))
		if got := describeHolder(path, now); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzHolder(f *testing.F) {
	f.Add([]byte(`{"command":"docbatch run","pid":4711,"host":"h","since":"2026-11-23T02:00:13Z"}`))
	f.Add([]byte(`{"command":"\u0000","pid":-1}`))
	f.Fuzz(func(t *testing.T, info []byte) {
		h, err := parseHolder(info)
		if err != nil {
			return
		}
		if h.PID <= 0 || strings.ContainsAny(h.describe(time.Now()), "\x00\n\r\x1b") {
			t.Errorf("holder of %q: got %+v", info, h)
		}
	})
}
