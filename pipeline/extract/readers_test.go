package extract

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mediatype"
)

// TestReaders has each reader of the table read a small document by its bytes alone.
func TestReaders(t *testing.T) {
	const words = "Dear Ms Keller"
	const odf = "application/vnd.oasis.opendocument."
	mail := "From: Ann <a@example.org>\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
	docs := map[string]string{
		mediatype.PDF:               pdfOf(page{text: words}),
		mediatype.DOCX:              docx(words).zipped(t),
		mediatype.PPTX:              pptx(words).zipped(t),
		mediatype.XLSX:              xlsx(words).zipped(t),
		mediatype.ODT:               odfParts(odf+"text", "text", words).zipped(t),
		mediatype.ODS:               odfParts(odf+"spreadsheet", "spreadsheet", words).zipped(t),
		mediatype.ODP:               odfParts(odf+"presentation", "presentation", words).zipped(t),
		mediatype.ODT + "-flat-xml": flatODF(odf+"text", "text", words),
		mediatype.ODS + "-flat-xml": flatODF(odf+"spreadsheet", "spreadsheet", words),
		mediatype.ODP + "-flat-xml": flatODF(odf+"presentation", "presentation", words),
		mediatype.EPUB:              epubParts(words).zipped(t),
		mediatype.RTF:               `{\rtf1\ansi ` + words + `}`,
		mediatype.HTML:              "<!DOCTYPE html><p>" + words,
		"application/xhtml+xml":     "<!DOCTYPE html><html><body><p>" + words + "</p></body></html>",
		mediatype.Mail:              mail + "\r\n" + words,
		mediatype.Mbox:              "From ann@example.org Thu Nov 23 10:00:00 2026\r\n" + mail + "\r\n" + words + "\r\n",
		mediatype.MHTML:             mail + "Snapshot-Content-Location: http://example.org/\r\nContent-Type: text/html\r\n\r\n<p>" + words,
		mediatype.MSG:               outlook(words),
		mediatype.TNEF:              winmail(words),
		mediatype.Encrypted:         encrypted(t, words, "sesame"),
	}
	o := poolOptions()
	o.Passwords = []string{"wrong", "sesame"}
	p := newPool(t, o)
	for _, mediaType := range slices.Sorted(maps.Keys(readers)) {
		if docs[mediaType] == "" {
			t.Errorf("no document for the reader of %s", mediaType)
		}
	}
	for _, mediaType := range slices.Sorted(maps.Keys(docs)) {
		t.Run(mediatype.Describe(mediaType), func(t *testing.T) {
			data := []byte(docs[mediaType])
			if !isRead(mediaType) {
				t.Errorf("isRead says no")
			}
			if mediaType != "application/xhtml+xml" { // which is found only where a document within another is said to be it
				if got := mediatype.Detect("", data); got != mediaType {
					t.Errorf("the bytes are %s", got)
				}
			}
			res, err := p.read(t.Context(), "", mediaType, data)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(res.Content.Text, words) || len(res.Content.Warnings) > 0 {
				t.Errorf("got text %q and warnings %q, want %q in it", res.Content.Text, res.Content.Warnings, words)
			}
		})
	}
}

