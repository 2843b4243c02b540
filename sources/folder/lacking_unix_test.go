//go:build unix

package folder

import (
	"iter"
	"path/filepath"
	"syscall"
	"testing"

	"docbatch/pipeline"
)

// withoutDescriptors runs f while this process can open nothing more.
func withoutDescriptors(t *testing.T, f func()) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Skipf("the limit of open files can't be changed: %v", err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}()
	f()
}

// listing is the error that a listing ends with.
func listing(t *testing.T, s pipeline.Source) (err error) {
	for _, err = range s.List(t.Context()) {
	}
	return err
}

// Too few file descriptors stop the run: no document is to blame, whether it is opened or listed.
func TestNoDescriptors(t *testing.T) {
	root := tree(t, "a", "d/e/x", "z")
	s := open(t, Options{Root: root})
	single, err := OpenFiles(FilesOptions{Paths: []string{filepath.Join(root, "a")}})
	if err != nil {
		t.Fatal(err)
	}
	zip, err := OpenFiles(FilesOptions{Paths: []string{put(t, t.TempDir(), "d.zip", zipped(t, "a"))}})
	if err != nil {
		t.Fatal(err)
	}
	all := refs(t, s)
	named := refs(t, single)
	member := refs(t, zip)
	for _, tt := range []struct {
		name string
		do   func() error
	}{
		{"open a file of a folder", func() error { _, err := s.Open(t.Context(), all[0]); return err }},
		{"open a file below a folder", func() error { _, err := s.Open(t.Context(), all[1]); return err }},
		{"open a named file", func() error { _, err := single.Open(t.Context(), named[0]); return err }},
		{"open a member of an archive", func() error { _, err := zip.Open(t.Context(), member[0]); return err }},
		{"list an archive", func() error { return listing(t, zip) }},
		{"open a folder", func() error { _, err := Open(Options{Root: root}); return err }},
		{"list a folder", func() error { return listing(t, s) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			withoutDescriptors(t, func() { err = tt.do() })
			check(t, err, pipeline.Fatal, pipeline.KindMachine, "too many open files")
		})
	}
	t.Run("list further", func(t *testing.T) {
		next, stop := iter.Pull2(s.List(t.Context()))
		defer stop()
		if ref, err, _ := next(); err != nil || ref.ID != "a" {
			t.Fatalf("first: got %q, error %v", ref.ID, err)
		}
		var ref pipeline.Ref
		var err error
		withoutDescriptors(t, func() { ref, err, _ = next() })
		if ref.ID != "" {
			t.Errorf("got the ref %q of what could not be listed", ref.ID)
		}
		check(t, err, pipeline.Fatal, pipeline.KindMachine, "too many open files")
	})
}
