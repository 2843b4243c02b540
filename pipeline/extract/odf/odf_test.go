package odf

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// root opens an element that declares the namespaces.
func root(name string) string {
	space := "urn:oasis:names:tc:opendocument:xmlns:"
	return "<" + name + ` xmlns:office="` + space + `office:1.0" xmlns:style="` + space + `style:1.0" xmlns:text="` + space + `text:1.0" xmlns:table="` + space +
		`table:1.0" xmlns:draw="` + space + `drawing:1.0" xmlns:presentation="` + space + `presentation:1.0" xmlns:form="` + space + `form:1.0" xmlns:chart="` + space +
		`chart:1.0" xmlns:meta="` + space + `meta:1.0" xmlns:svg="` + space + `svg-compatible:1.0" xmlns:manifest="` + space + `manifest:1.0" ` +
		`xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink">`
}

// flat makes a document in one file of what comes before the body, and of a body of a kind.
func flat(before, kind, body string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + root("office:document") + before +
		"<office:body><office:" + kind + ">" + body + "</office:" + kind + "></office:body></office:document>")
}

func readFlat(data []byte) (*content.Content, error) {
	return ReadFlat(context.Background(), &content.File{Data: data, Bounds: content.DefaultBounds()})
}

const styleSheet = `<office:styles>
	<style:style style:name="Title" style:family="paragraph"/><style:style style:name="Hid" style:family="text"><style:text-properties text:display="none"/></style:style>
	<style:style style:name="HidPar" style:family="paragraph"><style:text-properties text:display="none"/></style:style>
	<style:style style:name="P1" style:family="paragraph" style:parent-style-name="HidPar"/><style:style style:name="T" style:family="paragraph" style:parent-style-name="Title"/>
	<style:style style:name="Up" style:family="text"><style:text-properties style:text-position="super 58%"/></style:style>
	<style:style style:name="Down" style:family="text"><style:text-properties style:text-position="-33% 58%"/></style:style>
	<style:style style:name="off" style:family="table"><style:table-properties table:display="false"/></style:style>
	<style:style style:name="dark" style:family="drawing-page"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>
	</office:styles>`

