package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"docbatch/pipeline"
)

// A file is a member to be: a name that ends in a slash is a folder.
type file struct{ name, text string }

func files(names ...string) []file {
	var all []file
	for _, name := range names {
		all = append(all, file{name, "text of " + name})
	}
	return all
}

func makeZip(t testing.TB, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		m, err := w.Create(f.name)
		if err == nil {
			_, err = io.WriteString(m, f.text)
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

func makeTar(t testing.TB, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.text)), Typeflag: tar.TypeReg}
		if target, is := strings.CutPrefix(f.text, "-> "); is {
			h.Typeflag, h.Linkname, h.Size, f.text = tar.TypeSymlink, target, 0, ""
		}
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag, h.Size, f.text = tar.TypeDir, 0, ""
		}
		err := w.WriteHeader(h)
		if err == nil {
			_, err = io.WriteString(w, f.text)
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

// compressed packs data by a writer of one of the formats.
func compressed(t testing.TB, data string, open func(io.Writer) (io.WriteCloser, error)) string {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err == nil {
		_, err = io.WriteString(w, data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func makeGzip(t testing.TB, data string) string {
	return compressed(t, data, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

func makeXZ(t testing.TB, data string) string {
	return compressed(t, data, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })
}

func makeZstd(t testing.TB, data string) string {
	return compressed(t, data, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
}

// What bzip2 made, for which Go has no writer: "a letter\n", and ten million zeros.
const (
	letterBzip2 = "QlpoOTFBWSZTWfNaQakAAAFRgAAQQAAiBBQAIAAxDAENMalfBRrxdyRThQkPNaQakA=="
	zerosBzip2  = "QlpoOTFBWSZTWdOl3HwATJfAEMAAAAgACCAAMMwFKaaqRFGwFEUeLuSKcKEhp0u4+A=="
)

func unbase64(t testing.TB, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t testing.TB, path, data string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// testStamp is the stamp of a file in these tests; that of package folder knows more.
func testStamp(info fs.FileInfo) string {
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
}

const testMaxBytes = 1 << 20

func newShelf(t testing.TB) *Shelf {
	s := NewShelf(Options{MaxBytes: testMaxBytes, Stamp: testStamp})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openFile(t testing.TB, path string) File {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return File{ID: filepath.Base(path), Path: "in/" + filepath.Base(path), In: in}
}

func all(string, bool) bool { return true }

func list(t testing.TB, s *Shelf, path string) []Member {
	t.Helper()
	members, err := s.List(t.Context(), openFile(t, path), all)
	if err != nil {
		t.Fatal(err)
	}
	return members
}

// documents lists an archive and reads its members: "ID: text" or "ID: class kind: error" of each.
func documents(t testing.TB, s *Shelf, path string) []string {
	t.Helper()
	var docs []string
	for _, m := range list(t, s, path) {
		var data []byte
		var err error
		if m.Err != nil {
			err = m.Err
		} else {
			data, err = s.Read(t.Context(), openFile(t, path), m.ID)
		}
		what := string(data)
		if e, ok := errors.AsType[*pipeline.Error](err); ok {
			what = fmt.Sprintf("%s %s: %s", e.Class, e.Kind, e)
		} else if err != nil {
			what = "unclassed " + err.Error()
		}
		docs = append(docs, m.ID+": "+what)
	}
	return docs
}

// archived writes data as an archive of that name and gives its documents.
func archived(t testing.TB, name, data string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	write(t, path, data)
	return documents(t, newShelf(t), path)
}
