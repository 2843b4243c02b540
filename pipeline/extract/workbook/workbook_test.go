package workbook

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// A parts is the parts of a ZIP file, by name.
type parts map[string]string

// zipped makes the file.
func (p parts) zipped(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(p)) {
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
	return buf.Bytes()
}

const (
	relationsHead = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	officeType    = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	mainSpace     = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
)

// related makes the relations of a part out of pairs of a kind and a target; their ids are r1, r2, …
func related(pairs ...string) string {
	var b strings.Builder
	b.WriteString(relationsHead)
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, `<Relationship Id="r%d" Type="%s%s" Target="%s"/>`, i/2+1, officeType, pairs[i], pairs[i+1])
	}
	return b.String() + `</Relationships>`
}

func worksheet(rows string) string {
	return `<worksheet ` + mainSpace + `><sheetData>` + rows + `</sheetData></worksheet>`
}

// withSheets makes a workbook of sheets of these rows, called One, Two, Three.
func withSheets(rows ...string) parts {
	p := parts{"_rels/.rels": related("officeDocument", "xl/workbook.xml")}
	list, rels := "", []string{}
	for i, r := range rows {
		list += fmt.Sprintf(`<sheet name="%s" sheetId="%d" r:id="r%d"/>`, []string{"One", "Two", "Three"}[i], i+1, i+1)
		rels = append(rels, "worksheet", fmt.Sprintf("worksheets/sheet%d.xml", i+1))
		p[fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1)] = worksheet(r)
	}
	rels = append(rels, "styles", "styles.xml", "sharedStrings", "/xl/sharedStrings.xml")
	p["xl/workbook.xml"] = `<workbook ` + mainSpace + `><sheets>` + list + `</sheets></workbook>`
	p["xl/_rels/workbook.xml.rels"] = related(rels...)
	p["xl/styles.xml"] = `<styleSheet ` + mainSpace + `><numFmts><numFmt numFmtId="164" formatCode="#,##0.00 &quot;EUR&quot;"/></numFmts>` +
		`<cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="10"/></cellXfs></styleSheet>`
	p["xl/sharedStrings.xml"] = `<sst ` + mainSpace + `><si><t>apple</t></si><si><r><t>rich </t></r><r><t>text</t></r><rPh sb="0" eb="1"><t>say</t></rPh></si></sst>`
	return p
}

// with replaces or adds a part.
func (p parts) with(name, text string) parts {
	p = maps.Clone(p)
	p[name] = text
	return p
}

func read(data []byte) (*content.Content, error) {
	return Read(context.Background(), &content.File{Data: data, Bounds: content.DefaultBounds()})
}

