package folder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/sources/pathname"
	"docbatch/sources/sourcestest"
)

// tree makes files in a new folder: a path that ends in a slash is a folder, "a -> b" a symbolic link a to b, all else a file
// whose text is its path.
func tree(t testing.TB, paths ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, p := range paths {
		p, target, isLink := strings.Cut(p, " -> ")
		path := filepath.Join(root, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case isLink:
			err = os.Symlink(strings.ReplaceAll(target, "ROOT", root), path)
		case strings.HasSuffix(p, "/"):
			err = os.MkdirAll(path, 0o755)
		default:
			err = os.WriteFile(path, []byte(p), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func open(t testing.TB, o Options) *Source {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func refs(t testing.TB, s pipeline.Source) []pipeline.Ref {
	t.Helper()
	var all []pipeline.Ref
	for ref, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ref)
	}
	return all
}

func ids(refs []pipeline.Ref) []string {
	var ids []string
	for _, ref := range refs {
		id := ref.ID
		if ref.Err != nil {
			id += " lost"
		}
		ids = append(ids, id)
	}
	return ids
}

// check fails unless err is of a class and kind and says want.
func check(t *testing.T, err error, class pipeline.Class, kind, want string) {
	t.Helper()
	e, ok := errors.AsType[*pipeline.Error](err)
	if !ok || e.Class != class || e.Kind != kind {
		t.Fatalf("got %#v, want class %s, kind %s", err, class, kind)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want %q in it", err, want)
	}
}

func TestConformance(t *testing.T) {
	root := tree(t, "b.txt", "a/x.txt", "a/y/z.txt", "a.txt", "100%41.txt", "empty/", "zero")
	if err := os.Truncate(filepath.Join(root, "zero"), 0); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"plain":    {Root: root},
		"patterns": {Root: root, Include: []string{"*.txt"}, Exclude: []string{"y/"}},
		"links":    {Root: root, FollowSymlinks: true},
	} {
		t.Run(name, func(t *testing.T) {
			sourcestest.Test(t, func(t *testing.T) pipeline.Source {
				s, err := Open(o)
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

func TestList(t *testing.T) {
	for _, tt := range []struct {
		name    string
		files   []string
		options Options
		want    []string
	}{
		{"order of path elements", []string{"b", "a/z", "a/b/c", "a.txt", "a-b"}, Options{},
			[]string{"a/b/c", "a/z", "a-b", "a.txt", "b"}},
		{"nothing", nil, Options{}, nil},
		{"hidden", []string{".a", ".git/x", "b/.c", "d"}, Options{}, []string{"d"}},
		{"hidden asked for", []string{".a", ".git/x", "b/.c", "d"}, Options{Hidden: true}, []string{".a", ".git/x", "b/.c", "d"}},
		{"lock files and unfinished outputs", []string{"~$letter.docx", ".~lock.a.odt#", ".out.csv.docbatch-123.tmp", "a.tmp"}, Options{Hidden: true},
			[]string{"a.tmp"}},
		{"include by name", []string{"a.txt", "b/c.txt", "b/d.md"}, Options{Include: []string{"*.txt"}}, []string{"a.txt", "b/c.txt"}},
		{"include by path", []string{"a.txt", "b/c.txt", "b/e/d.txt"}, Options{Include: []string{"b/*.txt"}}, []string{"b/c.txt"}},
		{"include at any depth", []string{"a.txt", "b/c.txt", "b/e/d.txt"}, Options{Include: []string{"b/**/*.txt"}}, []string{"b/c.txt", "b/e/d.txt"}},
		{"include a folder", []string{"a.txt", "b/c.txt", "b/e/d.md", "e/b"}, Options{Include: []string{"b/"}}, []string{"b/c.txt", "b/e/d.md"}},
		{"include only at the root", []string{"a.txt", "b/a.txt"}, Options{Include: []string{"/a.txt"}}, []string{"a.txt"}},
		{"include one of several", []string{"a.txt", "b.md", "c.pdf"}, Options{Include: []string{"*.{txt,md}"}}, []string{"a.txt", "b.md"}},
		{"exclude by name", []string{"a.pdf", "b/c.pdf", "b/d"}, Options{Exclude: []string{"*.pdf"}}, []string{"b/d"}},
		{"exclude a folder by name", []string{"a", "b/drafts/c", "drafts/d/e"}, Options{Exclude: []string{"drafts"}}, []string{"a"}},
		{"exclude a folder, not a file", []string{"a/drafts", "drafts/d/e"}, Options{Exclude: []string{"drafts/"}}, []string{"a/drafts"}},
		{"exclude what is in a folder", []string{"a", "b/c", "b/d/e"}, Options{Exclude: []string{"./b/**"}}, []string{"a"}},
		{"exclude wins", []string{"a.txt", "b.txt"}, Options{Include: []string{"*.txt"}, Exclude: []string{"b*"}}, []string{"a.txt"}},
		{"exclude wins in an included folder", []string{"b/c", "b/d"}, Options{Include: []string{"b/"}, Exclude: []string{"d"}}, []string{"b/c"}},
		{"percent signs", []string{"100%", "a%41b", "a%4", "%%%25"}, Options{}, []string{"%%%2525", "100%", "a%4", "a%2541b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.Root = tree(t, tt.files...)
			s := open(t, tt.options)
			got := refs(t, s)
			if !reflect.DeepEqual(ids(got), tt.want) {
				t.Errorf("got %q, want %q", ids(got), tt.want)
			}
			for _, ref := range got {
				doc, err := s.Open(t.Context(), ref)
				if err != nil || string(doc.Data) != pathname.Unescape(ref.ID) {
					t.Errorf("open %q: %v, %v", ref.ID, doc, err)
				}
			}
		})
	}
}

func TestSkip(t *testing.T) {
	root := tree(t, "a.txt", "job.db", "sub/job.db", "out/x.csv", "later/a")
	got := ids(refs(t, open(t, Options{Root: root, Skip: []string{
		filepath.Join(root, "job.db"),
		filepath.Join(root, "sub", "..", "later"),
		filepath.Join(root, "out", "x.csv"),
		filepath.Join(root, "not", "yet", "there.csv"),
	}})))
	if want := []string{"a.txt", "sub/job.db"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRef(t *testing.T) {
	root := tree(t, "sub/a.txt")
	path := filepath.Join(root, "sub", "a.txt")
	if err := os.Chtimes(path, time.Time{}, time.Unix(0, 36*36)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Root: root, Name: "inbox"})
	got := refs(t, s)[0]
	want := pipeline.Ref{Source: "inbox", ID: "sub/a.txt", Name: "a.txt", Stamp: "9-100-" + strconv.FormatInt(changed(info), 36) + "-644"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	doc, err := s.Open(t.Context(), got)
	if err != nil || doc.Path != path {
		t.Errorf("path %q, %v, want %q", doc.Path, err, path)
	}
	changes := map[string]func() error{
		"size": func() error { return os.WriteFile(path, []byte("longer than before"), 0o644) },
		"time": func() error { return os.Chtimes(path, time.Time{}, time.Unix(0, 36*36+1)) },
		"mode": func() error { return os.Chmod(path, 0o600) },
	}
	for name, change := range changes {
		before := refs(t, s)[0].Stamp
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if after := refs(t, s)[0].Stamp; after == before {
			t.Errorf("%s changed, the stamp %s did not", name, after)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	root := tree(t, "a.txt")
	for _, tt := range []struct {
		name    string
		options Options
		want    string
	}{
		{"missing", Options{Root: filepath.Join(root, "no")}, "open folder " + filepath.Join(root, "no") + ": "},
		{"a file", Options{Root: filepath.Join(root, "a.txt")}, "not a folder"},
		{"malformed pattern", Options{Root: root, Include: []string{"[a"}}, `pattern "[a": malformed`},
		{"empty pattern", Options{Root: root, Exclude: []string{"/"}}, `pattern "/": malformed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Open(tt.options)
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
		})
	}
}

func TestDocumentErrors(t *testing.T) {
	root := tree(t, "in/exact", "in/large", "in/folder/x", "outside")
	s := open(t, Options{Root: filepath.Join(root, "in"), MaxBytes: int64(len("in/exact"))})
	if doc, err := s.Open(t.Context(), pipeline.Ref{ID: "exact"}); err != nil || string(doc.Data) != "in/exact" {
		t.Errorf("at the bound: %v, %v", doc, err)
	}
	if err := os.WriteFile(filepath.Join(root, "in", "large"), make([]byte, 9), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, id, kind, want string }{
		{"too large", "large", pipeline.KindTooLarge, "large: 9 bytes are more than 8 (the bound on size)"},
		{"gone", "gone.txt", pipeline.KindRead, "in/gone.txt: "},
		{"folder", "folder", pipeline.KindRead, "in/folder: not a regular file"},
		{"outside", "../outside", pipeline.KindRead, "not inside"},
		{"absolute", "/etc/hostname", pipeline.KindRead, "not inside"},
		{"control character", "a%0Ab", pipeline.KindRead, "in/a%0Ab: "},
		{"NUL", "a%00b", pipeline.KindRead, "in/a%00b: "},
		{"empty", "", pipeline.KindRead, "not inside"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.Open(t.Context(), pipeline.Ref{ID: tt.id})
			check(t, err, pipeline.Invalid, tt.kind, tt.want)
		})
	}
}

// readerFunc is an io.Reader.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestReadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	endless := readerFunc(func(p []byte) (int, error) {
		reads++
		if reads == 2 {
			cancel()
		}
		return len(p), nil
	})
	if _, err := readSize(ctx, endless, 10*readBytes); !errors.Is(err, context.Canceled) || reads != 2 {
		t.Errorf("got %v after %d reads, want %v after 2", err, reads, context.Canceled)
	}
}

func TestChangedWhileRead(t *testing.T) {
	path := filepath.Join(tree(t, "a.txt"), "a.txt")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// The context is asked before each read: the moment between the first look at the file and the last.
	ctx := onAsk{t.Context(), func() {
		if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
			t.Error(err)
		}
	}}
	_, err = readOpen(ctx, f, 100)
	check(t, failure(t.Context(), path, err), pipeline.Transient, pipeline.KindRead, "the file changed while it was read")
}

// onAsk is a context that does something when it is asked whether it has ended.
type onAsk struct {
	context.Context
	do func()
}

func (c onAsk) Err() error {
	c.do()
	return nil
}

func TestFailureClass(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want pipeline.Class
	}{
		{&os.PathError{Op: "open", Path: "a", Err: syscall.ENFILE}, pipeline.Fatal},
		{&os.PathError{Op: "read", Path: "a", Err: syscall.EIO}, pipeline.Transient},
		{&os.PathError{Op: "open", Path: "a", Err: os.ErrPermission}, pipeline.Invalid},
		{errNotRegular, pipeline.Invalid},
	} {
		if got := pipeline.ClassOf(failure(t.Context(), "a", tt.err)); got != tt.want {
			t.Errorf("%v: class %s, want %s", tt.err, got, tt.want)
		}
	}
}
