package output

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
}

func wantText(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s: got %.40q, %v, want %.40q", path, got, err, want)
	}
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("in %s: got %q, want %q", dir, got, want)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "x")
	for _, tt := range []struct {
		name, path, want string
		is               error
	}{
		{"no folder", filepath.Join(dir, "none", "out"), "no such file", fs.ErrNotExist},
		{"a folder", dir, "is a folder", nil},
		{"below a file", filepath.Join(file, "out"), "not a directory", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Check(tt.path)
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Fatalf("got %v, want an error that is %v", err, tt.is)
			}
			if prefix := "open " + tt.path + ": "; !strings.HasPrefix(err.Error(), prefix) {
				t.Errorf("got %q, want it to begin with %q", err, prefix)
			}
			if filepath.Separator == '/' && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to say %q", err, tt.want)
			}
		})
	}
}

func TestCheckLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := Check(filepath.Join(dir, "new.csv")); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir)
	write(t, filepath.Join(dir, "old.csv"), "old")
	if err := Check(filepath.Join(dir, "old.csv")); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, "old.csv")
	wantText(t, filepath.Join(dir, "old.csv"), "old")
}

func TestRelativePathSurvivesChdir(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	f, err := Open("out.csv")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, "out.csv")
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.csv")
	live, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	scratch, err := live.Scratch()
	if err != nil {
		t.Fatal(err)
	}
	stale := []string{".out.csv.docbatch-00112233.tmp", ".out.csv.docbatch-ffeeddcc.tmp"}
	others := []string{".other.csv.docbatch-00112233.tmp", ".out.csv.docbatch-x.tmp", "out.csv.docbatch-00112233.tmp", ".out.csv.docbatch-001122334.tmp"}
	for _, name := range append(stale, others...) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".out.csv.docbatch-00112233.d.tmp", ".out.csv.docbatch-44556677.d.tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, name, "deep"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path, "second")
	for _, name := range append(others, filepath.Base(live.tmp.Name()), filepath.Base(scratch)) {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s should have stayed: %v", name, err)
		}
		_ = os.Remove(filepath.Join(dir, name))
	}
	wantNames(t, dir, "out.csv")
}

// A live one that is swept by no one is committed after another was.
func TestTwoAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.csv")
	first, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, "second")
	if _, err := first.Write([]byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := first.Commit(); err != nil {
		t.Fatal(err)
	}
	wantText(t, path, "first")
	wantNames(t, dir, "out.csv")
}

func TestCommitFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.csv")
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Commit(); err == nil || !strings.HasPrefix(err.Error(), "write "+path+": ") {
			t.Errorf("got %v, want an error that names %s", err, path)
		}
	}
	if err := f.Discard(); err != nil {
		t.Errorf("Discard: got %v, want nil", err)
	}
	wantNames(t, dir, "out.csv")
}

func TestTemporary(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"out.csv", ".out.csv", "ünïcödé.xlsx", strings.Repeat("é", 120) + ".csv", "a.docbatch-1.csv"} {
		f, err := Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		scratch, err := f.Scratch()
		if err != nil {
			t.Fatal(err)
		}
		for _, temporary := range []string{f.tmp.Name(), scratch} {
			if !Temporary(filepath.Base(temporary)) {
				t.Errorf("Temporary(%q): got false", filepath.Base(temporary))
			}
		}
		if err := f.Discard(); err != nil {
			t.Fatal(err)
		}
	}
	wantNames(t, dir)
	for _, name := range []string{"", "out.csv", ".hidden", ".docbatch-00112233.tmp", ".x.docbatch-0011223.tmp", ".x.docbatch-0011223g.tmp", ".x.docbatch-00112233.tmp2", "x.docbatch-00112233.tmp", ".x.docbatch-"} {
		if Temporary(name) {
			t.Errorf("Temporary(%q): got true", name)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestStream(t *testing.T) {
	var b strings.Builder
	s := NewStream(&b)
	if _, err := s.Write([]byte("text")); err != nil {
		t.Fatal(err)
	}
	if b.Len() != 0 {
		t.Errorf("before Commit: got %q, want nothing", &b)
	}
	for range 2 {
		if err := s.Commit(); err != nil || b.String() != "text" {
			t.Errorf("Commit: got %q, %v", &b, err)
		}
	}
	broken := errors.New("broken pipe")
	s = NewStream(failing{broken})
	if _, err := s.Write([]byte("text")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Commit(); !errors.Is(err, broken) {
			t.Errorf("Commit to a broken stream: got %v", err)
		}
	}
}
