package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline/agent"
	"docbatch/pipeline/agent/demo"
)

// writeAnswers makes a state file that is large, so that a copy takes a while.
func writeAnswers(t *testing.T, state string, megabytes int) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), state, sqlite.Options{Scratch: true})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("All is well. ", 1<<20/13)
	for i := range megabytes {
		key := agent.Hash("", &agent.Request{Agent: string(rune('a' + i))})
		if err := s.PutAnswer(t.Context(), key, 0, &agent.Answer{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// leftIn is what a plan left in the folder for temporary files.
func leftIn(t *testing.T, tmp string) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(tmp, "docbatch-*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// TestPlanInterrupted is a plan that is told to stop while it copies the state file: it ends, and leaves no copy behind.
func TestPlanInterrupted(t *testing.T) {
	for name, tt := range map[string]struct {
		signal syscall.Signal
		exit   int
	}{"SIGINT": {syscall.SIGINT, exitInterrupt}, "SIGTERM": {syscall.SIGTERM, exitTerminated}} {
		t.Run(name, func(t *testing.T) {
			inbox, dir, tmp := writeDocuments(t, 200), t.TempDir(), t.TempDir()
			writeAnswers(t, filepath.Join(dir, defaultState), 60)
			args := runArgs(inbox, startAgent(t, demo.Options{}))
			args[0] = "plan"
			cmd := process(dir, args...)
			cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() { _ = cmd.Wait(); close(ended) }()
			for waited := time.Now(); len(leftIn(t, tmp)) == 0 && time.Since(waited) < 10*time.Second; {
				time.Sleep(time.Millisecond) // until the copy has begun
			}
			if err := cmd.Process.Signal(tt.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			<-ended
			if got := cmd.ProcessState.ExitCode(); got != tt.exit || !strings.Contains(out.String(), "ed: nothing was sent") {
				t.Errorf("exit %d, want %d\n%s", got, tt.exit, out.String())
			}
			if left := leftIn(t, tmp); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}
