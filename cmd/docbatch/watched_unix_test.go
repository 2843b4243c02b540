//go:build unix

package main

import (
	"strings"
	"syscall"
	"testing"
)

// TestWatchEndsAtASignal is a person who has seen enough: that is no failure, whatever is watched.
func TestWatchEndsAtASignal(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"Ctrl-C": syscall.SIGINT, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			cmd, out := startWatch(t, t.TempDir())
			waitFor(t, "the watching begins", func() bool { return strings.Contains(out.String(), "waiting for a run") })
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("exit: %v, want 0\n%s", err, out.String())
			}
		})
	}
}
