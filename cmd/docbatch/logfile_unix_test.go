//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLogFileThatIsAPipe refuses one that nobody reads from: to open it would take for ever.
func TestLogFileThatIsAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "log")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	inbox, state := writeDocuments(t, 1), filepath.Join(t.TempDir(), "job.db")
	code, _, stderr := command(t, nil, "run", "--demo", inbox, "--state", state, "--log-file", pipe)
	if code != exitUsage || !strings.Contains(stderr, "the log file: "+pipe+" is not a regular file") {
		t.Errorf("exit %d, want 2\n%s", code, stderr)
	}
	found, exit := examine(t, "--demo", inbox, "--state", state, "--log-file", pipe)
	wantTold(t, "log file", of(found, "log file"), "error: "+pipe+" is not a regular file")
	if exit != exitUsage {
		t.Errorf("doctor: exit %d, want 2", exit)
	}
	if code, _, stderr := command(t, nil, "run", "--demo", inbox, "--state", state, "--log-file", "/dev/null"); code != exitOK {
		t.Errorf("to a device: exit %d, want 0\n%s", code, stderr)
	}
}
