//go:build unix

package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"docbatch/pipeline/agent/demo"
)

// limited makes a process one that may have so many files open.
func limited(cmd *exec.Cmd, files int) *exec.Cmd {
	sh := exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files)}, cmd.Args...)...)
	sh.Dir, sh.Env = cmd.Dir, cmd.Env
	return sh
}

// TestFewDescriptors is a system that allows too few open files: it is said before anything is sent.
func TestFewDescriptors(t *testing.T) {
	j := &journal{}
	inbox, dir := writeDocuments(t, 10), t.TempDir()
	cmd := process(dir, runArgs(inbox, startAgent(t, demo.Options{Journal: j}), "--workers", "100")...)
	code, out := exitOf(t, limited(cmd, 64))
	for _, want := range []string{"100 workers need about 140 open files, and the system allows this process 64", "ulimit -n 140", "--workers 24"} {
		if code != exitUsage || !strings.Contains(out, want) {
			t.Errorf("exit %d, want 2, and %q in\n%s", code, want, out)
		}
	}
	if len(j.entries(t)) != 0 {
		t.Error("something was sent")
	}
	cmd = process(dir, runArgs(inbox, startAgent(t, demo.Options{}), "--workers", "24")...)
	if code, out := exitOf(t, limited(cmd, 64)); code != exitOK {
		t.Errorf("with what it advised: exit %d\n%s", code, out)
	}
}
