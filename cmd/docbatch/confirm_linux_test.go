package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"docbatch/pipeline/agent/demo"
)

// openTerminal opens a pair of terminals: what is written to one is read from the other.
func openTerminal(t *testing.T) (outer, inner *os.File) {
	t.Helper()
	outer, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = outer.Close() })
	if err := unix.IoctlSetPointerInt(int(outer.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(outer.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if inner, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = inner.Close() })
	return outer, inner
}

// A sitting is a process with a person at its terminal.
type sitting struct {
	*testing.T
	cmd      *exec.Cmd
	terminal *os.File
	shown    syncBuffer
}

func sit(t *testing.T, cmd *exec.Cmd) *sitting {
	t.Helper()
	outer, inner := openTerminal(t)
	s := &sitting{T: t, cmd: cmd, terminal: outer}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = inner, inner, inner
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // until the terminal is closed
		for b := make([]byte, 4096); ; {
			n, err := outer.Read(b)
			if err != nil {
				return
			}
			_, _ = s.shown.Write(b[:n])
		}
	}()
	return s
}

// sees waits until something is shown.
func (s *sitting) sees(what string) {
	s.Helper()
	for waited := time.Now(); !strings.Contains(s.shown.String(), what); time.Sleep(time.Millisecond) {
		if time.Since(waited) > 20*time.Second {
			_ = s.cmd.Process.Kill()
			s.Fatalf("%q was never shown, but\n%s", what, s.shown.String())
		}
	}
}

// TestConfirm is a person at a terminal who is asked before much is sent.
func TestConfirm(t *testing.T) {
	const documents = 12
	signal := func(sig syscall.Signal) func(s *sitting) {
		return func(s *sitting) {
			if err := s.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
		}
	}
	types := func(text string) func(s *sitting) {
		return func(s *sitting) {
			if _, err := s.terminal.WriteString(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	const asked = "Send 12 requests to "
	for _, tt := range []struct {
		name     string
		flags    []string
		when     string // it is shown
		does     func(s *sitting)
		exit     int
		requests int
	}{
		{"says yes", nil, asked, types("y\n"), exitOK, documents},
		{"says no", nil, asked, types("n\n"), exitInterrupt, 0},
		{"says nothing", nil, asked, types("\n"), exitInterrupt, 0},
		{"presses Ctrl-C", nil, asked, types("\x03"), exitInterrupt, 0},
		{"ends it", nil, asked, signal(syscall.SIGTERM), exitTerminated, 0},
		{"presses Ctrl-C while it is planned", nil, "looking at what is to be sent", types("\x03"), exitInterrupt, 0},
		{"ends it while it is planned", nil, "looking at what is to be sent", signal(syscall.SIGTERM), exitTerminated, 0},
		{"has said yes before", []string{"--yes"}, "", func(*sitting) {}, exitOK, documents},
		{"is asked above more only", []string{"--confirm-above", "12"}, "", func(*sitting) {}, exitOK, documents},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &journal{}
			inbox, dir, tmp := writeDocuments(t, documents), t.TempDir(), t.TempDir()
			writeAnswers(t, filepath.Join(dir, defaultState), 40)
			cmd := process(dir, append(runArgs(inbox, startAgent(t, demo.Options{Journal: j}), "--confirm-above", "11"), tt.flags...)...)
			cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
			s := sit(t, cmd)
			s.sees(tt.when)
			tt.does(s)
			_ = s.cmd.Wait() // it tells of the exit code only
			if got := s.cmd.ProcessState.ExitCode(); got != tt.exit || len(j.entries(t)) != tt.requests {
				t.Errorf("exit %d after %d requests, want %d after %d\n%s", got, len(j.entries(t)), tt.exit, tt.requests, s.shown.String())
			}
			if tt.exit != exitOK && tt.when == asked {
				s.sees("\ndocbatch: ") // why it ended, on a line of its own
			}
			if left := leftIn(t, tmp); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}