func TestRead(t *testing.T) {
	rows := `<row r="1"><c r="A1"><v>1</v></c></row>`
	for name, tt := range map[string]struct {
		book parts
		want string
	}{
		"a table": {withSheets(`<row r="1"><c r="A1" t="inlineStr"><is><t>what</t></is></c><c r="B1" t="str"><v>how much</v></c></row>
			<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" s="2"><v>1234.5</v></c></row>
			<row r="3"><c r="A3" t="s"><v>1</v></c><c r="B3" s="3"><v>0.125</v></c></row>`),
			"## One\n\n| what | how much |\n| --- | --- |\n| apple | 1,234.50 EUR |\n| rich text | 12.50% |"},
		"values": {withSheets(`<row><c s="1"><v>45365</v></c><c t="b"><v>1</v></c><c t="e"><v>#DIV/0!</v></c><c t="d"><v>2026-11-23</v></c>
			<c t="str"><v>a_x0041_b_x000D_</v></c><c><f>SUM(A1:B1)</f></c><c><f>1+1</f><v>2</v></c><c t="s"><v>99</v></c></row>`),
			"## One\n\n2024-03-14 | TRUE | #DIV/0! | 2026-11-23 | aAb | =SUM(A1:B1) | 2"},
		"blocks": {withSheets(`<row r="1"><c r="A1"><v>1</v></c><c r="D1"><v>2</v></c></row><row r="2"><c r="A2"><v>3</v></c></row>
			<row r="5"><c r="B5"><v>4</v></c></row><row r="6"><c r="B6"><v>5</v></c></row>`),
			"## One\n\n| 1 | 2 |\n| --- | --- |\n| 3 | |\n\n4\n5"},
		"sparse": {withSheets(`<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="F2"><v>2</v></c></row><row r="3"><c r="AB3"><v>3</v></c></row><row r="4"><c r="XFD4"><v>4</v></c></row>`),
			"## One\n\nA1: 1\nF2: 2\nAB3: 3\nXFD4: 4"},
		"sheets in their order, empty ones not": {withSheets(rows, `<row r="1"/>`, rows), "## One\n\n1\n\n## Three\n\n1"},
		"a hidden sheet": {withSheets(rows).with("xl/workbook.xml",
			`<workbook `+mainSpace+`><sheets><sheet name=" a  b " state="veryHidden" r:id="r1"/></sheets></workbook>`), "## a b (hidden)\n\n1"},
		"1904": {withSheets(`<row><c s="1"><v>43903</v></c></row>`).with("xl/workbook.xml",
			`<workbook `+mainSpace+`><workbookPr date1904="true"/><sheets><sheet name="One" r:id="r1"/></sheets></workbook>`), "## One\n\n2024-03-14"},
		"comments": {withSheets(`<row r="1"><c r="A1"><v>1</v></c></row>`).
			with("xl/worksheets/_rels/sheet1.xml.rels", related("comments", "../comments1.xml", "threadedComment", "../threads.xml")).
			with("xl/comments1.xml", `<comments `+mainSpace+`><authors><author>Ann</author></authors><commentList>
				<comment ref="A1" authorId="0"><text><r><t>Ann:</t></r><r><t xml:space="preserve"> too low</t></r></text></comment>
				<comment ref="B9" authorId="7"><text><t>lonely</t></text></comment>
				<comment ref="C3" authorId="0"><text><t>[Threaded comment] a copy</t></text></comment></commentList></comments>`).
			with("xl/threads.xml", `<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments">
				<threadedComment ref="C3" personId="p"><text>first</text></threadedComment><threadedComment ref="C3" personId="p"><text>second</text></threadedComment></ThreadedComments>`),
			"## One\n\n1 [comment by Ann: too low]\n\nC3: [comment: first] [comment: second]\nB9: [comment: lonely]"},
		"shapes and charts": {withSheets("").
			with("xl/worksheets/_rels/sheet1.xml.rels", related("drawing", "../drawings/drawing1.xml")).
			with("xl/drawings/drawing1.xml", `<wsDr xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:p><a:r><a:t>in a </a:t></a:r><a:r><a:t>box</a:t></a:r></a:p></wsDr>`).
			with("xl/drawings/_rels/drawing1.xml.rels", related("chart", "../charts/chart1.xml")).
			with("xl/charts/chart1.xml", `<chart xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><title><a:p><a:r><a:t>Sales</a:t></a:r></a:p></title></chart>`),
			"## One\n\nin a box\nSales"},
		"headers and footers once": {withSheets(rows, rows).
			with("xl/worksheets/sheet1.xml", `<worksheet `+mainSpace+`><sheetData>`+rows+`</sheetData><headerFooter><oddHeader>&amp;L&amp;"Arial,Bold"&amp;12Report &amp;K00FF00of A&amp;&amp;B&amp;C&amp;D&amp;RDraft</oddHeader>
				<oddFooter>&amp;CPage &amp;P of &amp;N</oddFooter></headerFooter></worksheet>`).
			with("xl/worksheets/sheet2.xml", `<worksheet `+mainSpace+`><sheetData>`+rows+`</sheetData><headerFooter><firstHeader>&amp;LReport of A&amp;&amp;B&amp;RDraft</firstHeader>
				<evenFooter>Confidential, page &amp;P&amp;</evenFooter><oddFooter>&amp;K01</oddFooter></headerFooter></worksheet>`),
			"## One\n\n1\n\n[header: Report of A&B; Draft]\n\n## Two\n\n1\n\n[footer: Confidential, page]"},
		"cells without references": {withSheets(`<row><c><v>1</v></c><c/><c><v>3</v></c></row><row><c r="nonsense"><v>4</v></c></row>`),
			"## One\n\n| 1 | 3 |\n| --- | --- |\n| 4 | |"},
		"strict, with prefixes": {parts{
			"_rels/.rels":                related("officeDocument", "/xl/workbook.xml"),
			"xl/workbook.xml":            `<x:workbook xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main" xmlns:q="http://purl.oclc.org/ooxml/officeDocument/relationships"><x:sheets><x:sheet name="S" q:id="r1"/></x:sheets></x:workbook>`,
			"xl/_rels/workbook.xml.rels": related("worksheet", "a.xml"),
			"xl/a.xml":                   `<x:worksheet xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main"><x:sheetData><x:row><x:c><x:v>7</x:v></x:c></x:row></x:sheetData></x:worksheet>`,
		}, "## S\n\n7"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := read(tt.book.zipped(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(c.Text); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if len(c.Warnings) > 0 {
				t.Errorf("got warnings %q, want none", c.Warnings)
			}
		})
	}
}

func TestWithin(t *testing.T) {
	book := withSheets(`<row><c><v>1</v></c></row>`, "").
		with("xl/worksheets/_rels/sheet1.xml.rels", related("oleObject", "../embeddings/bad.bin", "package", "../embeddings/letter.docx")).
		with("xl/worksheets/_rels/sheet2.xml.rels", related("package", "../embeddings/letter.docx")).
		with("xl/embeddings/letter.docx", "Dear Ann").with("xl/embeddings/bad.bin", "x")
	c, err := Read(context.Background(), &content.File{Data: book.zipped(t), Bounds: content.DefaultBounds(), Within: func(_ context.Context, f *content.File) (*content.Content, error) {
		if f.Name == "bad.bin" {
			return nil, content.Unsupported("no reader for it")
		}
		return &content.Content{Text: string(f.Data)}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "## One\n\n1\n\n--- embedded letter.docx ---\n\nDear Ann\n"; c.Text != want {
		t.Errorf("got %q, want %q", c.Text, want)
	}
	if want := []string{"documents within it were left out, bad.bin: no reader for it"}; !slices.Equal(c.Warnings, want) {
		t.Errorf("warnings %q, want %q", c.Warnings, want)
	}
}

func TestMeta(t *testing.T) {
	c, err := read(withSheets("", "").with("docProps/core.xml", `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
		xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>Budget</dc:title><dc:creator>Ann</dc:creator>
		<cp:keywords>a, b</cp:keywords><dcterms:created>2026-11-23T08:00:00Z</dcterms:created><dcterms:modified>yesterday</dcterms:modified></cp:coreProperties>`).zipped(t))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{content.MetaTitle: "Budget", content.MetaAuthor: "Ann", content.MetaKeywords: "a, b", content.MetaCreated: "2026-11-23T08:00:00Z", content.MetaPages: "2"}
	if !maps.Equal(c.Meta, want) {
		t.Errorf("got %v, want %v", c.Meta, want)
	}
	if c.Text != "" {
		t.Errorf("empty sheets gave %q", c.Text)
	}
}

// TestDamaged reads what is left of workbooks.
func TestDamaged(t *testing.T) {
	good := withSheets(`<row r="1"><c><v>1</v></c></row><row r="2"><c><v>2</v></c></row>`, `<row r="1"><c><v>3</v></c></row>`)
	none := maps.Clone(good)
	delete(none, "xl/workbook.xml")
	lost := maps.Clone(good)
	delete(lost, "xl/worksheets/sheet2.xml")
	for name, tt := range map[string]struct {
		book       parts
		want, warn string
	}{
		"a sheet cut in half": {good.with("xl/worksheets/sheet1.xml", `<worksheet `+mainSpace+`><sheetData><row r="1"><c><v>1</v></c></row><row r="2"><c><v>`),
			"## One\n\n1\n\n## Two\n\n3", "part xl/worksheets/sheet1.xml is damaged"},
		"no list of sheets":      {none, "## sheet1\n\n1\n2\n\n## sheet2\n\n3", "their names are lost"},
		"a name that is no text": {parts{"xl/worksheets/\xff.xml": worksheet(`<row><c><v>1</v></c></row>`)}, "## �\n\n1", "their names are lost"},
		"a sheet is gone":        {lost, "## One\n\n1\n2", `the sheet "Two" is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := read(tt.book.zipped(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(c.Text); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], tt.warn) {
				t.Errorf("got warnings %q, want one with %q", c.Warnings, tt.warn)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	small := content.DefaultBounds()
	small.Text, small.Part, small.Pages = 2000, 20_000, 2
	long := strings.Repeat("word ", 60)
	for name, tt := range map[string]struct {
		data []byte
		kind string
		want string
	}{
		"no ZIP":         {[]byte("nothing"), pipeline.KindDamaged, "no ZIP file"},
		"no sheets":      {parts{"a.txt": "a"}.zipped(t), pipeline.KindDamaged, "there is no sheet"},
		"binary":         {parts{"_rels/.rels": related("officeDocument", "xl/workbook.bin")}.zipped(t), pipeline.KindUnsupported, "XLSB"},
		"damaged, empty": {withSheets("").with("xl/worksheets/sheet1.xml", "<worksheet").zipped(t), pipeline.KindDamaged, "no text in what is left"},
		"sheets":         {withSheets("", "", "").zipped(t), pipeline.KindTooLarge, "more than 2 sheets (the bound on pages)"},
		"a part":         {withSheets(strings.Repeat("<row/>", 10_000)).zipped(t), pipeline.KindTooLarge, "the bound on a part"},
		"strings": {withSheets("").with("xl/sharedStrings.xml", `<sst `+mainSpace+`>`+strings.Repeat(`<si><t>`+long+`</t></si>`, 10)+`</sst>`).zipped(t),
			pipeline.KindTooLarge, "the bound on text"},
		"one row of references": {withSheets(`<row>`+strings.Repeat(`<c t="s"><v>0</v></c>`, 500)+`</row>`).
			with("xl/sharedStrings.xml", `<sst `+mainSpace+`><si><t>`+long+`</t></si></sst>`).zipped(t), pipeline.KindTooLarge, "the bound on text"},
		"entities": {withSheets("").with("xl/worksheets/sheet1.xml", `<!DOCTYPE a [<!ENTITY b "c">]>`+worksheet("")).zipped(t),
			pipeline.KindTooLarge, "entities"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(context.Background(), &content.File{Data: tt.data, Bounds: small})
			if e, ok := errors.AsType[*pipeline.Error](err); !ok || e.Kind != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s: %s", err, tt.kind, tt.want)
			}
		})
	}
}

// TestLongTable goes on with a table that is too long to be held, under the same head.
func TestLongTable(t *testing.T) {
	var rows strings.Builder
	rows.WriteString(`<row><c t="str"><v>name</v></c><c t="str"><v>age</v></c></row>`)
	const n = 60_000
	for i := range n {
		fmt.Fprintf(&rows, `<row><c t="str"><v>n%d</v></c><c><v>%d</v></c></row>`, i, i)
	}
	c, err := read(withSheets(rows.String()).zipped(t))
	if err != nil {
		t.Fatal(err)
	}
	if heads, lines := strings.Count(c.Text, "| name | age |"), strings.Count(c.Text, "\n| n"); heads != 2 || lines != n+heads {
		t.Errorf("got %d heads and %d rows, want 2 and %d", heads, lines-heads, n)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Read(ctx, &content.File{Data: withSheets(`<row><c><v>1</v></c></row>`).zipped(t), Bounds: content.DefaultBounds()})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestParseRef(t *testing.T) {
	for s, want := range map[string]cellRef{
		"A1": {1, 1}, "z9": {9, 26}, "AA10": {10, 27}, "XFD1048576": {1 << 20, 1 << 14},
		"XFE1": {}, "A0": {}, "A1048577": {}, "1": {}, "A": {}, "": {}, "AAAAAAAAAAAAAAAAAAAAAAAA1": {}, "A-1": {}, "A99999999999999999999": {},
	} {
		if got, ok := parseRef(s); ok != (want != cellRef{}) || ok && got != want {
			t.Errorf("%s: got %v, %t, want %v", s, got, ok, cmp.Or(want, cellRef{}))
		}
	}
}

func TestUnescape(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", "_x000D_": "\r", "_x005F_x000D_": "_x000D_", "a_xD83D__xDE00_": "a😀", "_x00": "_x00", "_x00G1_": "_x00G1_", "é_x00e9_é": "ééé",
	} {
		if got := unescape(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
