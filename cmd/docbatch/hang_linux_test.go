package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"docbatch/pipeline/agent/demo"
)

// procStatus is what the system says of a process under a name.
func procStatus(t *testing.T, pid int, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// alive reports whether a process has a thread that is neither gone nor held by strace.
func alive(pid int) bool {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, task := range tasks {
		stat, err := os.ReadFile(task) // pid (name) state ...
		if _, state, ok := strings.Cut(string(stat), ") "); err == nil && ok && !strings.ContainsAny(state[:1], "ZXt") {
			return true
		}
	}
	return false
}

// TestHangingRead is a document on a file server that is gone: its read can't be interrupted. The other documents are answered, and
// two seconds after the second signal the process is gone too.
func TestHangingRead(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: nothing else lets a read hang")
	}
	const documents = 12
	inbox, dir := writeDocuments(t, documents), t.TempDir()
	args := runArgs(inbox, startAgent(t, demo.Options{}), "--workers", "3", "-o", "out.csv")
	hangs := filepath.Join(inbox, documentName(4))
	run := process(dir, args...)
	// -D: the process that is started is docbatch, and strace its child.
	cmd := exec.Command(strace, append([]string{"-D", "-f", "-qq", "-o", filepath.Join(dir, "trace"), "-P", hangs,
		"-e", "inject=read,pread64:delay_enter=60s"}, run.Args...)...)
	cmd.Dir, cmd.Env = run.Dir, run.Env
	log, err := os.Create(filepath.Join(dir, "log")) // a pipe would be held open by strace
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	said := func() string {
		b, _ := os.ReadFile(log.Name())
		return string(b)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, defaultState)
	for waited := time.Now(); len(finishedIn(t, state)) < documents-1; time.Sleep(50 * time.Millisecond) { // until all others are answered
		if time.Since(waited) > 15*time.Second {
			_ = cmd.Process.Kill()
			t.Fatalf("the other documents were not answered\n%s", said())
		}
	}
	tracer, err := strconv.Atoi(procStatus(t, cmd.Process.Pid, "TracerPid"))
	if err != nil || tracer == 0 {
		t.Fatalf("strace is process %d (%v)", tracer, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(sameSignal + 200*time.Millisecond) // a second signal is a new one only after that
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("it did not wait for the document in flight: %v\n%s", err, said())
	}
	second := time.Now()
	for alive(cmd.Process.Pid) {
		time.Sleep(10 * time.Millisecond) // until it has ended; that is told to nobody while strace holds the thread that hangs
	}
	if took := time.Since(second); took > 2*time.Second {
		t.Errorf("the process ended %v after the second signal, want at most 2 s", took)
	}
	if err := syscall.Kill(tracer, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != exitTerminated || !strings.Contains(said(), "the same command goes on") {
		t.Errorf("exit %d, want 143\n%s", got, said())
	}
	if want := "the outputs were not written"; !strings.Contains(said(), want) {
		t.Errorf("want %q in\n%s", want, said())
	}
	if counts := countsIn(t, state); counts.Done != documents-1 || counts.Pending != 1 {
		t.Errorf("counts %+v, want all but one answered, and that one waiting", counts)
	}
	if code, out := exitOf(t, process(dir, args...)); code != exitOK {
		t.Errorf("once the file server is back: exit %d\n%s", code, out)
	}
	wantOwnAnswers(t, filepath.Join(dir, "out.csv"), documents)
}
