package sqlite

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files gives what is in a folder, by name.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		found[e.Name()] = string(b)
	}
	return found
}

func writeAndClose(t *testing.T, path string, documents int) {
	t.Helper()
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	list(t, s, rows(documents))
	must(t, s.Close())
}

func look(t *testing.T, path string) (documents int) {
	t.Helper()
	must(t, Look(t.Context(), path, func(r *Reader) error {
		size, err := r.Size(t.Context())
		documents = size.Documents
		return err
	}))
	return documents
}

// A look at a file that nobody has open leaves all beside it as it was.
func TestLookLeavesNoTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	writeAndClose(t, path, 7)
	before := files(t, filepath.Dir(path))
	if got := look(t, path); got != 7 {
		t.Errorf("got %d documents, want 7", got)
	}
	if after := files(t, filepath.Dir(path)); !maps.Equal(before, after) {
		t.Errorf("files before: %d, after: %d, or what is in them", len(before), len(after))
	}
	if err := Look(t.Context(), filepath.Join(t.TempDir(), "none.db"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got error %v, want %v", err, fs.ErrNotExist)
	}
}

// A look sees what a run that goes on has only in its log.
func TestLookWhileWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, Options{})
	list(t, s, rows(5))
	if got := look(t, path); got != 5 {
		t.Errorf("got %d documents, want 5", got)
	}
}

// A run that begins while someone looks makes it look again, at what is there now.
func TestLookAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	writeAndClose(t, path, 0)
	var seen []int
	must(t, Look(t.Context(), path, func(r *Reader) error {
		size, err := r.Size(t.Context())
		seen = append(seen, size.Documents)
		if len(seen) == 1 {
			list(t, open(t, path, Options{}), rows(3))
		}
		return err
	}))
	if len(seen) != 2 || seen[1] != 3 {
		t.Errorf("saw %v documents, want 0 and then 3", seen)
	}
}

func TestHolderSeenFromOutside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	holder := func(want string) {
		t.Helper()
		got, err := Holder(path)
		if err != nil || (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("got %q, error %v, want %q", got, err, want)
		}
	}
	holder("")
	if _, err := os.Lstat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock file: got error %v, want none made", err)
	}
	s, err := Open(t.Context(), path, Options{Command: "docbatch run"})
	must(t, err)
	holder("docbatch run, pid ")
	must(t, s.Close())
	holder("")
	writeAndClose(t, path, 0) // whoever looked has let go of it
}
