package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline/agent/demo"
)

// exitOf runs a process to its end and returns its exit code and all that it printed.
func exitOf(t *testing.T, cmd *exec.Cmd) (code int, out string) {
	t.Helper()
	b, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, string(b)
}

func countsIn(t *testing.T, state string) jobs.Counts {
	t.Helper()
	r, err := sqlite.OpenReader(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	counts, err := r.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// TestFatal is promise P6: what no document can succeed with stops the run, marks nothing, and goes on once it is mended.
func TestFatal(t *testing.T) {
	const documents, workers = 200, 8
	for name, tt := range map[string]struct {
		agent demo.Options
		exit  int
		says  string
	}{
		"wrong key":             {demo.Options{Key: "another", Latency: 5 * time.Millisecond}, exitKey, keyVariable},
		"unknown agent":         {demo.Options{Agents: []string{"another"}, Latency: 5 * time.Millisecond}, exitUsage, "--agent"},
		"unknown agent, as 400": {demo.Options{Agents: []string{"another"}, BadRequest: true}, exitUsage, "--agent"},
	} {
		t.Run(name, func(t *testing.T) {
			j := &journal{}
			tt.agent.Journal = j
			inbox, dir := writeDocuments(t, documents), t.TempDir()
			args := func(base string) []string {
				return []string{"run", inbox, "--agent", "analyst", "--base-url", base, "--workers", "8", "-o", "out.csv"}
			}
			code, out := exitOf(t, process(dir, args(startAgent(t, tt.agent))...))
			if code != tt.exit || !strings.Contains(out, tt.says) {
				t.Errorf("exit %d, want %d, and %q in\n%s", code, tt.exit, tt.says, out)
			}
			if got := len(j.entries(t)); got > workers {
				t.Errorf("%d requests, want at most one a worker", got)
			}
			if got, want := countsIn(t, filepath.Join(dir, defaultState)), (jobs.Counts{Pending: documents}); got.Failed+got.Claimed+got.Done != 0 {
				t.Errorf("counts %+v, want %+v", got, want)
			}
			if code, out := exitOf(t, process(dir, args(startAgent(t, demo.Options{Key: testKey}))...)); code != exitOK {
				t.Errorf("once it is mended: exit %d\n%s", code, out)
			}
			wantOwnAnswers(t, filepath.Join(dir, "out.csv"), documents)
		})
	}
}

// TestOneRunAtATime starts many runs on one state file at once.
func TestOneRunAtATime(t *testing.T) {
	const runs = 20
	inbox, dir := writeDocuments(t, 100), t.TempDir()
	base := startAgent(t, demo.Options{Latency: 300 * time.Millisecond})
	codes := make([]int, runs)
	var all sync.WaitGroup
	for i := range runs {
		all.Go(func() {
			var out string
			codes[i], out = exitOf(t, process(dir, "run", inbox, "--agent", "analyst", "--base-url", base, "-q"))
			if codes[i] == exitLocked && !strings.Contains(out, "pid") {
				t.Errorf("the message does not say who holds the lock: %s", out)
			}
		})
	}
	all.Wait()
	count := map[int]int{}
	for _, code := range codes {
		count[code]++
	}
	if count[exitOK] != 1 || count[exitLocked] != runs-1 {
		t.Errorf("exit codes and how often: %v, want one 0 and the rest 11", count)
	}
}

// TestSignals is a run that is told to stop: its calls in flight are kept, and the same command goes on.
func TestSignals(t *testing.T) {
	for name, tt := range map[string]struct {
		signal syscall.Signal
		exit   int
	}{"SIGINT": {syscall.SIGINT, exitInterrupt}, "SIGTERM": {syscall.SIGTERM, exitTerminated}} {
		t.Run(name, func(t *testing.T) {
			const documents, workers = 60, 4
			j := &journal{}
			inbox, dir := writeDocuments(t, documents), t.TempDir()
			args := []string{"run", inbox, "--agent", "analyst", "--base-url", startAgent(t, demo.Options{Latency: 100 * time.Millisecond, Journal: j}),
				"--workers", "4", "-o", "out.csv"}
			var out bytes.Buffer
			cmd := process(dir, args...)
			cmd.Stderr = &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for len(j.entries(t)) < 10 {
				time.Sleep(time.Millisecond) // until the agent has been asked
			}
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != tt.exit || !strings.Contains(out.String(), "the same command goes on") {
				t.Errorf("exit %d, want %d\n%s", got, tt.exit, out.String())
			}
			asked := len(j.entries(t))
			if counts := countsIn(t, filepath.Join(dir, defaultState)); counts.Done != asked {
				t.Errorf("%d answers for %d requests: what was in flight is lost", counts.Done, asked)
			}
			if rows := readCSV(t, filepath.Join(dir, "out.csv")); len(rows) == 0 {
				t.Error("an interrupted run left no output")
			}
			if code, out := exitOf(t, process(dir, args...)); code != exitOK {
				t.Errorf("the second run: exit %d\n%s", code, out)
			}
			if got := len(j.entries(t)); got != documents {
				t.Errorf("%d requests in all, want %d", got, documents)
			}
			wantOwnAnswers(t, filepath.Join(dir, "out.csv"), documents)
		})
	}
}

// TestFaults is a run against an agent that fails in every way that it can: all documents are answered in the end.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for retries")
	}
	const documents = 300
	faults, err := demo.ParseFaults("500=0.05,429=0.03,reset=0.03,malformed=0.03,empty=0.02,cut=0.03")
	if err != nil {
		t.Fatal(err)
	}
	inbox, dir := writeDocuments(t, documents), t.TempDir()
	base := startAgent(t, demo.Options{Faults: faults, Seed: 7})
	code, out := exitOf(t, process(dir, "run", inbox, "--agent", "analyst", "--base-url", base, "--workers", "32", "-o", "out.csv", "--attempts", "8"))
	if code != exitOK {
		t.Errorf("exit %d\n%s", code, out)
	}
	wantOwnAnswers(t, filepath.Join(dir, "out.csv"), documents)
}

// TestKeyIsNowhere is promise P8, with a service that echoes the key in its errors.
func TestKeyIsNowhere(t *testing.T) {
	inbox, dir := writeDocuments(t, 20), t.TempDir()
	base := startAgent(t, demo.Options{Key: "another"})
	var printed string
	for _, args := range [][]string{
		{"run", inbox, "--agent", "analyst", "--base-url", base, "-v"},
		{"run", inbox, "--agent", "analyst", "--base-url", base, "--json", "-o", "out.csv", "-o", "out.xlsx", "-o", "out.jsonl"},
		{"ask", "--agent", "analyst", "--base-url", base, "who are you?"},
		{"status"}, {"status", "--json"}, {"show", documentName(0)}, {"export"},
	} {
		_, out := exitOf(t, process(dir, args...))
		printed += out
	}
	if strings.Contains(printed, testKey) {
		t.Error("the key was printed")
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(testKey)) {
			t.Errorf("the key is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
