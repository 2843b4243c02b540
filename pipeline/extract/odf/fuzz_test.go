package odf

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// FuzzRead reads anything, as a ZIP file or, where it begins like XML, as a flat document. With DOCBATCH_CORPUS, the small files of that
// folder are seeds too.
func FuzzRead(f *testing.F) {
	parts := document(`<text:h>h</text:h><text:p>a<text:note><text:note-body><text:p>n</text:p></text:note-body></text:note></text:p>
		<table:table><table:table-row table:number-rows-repeated="9"><table:table-cell><text:p>c</text:p></table:table-cell></table:table-row></table:table>
		<draw:frame><draw:object xlink:href="./Object 1"/><draw:text-box><text:p>b</text:p></draw:text-box></draw:frame>`)
	f.Add(zipped(f, parts))
	for _, name := range []string{"content.xml", "styles.xml"} {
		cut := maps.Clone(parts)
		cut[name] = cut[name][:len(cut[name])*2/3]
		f.Add(zipped(f, cut))
	}
	f.Add(flat(styleSheet, "text", `<text:list text:style-name="L"><text:list-item><text:p text:style-name="P1">a</text:p></text:list-item></text:list><text:p><text:s text:c="9"/></text:p>`))
	f.Add(flat(styleSheet, "spreadsheet", `<table:table><table:table-row table:number-rows-repeated="99"><table:table-cell table:number-columns-repeated="99"><text:p>a</text:p><draw:frame><draw:text-box><text:p>b</text:p></draw:text-box></draw:frame></table:table-cell></table:table-row></table:table>`))
	f.Add(flat(styleSheet, "presentation", `<draw:page draw:style-name="dark"><draw:frame><draw:text-box><text:p>a</text:p></draw:text-box></draw:frame></draw:page><draw:page/>`))
	addFiles(f, "testdata/*")
	if folder := os.Getenv("DOCBATCH_CORPUS"); folder != "" {
		addFiles(f, filepath.Join(folder, "od[tsp]", "*"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		bounds := content.DefaultBounds()
		bounds.Text, bounds.Part, bounds.Unpacked = 1<<20, 4<<20, 16<<20
		read := Read
		if bytes.HasPrefix(data, []byte("<")) {
			read = ReadFlat
		}
		c, err := read(context.Background(), &content.File{Data: data, Bounds: bounds})
		switch {
		case err != nil && pipeline.ClassOf(err) != pipeline.Invalid:
			t.Errorf("got %v, want an error of class invalid", err)
		case err == nil && (len(c.Text) > bounds.Text || !utf8.ValidString(c.Text+strings.Join(c.Warnings, ""))):
			t.Errorf("got %d bytes of text and the warnings %q", len(c.Text), c.Warnings)
		}
	})
}

// addFiles adds the files that a pattern names, up to 200 kB each.
func addFiles(f *testing.F, pattern string) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			f.Fatal(err)
		}
		if info.IsDir() || info.Size() > 200_000 {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}
