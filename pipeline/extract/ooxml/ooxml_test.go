package ooxml

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

const (
	xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`

	// declarations are the namespaces of a part, with the prefixes that Office uses.
	declarations = ` xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"` +
		` xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"` +
		` xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"` +
		` xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"` +
		` xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"` +
		` xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"` +
		` xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"` +
		` xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"` +
		` xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"` +
		` xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"` +
		` xmlns:p188="http://schemas.microsoft.com/office/powerpoint/2018/8/main"` +
		` xmlns:v="urn:schemas-microsoft-com:vml"`

	relationType = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
)

// parts are the parts of a package that a test makes, by name.
type parts map[string]string

// with is the parts and more.
func (p parts) with(more parts) parts {
	all := maps.Clone(p)
	maps.Copy(all, more)
	return all
}

// pack makes the package.
func (p parts) pack(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(p)) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(p[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// part is a part with that root.
func part(root, inner string) string {
	return xmlHead + "<" + root + declarations + ">" + inner + "</" + root + ">"
}

// relationsOf is a part of relations, each as "id kind target"; a target with a colon lies outside.
func relationsOf(relations ...string) string {
	var b strings.Builder
	b.WriteString(xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
	for _, r := range relations {
		f := strings.Fields(r)
		b.WriteString(`<Relationship Id="` + f[0] + `" Type="` + relationType + f[1] + `" Target="` + f[2] + `"`)
		if strings.Contains(f[2], ":") {
			b.WriteString(` TargetMode="External"`)
		}
		b.WriteString(`/>`)
	}
	return b.String() + `</Relationships>`
}

// docx is a document with that body.
func docx(body string) parts {
	return parts{
		"_rels/.rels":       relationsOf("rId1 officeDocument word/document.xml"),
		"word/document.xml": part("w:document", "<w:body>"+body+"</w:body>"),
	}
}

// p is a paragraph of one run; pPr are its properties.
func p(text string, pPr ...string) string {
	properties := ""
	if len(pPr) > 0 {
		properties = "<w:pPr>" + strings.Join(pPr, "") + "</w:pPr>"
	}
	return "<w:p>" + properties + run(text) + "</w:p>"
}

func run(text string) string { return "<w:r><w:t>" + text + "</w:t></w:r>" }

// file is a File of a package.
func (p parts) file(t testing.TB) *content.File {
	return &content.File{Name: "test", Data: p.pack(t), Bounds: content.DefaultBounds()}
}

// check reads a package and compares the text.
func check(t *testing.T, read content.Reader, p parts, want string) *content.Content {
	t.Helper()
	c, err := read(context.Background(), p.file(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(c.Text); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	return c
}

func kind(err error) string {
	if err == nil {
		return ""
	}
	return pipeline.AsError(err).Kind
}

func TestMainPart(t *testing.T) {
	body := part("w:document", "<w:body>"+p("text")+"</w:body>")
	types := `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Override PartName="/x/y.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`
	for name, p := range map[string]parts{
		"by relation":                      {"_rels/.rels": relationsOf("a officeDocument /any/where.xml"), "any/where.xml": body},
		"by content type":                  {"[Content_Types].xml": types, "x/y.xml": body},
		"by name":                          {"word/document.xml": body},
		"relation to nothing":              {"_rels/.rels": relationsOf("a officeDocument word/none.xml"), "word/document.xml": body},
		"relations damaged":                {"_rels/.rels": "<Relationships><", "word/document.xml": body},
		"backslashes and other case":       {"_rels/.rels": relationsOf(`a officeDocument word\Document.xml`), `word\document.xml`: body},
		"strict":                           {"_rels/.rels": strict(relationsOf("a officeDocument word/d.xml")), "word/d.xml": strict(body)},
		"other prefixes, UTF-16 and a BOM": {"word/document.xml": "\xff\xfe" + utf16le(strings.NewReplacer("w:", "n0:", "xmlns:w=", "xmlns:n0=", "UTF-8", "UTF-16").Replace(body))},
	} {
		t.Run(name, func(t *testing.T) { check(t, ReadDOCX, p, "text") })
	}
}

// strict gives a part the namespaces of the strict form.
func strict(part string) string {
	part = strings.ReplaceAll(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships", "http://purl.oclc.org/ooxml/officeDocument/relationships")
	return strings.ReplaceAll(part, "http://schemas.openxmlformats.org/wordprocessingml/2006/main", "http://purl.oclc.org/ooxml/wordprocessingml/main")
}

func utf16le(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

func TestMeta(t *testing.T) {
	c := check(t, ReadDOCX, docx(p("text")).with(parts{
		"_rels/.rels": relationsOf("a officeDocument word/document.xml", "b extended-properties docProps/app.xml",
			"c metadata/core-properties docProps/core.xml"),
		"docProps/app.xml": `<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"><Pages>3</Pages></Properties>`,
		"docProps/core.xml": `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
			xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>On  Paper</dc:title><dc:creator>A. B.</dc:creator>
			<cp:keywords>x, y</cp:keywords><dc:language>fr</dc:language><dc:subject/><dcterms:created>2020-05-01T10:00:00Z</dcterms:created>
			<dcterms:modified>yesterday</dcterms:modified></cp:coreProperties>`,
	}), "text")
	want := map[string]string{content.MetaTitle: "On Paper", content.MetaAuthor: "A. B.", content.MetaKeywords: "x, y", content.MetaLanguage: "fr",
		content.MetaCreated: "2020-05-01T10:00:00Z", content.MetaPages: "3"}
	if !maps.Equal(c.Meta, want) {
		t.Errorf("Meta = %v, want %v", c.Meta, want)
	}
}

func TestDate(t *testing.T) {
	for text, want := range map[string]string{
		"2020-05-01T10:00:00Z":      "2020-05-01T10:00:00Z",
		"2020-05-01T10:00:00+02:00": "2020-05-01T10:00:00+02:00",
		"2020-05-01T10:00:00":       "2020-05-01T10:00:00Z",
		"2020-05-01T10:00Z":         "2020-05-01T10:00:00Z",
		"2020-05-01":                "2020-05-01",
		"5/1/2020":                  "",
		"":                          "",
	} {
		if got := date(text); got != want {
			t.Errorf("date(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestDamaged(t *testing.T) {
	whole := docx(p("first") + p("second") + strings.Repeat(p("more"), 20))
	cut := docx(p("first") + p("second") + "<w:p><w:r><w:t>half a sent")
	cut["word/document.xml"] = strings.SplitAfter(cut["word/document.xml"], "half a sent")[0]
	table := docx("")
	table["word/document.xml"] = xmlHead + "<w:document" + declarations + "><w:body><w:tbl>" + row("a", "b") + "<w:tr><w:tc>" + p("c")
	for _, test := range []struct {
		name    string
		data    []byte
		want    string // what the text begins with
		warning string
	}{
		{"whole", whole.pack(t), "first\n\nsecond", ""},
		{"text breaks off", cut.pack(t), "first\n\nsecond\n\nhalf a sent", "part word/document.xml: it is damaged"},
		{"in a table", table.pack(t), "| a | b |\n| --- | --- |\n| c | |", "part word/document.xml: it is damaged"},
		{"file cut short", whole.pack(t)[:len(whole.pack(t))-100], "first\n\nsecond", "the directory of the ZIP file is damaged"},
		{"styles damaged", docx(p("first")).with(parts{
			"word/_rels/document.xml.rels": relationsOf("s styles styles.xml"), "word/styles.xml": "<w:styles><w:style"}).pack(t),
			"first", "part word/styles.xml: it is damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := ReadDOCX(context.Background(), &content.File{Data: test.data, Bounds: content.DefaultBounds()})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(c.Text, test.want) {
				t.Errorf("got %q, want %q", c.Text, test.want)
			}
			if got := strings.Join(c.Warnings, "; "); !strings.Contains(got, test.warning) || test.warning == "" && got != "" {
				t.Errorf("warnings %q, want %q", got, test.warning)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	small := content.DefaultBounds()
	small.Text, small.Part, small.Depth, small.Pages, small.Parts = 1000, 20_000, 30, 3, 12
	long := strings.Repeat("x ", 600)
	numbered := func(n int) string { return strings.Repeat("<w:style w:styleId='a'/>", n) }
	for _, test := range []struct {
		name  string
		read  content.Reader
		parts parts
		kind  string
		want  string // of the message
	}{
		{"no text part", ReadDOCX, parts{"a.txt": "x"}, pipeline.KindDamaged, "there is no part word/document.xml in it"},
		{"text", ReadDOCX, docx(p(long[:600]) + p(long[:600])), pipeline.KindTooLarge, "(the bound on text)"},
		{"text of a paragraph", ReadDOCX, docx("<w:p>" + run(long[:600]) + run(long[:600]) + "</w:p>"), pipeline.KindTooLarge, "(the bound on text)"},
		{"text of a cell", ReadDOCX, docx("<w:tbl>" + row("a", long[:600]+"</w:t></w:r></w:p><w:p><w:r><w:t>"+long[:600]) + "</w:tbl>"), pipeline.KindTooLarge, "(the bound on text)"},
		{"text of a slide", ReadPPTX, pptx(shape("", long)), pipeline.KindTooLarge, "(the bound on text)"},
		{"a part", ReadDOCX, docx(p("x")).with(parts{"word/_rels/document.xml.rels": relationsOf("s styles styles.xml"), "word/styles.xml": part("w:styles", numbered(2000))}),
			pipeline.KindTooLarge, "(the bound on a part)"},
		{"depth", ReadDOCX, docx(strings.Repeat("<w:sdt><w:sdtContent>", 20) + p("x")), pipeline.KindTooLarge, "(the bound on depth)"},
		{"entities", ReadDOCX, parts{"word/document.xml": `<!DOCTYPE x [<!ENTITY a "b">]>` + part("w:document", "<w:body><w:p><w:r><w:t>&a;</w:t></w:r></w:p></w:body>")},
			pipeline.KindTooLarge, "(the bound on XML entities is 0)"},
		{"slides", ReadPPTX, pptx(shape("", "1"), shape("", "2"), shape("", "3"), shape("", "4")), pipeline.KindTooLarge, "(the bound on pages)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.read(context.Background(), &content.File{Data: test.parts.pack(t), Bounds: small})
			if kind(err) != test.kind || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s: %s", err, test.kind, test.want)
			}
		})
	}
}

// The bounds that are not those of the file are tried in full size.
func TestOwnBounds(t *testing.T) {
	many := strings.Repeat
	chart := func(inner string) parts {
		return docx(`<w:p><w:r><w:drawing><c:chart r:id="c"/></w:drawing></w:r></w:p>`).with(parts{
			"word/_rels/document.xml.rels": relationsOf("c chart chart.xml"), "word/chart.xml": part("c:chartSpace", inner)})
	}
	with := func(kind, inner string) parts {
		return docx(p("x")).with(parts{"word/_rels/document.xml.rels": relationsOf("k " + kind + " k.xml"), "word/k.xml": inner})
	}
	for _, test := range []struct {
		name  string
		parts parts
		want  string
	}{
		{"relations", docx(p("x")).with(parts{"word/_rels/document.xml.rels": `<r xmlns:rel="http://schemas.openxmlformats.org/package/2006/relationships">` +
			many(`<rel:Relationship/>`, maxRelations+1)}), "(the bound on relations)"},
		{"styles", with("styles", part("w:styles", numberedElements(`<w:style w:styleId="%d"/>`, maxDefinitions+1))), "(the bound on styles)"},
		{"lists", with("numbering", part("w:numbering", numberedElements(`<w:num w:numId="%d"/>`, maxDefinitions/10+1))), "(the bound on lists)"},
		{"notes", with("comments", part("w:comments", numberedElements(`<w:comment w:id="%d"/>`, maxDefinitions+1))), "(the bound on notes)"},
		{"cells", docx("<w:tbl>" + many("<w:tr>"+many(`<w:tc><w:tcPr><w:gridSpan w:val="63"/></w:tcPr></w:tc>`, 100)+"</w:tr>", maxCells/6300+1) + "</w:tbl>"), "(the bound on cells)"},
		{"values of a chart", chart("<c:ser><c:val>" + many("<c:pt><c:v>1</c:v></c:pt>", maxPoints+1) + "</c:val></c:ser>"), "(the bound on values)"},
		{"series of a chart", chart(many("<c:ser/>", maxPoints/10+1)), "(the bound on series)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadDOCX(context.Background(), test.parts.file(t))
			if kind(err) != pipeline.KindTooLarge || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want too large: %s", err, test.want)
			}
		})
	}
}

// numberedElements is n times the pattern, in which %d is the number.
func numberedElements(pattern string, n int) string {
	before, after, _ := strings.Cut(pattern, "%d")
	var b strings.Builder
	for i := range n {
		b.WriteString(before + formatNumber(i, "decimal") + after)
	}
	return b.String()
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, read := range map[string]content.Reader{"docx": ReadDOCX, "pptx": ReadPPTX} {
		if _, err := read(ctx, docx(p("x")).with(pptx(shape("", "y"))).file(t)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want context.Canceled", name, err)
		}
	}
}

// reader is a Within that gives each document its name and size as text, and refuses what is called bad.
func reader(_ context.Context, f *content.File) (*content.Content, error) {
	if strings.HasPrefix(f.Name, "bad") {
		return nil, content.Unsupported("no reader for it")
	}
	return &content.Content{Text: f.Name + " says " + strings.ToValidUTF8(string(f.Data), "?"), Warnings: []string{"half of it"}}, nil
}

func TestWithin(t *testing.T) {
	f := docx(p("before") + `<w:altChunk r:id="chunk"/>` + p("after") + `<w:altChunk r:id="chunk"/><w:altChunk r:id="none"/>`).with(parts{
		"word/_rels/document.xml.rels": relationsOf("chunk aFChunk chunk.html", "x package embeddings/book.xlsx", "z oleObject embeddings/none.bin", "y1 oleObject embeddings/bad1.bin",
			"y2 oleObject embeddings/bad2.bin", "y3 oleObject embeddings/bad3.bin", "y4 oleObject embeddings/bad4.bin", "y5 oleObject embeddings/bad5.bin",
			"y6 oleObject embeddings/bad6.bin"),
		"word/chunk.html":           "chunky",
		"word/embeddings/book.xlsx": "sums",
	}).with(parts{"word/embeddings/bad1.bin": "", "word/embeddings/bad2.bin": "", "word/embeddings/bad3.bin": "", "word/embeddings/bad4.bin": "",
		"word/embeddings/bad5.bin": "", "word/embeddings/bad6.bin": ""}).file(t)
	f.Within = reader
	c, err := ReadDOCX(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n\nchunk.html says chunky\n\nafter\n\n--- embedded book.xlsx ---\n\nbook.xlsx says sums\n"; c.Text != want {
		t.Errorf("got %q, want %q", c.Text, want)
	}
	want := []string{"chunk.html: half of it", "book.xlsx: half of it", "documents within it were left out, bad1.bin, bad2.bin, bad3.bin, bad4.bin, bad5.bin and 1 more: no reader for it"}
	if !slices.Equal(c.Warnings, want) {
		t.Errorf("warnings %q, want %q", c.Warnings, want)
	}
}
