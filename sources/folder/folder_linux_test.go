package folder

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"syscall"
	"testing"

	"docbatch/pipeline"
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
	root := tree(t, "a.txt", "locked/x", "secret.txt", "z.txt")
	for _, path := range []string{"locked", "secret.txt"} {
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
	if want := []string{"a.txt", "locked/ lost", "secret.txt", "z.txt"}; !reflect.DeepEqual(ids(got), want) {
		t.Fatalf("got %q, want %q", ids(got), want)
	}
	check(t, got[1].Err, pipeline.Invalid, pipeline.KindRead, "open "+root+"/locked: permission denied")
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
		if err != nil || string(doc.Data) != unescape(ref.ID) {
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
