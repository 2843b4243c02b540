package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"docbatch/pipeline"
	"docbatch/pipeline/extract"
	"docbatch/pipeline/extract/convert"
	"docbatch/sources/folder"
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

// TestReadStdin reads what comes in as far as a document may go, and does not wait for it when the command is interrupted.
func TestReadStdin(t *testing.T) {
	if doc, err := readStdin(t.Context(), strings.NewReader("words")); err != nil || string(doc.Data) != "words" {
		t.Errorf("got %+v, %v, want its words", doc, err)
	}
	for _, tt := range []struct {
		name string
		in   io.Reader
		kind string
	}{
		{"too large", io.LimitReader(zeros{}, folder.DefaultMaxBytes+1), pipeline.KindTooLarge},
		{"it breaks", iotest.ErrReader(io.ErrUnexpectedEOF), pipeline.KindRead},
	} {
		if _, err := readStdin(t.Context(), tt.in); err == nil || pipeline.AsError(err).Kind != tt.kind {
			t.Errorf("%s: got %v, want kind %s", tt.name, err, tt.kind)
		}
	}
	silent, end := io.Pipe()
	defer end.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readStdin(ctx, silent); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v, want %v", err, context.Canceled)
	}
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
