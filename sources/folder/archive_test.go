package folder

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/sources/sourcestest"
)

// zipped is a zip of members whose text is their path.
func zipped(t testing.TB, paths ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, p := range paths {
		m, err := w.Create(p)
		if err == nil {
			_, err = io.WriteString(m, p)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// tarred is a tar.gz of such members.
func tarred(t testing.TB, paths ...string) string {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	w := tar.NewWriter(gz)
	for _, p := range paths {
		err := w.WriteHeader(&tar.Header{Name: p, Mode: 0o644, Size: int64(len(p))})
		if err == nil {
			_, err = io.WriteString(w, p)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// put writes a file below a folder, as one that is old enough to be read at once.
func put(t testing.TB, root, path, text string) string {
	t.Helper()
	path = filepath.Join(root, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConformanceOfArchives(t *testing.T) {
	root := tree(t, "a.txt", "b/wow!/x.txt", "z.txt")
	put(t, root, "b/dump.zip", zipped(t, "a.txt", "d/b.txt", "../out"))
	put(t, root, "dump.tar.gz", tarred(t, "a.txt", "d/b.txt", "d/b.txt"))
	put(t, root, "broken.tgz", tarred(t, "a.txt", "b.txt")[:40])
	put(t, root, "text.zip", "text")
	named := filepath.Join(root, "b", "dump.zip")
	for name, open := range map[string]func() (pipeline.Source, error){
		"folder": func() (pipeline.Source, error) { return Open(Options{Root: root}) },
		"links":  func() (pipeline.Source, error) { return Open(Options{Root: root, FollowSymlinks: true}) },
		"files": func() (pipeline.Source, error) {
			return OpenFiles(FilesOptions{Paths: []string{named, filepath.Join(root, "dump.tar.gz"), filepath.Join(root, "text.zip")}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			sourcestest.Test(t, func(t *testing.T) pipeline.Source {
				s, err := open()
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

func TestListArchives(t *testing.T) {
	root := tree(t, "a!/b.zip.txt", "c.txt", "sub/e.pdf")
	put(t, root, "sub/d.zip", zipped(t, "x.pdf", "letters/y.txt", "letters/drafts/w.txt", ".hidden/z.txt", "letters/~$lock.docx", "q.docbatch-1.tmp"))
	put(t, root, "e.tgz", tarred(t, "letters/y.txt", ".v"))
	put(t, root, ".f.zip", zipped(t, "a"))
	put(t, root, "g.zip", "no zip")
	for _, tt := range []struct {
		name    string
		options Options
		want    []string
	}{
		{"all", Options{}, []string{"a%21/b.zip.txt", "c.txt", "e.tgz!/letters/y.txt", "g.zip", "sub/d.zip!/x.pdf", "sub/d.zip!/letters/y.txt",
			"sub/d.zip!/letters/drafts/w.txt", "sub/d.zip!/q.docbatch-1.tmp", "sub/e.pdf"}},
		{"hidden", Options{Hidden: true, Include: []string{".*", ".*/"}}, []string{".f.zip!/a", "e.tgz!/.v", "sub/d.zip!/.hidden/z.txt"}},
		{"include by name", Options{Include: []string{"*.pdf"}}, []string{"sub/d.zip!/x.pdf", "sub/e.pdf"}},
		{"include by path", Options{Include: []string{"sub/d.zip!/letters/*"}}, []string{"sub/d.zip!/letters/y.txt"}},
		{"include at any depth", Options{Include: []string{"**/letters/**"}}, []string{"e.tgz!/letters/y.txt", "sub/d.zip!/letters/y.txt", "sub/d.zip!/letters/drafts/w.txt"}},
		{"include a folder within", Options{Include: []string{"drafts/"}}, []string{"sub/d.zip!/letters/drafts/w.txt"}},
		{"include the folder of an archive", Options{Include: []string{"sub/"}}, []string{"sub/d.zip!/x.pdf", "sub/d.zip!/letters/y.txt",
			"sub/d.zip!/letters/drafts/w.txt", "sub/d.zip!/q.docbatch-1.tmp", "sub/e.pdf"}},
		{"include archives", Options{Include: []string{"*.tgz"}}, []string{"e.tgz!/letters/y.txt"}},
		{"exclude archives", Options{Exclude: []string{"*.zip"}}, []string{"a%21/b.zip.txt", "c.txt", "e.tgz!/letters/y.txt", "sub/e.pdf"}},
		{"exclude an archive like a folder", Options{Exclude: []string{"d.zip/", "*.t*"}}, []string{"g.zip", "sub/e.pdf"}},
		{"exclude a folder within", Options{Include: []string{"*.txt"}, Exclude: []string{"letters"}}, []string{"a%21/b.zip.txt", "c.txt"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.Root = root
			s := open(t, tt.options)
			got := refs(t, s)
			if !reflect.DeepEqual(ids(got), tt.want) {
				t.Errorf("got %q, want %q", ids(got), tt.want)
			}
			for _, ref := range got {
				doc, err := s.Open(t.Context(), ref)
				_, member, is := strings.Cut(ref.ID, "!/")
				if err != nil || is && string(doc.Data) != member {
					t.Errorf("open %q: %v, %v", ref.ID, doc, err)
				}
			}
		})
	}
}

func TestMemberRef(t *testing.T) {
	root := t.TempDir()
	path := put(t, root, "sub/d.zip", zipped(t, "letters/y.txt"))
	s := open(t, Options{Root: root, Name: "inbox"})
	got := refs(t, s)[0]
	want := pipeline.Ref{Source: "inbox", ID: "sub/d.zip!/letters/y.txt", Name: "y.txt",
		Stamp: fmt.Sprintf("d-%08x", crc32.ChecksumIEEE([]byte("letters/y.txt")))}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	doc, err := s.Open(t.Context(), got)
	if err != nil || doc.Path != path {
		t.Errorf("path %q, %v, want %q", doc.Path, err, path)
	}
}

// TestFilesArchives: patterns see the paths in a named archive, each archive its own patterns.
func TestFilesArchives(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "in", "a.zip", zipped(t, "x.pdf", "letters/y.txt", ".z"))
	put(t, "in", "b.tgz", tarred(t, "x.pdf", "y.txt"))
	put(t, "in", "c.zip", "no zip")
	s, err := OpenFiles(FilesOptions{Paths: []string{"in/a.zip", "in/b.tgz", "in/c.zip"},
		Select: []Selection{{Include: []string{"letters/*", ".*"}, Hidden: true}, {Exclude: []string{"*.txt"}}, {Include: []string{"none"}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := refs(t, s)
	if want := []string{"in/a.zip!/letters/y.txt", "in/a.zip!/.z", "in/b.tgz!/x.pdf", "in/c.zip"}; !reflect.DeepEqual(ids(got), want) {
		t.Errorf("got %q, want %q", ids(got), want)
	}
	if doc, err := s.Open(t.Context(), got[0]); err != nil || string(doc.Data) != "letters/y.txt" || doc.Path != filepath.FromSlash("in/a.zip") {
		t.Errorf("got %v, %v", doc, err)
	}
	if _, err := OpenFiles(FilesOptions{Paths: []string{"in/a.zip"}, Select: []Selection{{Include: []string{"[a"}}}}); err == nil {
		t.Error("a malformed pattern was taken")
	}
}

func TestMemberErrors(t *testing.T) {
	root := t.TempDir()
	path := put(t, root, "d.zip", zipped(t, "a"))
	put(t, root, "text.zip", "text")
	s := open(t, Options{Root: root})
	for _, tt := range []struct{ name, id, want string }{
		{"no such member", "d.zip!/b", "open " + path + "!/b: the archive has no such member any more"},
		{"no such archive", "e.zip!/b", "no such file"},
		{"no archive", "text.zip!/b", "it lay in an archive that is none any more"},
		{"outside", "../d.zip!/a", "not inside"},
		{"a folder", ".!/a", "not a regular file"},
		{"no name", "d.zip!/", "no such member"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.Open(t.Context(), pipeline.Ref{ID: tt.id})
			check(t, err, pipeline.Invalid, pipeline.KindRead, tt.want)
		})
	}
}

// TestArchiveWrittenJustNow is read once the clock of the file system has moved on, as a file is.
func TestArchiveWrittenJustNow(t *testing.T) {
	root := t.TempDir()
	path := put(t, root, "d.zip", zipped(t, "a"))
	now := time.Now()
	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	doc, err := open(t, Options{Root: root}).Open(t.Context(), pipeline.Ref{ID: "d.zip!/a"})
	if err != nil || string(doc.Data) != "a" || time.Since(now) < clockTick {
		t.Errorf("got %v, %v after %v, want it after %v", doc, err, time.Since(now), clockTick)
	}
}
