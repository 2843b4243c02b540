//go:build !windows

package output

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestMode(t *testing.T) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "out.csv")
	for _, tt := range []struct {
		name       string
		mode, want os.FileMode
	}{
		{"new", 0, 0o640},
		{"private", 0o600, 0o600},
		{"for all, above the umask", 0o666, 0o666},
		{"executable", 0o755, 0o755},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.mode != 0 {
				if err := os.Chmod(path, tt.mode); err != nil {
					t.Fatal(err)
				}
			}
			write(t, path, tt.name)
			info, err := os.Stat(path)
			if err != nil || info.Mode() != tt.want {
				t.Errorf("got %v, %v, want %v", info.Mode(), err, tt.want)
			}
			wantText(t, path, tt.name)
		})
	}
}

func TestOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.csv")
	write(t, path, "old")
	if err := os.Chown(path, 1234, 2345); err != nil {
		t.Skip("needs root: ", err)
	}
	write(t, path, "new")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != 1234 || st.Gid != 2345 {
		t.Errorf("got owner %d:%d, want 1234:2345", st.Uid, st.Gid)
	}
}

func TestSymlink(t *testing.T) {
	for _, tt := range []struct {
		name, link string
		old        bool
	}{
		{"relative", "../real/out.csv", true},
		{"over another link", "hop", true},
		{"to nothing yet", "../real/out.csv", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			real, path := filepath.Join(dir, "real"), filepath.Join(dir, "links", "out.csv")
			for _, d := range []string{real, filepath.Dir(path)} {
				if err := os.Mkdir(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if tt.old {
				write(t, filepath.Join(real, "out.csv"), "old")
			}
			_ = os.Symlink("../real/out.csv", filepath.Join(dir, "links", "hop"))
			if err := os.Symlink(tt.link, path); err != nil {
				t.Fatal(err)
			}
			write(t, path, "new")
			if got, err := os.Readlink(path); err != nil || got != tt.link {
				t.Errorf("the link is %q, %v, want %q", got, err, tt.link)
			}
			wantText(t, filepath.Join(real, "out.csv"), "new")
			wantNames(t, real, "out.csv")
			wantNames(t, filepath.Dir(path), "hop", "out.csv")
		})
	}
}

func TestNotRegular(t *testing.T) {
	dir := t.TempDir()
	fifo, loop := filepath.Join(dir, "fifo.csv"), filepath.Join(dir, "loop.csv")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop.csv", loop); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{fifo: "is not a regular file", loop: "too many symbolic links"} {
		if err := Check(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

// A FIFO that somebody gave a temporary name must neither be removed nor make us wait.
func TestSweepLeavesFIFO(t *testing.T) {
	dir := t.TempDir()
	name := ".out.csv.docbatch-00112233.tmp"
	if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "out.csv"), "x")
	wantNames(t, dir, name, "out.csv")
}

func TestProtected(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "out.csv")
	write(t, path, "old")
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if err := Check(path); !errors.Is(err, os.ErrPermission) {
		t.Errorf("read-only file: got %v, want a permission error", err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	if err := Check(filepath.Join(dir, "new.csv")); !errors.Is(err, os.ErrPermission) {
		t.Errorf("read-only folder: got %v, want a permission error", err)
	}
}

// asNobody runs the calling test again as a user whom permissions hold back.
func asNobody(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "docbatch-output")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	exe := filepath.Join(dir, "test")
	b, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(exe, b, 0o755), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = dir, []string{"TMPDIR=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
