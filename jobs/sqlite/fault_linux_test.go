package sqlite

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// pendingFile makes a state file of documents that wait to be answered.
func pendingFile(t *testing.T, n int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	list(t, s, rows(n))
	must(t, s.Close())
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

// workUnder has another process answer what is pending, started by the command before, and gives what it acknowledged, what it
// said, and whether it reported success.
func workUnder(t *testing.T, path string, before ...string) (acknowledged map[int64]bool, said string, success bool) {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	argv := append(before, exe)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"=work "+path, "GOMAXPROCS=2")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	acknowledged = map[int64]bool{}
	for line := range strings.Lines(stdout.String()) {
		num, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		must(t, err)
		acknowledged[num] = true
	}
	return acknowledged, stderr.String(), err == nil
}

// A write or an fsync that fails, once or from then on: the process says so, or it was one that does not matter; nothing that
// was acknowledged is lost, and the next process goes on.
func TestFailingDisk(t *testing.T) {
	const documents = 300
	if out, err := exec.Command("strace", "-f", "-qq", "-e", "trace=none", "true").CombinedOutput(); err != nil {
		t.Skipf("no strace, or it may not trace: %v %s", err, out)
	}
	pending := pendingFile(t, documents)
	failed := 0
	for _, inject := range []string{
		"fdatasync:error=EIO:when=1", "fdatasync:error=EIO:when=2", "fdatasync:error=EIO:when=5", "fdatasync:error=EIO:when=3+",
		"pwrite64:error=EIO:when=1", "pwrite64:error=EIO:when=10", "pwrite64:error=EIO:when=30", "pwrite64:error=EIO:when=20+",
		"pwrite64:error=ENOSPC:when=1", "pwrite64:error=ENOSPC:when=12", "pwrite64:error=ENOSPC:when=40", "pwrite64:error=ENOSPC:when=30+",
		"ftruncate:error=EIO:when=1", "unlink:error=EIO:when=1+",
		"openat:error=EMFILE:when=8+",
	} {
		t.Run(inject, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			must(t, os.WriteFile(path, pending, 0o600))
			journal := filepath.Join(t.TempDir(), "strace")
			call, _, _ := strings.Cut(inject, ":")
			acknowledged, said, success := workUnder(t, path, "strace", "-f", "-qq", "-o", journal, "-e", "trace="+call, "-e", "inject="+inject)
			calls, err := os.ReadFile(journal)
			must(t, err)
			if !bytes.Contains(calls, []byte("(INJECTED)")) {
				t.Errorf("nothing failed in %d calls", bytes.Count(calls, []byte("\n")))
			}
			if success && len(acknowledged) < documents {
				t.Errorf("reported success with %d of %d acknowledged", len(acknowledged), documents)
			}
			if !success && !strings.Contains(said, "state.db") {
				t.Errorf("said %q, want the file and the cause", said)
			}
			if !success {
				failed++
			}
			t.Logf("success %v, %d acknowledged: %s", success, len(acknowledged), said)
			wantGoesOn(t, path, acknowledged, documents)
		})
	}
	if failed == 0 {
		t.Error("no failing call was noticed")
	}
}

// wantGoesOn checks that nothing that was acknowledged is lost, and that the next process gets to the end.
func wantGoesOn(t *testing.T, path string, acknowledged map[int64]bool, documents int) {
	t.Helper()
	checkAcknowledged(t, path, acknowledged)
	if _, said, success := workUnder(t, path); !success {
		t.Fatalf("the next process: %s", said)
	}
	if got := numberIn(t, path, `SELECT count(*) FROM items WHERE state = 'done'`); got != documents {
		t.Errorf("the next process: %d done, want %d", got, documents)
	}
}

// A disk that is full: the process says so and what it acknowledged is there; with room again the next one goes on.
func TestFullDisk(t *testing.T) {
	const documents = 3000
	pending := pendingFile(t, documents)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("no small file system can be mounted: %v", err)
	}
	defer func() { must(t, syscall.Unmount(dir, 0)) }()
	path := filepath.Join(dir, "state.db")
	must(t, os.WriteFile(path, pending, 0o600))
	acknowledged, said, success := workUnder(t, path)
	if success || !strings.Contains(said, "state.db: ") || !strings.Contains(said, "no space left on device") {
		t.Errorf("success %v, said %q, want the file and the cause", success, said)
	}
	if len(acknowledged) == 0 {
		t.Error("nothing was acknowledged before the disk was full")
	}
	t.Logf("%d acknowledged: %s", len(acknowledged), said)
	must(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=256m"))
	wantGoesOn(t, path, acknowledged, documents)
}

// The whole disk is taken by something else before the file is opened.
func TestNoRoomToOpen(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no small file system can be mounted: %v", err)
	}
	defer func() { must(t, syscall.Unmount(dir, 0)) }()
	path := filepath.Join(dir, "state.db")
	for room := 0; room <= 64; room += 4 {
		must(t, os.WriteFile(filepath.Join(dir, "ballast"), nil, 0o600))
		_ = os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 64<<10-room<<10), 0o600) // as much as there is room for
		_, err := Open(t.Context(), path, Options{})
		if err == nil || !strings.Contains(err.Error(), "no space left on device") || !strings.Contains(err.Error(), "state.db") {
			t.Errorf("%d KiB: got error %v", room, err)
		}
	}
}
