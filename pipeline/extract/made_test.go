package extract

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"docbatch/pipeline/extract/msg/cfb/cfbtest"
)

// parts are those of a document that lies in a ZIP archive, by name.
type parts map[string]string

// zipped makes the archive. An entry "mimetype" comes first, as OpenDocument and EPUB want it.
func (p parts) zipped(t testing.TB) string {
	t.Helper()
	names := slices.Sorted(maps.Keys(p))
	if i := slices.Index(names, "mimetype"); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, "mimetype")
	}
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range names {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(p[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

const (
	office    = "http://schemas.openxmlformats.org/"
	relation  = office + "officeDocument/2006/relationships"
	odfSpaces = ` xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"` +
		` xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"`
)

// related is a part of relations with one, r1.
func related(kind, target string) string {
	return `<Relationships xmlns="` + office + `package/2006/relationships"><Relationship Id="r1" Type="` + relation + `/` + kind + `" Target="` + target + `"/></Relationships>`
}

func docx(words string) parts {
	return parts{
		"[Content_Types].xml": `<Types xmlns="` + office + `package/2006/content-types"/>`,
		"_rels/.rels":         related("officeDocument", "word/document.xml"),
		"word/document.xml":   `<w:document xmlns:w="` + office + `wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>` + words + `</w:t></w:r></w:p></w:body></w:document>`,
	}
}

func pptx(words string) parts {
	space := `xmlns:p="` + office + `presentationml/2006/main" xmlns:a="` + office + `drawingml/2006/main" xmlns:r="` + relation + `"`
	return parts{
		"_rels/.rels":                     related("officeDocument", "ppt/presentation.xml"),
		"ppt/presentation.xml":            `<p:presentation ` + space + `><p:sldIdLst><p:sldId id="256" r:id="r1"/></p:sldIdLst></p:presentation>`,
		"ppt/_rels/presentation.xml.rels": related("slide", "slides/slide1.xml"),
		"ppt/slides/slide1.xml": `<p:sld ` + space + `><p:cSld><p:spTree><p:sp><p:nvSpPr><p:cNvPr id="1" name="no"/><p:nvPr/></p:nvSpPr>` +
			`<p:txBody><a:p><a:r><a:t>` + words + `</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>`,
	}
}

func xlsx(words string) parts {
	space := `xmlns="` + office + `spreadsheetml/2006/main" xmlns:r="` + relation + `"`
	return parts{
		"_rels/.rels":                related("officeDocument", "xl/workbook.xml"),
		"xl/workbook.xml":            `<workbook ` + space + `><sheets><sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": related("worksheet", "worksheets/sheet1.xml"),
		"xl/worksheets/sheet1.xml":   `<worksheet ` + space + `><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>` + words + `</t></is></c></row></sheetData></worksheet>`,
	}
}

// odfBody is the body of an OpenDocument document of a kind that says words.
func odfBody(kind, words string) string {
	p := "<text:p>" + words + "</text:p>"
	switch kind {
	case "spreadsheet":
		p = `<table:table table:name="One"><table:table-row><table:table-cell>` + p + `</table:table-cell></table:table-row></table:table>`
	case "presentation":
		p = `<draw:page draw:name="One"><draw:frame><draw:text-box>` + p + `</draw:text-box></draw:frame></draw:page>`
	}
	return "<office:body><office:" + kind + ">" + p + "</office:" + kind + "></office:body>"
}

func odfParts(mediaType, kind, words string) parts {
	return parts{
		"mimetype":    mediaType,
		"content.xml": `<office:document-content` + odfSpaces + `>` + odfBody(kind, words) + `</office:document-content>`,
	}
}

func flatODF(mediaType, kind, words string) string {
	return `<?xml version="1.0"?><office:document` + odfSpaces + ` office:mimetype="` + mediaType + `">` + odfBody(kind, words) + `</office:document>`
}

func epubParts(words string) parts {
	return parts{
		"mimetype":               "application/epub+zip",
		"META-INF/container.xml": `<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>`,
		"book.opf": `<package xmlns="http://www.idpf.org/2007/opf"><metadata/><manifest><item id="one" href="one.xhtml" media-type="application/xhtml+xml"/></manifest>` +
			`<spine><itemref idref="one"/></spine></package>`,
		"one.xhtml": `<html xmlns="http://www.w3.org/1999/xhtml"><body><p>` + words + `</p></body></html>`,
	}
}

// outlook is a message of Outlook.
func outlook(words string) string {
	var utf16le []byte
	for _, unit := range utf16.Encode([]rune(words)) {
		utf16le = binary.LittleEndian.AppendUint16(utf16le, unit)
	}
	return string(cfbtest.Build(cfbtest.Storage{"__properties_version1.0": make([]byte, 32), "__substg1.0_1000001F": utf16le}))
}

// winmail is what Exchange attaches to a mail, of one attribute: the text.
func winmail(words string) string {
	b := []byte("\x78\x9f\x3e\x22\x01\x00\x01\x0c\x80\x02\x00")
	b = binary.LittleEndian.AppendUint32(b, uint32(len(words)+1))
	return string(b) + words + "\x00\x00\x00"
}

// A page of a PDF is text, or a picture.
type page struct {
	text    string
	picture []byte // pixels of 8 bits
	width   int
}

// pdfOf makes a PDF.
func pdfOf(pages ...page) string {
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"}
	add := func(object string) int {
		objects = append(objects, object)
		return len(objects)
	}
	stream := func(entries, data string) int {
		return add(fmt.Sprintf("<<%s/Length %d>>stream\n%s\nendstream", entries, len(data), data))
	}
	kids := ""
	for _, p := range pages {
		shown, named := fmt.Sprintf("BT /F 10 Tf 100 700 Td (%s) Tj ET", p.text), ""
		if p.width > 0 {
			height := len(p.picture) / p.width
			named = fmt.Sprintf("/XObject<</X %d 0 R>>", stream(fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray",
				p.width, height), string(p.picture)))
			shown = fmt.Sprintf("q 100 0 0 %d 250 400 cm /X Do Q", 100*height/p.width)
		}
		kids += fmt.Sprintf("%d 0 R ", add(fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F 3 0 R>>%s>>/Contents %d 0 R>>", named, stream("", shown))))
	}
	objects[1] = fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids, len(pages))
	var b strings.Builder
	b.WriteString("%PDF-1.7\n")
	table := fmt.Sprintf("xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for i, object := range objects {
		table += fmt.Sprintf("%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	at := b.Len()
	fmt.Fprintf(&b, "%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", table, len(objects)+1, at)
	return b.String()
}

// digits are the shapes of the characters that drawn draws.
var digits = map[rune][7]string{
	'0': {" ### ", "#   #", "#   #", "#   #", "#   #", "#   #", " ### "},
	'2': {" ### ", "#   #", "    #", "  ## ", " #   ", "#    ", "#####"},
	'6': {" ### ", "#    ", "#    ", "#### ", "#   #", "#   #", " ### "},
}

// drawn is a picture of digits.
func drawn(number string) *image.Gray {
	const scale = 6
	img := image.NewGray(image.Rect(0, 0, (6*len(number)+10)*scale, 20*scale))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for i, r := range number {
		for y, row := range digits[r] {
			for x, c := range row {
				if c != '#' {
					continue
				}
				for dot := range scale * scale {
					img.SetGray((5+6*i+x)*scale+dot%scale, (6+y)*scale+dot/scale, color.Gray{})
				}
			}
		}
	}
	return img
}

// scan is a page that is a picture of digits.
func scan(number string) page {
	img := drawn(number)
	return page{picture: img.Pix, width: img.Stride}
}

func bmpOf(t testing.TB, img image.Image) string {
	t.Helper()
	return encoded(t, func(w io.Writer) error { return bmp.Encode(w, img) })
}

func tiffOf(t testing.TB, img image.Image) string {
	t.Helper()
	return encoded(t, func(w io.Writer) error { return tiff.Encode(w, img, nil) })
}

func pngOf(t testing.TB, img image.Image) string {
	t.Helper()
	return encoded(t, func(w io.Writer) error { return png.Encode(w, img) })
}

func encoded(t testing.TB, encode func(io.Writer) error) string {
	t.Helper()
	var buf bytes.Buffer
	if err := encode(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}
