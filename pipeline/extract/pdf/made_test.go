package pdf

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rc4"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"docbatch/pipeline/extract/content"
)

// reader is the reader of all tests: to compile PDFium takes seconds.
var reader *Reader

// cacheDir is where it keeps what it compiles.
var cacheDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "docbatch-pdf-*")
	if err != nil {
		panic(err)
	}
	cacheDir = dir
	reader = New(dir)
	code := m.Run()
	reader.Close()
	os.RemoveAll(dir)
	os.Exit(code)
}

// file is a document as the dispatcher gives it.
func file(data string) *content.File {
	return &content.File{Name: "made.pdf", MediaType: "application/pdf", Data: []byte(data), Bounds: content.DefaultBounds()}
}

// read reads a document that is to be readable.
func read(t *testing.T, f *content.File) *content.Content {
	t.Helper()
	c, err := reader.Read(t.Context(), f)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return c
}

// readWithin gives what File.Within gives of a text.
func readWithin(_ context.Context, f *content.File) (*content.Content, error) {
	if bytes.HasPrefix(f.Data, []byte("bad")) {
		return nil, content.Damaged("it is bad")
	}
	return &content.Content{Text: string(f.Data), Warnings: []string{"read " + f.Name}}, nil
}

// A made is a document in the making. Its objects are numbered from 1; 1 is the catalogue, 2 the tree of pages, 3 and 4 are fonts.
type made struct {
	objects []string
	pages   []int
	catalog string // more entries of the catalogue
	info    string // the entries of the information dictionary
}

func newMade() *made {
	return &made{objects: []string{"", "",
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
		"<</Type/Font/Subtype/Type1/BaseFont/Times-Roman/Encoding/WinAnsiEncoding>>"}}
}

// add adds an object and gives its number.
func (m *made) add(object string) int {
	m.objects = append(m.objects, object)
	return len(m.objects)
}

func stream(entries, data string) string {
	return fmt.Sprintf("<<%s/Length %d>>stream\n%s\nendstream", entries, len(data), data)
}

// page adds a page with that content and those entries, of 600 x 800 points unless they say otherwise.
func (m *made) page(entries, data string) *made {
	at := m.add(stream("", data))
	if !strings.Contains(entries, "/MediaBox") {
		entries += "/MediaBox[0 0 600 800]"
	}
	m.pages = append(m.pages, m.add(fmt.Sprintf(
		"<</Type/Page/Parent 2 0 R/Resources<</Font<</F 3 0 R/T 4 0 R>>/XObject<</X %d 0 R>>>>/Contents %d 0 R%s>>", at-1, at, entries)))
	return m
}

// text is content that shows a text at a place, in Helvetica of 10 points.
func text(x, y int, words string) string { return sized(x, y, 10, words) }

func sized(x, y, size int, words string) string {
	return fmt.Sprintf("BT /F %d Tf %d %d Td (%s) Tj ET\n", size, x, y, words)
}

// String is the document.
func (m *made) String() string {
	kids := ""
	for _, n := range m.pages {
		kids += fmt.Sprintf("%d 0 R ", n)
	}
	m.objects[0] = "<</Type/Catalog/Pages 2 0 R" + m.catalog + ">>"
	m.objects[1] = fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids, len(m.pages))
	trailer := ""
	if m.info != "" {
		trailer = fmt.Sprintf("/Info %d 0 R", m.add("<<"+m.info+">>"))
	}
	return assemble(m.objects, trailer)
}

// assemble makes a document of objects, the first of which is the catalogue.
func assemble(objects []string, trailer string) string {
	var b strings.Builder
	b.WriteString("%PDF-1.7\n")
	offsets := make([]int, len(objects))
	for i, object := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, table)
	return b.String()
}

// one is a document of one page.
func one(data string) *made { return newMade().page("", data) }

// padding is of algorithm 2 of ISO 32000-1, 7.6.3.3.
const padding = "\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A"

// locked is a document of one page that a password opens, by RC4 with 40 bits (algorithms 1 to 4 of ISO 32000-1, 7.6).
func locked(password, words string) string {
	padded := (password + padding)[:32]
	ownerKey := md5.Sum([]byte(padded))
	owner := rc4ed(ownerKey[:5], padded)
	id := "0123456789abcdef"
	seed := md5.Sum([]byte(padded + owner + "\xfc\xff\xff\xff" + id))
	key := seed[:5]
	data := text(100, 700, words)
	objectKey := md5.Sum(append(key[:5:5], 5, 0, 0, 0, 0))
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[4 0 R]/Count 1>>",
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F 3 0 R>>>>/Contents 5 0 R>>",
		stream("", rc4ed(objectKey[:10], data)),
		fmt.Sprintf("<</Filter/Standard/V 1/R 2/P -4/O<%x>/U<%x>>>", owner, rc4ed(key, padding))}
	return assemble(objects, fmt.Sprintf("/Encrypt 6 0 R/ID[<%[1]s><%[1]s>]", hex.EncodeToString([]byte(id))))
}

func rc4ed(key []byte, data string) string {
	c, err := rc4.NewCipher(key)
	if err != nil {
		panic(err)
	}
	out := make([]byte, len(data))
	c.XORKeyStream(out, []byte(data))
	return string(out)
}