func TestText(t *testing.T) {
	for name, tt := range map[string]struct{ body, want string }{
		"headings": {`<text:h text:outline-level="2">A  <text:span>b</text:span>
			c</text:h><text:h>D</text:h><text:p text:style-name="T">the title</text:p><text:h/>`, "## A b c\n\n# D\n\n# the title"},
		"white space": {"<text:p>  a \n <text:span> b</text:span><text:s/><text:s text:c=\"2\"/>c<text:tab/>d<text:line-break/>e</text:p>", "a b   c\td\ne"},
		"links":       {`<text:p>see <text:a xlink:href="https://example.org/">there</text:a>.</text:p>`, "see there."},
		"notes": {`<text:p>a<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body><text:p>b</text:p><text:p>c</text:p></text:note-body></text:note>,
			d<text:note text:note-class="endnote"><text:note-citation>i</text:note-citation><text:note-body><text:p>e</text:p></text:note-body></text:note></text:p>`,
			"a [footnote 1: b\nc], d [endnote i: e]"},
		"comments": {`<text:p>a<office:annotation><dc:creator>Ann</dc:creator><dc:date>2026-11-23</dc:date><text:p>too</text:p><text:p>low</text:p></office:annotation>b
			<office:annotation><text:p>who?</text:p></office:annotation></text:p>`, "a [comment by Ann: too\nlow]b [comment: who?]"},
		"deleted text": {`<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion></text:changed-region></text:tracked-changes>
			<text:p>a<text:change/>b</text:p>`, "ab"},
		"hidden text": {`<text:p>a <text:span text:style-name="Hid">b</text:span></text:p><text:p text:style-name="P1">c</text:p><text:p text:style-name="P1"/>
			<text:section text:display="none"><text:p>d</text:p></text:section><text:p><text:hidden-text text:string-value="e"/></text:p>`,
			"a [hidden: b]\n\n[hidden: c]\n\n[hidden section:]\n\nd\n\n[end of the hidden section]\n\n[hidden: e]"},
		"scripts": {`<text:p>x<text:span text:style-name="Up">2</text:span> H<text:span text:style-name="Down">2</text:span>O 1<text:span text:style-name="Up">st</text:span></text:p>`,
			"x² H₂O 1st"},
		"ruby":  {`<text:p><text:ruby><text:ruby-base>漢字</text:ruby-base><text:ruby-text>かんじ</text:ruby-text></text:ruby></text:p>`, "漢字(かんじ)"},
		"index": {`<text:table-of-content><text:table-of-content-source><text:index-title-template>no</text:index-title-template></text:table-of-content-source><text:index-body><text:index-title><text:p>Contents</text:p></text:index-title><text:p>A<text:tab/>1</text:p></text:index-body></text:table-of-content>`, "Contents\n\nA\t1"},
		"text boxes": {`<text:p>before <draw:frame><draw:text-box><text:p>in a box</text:p><text:p>of two</text:p></draw:text-box></draw:frame>and after</text:p>
			<draw:custom-shape><text:p>a shape</text:p></draw:custom-shape><text:p>last</text:p>`, "before and after\n\nin a box\n\nof two\n\na shape\n\nlast"},
		"pictures": {`<text:p><draw:frame><draw:image xlink:href="a.png"/><svg:title>A cat</svg:title><svg:desc>on a mat</svg:desc></draw:frame><draw:frame><draw:image/></draw:frame></text:p>`,
			"[image: A cat on a mat]"},
		"form controls": {`<office:forms><form:form><form:text xml:id="c1" form:label="Name" form:current-value="Ann"/><form:checkbox form:id="c2" form:label="Yes" form:current-state="checked"/></form:form></office:forms>
			<text:p><draw:control draw:control="c1"/><draw:control draw:control="c2"/></text:p>`, "Name Ann\n\n[x] Yes"},
		"a table": {`<table:table><table:table-column/><table:table-header-rows><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell table:number-columns-repeated="2"><text:p>b</text:p></table:table-cell></table:table-row></table:table-header-rows>
			<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-spanned="2"><text:p>c</text:p><text:list><text:list-item><text:p>d</text:p></text:list-item></text:list></table:table-cell><table:covered-table-cell/><table:table-cell><text:p/></table:table-cell></table:table-row></table:table>`,
			"| a | b | b |\n| --- | --- | --- |\n| c - d | | |\n| c - d | | |"},
		"a table in a table": {`<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell><table:table><table:table-row>
			<table:table-cell><text:p>b</text:p></table:table-cell><table:table-cell><text:p>c</text:p></table:table-cell></table:table-row></table:table></table:table-cell></table:table-row></table:table>`,
			"| a | b; c |\n| --- | --- |"},
		"a formula": {`<text:p>let <draw:frame><draw:object><m:math xmlns:m="http://www.w3.org/1998/Math/MathML"><m:semantics><m:mrow><m:mi>x</m:mi><m:mo>=</m:mo>
			<m:mfrac><m:mrow><m:msup><m:mi>a</m:mi><m:mn>2</m:mn></m:msup><m:mo>+</m:mo><m:msqrt><m:mn>3</m:mn></m:msqrt></m:mrow><m:mn>4</m:mn></m:mfrac></m:mrow><m:annotation>no</m:annotation></m:semantics></m:math></draw:object></draw:frame> be</text:p>`,
			"let x = (a^(2) + sqrt(3))/(4) be"},
		"a chart": {`<text:p><draw:frame><draw:object>` + root("office:document") + `<office:body><office:chart><chart:chart><chart:title><text:p>Sales</text:p></chart:title>
			<table:table><table:table-row><table:table-cell><text:p>2025</text:p></table:table-cell><table:table-cell><text:p>7</text:p></table:table-cell></table:table-row></table:table>
			</chart:chart></office:chart></office:body></office:document></draw:object></draw:frame></text:p>`, "Sales\n\n| 2025 | 7 |\n| --- | --- |"},
	} {
		t.Run(name, func(t *testing.T) { check(t, flat(styleSheet, "text", tt.body), tt.want) })
	}
}

