//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"docbatch/pipeline/agent/demo"
)

// fill writes to a pipe until it takes no more, so that the next write to it is blocked.
func fill(t *testing.T, w *os.File) {
	t.Helper()
	fd := int(w.Fd())
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for text := make([]byte, 4096); ; {
		_, err := syscall.Write(fd, text)
		if err == nil || errors.Is(err, syscall.EINTR) {
			continue
		}
		if !errors.Is(err, syscall.EAGAIN) {
			t.Fatal(err)
		}
		if len(text) == 1 {
			break
		}
		text = text[:1]
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
}

// TestSecondSignalWithBlockedStderr is a terminal that is held (Ctrl-S), or a log that nobody reads: the run can't say that it stops,
// and ends at the second signal all the same.
func TestSecondSignalWithBlockedStderr(t *testing.T) {
	j := &journal{}
	inbox, dir := writeDocuments(t, 2), t.TempDir()
	unread, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer unread.Close()
	defer stderr.Close()
	cmd := process(dir, runArgs(inbox, startAgent(t, demo.Options{Latency: time.Minute, Journal: j}))...)
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	for waited := time.Now(); len(j.entries(t)) == 0 && time.Since(waited) < 10*time.Second; {
		time.Sleep(time.Millisecond) // until the agent has been asked
	}
	fill(t, stderr)
	for range 2 {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(sameSignal + 200*time.Millisecond) // a second signal is a new one only after that
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("it did not end at the second signal")
		_ = cmd.Process.Kill()
		<-ended
	}
	if got := cmd.ProcessState.ExitCode(); got != exitTerminated {
		t.Errorf("exit %d, want 143", got)
	}
	if counts := countsIn(t, filepath.Join(dir, defaultState)); counts.Unfinished() != 2 {
		t.Errorf("counts %+v, want both documents unfinished", counts)
	}
}
