package pdf

import (
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// maxSeed bounds a seed of the corpus, in bytes.
const maxSeed = 200_000

// FuzzRead checks that whatever the bytes are they are read within the bounds, or refused as a document's fault. It cannot see a call that
// does not return but as slow.
func FuzzRead(f *testing.F) {
	f.Add([]byte(one(text(100, 700, "Hello") + text(300, 700, "world")).String()))
	f.Add([]byte(annotated(form, "<</Subtype/Widget/FT/Tx/T(n)/V(Ada)/Rect[150 698 250 710]/AP<</N 5 0 R>>>>", "<</Subtype/Text/Contents(x)/Rect[1 1 2 2]>>").String()))
	f.Add([]byte(scanned(newMade(), scan).String()))
	f.Add([]byte(locked("a", "A secret")))
	f.Add([]byte(nested(3).String()))
	if dir := os.Getenv("DOCBATCH_CORPUS"); dir != "" {
		addCorpus(f, filepath.Join(dir, "pdf", "*.pdf"))
	}
	if err := reader.Start(f.Context()); err != nil { // here, for an input may take 10 seconds and no more
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		bounds := &content.Bounds{Text: 1 << 20, Part: 1 << 20, Unpacked: 2 << 20, Parts: 10, Pages: 100, PageTime: 8 * time.Second, Pixels: 5_000_000}
		c, err := reader.Read(t.Context(), &content.File{Data: data, Passwords: []string{"a"}, Options: content.Options{Images: true}, Bounds: bounds, Within: readWithin})
		if reader.Stuck() {
			t.Fatalf("it takes longer than %v", bounds.PageTime)
		}
		if err != nil {
			if e := pipeline.AsError(err); e.Class != pipeline.Invalid {
				t.Errorf("error %v of class %q, want %q", err, e.Class, pipeline.Invalid)
			}
			return
		}
		if len(c.Text) > bounds.Text || !utf8.ValidString(c.Text) || len(c.Images) > maxImages {
			t.Errorf("%d bytes of text, valid: %v, and %d images", len(c.Text), utf8.ValidString(c.Text), len(c.Images))
		}
	})
}

func addCorpus(f *testing.F, pattern string) {
	names, err := filepath.Glob(pattern)
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) <= maxSeed {
			f.Add(data)
		}
	}
}
