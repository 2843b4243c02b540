package main

import (
	"archive/zip"
	"bytes"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"docbatch/pipeline/extract"
	"docbatch/pipeline/extract/convert"
)

// zipFiles makes a ZIP archive: zip ARCHIVE FILE...
func zipFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: zip ARCHIVE FILE...")
	}
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range args[1:] {
		w, err := z.Create(name)
		ts.Check(err)
		_, err = w.Write([]byte(ts.ReadFile(name)))
		ts.Check(err)
	}
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), buf.Bytes(), 0o644))
}

// writeBytes makes a file of bytes that are written as in a string of Go: bytes FILE '\x00\x01'
func writeBytes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bytes FILE BYTES")
	}
	b, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b), 0o644))
}

// TestExtractionFingerprint shows what asks about documents anew: what changes their text.
func TestExtractionFingerprint(t *testing.T) {
	tool := func(args ...string) map[string]convert.Command {
		return map[string]convert.Command{".doc": {Args: args}, ".abw": {Args: []string{"abiword", "{in}"}}}
	}
	for _, tt := range []struct {
		name string
		x    extraction
		want string
	}{
		{"the defaults", extraction{images: extract.ImagesOCR}, ""},
		{"time and passwords", extraction{images: extract.ImagesOCR, timeout: time.Hour, passwords: []string{"sesame"}, keep: true}, ""},
		{"pictures", extraction{images: extract.ImagesAttach}, "images=attach"},
		{"languages and articles", extraction{images: extract.ImagesOCR, languages: "deu", article: true}, "article languages=deu"},
		{"converters, whatever their order", extraction{images: extract.ImagesOCR, converters: tool("antiword", "{in}")}, `.abw=["abiword" "{in}"] .doc=["antiword" "{in}"]`},
		{"arguments are told apart", extraction{images: extract.ImagesOCR, converters: tool("antiword", "-m x", "{in}")}, `.abw=["abiword" "{in}"] .doc=["antiword" "-m x" "{in}"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.x.fingerprint(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