// encrypted is a Word document behind a password. It holds noise too: excelize does not open what it has encrypted of less than 4 KB.
func encrypted(t *testing.T, words, password string) string {
	t.Helper()
	noise := make([]byte, 8<<10)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	p := docx(words)
	p["word/noise.bin"] = string(noise)
	data, err := excelize.Encrypt([]byte(p.zipped(t)), &excelize.Options{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestPasswords opens documents by the list of passwords, and tells those that none of them opens.
func TestPasswords(t *testing.T) {
	odt, err := os.ReadFile("odf/testdata/secret.odt")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, file, data, want string }{
		{"OpenDocument", "a.odt", string(odt), "The treasure is under the third palm."},
		{"Office", "a.docx", encrypted(t, "The treasure is elsewhere.", "sesame"), "The treasure is elsewhere."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for passwords, open := range map[string]bool{"": false, "wrong": false, "wrong sesame": true} {
				o := poolOptions()
				o.Passwords = strings.Fields(passwords)
				p := NewPool(o)
				r, err := New(Options{Pool: p}).Read(t.Context(), tt.file, []byte(tt.data))
				p.Close()
				if !open {
					wantError(t, err, pipeline.KindEncrypted, "protected by a password")
				} else if err != nil || strings.TrimSpace(r.Text) != tt.want {
					t.Errorf("%s: got %q, %v, want %q", passwords, r.Text, err, tt.want)
				}
			}
		})
	}
}

// attach makes a mail of attachments, each a header block, an empty line and a body.
func attach(attachments ...string) string {
	return "From: Ann <a@example.org>\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n\r\nSee below.\r\n--bb\r\n" +
		strings.Join(attachments, "\r\n--bb\r\n") + "\r\n--bb--\r\n"
}

// readHere reads a document in this process.
func readHere(name, data string, bounds *content.Bounds) (*content.Content, error) {
	r := NewReaders("")
	defer r.Close()
	return r.Read(context.Background(), &content.File{Name: name, Data: []byte(data), Bounds: bounds})
}

func TestNested(t *testing.T) {
	picture := pngOf(t, drawn("2"))
	for _, tt := range []struct {
		name, data, want, warning string
	}{
		{"HTML", attach("Content-Type: text/html; name=a.html\r\n\r\n<h1>Title</h1><p>one"), "See below.\n\n--- attachment: a.html ---\n\n# Title\n\none\n", ""},
		{"Word, and what comes after it", attach("Content-Type: application/octet-stream; name=b.docx\r\n\r\n"+docx("two").zipped(t), "Content-Disposition: attachment; filename=c.txt\r\n\r\nthree"),
			"--- attachment: b.docx ---\n\ntwo\n\n--- attachment: c.txt ---\n\nthree\n", ""},
		{"what it is counts, not what it is said to be", attach("Content-Type: application/msword; name=d.doc\r\n\r\n{\\rtf1 four}"), "--- attachment: d.doc ---\n\nfour\n", ""},
		{"HTML that says so only here", attach("Content-Type: text/html; name=e\r\n\r\n<p>five"), "--- attachment: e ---\n\nfive\n", ""},
		{"HTML in an encoding that it is said to have", attach("Content-Type: text/html; charset=koi8-r; name=f.html\r\n\r\n<p>\xf0\xd2\xc9\xd7\xc5\xd4"), "Привет\n", ""},
		{"text in an encoding that it is said to have", attach("Content-Type: text/plain; charset=koi8-r; name=f.txt\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4"), "Привет\n", ""},
		{"pictures are named only", attach("Content-Type: image/png; name=g.png\r\n\r\n" + picture), fmt.Sprintf("--- attachment: g.png (image/png, %d bytes) ---\n", len(picture)), ""},
		{"one of no known format", attach("Content-Type: application/x-odd; name=h.odd\r\n\r\n\x00\x01\x02\x03\x04\x05"), "--- attachment: h.odd (application/x-odd, 6 bytes) ---\n",
			"attachment: h.odd: binary data (application/octet-stream) within another document is not read"},
		{"a damaged one", attach("Content-Type: application/octet-stream; name=i.docx\r\n\r\nPK\x03\x04word/document.xml"), "--- attachment: i.docx (", "attachment: i.docx: "},
		{"an encrypted one", attach("Content-Type: application/octet-stream; name=j.docx\r\n\r\n" + encrypted(t, "six", "none of them")), "--- attachment: j.docx (", "attachment: j.docx: it is protected by a password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := readHere("a.eml", tt.data, content.DefaultBounds())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(c.Text, tt.want) {
				t.Errorf("text %q, want %q in it", c.Text, tt.want)
			}
			if warnings := strings.Join(c.Warnings, "\n"); !strings.HasPrefix(warnings, tt.warning) || tt.warning == "" && warnings != "" || len(c.Warnings) > 1 {
				t.Errorf("warnings %q, want %q", warnings, tt.warning)
			}
			if len(c.Images) > 0 {
				t.Errorf("%d pictures, want none", len(c.Images))
			}
		})
	}
}

// TestNesting puts mails into mails, as files that say nothing of what they are, up to the bound.
func TestNesting(t *testing.T) {
	for _, nesting := range []int{0, 1, 3} {
		t.Run(fmt.Sprint(nesting), func(t *testing.T) {
			data := attach("Content-Type: text/html; name=deepest.html\r\n\r\n<p>deepest")
			for i := range nesting {
				inner := strings.ReplaceAll(data, "bb", fmt.Sprintf("b%d", i)) // each mail has a boundary of its own
				data = attach("Content-Type: application/octet-stream; name=m.eml\r\n\r\n" + inner)
			}
			bounds := content.DefaultBounds()
			bounds.Nesting = nesting
			c, err := readHere("a.eml", data, bounds)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(c.Text, "See below."); got != nesting+1 {
				t.Errorf("%d mails are read, want %d", got, nesting+1)
			}
			if warnings := strings.Join(c.Warnings, "\n"); strings.Contains(c.Text, "deepest\n") || !strings.Contains(warnings, "deepest.html: documents lie too deep within one another (the bound on nesting)") {
				t.Errorf("text %q and warnings %q, want the deepest left out", c.Text, warnings)
			}
			bounds.Nesting = nesting + 1
			if c, err = readHere("a.eml", data, bounds); err != nil || !strings.Contains(c.Text, "deepest\n") || len(c.Warnings) > 0 {
				t.Errorf("with one level more: got %+v, %v, want the deepest too", c, err)
			}
		})
	}
}

func TestReadersErrors(t *testing.T) {
	_, err := readHere("a.bin", "\x00\x01\x02\x03\x04\x05", content.DefaultBounds())
	wantError(t, err, pipeline.KindUnsupported, "binary data (application/octet-stream) within another document is not read")

	r := NewReaders("")
	defer r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	within := r.within(&content.File{Bounds: content.DefaultBounds()})
	if _, err := within(ctx, &content.File{Data: []byte("hi")}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v, want %v", err, context.Canceled)
	}
	if c, err := within(t.Context(), &content.File{}); err != nil || c.Text != "" {
		t.Errorf("an empty part: got %+v, %v, want no text", c, err)
	}
}

// TestPlace finds in a stack where a panic was.
func TestPlace(t *testing.T) {
	for _, tt := range []struct{ name, stack, want string }{
		{"no panic", "goroutine 1 [running]:\nmain.main()\n\t/x/pipeline/extract/a.go:1 +0x1\n", "an unknown place"},
		{"elsewhere", "panic({0x1, 0x2})\n\t/go/panic.go:1\nzip.x()\n\t/go/zip.go:7 +0x1\n", "an unknown place"},
		{"called from here", "x()\n\t/x/pipeline/extract/readers.go:9 +0x1\npanic({0x1, 0x2})\n\t/go/panic.go:1\nzip.x()\n\t/go/zip.go:7 +0x1\nodf.y()\n\t/x/pipeline/extract/odf/odf.go:12 +0x1\n", "odf/odf.go:12"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := place([]byte(tt.stack)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
