package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"docbatch/pipeline/agent/demo"
)

// TestPlanWithoutRoom is a folder for temporary files that is full: before the copy is whole, or after.
func TestPlanWithoutRoom(t *testing.T) {
	for _, size := range []string{"64k", "2300k"} {
		t.Run(size, func(t *testing.T) {
			inbox, dir, tmp := writeDocuments(t, 2000), t.TempDir(), t.TempDir()
			if err := syscall.Mount("tmpfs", tmp, "tmpfs", 0, "size="+size); err != nil {
				t.Skipf("no small file system can be mounted: %v", err)
			}
			defer func() {
				if err := syscall.Unmount(tmp, 0); err != nil {
					t.Error(err)
				}
			}()
			writeAnswers(t, filepath.Join(dir, defaultState), 2)
			args := runArgs(inbox, startAgent(t, demo.Options{}))
			args[0] = "plan"
			cmd := process(dir, args...)
			cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
			code, out := exitOf(t, cmd)
			if code != exitFailed || !strings.Contains(out, "plan in "+tmp+": plan.db: ") || !strings.Contains(out, "TMPDIR") || strings.Contains(out, defaultState) {
				t.Errorf("exit %d, want %d, the folder and what to do\n%s", code, exitFailed, out)
			}
			if left := leftIn(t, tmp); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}
