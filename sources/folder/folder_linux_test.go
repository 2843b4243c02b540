package folder

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"syscall"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/sources/pathname"
	"docbatch/sources/sourcestest"
)

// loseRights makes permissions hold for the test even where it is root: its thread sees files as nobody does. Only what runs in the
// test's own goroutine is affected.
func loseRights(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
	t.Cleanup(func() {
		syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0)
		runtime.UnlockOSThread()
	})
}

func TestUnreadable(t *testing.T) {
	root := tree(t, "a.txt", "locked/x", "secret.txt", "secret.zip", "z.txt")
	for _, path := range []string{"locked", "secret.txt", "secret.zip"} {
		if err := os.Chmod(filepath.Join(root, path), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(root, "locked"), 0o755) })
	if err := os.Chmod(filepath.Dir(root), 0o755); err != nil { // made by testing for its owner alone
		t.Fatal(err)
	}
	loseRights(t)
	s := open(t, Options{Root: root})
	got := refs(t, s)
	if want := []string{"a.txt", "locked/ lost", "secret.txt", "secret.zip lost", "z.txt"}; !reflect.DeepEqual(ids(got), want) {
		t.Fatalf("got %q, want %q", ids(got), want)
	}
	check(t, got[1].Err, pipeline.Invalid, pipeline.KindRead, "open "+root+"/locked: permission denied")
	check(t, got[3].Err, pipeline.Invalid, pipeline.KindRead, "open "+root+"/secret.zip: permission denied")
	if got[1].Name != "locked/" {
		t.Errorf("name %q, want locked/", got[1].Name)
	}
	_, err := s.Open(t.Context(), got[2])
	check(t, err, pipeline.Invalid, pipeline.KindRead, "open "+root+"/secret.txt: permission denied")
}

func TestNamesThatAreNotText(t *testing.T) {
	root := tree(t, "a\xffb.txt", "line\nbreak", "d\xe9j\xe0/vu", "esc\x1b[31m", "c1\u0085")
	s := open(t, Options{Root: root})
	got := refs(t, s)
	want := []string{"a%FFb.txt", "c1%C2%85", "d%E9j%E0/vu", "esc%1B[31m", "line%0Abreak"}
	if !reflect.DeepEqual(ids(got), want) {
		t.Fatalf("got %q, want %q", ids(got), want)
	}
	for _, ref := range got {
		doc, err := s.Open(t.Context(), ref)
		if err != nil || string(doc.Data) != pathname.Unescape(ref.ID) {
			t.Errorf("open %q: %v, %v", ref.ID, doc, err)
		}
	}
	t.Run("conformance", func(t *testing.T) {
		sourcestest.Test(t, func(t *testing.T) pipeline.Source {
			s, err := Open(Options{Root: root})
			if err != nil {
				t.Fatal(err)
			}
			return s
		})
	})
}

// TestStrangeFiles has what looks like a regular file, or has the name of one, and is none.
func TestStrangeFiles(t *testing.T) {
	root := tree(t, "dir.txt/a", "z")
	sparse, err := os.Create(filepath.Join(root, "sparse.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer sparse.Close()
	if err := sparse.Truncate(10 << 30); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(root, "socket.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := open(t, Options{Root: root})
	if got, want := ids(refs(t, s)), []string{"dir.txt/a", "sparse.txt", "z"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = s.Open(t.Context(), pipeline.Ref{ID: "sparse.txt"})
	check(t, err, pipeline.Invalid, pipeline.KindTooLarge, "sparse.txt: 10737418240 bytes are more than 33554432 (the bound on size)")
	for _, id := range []string{"socket.txt", "dir.txt"} {
		_, err = s.Open(t.Context(), pipeline.Ref{ID: id})
		check(t, err, pipeline.Invalid, pipeline.KindRead, id+": not a regular file")
	}
	for _, path := range []string{"/proc/self/status", "/sys/kernel/mm/transparent_hugepage/enabled"} {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		f, err := OpenFiles(FilesOptions{Paths: []string{path}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Open(t.Context(), pipeline.Ref{ID: path})
		check(t, err, pipeline.Invalid, pipeline.KindRead, path+": it does not hold as many bytes as its size says")
	}
	for _, path := range []string{"/dev/null", "/dev/zero"} {
		if _, err := OpenFiles(FilesOptions{Paths: []string{path}}); err == nil {
			t.Errorf("%s was taken for a document", path)
		}
	}
}

// TestSameSizeAndTime is a document that is replaced by another of its size and time, as cp -p and rsync do.
func TestSameSizeAndTime(t *testing.T) {
	root := tree(t, "a.txt")
	path := filepath.Join(root, "a.txt")
	s := open(t, Options{Root: root})
	before := refs(t, s)[0].Stamp
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	// The kernel's clock for files moves every few milliseconds.
	for deadline := time.Now().Add(10 * time.Second); refs(t, s)[0].Stamp == before; {
		if time.Now().After(deadline) {
			t.Fatalf("the document was replaced, the stamp is still %s", before)
		}
		if err := os.WriteFile(path, bytes.Repeat([]byte("b"), int(info.Size())), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	if after, err := os.Stat(path); err != nil || after.Size() != info.Size() || !after.ModTime().Equal(info.ModTime()) {
		t.Errorf("size and time: got %v, want them as before", after)
	}
}
