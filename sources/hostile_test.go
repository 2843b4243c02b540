package sources

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode"

	"docbatch/sources/pathname"
)

// TestHostileNames has inputs whose paths would control a terminal or begin a line of their own: nothing that a source says of itself, of
// its documents or of what is wrong does.
func TestHostileNames(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no file can have such a name here")
	}
	const evil = "a\ndocbatch: 9 answered\x1b[2J\u009b31m\u202e\xff"
	dir := filepath.Join(t.TempDir(), evil)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	clean := func(what, s string) {
		t.Helper()
		if pathname.Controls(s) {
			t.Errorf("%s: %q", what, s)
		}
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, evil+name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	csv := write(".csv", "k,\x1b[2Jcol\u2028umn\nkey one,x\n\"k\nstate: done\x1b\u202e\",y\nragged\n,z\n")
	var members bytes.Buffer
	w := zip.NewWriter(&members)
	for _, name := range []string{evil, evil + "/" + evil + ".txt", "../" + evil, evil} {
		if _, err := w.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	archive := write(".zip", members.String())
	write(".tgz", "\x1f\x8b\x08damaged")
	for _, spec := range []Spec{{Path: csv, Key: "k"}, {Path: dir}, {Path: write(".txt", "text")}, {Path: archive}} {
		src, err := Open(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		clean("name of the source", src.Name())
		n := 0
		for ref, err := range src.List(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			clean("ID", ref.ID)
			clean("name", ref.Name)
			if ref.Err != nil {
				clean("what is wrong", ref.Err.Error())
				continue
			}
			if _, err := src.Open(t.Context(), ref); err != nil {
				t.Errorf("open %s: %v", ref.ID, err)
			}
		}
		if n == 0 {
			t.Errorf("%s: no documents", src.Name())
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, path := range []string{filepath.Join(dir, "none"), write(".xlsx", "not a workbook"), write("b.csv", ""), write("c.csv", "a,a\n\"never closed")} {
		src, err := Open(t.Context(), Spec{Path: path, Sheet: "1", Key: "no such\x1b column"})
		if err == nil {
			t.Fatalf("%q was opened as %s", path, src.Name())
		}
		if i := strings.IndexFunc(err.Error(), unicode.IsControl); i >= 0 {
			t.Errorf("control character at %d in %q", i, err)
		}
	}
}
