package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	deep    = 100_000
	halfGiB = 512 << 20

	xmlHead           = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`
	ooxml             = "http://schemas.openxmlformats.org/"
	documentRelations = ooxml + "officeDocument/2006/relationships"
)

func officeBombs() []bomb {
	return slices.Concat(workbookBombs(), wordBombs(), openBombs(), []bomb{
		{name: "100000-slides.pptx", write: slideShow(deep)},
	})
}

func workbookBombs() []bomb {
	sheet := func(rows ...piece) piece {
		return all(text(xmlHead+`<worksheet xmlns="`+ooxml+`spreadsheetml/2006/main"><sheetData>`), all(rows...), text(`</sheetData></worksheet>`))
	}
	shared := func(strings ...piece) piece {
		return all(text(xmlHead+`<sst xmlns="`+ooxml+`spreadsheetml/2006/main">`), all(strings...), text(`</sst>`))
	}
	row := `<row><c t="n"><v>1</v></c><c t="n"><v>2</v></c></row>`
	return []bomb{
		{name: "512mb-of-rows.xlsx", refusal: theBound, write: workbook(sheet(many(row, halfGiB/len(row))), shared())},
		{name: "512mb-in-a-cell.xlsx", refusal: theBound, write: workbook(sheet(text(`<row><c t="inlineStr"><is><t>`), many("a", halfGiB), text(`</t></is></c></row>`)), shared())},
		{name: "512mb-of-strings.xlsx", refusal: theBound, write: workbook(sheet(text(`<row><c t="s"><v>0</v></c></row>`)), shared(many(`<si><t>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</t></si>`, halfGiB/54)))},
		{name: "16384-references-in-a-row.xlsx", write: workbook(sheet(text(`<row r="1">`), many(`<c t="s"><v>0</v></c>`, 16_384), text(`</row>`)),
			shared(text(`<si><t>`), many("word ", 32_000/5), text(`</t></si>`)))},
		{name: "last-cell-only.xlsx", write: workbook(sheet(text(`<row r="1048576"><c r="XFD1048576" t="n"><v>1</v></c></row>`)), shared())},
		{name: "last-column-of-each-row.xlsx", write: workbook(sheet(numbered(`<row r="%[1]d"><c r="XFD%[1]d" t="n"><v>1</v></c></row>`, deep)), shared())},
		{name: "entities.xlsx", write: workbook(all(text(laughs("worksheet")), text(`<worksheet><sheetData><row><c t="inlineStr"><is><t>&l9;</t></is></c></row></sheetData></worksheet>`)), shared())},
	}
}

// workbook is an XLSX of one sheet.
func workbook(sheet, strings piece) func(io.Writer) error {
	return zipped(
		part{"[Content_Types].xml", text(xmlHead + `<Types xmlns="` + ooxml + `package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>`)},
		part{"_rels/.rels", relations("officeDocument", "xl/workbook.xml")},
		part{"xl/workbook.xml", text(xmlHead + `<workbook xmlns="` + ooxml + `spreadsheetml/2006/main" xmlns:r="` + documentRelations + `"><sheets><sheet name="Bomb" sheetId="1" r:id="rId1"/></sheets></workbook>`)},
		part{"xl/_rels/workbook.xml.rels", relations("worksheet", "worksheets/sheet1.xml", "sharedStrings", "sharedStrings.xml")},
		part{"xl/worksheets/sheet1.xml", sheet},
		part{"xl/sharedStrings.xml", strings},
	)
}

// relations is a part of relationships rId1, rId2...: kinds and targets by turns.
func relations(pairs ...string) piece {
	var b strings.Builder
	b.WriteString(xmlHead + `<Relationships xmlns="` + ooxml + `package/2006/relationships">`)
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(&b, `<Relationship Id="rId%d" Type="%s/%s" Target="%s"/>`, i/2+1, documentRelations, pairs[i], pairs[i+1])
	}
	return text(b.String() + `</Relationships>`)
}

// laughs is a document type of entities each of which is ten of the one before: &l9; is 10 GB.
func laughs(root string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><!DOCTYPE ` + root + ` [<!ENTITY l0 "lollollol ">`)
	for i := range 9 {
		fmt.Fprintf(&b, `<!ENTITY l%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&l%d;", i), 10))
	}
	return b.String() + `]>`
}

// quadratic is a document type of one long entity, to be used often.
func quadratic(root string) string {
	return `<?xml version="1.0"?><!DOCTYPE ` + root + ` [<!ENTITY long "` + strings.Repeat("long ", 20_000) + `">]>`
}

func wordBombs() []bomb {
	const w = `<w:document xmlns:w="` + ooxml + `wordprocessingml/2006/main"><w:body>`
	const end = `</w:body></w:document>`
	nested := func(open, inner, shut string) func(io.Writer) error {
		return word(all(text(xmlHead+w), many(open, deep), text(inner), many(shut, deep), text(end)))
	}
	paragraph := `<w:p><w:r><w:t>words and words and words</w:t></w:r></w:p>`
	return []bomb{
		{name: "billion-laughs.docx", refusal: theBound, write: word(text(laughs("w:document") + w + `<w:p><w:r><w:t>&l9;</w:t></w:r></w:p>` + end))},
		{name: "quadratic-entity.docx", refusal: theBound, write: word(all(text(quadratic("w:document")+w+`<w:p><w:r><w:t>`), many("&long;", 100_000), text(`</w:t></w:r></w:p>`+end)))},
		{name: "512mb-of-paragraphs.docx", write: word(all(text(xmlHead+w), many(paragraph, halfGiB/len(paragraph)), text(end)))},
		{name: "nested-tables.docx", write: nested(`<w:tbl><w:tr><w:tc>`, `<w:p><w:r><w:t>bottom</w:t></w:r></w:p>`, `</w:tc></w:tr></w:tbl>`)},
		{name: "nested-controls.docx", write: nested(`<w:sdt><w:sdtContent>`, `<w:p><w:r><w:t>bottom</w:t></w:r></w:p>`, `</w:sdtContent></w:sdt>`)},
		{name: "unclosed.docx", write: word(all(text(xmlHead+w), many(`<w:p><w:r>`, 1_000_000)))},
		{name: "wide-span.docx", write: word(text(xmlHead + w + `<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="1000000000"/></w:tcPr><w:p><w:r><w:t>a cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>` + end))},
	}
}

