package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// pdf is a PDF of objects, the first of them its catalogue: 1 is the catalogue, 2 the root of the pages.
func pdf(objects ...string) piece {
	return func(w io.Writer) error {
		var b bytes.Buffer
		b.WriteString("%PDF-1.7\n")
		var offsets []int
		for i, object := range objects {
			offsets = append(offsets, b.Len())
			fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
		}
		table := b.Len()
		fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
		for _, offset := range offsets {
			fmt.Fprintf(&b, "%010d 00000 n \n", offset)
		}
		fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
		_, err := b.WriteTo(w)
		return err
	}
}

func stream(dictionary, data string) string {
	return fmt.Sprintf("<<%s/Length %d>>stream\n%s\nendstream", dictionary, len(data), data)
}

// The objects that most of the PDFs below begin with: their page is 3, with its content in 4 and the font in 5.
const (
	catalogue = "<</Type/Catalog/Pages 2 0 R>>"
	onePage   = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
	page      = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>>>"
	font      = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
	shown     = "BT /F 12 Tf 72 700 Td (a few words of a page) Tj ET\n"
)

func pdfBombs() []bomb {
	return []bomb{
		{name: "object-stream-loop.pdf", refusal: aLoop, write: objectStreamLoop},
		{name: "xref-loop.pdf", refusal: aLoop, write: xrefLoop},
		{name: "page-tree-loop.pdf", refusal: aLoop, write: pdf(catalogue, "<</Type/Pages/Kids[2 0 R 3 0 R]/Count 1000000000>>", "<</Type/Pages/Parent 2 0 R/Kids[2 0 R 3 0 R]/Count 1000000000>>")},
		{name: "1000000-times-a-page.pdf", write: pdf(catalogue, "<</Type/Pages/Kids["+strings.Repeat("3 0 R ", 1_000_000)+"]/Count 1000000>>", page, stream("", shown), font)},
		{name: "1gb-content.pdf", write: func(w io.Writer) error {
			return pdf(catalogue, onePage, page, stream("/Filter/FlateDecode", deflated(many("q Q\n", 1<<28))), font)(w)
		}},
		{name: "1gb-content-twice-packed.pdf", write: func(w io.Writer) error {
			once := deflated(many("q Q\n", 1<<28))
			return pdf(catalogue, onePage, page, stream("/Filter[/FlateDecode/FlateDecode]", deflated(text(once))), font)(w)
		}},
		{name: "huge-mediabox.pdf", write: pdf(catalogue, onePage, strings.Replace(page, "612 792", "1000000000 1000000000", 1), stream("", shown), font)},
		{name: "huge-empty-page.pdf", write: pdf(catalogue, onePage, strings.Replace(page, "612 792", "1000000000 1000000000", 1), stream("", "q 612 0 0 792 0 0 cm /X Do Q"), font,
			stream("/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", "a"))},
		{name: "huge-image.pdf", write: func(w io.Writer) error {
			pixels := stream("/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/FlateDecode", deflated(many("\x00", 1<<28)))
			return pdf(catalogue, onePage, page, stream("", "q 612 0 0 792 0 0 cm /X Do Q"), font, pixels)(w)
		}},
		{name: "form-in-itself.pdf", write: pdf(catalogue, onePage, page, stream("", shown+"/X Do"), font,
			stream("/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>", shown+"/X Do /X Do"))},
		{name: "pattern-in-itself.pdf", write: pdf(catalogue, onePage, strings.Replace(page, "/XObject<</X 6 0 R>>", "/Pattern<</P 6 0 R>>", 1), stream("", "/Pattern cs /P scn 0 0 612 792 re f"), font,
			stream("/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep 0.01/YStep 0.01/Resources<</Pattern<</P 6 0 R>>>>", "/Pattern cs /P scn 0 0 1 1 re f"))},
		{name: "nested-arrays.pdf", write: pdf(catalogue, onePage, page, stream("", strings.Repeat("[", 1_000_000)+" TJ"), font, strings.Repeat("[", 1_000_000))},
		{name: "nested-page-tree.pdf", write: pdf(pagesWithin(deep)...)},
		{name: "billion-forms.pdf", write: pdf(formsWithin(9)...)},
		{name: "content-100000-times.pdf", write: pdf(catalogue, onePage, strings.Replace(page, "4 0 R", "["+strings.Repeat("4 0 R ", 100_000)+"]", 1), stream("", strings.Repeat(shown, 10_000)), font)},
		{name: "10000000-words.pdf", write: func(w io.Writer) error {
			return pdf(catalogue, onePage, page, stream("/Filter/FlateDecode", deflated(many(shown, 2_000_000))), font)(w)
		}},
	}
}

// formsWithin are the objects of a PDF whose page shows a form ten times, which shows another ten times, and so on.
func formsWithin(depth int) []string {
	objects := []string{catalogue, onePage, page, stream("", "/X Do"), font}
	for i := range depth {
		next := fmt.Sprintf("/XObject<</X %d 0 R>>", len(objects)+2)
		content := strings.Repeat("/X Do ", 10)
		if i == depth-1 {
			next, content = "", shown
		}
		objects = append(objects, stream("/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F 5 0 R>>"+next+">>", content))
	}
	return objects
}

// pagesWithin are the objects of a PDF whose one page lies so deep in the tree of pages.
func pagesWithin(depth int) []string {
	objects := []string{catalogue}
	for i := range depth {
		objects = append(objects, fmt.Sprintf("<</Type/Pages/Kids[%d 0 R]/Count 1/Parent %d 0 R>>", i+3, i+1))
	}
	return append(objects, fmt.Sprintf("<</Type/Page/Parent %d 0 R/MediaBox[0 0 612 792]>>", depth+1))
}

// objectStreamLoop is a PDF of a cross-reference stream (ISO 32000-1, 7.5.8) by which object stream 4 lies in object stream 5 and that in
// the first; each says that it extends the other.
func objectStreamLoop(w io.Writer) error {
	const table = "1 0 2 30 4 66 5 70 "
	inner := table + "<</Type/Catalog/Pages 2 0 R>>  <</Type/Pages/Kids[2 0 R]/Count 9>>  4 0 R 5 0 R"
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	for _, pair := range [][2]int{{4, 5}, {5, 4}} {
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", pair[0], stream(fmt.Sprintf("/Type/ObjStm/N 4/First %d/Extends %d 0 R", len(table), pair[1]), inner))
	}
	begin := b.Len()
	entry := func(kind byte, field int, index byte) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(field)), index)
	}
	rows := slicesOf(entry(0, 0, 255), entry(2, 4, 0), entry(2, 4, 1), entry(1, begin, 0), entry(2, 5, 2), entry(2, 4, 3))
	fmt.Fprintf(&b, "3 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", stream(fmt.Sprintf("/Type/XRef/Size 6/W[1 4 1]/Root 1 0 R/Prev %d", begin), string(rows)), begin)
	_, err := b.WriteTo(w)
	return err
}

// xrefLoop is a PDF whose cross-reference table comes after itself.
func xrefLoop(w io.Writer) error {
	body := "%PDF-1.7\n1 0 obj\n" + catalogue + "\nendobj\n"
	_, err := fmt.Fprintf(w, "%sxref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 3/Root 1 0 R/Prev %[2]d>>\nstartxref\n%[2]d\n%%%%EOF\n", body, len(body))
	return err
}
