package folder

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"docbatch/pipeline"
	"docbatch/sources/sourcestest"
)

func TestFilesConformance(t *testing.T) {
	root := tree(t, "b.txt", "a/x.txt", "c %41.txt")
	sourcestest.Test(t, func(t *testing.T) pipeline.Source {
		s, err := OpenFiles(FilesOptions{Paths: []string{
			filepath.Join(root, "c %41.txt"), filepath.Join(root, "b.txt"), filepath.Join(root, "a", "x.txt")}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestFiles(t *testing.T) {
	t.Chdir(tree(t, "b.txt", "a/x.txt", "a/y/z.txt"))
	s, err := OpenFiles(FilesOptions{Paths: []string{"./b.txt", "a/../a/x.txt"}})
	if err != nil {
		t.Fatal(err)
	}
	got := refs(t, s)
	if want := []string{"b.txt", "a/x.txt"}; !reflect.DeepEqual(ids(got), want) {
		t.Fatalf("got %q, want %q", ids(got), want)
	}
	if got[1].Source != "files" || got[1].Name != "x.txt" {
		t.Errorf("got source %q, name %q, want files and x.txt", got[1].Source, got[1].Name)
	}
	doc, err := s.Open(t.Context(), got[1])
	if err != nil || string(doc.Data) != "a/x.txt" {
		t.Errorf("got %v, %v", doc, err)
	}
}

func TestFilesErrors(t *testing.T) {
	root := tree(t, "a.txt")
	a := filepath.Join(root, "a.txt")
	for _, tt := range []struct {
		name  string
		paths []string
		want  string
	}{
		{"missing", []string{a, filepath.Join(root, "b.txt")}, "b.txt: "},
		{"folder", []string{root}, "not a regular file"},
		{"twice", []string{a, filepath.Join(root, ".", "a.txt")}, "a.txt: named twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := OpenFiles(FilesOptions{Paths: tt.paths}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}
