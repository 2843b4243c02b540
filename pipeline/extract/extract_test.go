package extract

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

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
		{"lines of json", "a.jsonl", "{\"a\": 1}\n{\"a\": 2}\n", "{\"a\": 1}\n{\"a\": 2}\n", "application/x-ndjson"},
		{"yaml", "a.yml", "a: 1", "a: 1", "application/yaml"},
		{"xml by content", "feed", `<?xml version="1.0"?><a/>`, `<?xml version="1.0"?><a/>`, "application/xml"},
		{"mail", "a.eml", "From: a@b\r\nTo: c@d\r\nSubject: x\r\n\r\nhi", "From: a@b\nTo: c@d\nSubject: x\n\nhi\n\n", "message/rfc822"},
		{"html", "a.html", "<h1>Title</h1><p>hello", "# Title\n\nhello\n", "text/html"},
		{"html by content", "a.txt", "\n<!DOCTYPE html><title>x</title><p>hello", "hello\n", "text/html"},
		{"html in utf-16", "a.txt", "\xff\xfe<\x00h\x00t\x00m\x00l\x00>\x00\xe9\x00", "é\n", "text/html"},
		{"xhtml", "page", `<?xml version="1.0"?><html><body><p>hello</p></body></html>`, "hello\n", "text/html"},
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
			if _, err := do(doc); err != nil {
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

// TestKnown shows what else is left with the document and its record: what a folder told of it stays.
func TestKnown(t *testing.T) {
	doc := file("a.eml", "From: Ann <a@example.org>\r\nTo: b@example.org\r\nSubject: Hello\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"+
		"--x\r\n\r\nhi\r\n--x\r\nContent-Type: application/pdf; name=m.pdf\r\n\r\n%PDF-1.7 damaged\r\n--x--\r\n")
	doc.Meta = map[string]string{"folder": "in"}
	rec, err := do(doc)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"folder": "in", "title": "Hello", "from": "Ann <a@example.org>", "author": "Ann <a@example.org>", "to": "b@example.org"}
	if !maps.Equal(doc.Meta, want) {
		t.Errorf("meta %q, want %q", doc.Meta, want)
	}
	if len(rec.Warnings) != 1 || !strings.HasPrefix(rec.Warnings[0], "attachment: m.pdf: ") {
		t.Errorf("warnings %q, want one of the attachment", rec.Warnings)
	}
	if !strings.Contains(doc.Text, "hi\n\n--- attachment: m.pdf (application/pdf, 16 bytes) ---") {
		t.Errorf("text %q, want the attachment named in it", doc.Text)
	}
}

func TestRowPasses(t *testing.T) {
	doc := &pipeline.Document{Ref: pipeline.Ref{Name: "t.csv row 2", Row: 2}, Text: "subject: <html>\n"}
	if _, err := do(doc); err != nil || doc.Text != "subject: <html>\n" {
		t.Errorf("got %q, %v", doc.Text, err)
	}
}

func TestInvalid(t *testing.T) {
	const binary = "\x00\x01\x02\x03\xff\xfe\x00\x00\x07\x08"
	secret, err := os.ReadFile("odf/testdata/secret.odt")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", "") // nothing is installed
	for _, tt := range []struct {
		name, file, data, kind, want string
	}{
		{"pdf", "letter.pdf", "%PDF-1.7\n" + binary, pipeline.KindDamaged, "letter.pdf: "},
		{"pdf under another name", "letter.txt", "%PDF-1.4\nall readable", pipeline.KindDamaged, "letter.txt: "},
		{"rtf of nothing", "a.rtf", `{\rtf1\ansi }`, pipeline.KindNoText, "a.rtf: there is no text in it"},
		{"html of nothing", "a.html", "<html><body><img src=x>", pipeline.KindNoText, "a.html: there is no text in it"},
		{"docx", "a.docx", "PK\x03\x04" + binary + "word/document.xml" + binary, pipeline.KindDamaged, "a.docx: "},
		{"odt", "a.odt", "PK\x03\x04" + binary + "mimetypeapplication/vnd.oasis.opendocument.text" + binary, pipeline.KindDamaged, "a.odt: "},
		{"encrypted odt", "a.odt", string(secret), pipeline.KindEncrypted, "a.odt: "},
		{"zip", "a.zip", "PK\x03\x04" + binary, pipeline.KindUnsupported,
			`a.zip: no reader for ZIP archives (application/zip); convert it to text first, or leave it out with --exclude "*.zip"`},
		{"doc", "a.DOC", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + binary, pipeline.KindUnsupported,
			`a.DOC: no reader for Word 97 documents (application/msword); install antiword or libreoffice or catdoc, or leave it out with --exclude "*.DOC"`},
		{"png", "a.png", "\x89PNG\r\n\x1a\n" + binary, pipeline.KindDamaged, "a.png: the picture can't be read: "},
		{"gif", "a.gif", "GIF89a" + binary, pipeline.KindDamaged, "a.gif: the picture can't be read: "},
		{"gzip", "a.txt.gz", "\x1f\x8b\x08" + binary, pipeline.KindUnsupported, "no reader for gzip files (application/gzip)"},
		{"unknown binary, no extension", "blob", binary + binary, pipeline.KindUnsupported, "blob: no reader for binary data (application/octet-stream); convert it to text first"},
		{"extension that is a pattern", "a.[x]", binary + binary, pipeline.KindUnsupported, "convert it to text first"},
		{"empty", "a.pdf", "", pipeline.KindNothing, "a.pdf: the file is empty"},
		{"white space", "a.txt", "\xef\xbb\xbf \r\n\t\u00a0\n", pipeline.KindNoText, "a.txt: there is no text in it"},
		{"nothing but a control character", "a.txt", "\x00", pipeline.KindNoText, "no text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := do(file(tt.file, tt.data))
			wantError(t, err, tt.kind, tt.want)
			if strings.Contains(err.Error(), "--exclude \"*.[") {
				t.Errorf("%q offers a pattern that matches something else", err)
			}
		})
	}
}