// check reads a flat document.
func check(t *testing.T, data []byte, want string) {
	t.Helper()
	c, err := readFlat(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(c.Text); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(c.Warnings) > 0 {
		t.Errorf("got warnings %q, want none", c.Warnings)
	}
}

// TestLists numbers lists as LibreOffice 7.4 does, with which testdata/lists.txt was made.
func TestLists(t *testing.T) {
	data, err := os.ReadFile("testdata/lists.fodt")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/lists.txt")
	if err != nil {
		t.Fatal(err)
	}
	c, err := readFlat(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := bare(c.Text); got != bare(string(want)) {
		t.Errorf("got\n%s\nwant\n%s", got, bare(string(want)))
	}
}

// bare is text without what Markdown and LibreOffice add to the numbers.
func bare(text string) string {
	var lines []string
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		if line = strings.TrimLeft(strings.TrimSpace(line), "#-• "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		format  string
		doubled bool
		n       int
		want    string
	}{
		{"1", false, 12, "12"}, {"a", false, 1, "a"}, {"a", false, 26, "z"}, {"a", false, 27, "aa"}, {"a", false, 28, "ab"}, {"A", true, 28, "BB"},
		{"i", false, 4, "iv"}, {"I", false, 1994, "MCMXCIV"}, {"I", false, 4000, "4000"}, {"a", false, 0, "0"}, {"a", true, 1 << 16, "crxp"}, {"一", false, 3, "3"},
	} {
		if got := (levelStyle{format: tt.format, doubled: tt.doubled}).write(tt.n); got != tt.want {
			t.Errorf("%d as %s: got %s, want %s", tt.n, tt.format, got, tt.want)
		}
	}
}

func TestSpreadsheet(t *testing.T) {
	check(t, flat(styleSheet, "spreadsheet", `<table:content-validations><table:content-validation><table:help-message><text:p>no</text:p></table:help-message></table:content-validation></table:content-validations>
		<table:table table:name="One"><table:shapes><draw:frame><draw:text-box><text:p>in a box</text:p></draw:text-box></draw:frame></table:shapes>
		<table:table-row><table:table-cell table:number-columns-repeated="3"/><table:table-cell office:value="1"><text:p>1.00 EUR</text:p></table:table-cell><table:table-cell table:number-columns-repeated="2"><text:p>x</text:p></table:table-cell><table:table-cell table:number-columns-repeated="1000000"/></table:table-row>
		<table:table-row-group><table:table-row><table:table-cell table:number-columns-repeated="3"/><table:table-cell office:value-type="float" office:value="2.5"/>
			<table:table-cell><office:annotation><dc:creator>Ann</dc:creator><text:p>too low</text:p></office:annotation><text:p>a</text:p><text:p>b</text:p></table:table-cell></table:table-row></table:table-row-group>
		<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>
		<table:table table:name="Empty"/>
		<table:table table:name="Two" table:style-name="off"><table:table-row table:number-rows-repeated="3"><table:table-cell><text:p>y</text:p></table:table-cell></table:table-row></table:table>`),
		"## One\n\n| 1.00 EUR | x | x |\n| --- | --- | --- |\n| 2.5 | a b [comment by Ann: too low] | |\n\nin a box\n\n## Two (hidden)\n\ny\ny\ny")
}

func TestPresentation(t *testing.T) {
	slide := func(style, inside string) string {
		return `<draw:page draw:style-name="` + style + `"><draw:frame presentation:class="title"><draw:text-box><text:p>Hello</text:p></draw:text-box></draw:frame>` +
			inside + `<draw:frame presentation:class="page-number"><draw:text-box><text:p>9</text:p></draw:text-box></draw:frame></draw:page>`
	}
	check(t, flat(styleSheet, "presentation", slide("", "")), "## Hello")
	check(t, flat(styleSheet, "presentation", slide("", `<draw:g><draw:rect><text:p>a shape</text:p></draw:rect></draw:g><presentation:notes><draw:page-thumbnail/><draw:frame presentation:class="notes"><draw:text-box><text:p>say it</text:p></draw:text-box></draw:frame></presentation:notes>`)+
		slide("dark", `<draw:frame><table:table><table:table-row><table:table-cell><text:list><text:list-item><text:p>a</text:p></text:list-item></text:list></table:table-cell><table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table></draw:frame>`)),
		"--- slide 1 ---\n\n## Hello\n\na shape\n\nNotes:\n\nsay it\n\n--- slide 2 ---\n\n(hidden)\n\n## Hello\n\n| a | b |\n| --- | --- |")
}

// TestHeaders has the headers and footers of all pages once, without page numbers.
func TestHeaders(t *testing.T) {
	master := func(header, footer string) string {
		return `<style:master-page><style:header><text:p>` + header + `</text:p></style:header><style:footer><text:p>` + footer + `</text:p></style:footer></style:master-page>`
	}
	check(t, flat(`<office:master-styles>`+master("ACME", "<text:page-number>3</text:page-number>")+master("ACME", "confidential")+`</office:master-styles>`, "text", `<text:p>body</text:p>`),
		"ACME\n\nbody\n\nconfidential")
	check(t, flat(`<office:master-styles><style:master-page><draw:frame presentation:class="title" presentation:placeholder="true"><draw:text-box><text:p>click here</text:p></draw:text-box></draw:frame>
		<draw:frame presentation:class="footer"><draw:text-box><text:p>ACME</text:p></draw:text-box></draw:frame>
		<draw:frame presentation:class="page-number"><draw:text-box><text:p><text:page-number>9</text:page-number></text:p></draw:text-box></draw:frame></style:master-page></office:master-styles>`,
		"presentation", `<draw:page><draw:rect><text:p>body</text:p></draw:rect></draw:page>`), "body\n\nACME")
}

func TestMeta(t *testing.T) {
	c, err := readFlat(flat(`<office:meta><dc:title>A title</dc:title><meta:initial-creator>Ann</meta:initial-creator><dc:creator>Bob</dc:creator><dc:date>2026-11-23T10:11:12.987654321</dc:date>
		<meta:creation-date>2026-11-22T10:11:12.5Z</meta:creation-date><meta:keyword>one</meta:keyword><meta:keyword>two</meta:keyword><dc:language>de</dc:language><meta:document-statistic meta:page-count="2"/></office:meta>`, "text", ""))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{content.MetaTitle: "A title", content.MetaAuthor: "Ann", content.MetaModified: "2026-11-23T10:11:12", content.MetaCreated: "2026-11-22T10:11:12Z",
		content.MetaKeywords: "one, two", content.MetaLanguage: "de", content.MetaPages: "2"}
	if !maps.Equal(c.Meta, want) {
		t.Errorf("got %v, want %v", c.Meta, want)
	}
}

// zipped makes a document of parts.
func zipped(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(parts[name]))
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

// document makes the parts of a text document.
func document(body string) map[string]string {
	return map[string]string{
		"content.xml": root("office:document-content") + "<office:body><office:text>" + body + "</office:text></office:body></office:document-content>",
		"styles.xml":  root("office:document-styles") + styleSheet + "</office:document-styles>",
		"meta.xml":    root("office:document-meta") + "<office:meta><dc:title>T</dc:title></office:meta></office:document-meta>",
		"Object 1/content.xml": root("office:document-content") + `<office:automatic-styles><style:style style:name="Up" style:family="text"/></office:automatic-styles>` +
			`<office:body><office:spreadsheet><table:table table:name="S"><table:table-row><table:table-cell><text:p>embedded</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>`,
	}
}

func read(data []byte, bounds *content.Bounds, passwords ...string) (*content.Content, error) {
	return Read(context.Background(), &content.File{Data: data, Bounds: bounds, Passwords: passwords})
}

func TestRead(t *testing.T) {
	object := `<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame>`
	c, err := read(zipped(t, document(`<text:p>a`+object+object+`</text:p><text:p>x<text:span text:style-name="Up">2</text:span></text:p>`)), content.DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.TrimSpace(c.Text), "a\n\n## S\n\nembedded\n\nx²"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if c.Meta[content.MetaTitle] != "T" || len(c.Warnings) > 0 {
		t.Errorf("got meta %v and warnings %q", c.Meta, c.Warnings)
	}
}

func TestDamaged(t *testing.T) {
	parts := document("")
	parts["content.xml"] = root("office:document-content") + `<office:body><office:text><text:p>one</text:p><table:table><table:table-row><table:table-cell><text:p>two`
	c, err := read(zipped(t, parts), content.DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.TrimSpace(c.Text), "one\n\ntwo"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "content.xml is damaged") {
		t.Errorf("got warnings %q", c.Warnings)
	}
}

// TestPassword opens a document that LibreOffice 7.4 has encrypted.
func TestPassword(t *testing.T) {
	data, err := os.ReadFile("testdata/secret.odt")
	if err != nil {
		t.Fatal(err)
	}
	c, err := read(data, content.DefaultBounds(), "wrong", "sesame")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.TrimSpace(c.Text), "The treasure is under the third palm."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = read(data, content.DefaultBounds(), "wrong")
	wantKind(t, err, pipeline.KindEncrypted, "protected by a password")
}

func wantKind(t *testing.T, err error, kind, words string) {
	t.Helper()
	if e, ok := errors.AsType[*pipeline.Error](err); !ok || e.Kind != kind || !strings.Contains(err.Error(), words) {
		t.Errorf("got %v, want %s: %s", err, kind, words)
	}
}

func TestErrors(t *testing.T) {
	manifest := func(algorithm, rounds string) map[string]string {
		parts := document("")
		parts["META-INF/manifest.xml"] = root("manifest:manifest") + `<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data manifest:checksum-type="#sha256-1k">` +
			`<manifest:algorithm manifest:algorithm-name="` + algorithm + `" manifest:initialisation-vector="AAAAAAAAAAAAAAAAAAAAAA=="/>` +
			`<manifest:start-key-generation manifest:start-key-generation-name="#sha256"/><manifest:key-derivation manifest:key-derivation-name="PBKDF2" manifest:iteration-count="` + rounds + `"/>` +
			`</manifest:encryption-data></manifest:file-entry></manifest:manifest>`
		return parts
	}
	damaged := document("")
	damaged["content.xml"] = "<office"
	for name, tt := range map[string]struct {
		parts map[string]string
		kind  string
		words string
	}{
		"no content":            {map[string]string{"mimetype": "application/vnd.oasis.opendocument.text"}, pipeline.KindDamaged, "no content.xml"},
		"nothing left":          {damaged, pipeline.KindDamaged, "no text in what is left"},
		"an unknown encryption": {manifest("Blowfish CFB", "1024"), pipeline.KindEncrypted, "not known here"},
		"rounds":                {manifest("#aes256-cbc", "2000000"), pipeline.KindTooLarge, "the bound on rounds"},
		"text":                  {document(strings.Repeat("<text:p>word word word</text:p>", 300)), pipeline.KindTooLarge, "the bound on text"},
		"repeated cells": {document(`<table:table><table:table-row table:number-rows-repeated="1000"><table:table-cell table:number-columns-repeated="1000"><text:p>a</text:p></table:table-cell></table:table-row></table:table>`),
			pipeline.KindTooLarge, "the bound on text"},
		"depth":  {document(strings.Repeat("<text:section>", 60) + strings.Repeat("</text:section>", 60)), pipeline.KindTooLarge, "the bound on depth"},
		"a part": {document(strings.Repeat("<text:p/>", 2000)), pipeline.KindTooLarge, "the bound on a part"},
	} {
		t.Run(name, func(t *testing.T) {
			bounds := content.DefaultBounds()
			bounds.Text, bounds.Part, bounds.Depth = 4000, 16<<10, 50
			_, err := read(zipped(t, tt.parts), bounds)
			wantKind(t, err, tt.kind, tt.words)
		})
	}
}

func TestPages(t *testing.T) {
	bounds := content.DefaultBounds()
	bounds.Pages = 2
	for kind, page := range map[string]string{"presentation": "<draw:page/>", "spreadsheet": "<table:table/>"} {
		_, err := ReadFlat(context.Background(), &content.File{Data: flat("", kind, strings.Repeat(page, 3)), Bounds: bounds})
		wantKind(t, err, pipeline.KindTooLarge, "the bound on pages")
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := ReadFlat(ctx, &content.File{Data: flat("", "text", "<text:p>a</text:p>"), Bounds: content.DefaultBounds()})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
