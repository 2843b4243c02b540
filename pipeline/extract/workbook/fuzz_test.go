package workbook

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// FuzzRead reads anything. With DOCBATCH_CORPUS, the small files of that folder are seeds too.
func FuzzRead(f *testing.F) {
	good := withSheets(`<row r="1"><c r="A1" t="s"><v>0</v></c><c s="2"><v>12.5</v></c></row><row r="9"><c t="inlineStr"><is><t>x</t></is></c></row>`, "").
		with("xl/worksheets/_rels/sheet1.xml.rels", related("comments", "../comments1.xml", "drawing", "../drawing1.xml")).
		with("xl/comments1.xml", `<comments `+mainSpace+`><authors><author>A</author></authors><comment ref="A1" authorId="0"><text><t>t</t></text></comment></comments>`).
		with("xl/drawing1.xml", `<wsDr xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:p><a:t>t</a:t></a:p></wsDr>`)
	f.Add(good.zipped(f))
	for _, name := range []string{"xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"} {
		f.Add(good.with(name, good[name][:len(good[name])*2/3]).zipped(f))
	}
	addCorpus(f, "xlsx")
	f.Fuzz(func(t *testing.T, data []byte) {
		bounds := content.DefaultBounds()
		bounds.Text, bounds.Part, bounds.Unpacked = 1<<20, 4<<20, 16<<20
		c, err := Read(context.Background(), &content.File{Data: data, Bounds: bounds})
		switch {
		case err != nil && pipeline.ClassOf(err) != pipeline.Invalid:
			t.Errorf("got %v, want an error of class invalid", err)
		case err == nil && (len(c.Text) > bounds.Text || !utf8.ValidString(c.Text+strings.Join(c.Warnings, ""))):
			t.Errorf("got %d bytes of text and the warnings %q", len(c.Text), c.Warnings)
		}
	})
}

// addCorpus adds the files of a format in the folder that DOCBATCH_CORPUS names.
func addCorpus(f *testing.F, format string) {
	folder := os.Getenv("DOCBATCH_CORPUS")
	if folder == "" {
		return
	}
	paths, err := filepath.Glob(filepath.Join(folder, format, "*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) <= 200_000 {
			f.Add(data)
		}
	}
}