// TestTextBound refuses documents that say more than may be, whatever reads them.
func TestTextBound(t *testing.T) {
	p := newPool(t, bounded(func(b *content.Bounds) { b.Text = 1 << 10 }))
	words := strings.Repeat("word ", 300)
	for _, tt := range []struct{ name, file, data string }{
		{"text", "a.txt", words},
		{"html", "a.html", "<p>" + words},
		{"rtf", "a.rtf", `{\rtf1 ` + words + `}`},
		{"docx", "a.docx", docx(strings.ReplaceAll(words, " ", " </w:t></w:r><w:r><w:t>")).zipped(t)},
		{"mail", "a.eml", "From: a@b\nTo: c@d\nSubject: x\n\n" + words},
		{"pdf", "a.pdf", pdfOf(slices.Repeat([]page{{text: words[:60]}}, 30)...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(Options{Pool: p}).Read(t.Context(), tt.file, []byte(tt.data))
			wantError(t, err, pipeline.KindTooLarge, "it holds more than 1 KiB of text (the bound on text)")
		})
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := New(Options{Pool: shared}).Do(ctx, file("a.txt", "hi"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// FuzzExtract reads anything by way of a child process, which must not end of it.
func FuzzExtract(f *testing.F) {
	f.Setenv("PATH", "") // what is installed is not what is tested
	f.Add("a.txt", []byte("hello\r\n"))
	f.Add("a.html", []byte("<html>"))
	f.Add("a.docx", []byte("PK\x03\x04word/document.xml"))
	f.Add("a.docx", []byte(docx("hello").zipped(f)))
	f.Add("a.rtf", []byte(`{\rtf1 hello}`))
	f.Add("a.eml", []byte("From: a@b\nTo: c@d\nSubject: x\n\nhi"))
	f.Add("a.png", []byte("\x89PNG\r\n\x1a\n"))
	f.Add("b", []byte("\xff\xfeh\x00\xe9"))
	f.Add("c.[", []byte("\x00\x01\x02"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		doc := file(name, string(data))
		if _, err := do(doc); err != nil {
			if pipeline.ClassOf(err) != pipeline.Invalid || strings.Contains(err.Error(), "ended the process") || strings.Contains(err.Error(), "please report") {
				t.Fatalf("class %s: %v", pipeline.ClassOf(err), err)
			}
			return
		}
		if !utf8.ValidString(doc.Text) || strings.IndexFunc(doc.Text, isUnclean) >= 0 || strings.TrimSpace(doc.Text) == "" {
			t.Fatalf("text %q", doc.Text)
		}
	})
}

// BenchmarkExtract reads text right here, and formats in a child process.
func BenchmarkExtract(b *testing.B) {
	words := strings.Repeat("Sehr geehrte Frau Müller, die Rechnung ist fällig.\r\n", 200)
	files := map[string]string{"a.txt": words, "a.html": "<p>" + words, "a.docx": docx(words).zipped(b), "a.pdf": pdfOf(page{text: "Die Rechnung"})}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(files[name])))
			step := New(Options{Pool: shared})
			for b.Loop() {
				if err := step.Do(context.Background(), file(name, files[name]), &pipeline.Record{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
