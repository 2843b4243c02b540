package rtf

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// FuzzRead reads anything as RTF. The files of DOCBATCH_CORPUS/rtf are seeds too.
func FuzzRead(f *testing.F) {
	for _, doc := range []string{
		wrapped,
		`{\rtf1\ansi\ansicpg1252\deff0` + fontTable + `\pard\outlinelevel0 a\par\f2\'82\'a0\u8364?\u-10179?\u-8704?{\v b}{\deleted c}}`,
		`{\rtf1{\header a}\trowd b\cell{\footnote c}\cell\row\trowd d\nestcell\nestrow\cell\row\pard{\listtext 1.\tab}e{\*\annotation f}}`,
		`{\rtf1{\info{\title a}{\creatim\yr2024\mo3\dy5}}{\shp{\*\shpinst{\shptxt b\par}}{\shprslt c}}{\upr{d}{\*\ud e}}\bin3 abc}`,
	} {
		f.Add([]byte(doc))
	}
	if dir := os.Getenv("DOCBATCH_CORPUS"); dir != "" {
		files, err := filepath.Glob(filepath.Join(dir, "rtf", "*"))
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			if data, err := os.ReadFile(name); err == nil && len(data) <= 200_000 {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		bounds := content.DefaultBounds()
		bounds.Text = 1 << 20
		c, err := Read(context.Background(), &content.File{Data: data, Bounds: bounds})
		if err != nil {
			if pipeline.ClassOf(err) != pipeline.Invalid {
				t.Fatalf("class %v of %v, want invalid", pipeline.ClassOf(err), err)
			}
			return
		}
		if !utf8.ValidString(c.Text) {
			t.Errorf("text that is no UTF-8: %q", c.Text)
		}
		if len(c.Text) > bounds.Text {
			t.Errorf("%d bytes of text, more than %d", len(c.Text), bounds.Text)
		}
		if page, ok := HTML(data); ok && len(page) > 4*len(data) {
			t.Errorf("a page of %d bytes out of %d", len(page), len(data))
		}
	})
}
