package extract

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline"
)

func file(name, data string) *pipeline.Document {
	return &pipeline.Document{Ref: pipeline.Ref{ID: "in/" + name, Name: name}, Data: []byte(data)}
}

func do(doc *pipeline.Document) error {
	return New().Do(context.Background(), doc, &pipeline.Record{})
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		name, file, data, want, mediaType string
	}{
		{"plain", "a.txt", "hello\n", "hello\n", "text/plain"},
		{"no extension", "README", "hello", "hello", "text/plain"},
		{"markdown", "a.MD", "# Title", "# Title", "text/markdown"},
		{"markdown that begins with a tag", "a.md", "<div align=center>\nTitle", "<div align=center>\nTitle", "text/markdown"},
		{"csv", "a.csv", "a,b\r\n1,2\r\n", "a,b\n1,2\n", "text/csv"},
		{"json", "a.json", `{"a": 1}`, `{"a": 1}`, "application/json"},
		{"yaml", "a.yml", "a: 1", "a: 1", "application/yaml"},
		{"xml by content", "feed", `<?xml version="1.0"?><a/>`, `<?xml version="1.0"?><a/>`, "application/xml"},
		{"mail", "a.eml", "From: a@b\r\n\r\nhi", "From: a@b\n\nhi", "message/rfc822"},
		{"source code", "main.go", "package main\n\tx\n", "package main\n\tx\n", "text/plain"},
		{"text that calls itself a PDF", "a.pdf", "not found", "not found", "text/plain"},
		{"BMP begins with letters", "a.txt", "BMW sells cars", "BMW sells cars", "text/plain"},
		{"windows-1252", "a.txt", "caf\xe9", "café", "text/plain"},
		{"utf-16", "a.txt", "\xff\xfeh\x00\xe9\x00", "hé", "text/plain"},
		{"byte order mark", "a.txt", "\xef\xbb\xbfhi", "hi", "text/plain"},
		{"lone carriage returns", "a.txt", "a\rb\r\nc\n\rd", "a\nb\nc\n\nd", "text/plain"},
		{"control characters", "a.txt", "a\x00b\tc\x1bd\u0080e, and more text\x7f", "ab\tcde, and more text", "text/plain"},
		{"page breaks", "a.txt", "one\ftwo\vthree\u0085four", "one\ntwo\nthree\nfour", "text/plain"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := file(tt.file, tt.data)
			if err := do(doc); err != nil {
				t.Fatal(err)
			}
			if doc.Text != tt.want {
				t.Errorf("text %q, want %q", doc.Text, tt.want)
			}
			if doc.MediaType != tt.mediaType {
				t.Errorf("media type %s, want %s", doc.MediaType, tt.mediaType)
			}
			if doc.Data != nil {
				t.Errorf("%d bytes of data are kept", len(doc.Data))
			}
		})
	}
}

func TestRowPasses(t *testing.T) {
	doc := &pipeline.Document{Ref: pipeline.Ref{Name: "t.csv row 2", Row: 2}, Text: "subject: <html>\n"}
	if err := do(doc); err != nil || doc.Text != "subject: <html>\n" {
		t.Errorf("got %q, %v", doc.Text, err)
	}
}

