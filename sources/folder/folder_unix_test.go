//go:build unix

package folder

import (
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"

	"docbatch/pipeline"
)

func TestLinks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		files  []string
		follow bool
		want   []string
	}{
		{"not followed", []string{"a", "l -> a", "d/x", "m -> d"}, false, []string{"a", "d/x"}},
		{"followed", []string{"a", "l -> a", "d/x", "m -> d"}, true, []string{"a", "d/x", "l"}},
		{"the first path to a folder", []string{"a -> d", "d/x"}, true, []string{"a/x"}},
		{"loop to itself", []string{"d/x", "d/l -> ."}, true, []string{"d/x"}},
		{"loop to the root", []string{"d/x", "d/l -> ROOT"}, true, []string{"d/x"}},
		{"loop of two", []string{"d/l -> ../e", "e/l -> ../d", "e/x"}, true, []string{"d/l/x"}},
		{"link to itself", []string{"a", "l -> l"}, true, []string{"a", "l lost"}},
		{"link to nowhere", []string{"l -> none", "z"}, true, []string{"l lost", "z"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, Options{Root: tree(t, tt.files...), FollowSymlinks: tt.follow})
			got := refs(t, s)
			if !reflect.DeepEqual(ids(got), tt.want) {
				t.Fatalf("got %q, want %q", ids(got), tt.want)
			}
			for _, ref := range got {
				if ref.Err != nil {
					check(t, ref.Err, pipeline.Invalid, pipeline.KindRead, "open ")
				} else if _, err := s.Open(t.Context(), ref); err != nil {
					t.Errorf("open %s: %v", ref.ID, err)
				}
			}
		})
	}
}

func TestLinksOutAndSkip(t *testing.T) {
	outside := tree(t, "far/x", "state.db")
	root := tree(t, "a", "out -> "+outside)
	got := ids(refs(t, open(t, Options{Root: root, FollowSymlinks: true, Skip: []string{filepath.Join(outside, "state.db")}})))
	if want := []string{"a", "out/far/x"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	linked := filepath.Join(t.TempDir(), "inbox")
	if err := os.Symlink(root, linked); err != nil {
		t.Fatal(err)
	}
	got = ids(refs(t, open(t, Options{Root: linked, Skip: []string{filepath.Join(root, "a")}})))
	if got != nil {
		t.Errorf("root by a link: got %q, want nothing", got)
	}
}

// A link that took the place of a listed file, or of its folder, must not lead out.
func TestSwappedForLink(t *testing.T) {
	root := tree(t, "in/a", "in/sub/b", "secret", "other/b")
	s := open(t, Options{Root: filepath.Join(root, "in")})
	listed := refs(t, s)
	for path, target := range map[string]string{"a": "secret", "sub": "other"} {
		path = filepath.Join(root, "in", path)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(root, target), path); err != nil {
			t.Fatal(err)
		}
	}
	for _, ref := range listed {
		_, err := s.Open(t.Context(), ref)
		check(t, err, pipeline.Invalid, pipeline.KindRead, "open ")
	}
}

func TestSpecialFiles(t *testing.T) {
	root := tree(t, "a")
	fifo := filepath.Join(root, "fifo")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Root: root})
	if got, want := ids(refs(t, s)), []string{"a"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err := s.Open(t.Context(), pipeline.Ref{ID: "fifo"})
	check(t, err, pipeline.Invalid, pipeline.KindRead, "fifo: not a regular file")

	// The same swapped in after the look: opening does not wait for a writer.
	f, err := s.root.OpenFile("fifo", os.O_RDONLY|nonblock, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = readOpen(t.Context(), f, 100)
	check(t, failure(t.Context(), fifo, err), pipeline.Invalid, pipeline.KindRead, "not a regular file")
}

func TestFolderRemovedWhileListing(t *testing.T) {
	root := tree(t, "a", "sub/b", "z")
	var got []string
	for ref, err := range open(t, Options{Root: root}).List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ref.ID)
		if err := os.RemoveAll(filepath.Join(root, "sub")); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(root, "z"))
	}
	if want := []string{"a"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRootRemoved(t *testing.T) {
	root := tree(t, "a")
	s := open(t, Options{Root: root})
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range s.List(t.Context()) {
		n++
		check(t, err, pipeline.Fatal, pipeline.KindRead, "list folder "+root+": no such file")
	}
	if n != 1 {
		t.Errorf("%d refs and errors, want one error", n)
	}
}

func TestFilesFIFO(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFiles(FilesOptions{Paths: []string{fifo}}); err == nil {
		t.Error("a FIFO was taken for a document")
	}
}
