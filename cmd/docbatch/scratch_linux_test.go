package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestScratch runs docbatch where there is nothing but itself, as in an image FROM scratch: no zones, no users, no libraries. Only its
// job's folder can be written to, and /tmp.
func TestScratch(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change the root folder")
	}
	const nobody = 65532
	root := t.TempDir()
	if err := copyStatic(filepath.Join(root, "docbatch")); err != nil {
		t.Skipf("the test's program can't stand alone (it can with CGO_ENABLED=0): %v", err)
	}
	for _, dir := range []string{"tmp", "job", "job/inbox"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(root, dir), nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "job/inbox/a.txt"), []byte("Dear Sir, please call. A. Miller"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"plan", "run"} {
		cmd := exec.Command("/docbatch", command, "--demo", "inbox", "-o", "results.xlsx", "--stop-at", "06:00")
		cmd.Dir = "/job"
		cmd.Env = []string{"TZ=Asia/Tokyo", asMain + "=1"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		if command == "run" && !strings.Contains(string(out), "06:00 JST") {
			t.Errorf("06:00 is not taken for the time of the variable TZ:\n%s", out)
		}
	}
}

// copyStatic puts the test's program there, if it needs nothing else to run.
func copyStatic(to string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program, err := elf.Open(self)
	if err != nil {
		return err
	}
	defer program.Close()
	if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) > 0 {
		return errors.Join(err, fmt.Errorf("it needs %v", libraries))
	}
	from, err := os.Open(self)
	if err != nil {
		return err
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, from); err != nil {
		return err
	}
	return f.Close()
}
