//go:build !windows

package sinks_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"docbatch/sinks"
	"docbatch/sinks/output"
	"docbatch/sinks/sinkstest"
)

// The test binary starts itself as the process that writes: childPath names the output, childLimit bounds its files.
const (
	childPath  = "DOCBATCH_TEST_OUTPUT"
	childLimit = "DOCBATCH_TEST_LIMIT"
)

func TestMain(m *testing.M) {
	path := os.Getenv(childPath)
	switch {
	case path == "":
		os.Exit(m.Run())
	case os.Getenv(childLimit) != "":
		os.Exit(writeOnFullDisk(path))
	default:
		writeForever(path)
	}
}

const crashRecords = 3000

// version writes one of two contents, and calls wrote after every record and every commit.
func version(path string, n int, wrote func()) error {
	s, err := sinks.Open(path, nil)
	if err != nil {
		return err
	}
	for i := range crashRecords {
		if err := s.Write(sinkstest.Record(i, nil, strings.Repeat(fmt.Sprint("version ", n%2, " "), 50))); err != nil {
			return errors.Join(err, s.Discard())
		}
		wrote()
	}
	err = s.Commit()
	wrote()
	return err
}

// writeForever says one byte on stdout for each step.
func writeForever(path string) {
	for n := 0; ; n++ {
		if err := version(path, n, func() { _, _ = os.Stdout.Write([]byte{'.'}) }); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func TestKilledWhileWriting(t *testing.T) {
	for _, ext := range []string{".csv", ".jsonl", ".xlsx"} {
		t.Run(ext, func(t *testing.T) {
			whole := map[[32]byte]bool{}
			for n := range 2 {
				path := filepath.Join(t.TempDir(), "out"+ext)
				if err := version(path, n, func() {}); err != nil {
					t.Fatal(err)
				}
				whole[sum(t, path)] = true
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "out"+ext)
			if err := version(path, 0, func() {}); err != nil {
				t.Fatal(err)
			}
			unfinished := 0
			for round := range 15 {
				// Every third time in the steps around a commit, where the names change.
				steps := 1 + rand.IntN(2*crashRecords)
				if round%3 == 0 {
					steps = crashRecords + rand.IntN(3)
				}
				killAfter(t, path, steps)
				if !whole[sum(t, path)] {
					t.Fatalf("killed after %d steps: the output is neither the old nor the new one", steps)
				}
				unfinished += len(temporaries(t, dir))
				if err := sinks.Check(path); err != nil {
					t.Fatal(err)
				}
				if left := temporaries(t, dir); len(left) > 0 {
					t.Fatalf("after the next Open these are still there: %q", left)
				}
			}
			if unfinished == 0 {
				t.Error("no kill left an unfinished file: the test proves nothing")
			}
		})
	}
}

func killAfter(t *testing.T, path string, steps int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childPath+"="+path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, readErr := bufio.NewReaderSize(out, 16).Discard(steps)
	killErr := cmd.Process.Kill()
	err = cmd.Wait()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if readErr != nil || killErr != nil || !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the writer did not die of SIGKILL: %v, %v, %v\n%s", readErr, killErr, err, &stderr)
	}
}

func temporaries(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if output.Temporary(e.Name()) {
			names = append(names, e.Name())
		}
	}
	if len(entries) != len(names)+1 {
		t.Fatalf("unknown files among %v", entries)
	}
	return names
}

func sum(t *testing.T, path string) [32]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(b)
}

// writeOnFullDisk writes where the kernel refuses every byte of a file beyond 32 KiB, and says what Commit or Write said.
func writeOnFullDisk(path string) int {
	limit := syscall.Rlimit{Cur: 32 << 10, Max: 32 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println(err)
		return 2
	}
	err := version(path, 1, func() {})
	fmt.Println(err)
	if errors.Is(err, syscall.EFBIG) {
		return 0
	}
	return 1
}

func TestFullDisk(t *testing.T) {
	for _, ext := range []string{".csv", ".jsonl", ".xlsx"} {
		t.Run(ext, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "out"+ext)
			if err := version(path, 0, func() {}); err != nil {
				t.Fatal(err)
			}
			old := sum(t, path)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childPath+"="+path, childLimit+"=1")
			said, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("got no error of the disk: %v\n%s", err, said)
			}
			if want := "write " + path + ": file too large\n"; string(said) != want {
				t.Errorf("got %q, want %q", said, want)
			}
			if sum(t, path) != old {
				t.Error("the old output has changed")
			}
			if left := temporaries(t, dir); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}