func TestInvalid(t *testing.T) {
	const binary = "\x00\x01\x02\x03\xff\xfe\x00\x00\x07\x08"
	for _, tt := range []struct {
		name, file, data, kind, want string
	}{
		{"pdf", "letter.pdf", "%PDF-1.7\n" + binary, pipeline.KindUnsupported,
			`letter.pdf: no extractor for PDF (application/pdf) yet; convert it to text first, or leave it out with --exclude "*.pdf"`},
		{"pdf under another name", "letter.txt", "%PDF-1.4\nall readable", pipeline.KindUnsupported, "PDF (application/pdf)"},
		{"rtf", "a.rtf", `{\rtf1\ansi hello}`, pipeline.KindUnsupported, "RTF (application/rtf)"},
		{"html", "a.html", "<p>hello", pipeline.KindUnsupported, "HTML (text/html)"},
		{"html by content", "a.txt", "\n<!DOCTYPE html><title>x", pipeline.KindUnsupported, "HTML (text/html)"},
		{"html in utf-16", "a.txt", "\xff\xfe<\x00h\x00t\x00m\x00l\x00>\x00", pipeline.KindUnsupported, "HTML (text/html)"},
		{"xhtml", "page", `<?xml version="1.0"?><html>`, pipeline.KindUnsupported, "HTML (text/html)"},
		{"docx", "a.docx", "PK\x03\x04" + binary + "word/document.xml" + binary, pipeline.KindUnsupported, "Word documents (application/vnd.openxmlformats"},
		{"odt", "a.odt", "PK\x03\x04" + binary + "mimetypeapplication/vnd.oasis.opendocument.text" + binary, pipeline.KindUnsupported, "OpenDocument texts"},
		{"zip", "a.zip", "PK\x03\x04" + binary, pipeline.KindUnsupported, "ZIP archives (application/zip)"},
		{"doc", "a.DOC", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + binary, pipeline.KindUnsupported, `Word 97 documents (application/msword) yet; convert it to text first, or leave it out with --exclude "*.DOC"`},
		{"png", "a.png", "\x89PNG\r\n\x1a\n" + binary, pipeline.KindUnsupported, "image/png"},
		{"gif", "a.gif", "GIF89a" + binary, pipeline.KindUnsupported, "image/gif"},
		{"gzip", "a.txt.gz", "\x1f\x8b\x08" + binary, pipeline.KindUnsupported, "gzip files"},
		{"unknown binary, no extension", "blob", binary + binary, pipeline.KindUnsupported, "blob: no extractor for binary data (application/octet-stream) yet; convert it to text first"},
		{"extension that is a pattern", "a.[x]", binary + binary, pipeline.KindUnsupported, "convert it to text first"},
		{"empty", "a.pdf", "", pipeline.KindNoText, "a.pdf: there is no text in it"},
		{"white space", "a.txt", "\xef\xbb\xbf \r\n\t\u00a0\n", pipeline.KindNoText, "a.txt: there is no text in it"},
		{"nothing but a control character", "a.txt", "\x00", pipeline.KindNoText, "no text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := do(file(tt.file, tt.data))
			e, ok := errors.AsType[*pipeline.Error](err)
			if !ok || e.Class != pipeline.Invalid || e.Kind != tt.kind {
				t.Fatalf("got %#v, want class invalid, kind %s", err, tt.kind)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
			if strings.Contains(err.Error(), "--exclude \"*.[") {
				t.Errorf("%q offers a pattern that matches something else", err)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := New().Do(ctx, file("a.txt", "hi"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func FuzzExtract(f *testing.F) {
	f.Add("a.txt", []byte("hello\r\n"))
	f.Add("a.html", []byte("<html>"))
	f.Add("a.docx", []byte("PK\x03\x04word/document.xml"))
	f.Add("b", []byte("\xff\xfeh\x00\xe9"))
	f.Add("c.[", []byte("\x00\x01\x02"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		doc := file(name, string(data))
		if err := do(doc); err != nil {
			if pipeline.ClassOf(err) != pipeline.Invalid {
				t.Fatalf("class %s: %v", pipeline.ClassOf(err), err)
			}
			return
		}
		if !utf8.ValidString(doc.Text) || strings.IndexFunc(doc.Text, isUnclean) >= 0 || strings.TrimSpace(doc.Text) == "" {
			t.Fatalf("text %q", doc.Text)
		}
	})
}

func BenchmarkExtract(b *testing.B) {
	data := strings.Repeat("Sehr geehrte Frau Müller, die Rechnung ist fällig.\r\n", 200)
	b.SetBytes(int64(len(data)))
	step := New()
	for b.Loop() {
		doc := file("a.txt", data)
		if err := step.Do(context.Background(), doc, nil); err != nil {
			b.Fatal(err)
		}
	}
}
