package ooxml

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// FuzzRead reads bytes that begin as a ZIP file as both formats, and others as the parts of a package: compressed bytes alone change little.
func FuzzRead(f *testing.F) {
	for _, seed := range []parts{
		docx(p("a", `<w:outlineLvl w:val="1"/>`) + "<w:tbl>" + row("b", "c") + "</w:tbl>" + fieldRuns(` HYPERLINK "x"`, "y")),
		pptx(shape("title", "a"), shape("any", para("b")+para("c", `<a:pPr lvl="1"><a:buAutoNum type="x"/></a:pPr>`))),
	} {
		f.Add(seed.pack(f))
		for _, inner := range seed {
			f.Add([]byte(inner))
		}
	}
	for _, data := range corpus(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte("PK")) {
			checkAny(t, ReadDOCX, data)
			checkAny(t, ReadPPTX, data)
			return
		}
		inner := string(data)
		checkAny(t, ReadDOCX, docx("").with(parts{"word/document.xml": inner, "word/_rels/document.xml.rels": relationsOf("a styles document.xml",
			"b numbering document.xml", "c comments document.xml", "d header document.xml", "e footnotes document.xml", "f chart document.xml",
			"g aFChunk document.xml", "h package document.xml")}).pack(t))
		checkAny(t, ReadPPTX, pptx("").with(parts{"ppt/slides/slide1.xml": inner, "ppt/_rels/presentation.xml.rels": relationsOf("s0 slide slides/slide1.xml",
			"a commentAuthors slides/slide1.xml"), "ppt/slides/_rels/slide1.xml.rels": relationsOf("a notesSlide slide1.xml", "b comments slide1.xml",
			"c chart slide1.xml", "d diagramData slide1.xml")}).pack(t))
	})
}

// checkAny checks what holds of every document.
func checkAny(t *testing.T, read content.Reader, data []byte) {
	t.Helper()
	b := content.DefaultBounds()
	b.Text, b.Part, b.Unpacked, b.Depth, b.Pages, b.Parts = 64<<10, 1<<20, 8<<20, 64, 20, 500
	c, err := read(context.Background(), &content.File{Data: data, Bounds: b, Within: reader})
	if err != nil {
		var classed *pipeline.Error
		if !errors.As(err, &classed) || classed.Class != pipeline.Invalid {
			t.Fatalf("error %v is not of class invalid", err)
		}
		return
	}
	if !utf8.ValidString(c.Text) || len(c.Text) > b.Text {
		t.Fatalf("text of %d bytes, UTF-8: %v", len(c.Text), utf8.ValidString(c.Text))
	}
}

// corpus gives the documents of the folder that DOCBATCH_CORPUS names.
func corpus(f *testing.F) (files [][]byte) {
	folder := os.Getenv("DOCBATCH_CORPUS")
	if folder == "" {
		return nil
	}
	for _, ext := range []string{"docx", "pptx"} {
		names, err := filepath.Glob(filepath.Join(folder, ext, "*"))
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) <= 200<<10 {
				files = append(files, data)
			}
		}
	}
	return files
}