// word is a DOCX of one part.
func word(document piece) func(io.Writer) error {
	return zipped(
		part{"[Content_Types].xml", text(xmlHead + `<Types xmlns="` + ooxml + `package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`)},
		part{"_rels/.rels", relations("officeDocument", "word/document.xml")},
		part{"word/document.xml", document},
	)
}

// slideShow is a PPTX that shows one slide n times.
func slideShow(n int) func(io.Writer) error {
	const main = `xmlns:p="` + ooxml + `presentationml/2006/main" xmlns:a="` + ooxml + `drawingml/2006/main" xmlns:r="` + documentRelations + `"`
	return zipped(
		part{"[Content_Types].xml", text(xmlHead + `<Types xmlns="` + ooxml + `package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/ppt/presentation.xml" ContentType="application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"/><Override PartName="/ppt/slides/slide1.xml" ContentType="application/vnd.openxmlformats-officedocument.presentationml.slide+xml"/></Types>`)},
		part{"_rels/.rels", relations("officeDocument", "ppt/presentation.xml")},
		part{"ppt/presentation.xml", all(text(xmlHead+`<p:presentation `+main+`><p:sldIdLst>`), numbered(`<p:sldId id="%d" r:id="rId1"/>`, n), text(`</p:sldIdLst></p:presentation>`))},
		part{"ppt/_rels/presentation.xml.rels", relations("slide", "slides/slide1.xml")},
		part{"ppt/slides/slide1.xml", all(text(xmlHead+`<p:sld `+main+`><p:cSld><p:spTree>`), many(`<p:sp><p:txBody><a:p><a:r><a:t>words on a slide</a:t></a:r></a:p></p:txBody></p:sp>`, 1000), text(`</p:spTree></p:cSld></p:sld>`))},
	)
}

func openBombs() []bomb {
	const names = `xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"`
	const odt, ods = "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet"
	body := func(kind string, content ...piece) piece {
		return all(text(xmlHead+`<office:document-content `+names+`><office:body><office:`+kind+`>`), all(content...), text(`</office:`+kind+`></office:body></office:document-content>`))
	}
	open := func(mediaType string, content piece) func(io.Writer) error {
		return zipped(part{"mimetype", text(mediaType)}, part{"content.xml", content})
	}
	cell := `<table:table-cell table:number-columns-repeated="1000000000"><text:p>again</text:p></table:table-cell>`
	return []bomb{
		{name: "nested-spans.odt", write: open(odt, body("text", text(`<text:p>`), many(`<text:span>`, deep), text("bottom"), many(`</text:span>`, deep), text(`</text:p>`)))},
		{name: "nested-lists.odt", write: open(odt, body("text", many(`<text:list><text:list-item>`, deep), text(`<text:p>bottom</text:p>`), many(`</text:list-item></text:list>`, deep)))},
		{name: "entities.odt", write: open(odt, all(text(laughs("office:document-content")), body("text", text(`<text:p>&l9;</text:p>`))))},
		{name: "1e9-spaces.odt", write: open(odt, body("text", many(`<text:p>a<text:s text:c="1000000000"/>b</text:p>`, 1000)))},
		{name: "1e18-cells.ods", write: open(ods, body("spreadsheet", text(`<table:table table:name="T"><table:table-row table:number-rows-repeated="1000000000">`+cell+`</table:table-row></table:table>`)))},
		{name: "nested-elements.epub", write: book("<itemref idref=\"c\"/>", 1, all(text(`<html xmlns="http://www.w3.org/1999/xhtml"><body>`), many("<div>", deep), text("bottom"), many("</div>", deep), text("</body></html>")))},
		{name: "100000-times-a-chapter.epub", write: book(`<itemref idref="c"/>`, deep, all(text(`<html xmlns="http://www.w3.org/1999/xhtml"><body>`), many("<p>words of a chapter</p>", 10_000), text("</body></html>")))},
		{name: "512mb-chapter.epub", write: book(`<itemref idref="c"/>`, 1, all(text(`<html xmlns="http://www.w3.org/1999/xhtml"><body>`), many("<p>words of a chapter</p>", halfGiB/24), text("</body></html>")))},
	}
}

// book is an EPUB of one chapter, which the spine names n times.
func book(ref string, n int, chapter piece) func(io.Writer) error {
	return zipped(
		part{"mimetype", text("application/epub+zip")},
		part{"META-INF/container.xml", text(`<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`)},
		part{"book.opf", all(text(`<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest><spine>`), many(ref, n), text(`</spine></package>`))},
		part{"c.xhtml", chapter},
	)
}
