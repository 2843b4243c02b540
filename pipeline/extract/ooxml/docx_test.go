package ooxml

import (
	"strings"
	"testing"
)

// row is a row of a table with those cells; a cell that begins with < is taken as it is.
func row(cells ...string) string {
	var b strings.Builder
	for _, cell := range cells {
		if !strings.HasPrefix(cell, "<") {
			cell = p(cell)
		}
		b.WriteString("<w:tc>" + cell + "</w:tc>")
	}
	return "<w:tr>" + b.String() + "</w:tr>"
}

func fieldRuns(instruction, result string) string {
	return `<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>` + instruction + `</w:instrText></w:r>` +
		`<w:r><w:fldChar w:fldCharType="separate"/></w:r>` + run(result) + `<w:r><w:fldChar w:fldCharType="end"/></w:r>`
}

func hidden(text string) string {
	return "<w:r><w:rPr><w:vanish/></w:rPr><w:t>" + text + "</w:t></w:r>"
}

func TestDOCX(t *testing.T) {
	const drawnBox = `<w:drawing><wps:txbx><w:txbxContent>%</w:txbxContent></wps:txbx></w:drawing>`
	const oldBox = `<w:pict><v:shape><v:textbox><w:txbxContent>%</w:txbxContent></v:textbox></v:shape></w:pict>`
	box := func(box, text string) string { return strings.Replace(box, "%", text, 1) }
	for _, test := range []struct{ name, body, want string }{
		{"paragraphs", p("one") + "<w:p/>" + p(" two "), "one\n\ntwo"},
		{"runs", "<w:p>" + run("one ") + run("word") + "</w:p>", "one word"},
		{"tabs and breaks", "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:cr/><w:t>d</w:t><w:noBreakHyphen/><w:t>e</w:t><w:softHyphen/><w:t>f</w:t></w:r></w:p>",
			"a\tb\nc\nd-ef"},
		{"text over lines", "<w:p><w:r><w:t>a\n  b</w:t></w:r></w:p>", "a   b"},
		{"heading by level", p("a", `<w:outlineLvl w:val="1"/>`) + p("b", `<w:outlineLvl w:val="9"/>`), "## a\n\nb"},
		{"heading by an undefined style", p("a", `<w:pStyle w:val="Heading3"/>`), "### a"},
		{"heading over lines", "<w:p><w:pPr><w:outlineLvl w:val='0'/></w:pPr><w:r><w:t>a</w:t><w:br/><w:t>b</w:t></w:r></w:p>", "# a b"},
		{"symbols", `<w:p><w:r><w:sym w:font="Symbol" w:char="F061"/><w:sym w:font="Wingdings" w:char="F0FE"/><w:sym w:font="Arial" w:char="0041"/><w:sym w:font="x" w:char="?"/></w:r></w:p>`,
			"α☑A"},
		{"private characters", "<w:p><w:r><w:rPr><w:rFonts w:ascii='Symbol'/></w:rPr><w:t>a\uf0b3b</w:t></w:r></w:p>", "a≥b"},
		{"raised digits", "<w:p>" + run("10") + "<w:r><w:rPr><w:vertAlign w:val='superscript'/></w:rPr><w:t>-5</w:t></w:r>" + run(" the 1") +
			"<w:r><w:rPr><w:vertAlign w:val='superscript'/></w:rPr><w:t>st</w:t></w:r></w:p>", "10⁻⁵ the 1st"},
		{"hidden", "<w:p>" + run("a ") + hidden("b") + hidden("c") + run(" d ") + hidden("e") + "</w:p>", "a [hidden: bc] d [hidden: e]"},
		{"not hidden after all", "<w:p><w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>a</w:t></w:r></w:p>", "a"},
		{"tracked changes", "<w:p>" + run("a") + "<w:ins>" + run("b") + "</w:ins><w:del><w:r><w:delText>c</w:delText></w:r></w:del><w:moveFrom>" + run("d") +
			"</w:moveFrom><w:moveTo>" + run("e") + "</w:moveTo></w:p>", "abe"},
		{"content controls", "<w:sdt><w:sdtPr><w:alias w:val='no'/></w:sdtPr><w:sdtContent><w:p><w:sdt><w:sdtContent>" + run("a") + "</w:sdtContent></w:sdt></w:p></w:sdtContent></w:sdt>", "a"},
		{"smart tags and directions", "<w:p><w:smartTag><w:customXml>" + run("a") + "</w:customXml></w:smartTag><w:bdo>" + run("b") + "</w:bdo><w:dir>" + run("c") + "</w:dir></w:p>", "abc"},
		{"link", `<w:p><w:hyperlink r:id="web">` + run("here") + `</w:hyperlink></w:p>`, "here (http://example.com/a)"},
		{"link that is its text", `<w:p><w:hyperlink r:id="web">` + run("Example.com/a") + `</w:hyperlink></w:p>`, "Example.com/a"},
		{"link within", `<w:p><w:hyperlink w:anchor="x">` + run("here") + `</w:hyperlink></w:p>`, "here"},
		{"link without text", `<w:p><w:hyperlink r:id="web"/></w:p>` + p("a"), "a"},
		{"field", "<w:p>" + fieldRuns(" PAGE ", "3") + "</w:p>", "3"},
		{"field of a link", "<w:p>" + fieldRuns(` HYPERLINK "http://a.b/c" \o "tip"`, "here") + "</w:p>", "here (http://a.b/c)"},
		{"field of a mail", "<w:p>" + fieldRuns(` HYPERLINK mailto:a@b.c`, "a@b.c") + "</w:p>", "a@b.c"},
		{"field of a place", "<w:p>" + fieldRuns(` HYPERLINK \l "x"`, "here") + "</w:p>", "here"},
		{"simple field", `<w:p><w:fldSimple w:instr=' HYPERLINK "http://a.b/c" '>` + run("here") + `</w:fldSimple></w:p>`, "here (http://a.b/c)"},
		{"field within the instruction of another", `<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>IF </w:instrText></w:r>` + fieldRuns("DATE", "1999") +
			`<w:r><w:fldChar w:fldCharType="separate"/></w:r>` + run("yes") + `<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>`, "yes"},
		{"field over paragraphs", `<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>TOC</w:instrText><w:fldChar w:fldCharType="separate"/></w:r>` + run("a") + "</w:p>" +
			`<w:p>` + run("b") + `<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>`, "a\n\nb"},
		{"field that never ends", `<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r></w:p>` + strings.Repeat("<w:p/>", maxAge) + p("a"), "a"},
		{"end of no field", `<w:p><w:r><w:fldChar w:fldCharType="end"/><w:fldChar w:fldCharType="separate"/></w:r>` + run("a") + `</w:p>`, "a"},
		{"check boxes of a form", `<w:p><w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:default w:val="1"/></w:checkBox></w:ffData></w:fldChar></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>` +
			`<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:default w:val="1"/><w:checked w:val="0"/></w:checkBox></w:ffData></w:fldChar></w:r></w:p>`, "☒☐"},
		{"choice of a form", `<w:p><w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:ddList><w:result w:val="1"/><w:listEntry w:val="a"/><w:listEntry w:val="b"/></w:ddList></w:ffData></w:fldChar></w:r></w:p>`, "b"},
		{"text box", `<w:p><w:r>` + box(drawnBox, p("in")+p("box")) + `</w:r>` + run("out") + `</w:p>`, "out\n\nin\n\nbox"},
		{"old text box", `<w:p><w:r>` + box(oldBox, p("in")) + `</w:r></w:p>`, "in"},
		{"text box in both forms", `<w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps">` + box(drawnBox, p("new")) + `</mc:Choice><mc:Fallback>` + box(oldBox, p("old")) +
			`</mc:Fallback></mc:AlternateContent></w:r></w:p>`, "new"},
		{"text in the fallback alone", `<w:p><mc:AlternateContent><mc:Choice Requires="x"><w:r/></mc:Choice><mc:Fallback>` + run("old") + `</mc:Fallback></mc:AlternateContent></w:p>`, "old"},
		{"picture", `<w:p><w:r><w:drawing><wp:inline><wp:docPr id="1" name="Picture 1" descr="A  red&#10;house"/></wp:inline></w:drawing></w:r></w:p>`, "[image: A red house]"},
		{"old picture", `<w:p><w:r><w:pict><v:shape alt="a cat"/></w:pict></w:r></w:p>`, "[image: a cat]"},
		{"word art", `<w:p><w:r><w:pict><v:shape><v:textpath string="Sale!"/></v:shape></w:pict></w:r></w:p>`, "Sale!"},
		{"drawn text", `<w:p><w:r><w:drawing><a:txBody><a:p><a:r><a:t>drawn</a:t></a:r></a:p></a:txBody></w:drawing></w:r></w:p>`, "drawn"},
		{"readings", `<w:p><w:r><w:ruby><w:rt>` + run("かんじ") + `</w:rt><w:rubyBase>` + run("漢字") + `</w:rubyBase></w:ruby></w:r></w:p>`, "漢字(かんじ)"},
		{"equation in a line", `<w:p>` + run("so ") + `<m:oMath><m:r><m:t>x</m:t></m:r></m:oMath></w:p>`, "so x"},
		{"equation between paragraphs", p("a") + `<m:oMathPara><m:oMath><m:r><m:t>x</m:t></m:r></m:oMath></m:oMathPara>`, "a\n\nx"},
		{"unknown elements", p("a") + "<w:what>" + p("b") + "</w:what><x:y xmlns:x='urn:x'/>", "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, ReadDOCX, docx(test.body).with(parts{"word/_rels/document.xml.rels": relationsOf("web hyperlink http://example.com/a")}), test.want)
		})
	}
}

func TestTables(t *testing.T) {
	tbl := func(rows ...string) string { return "<w:tbl>" + strings.Join(rows, "") + "</w:tbl>" }
	long := strings.TrimSpace(strings.Repeat("long text ", longCell/5))
	for _, test := range []struct{ name, body, want string }{
		{"table", p("before") + tbl(row("a", "b"), row("c", "d|e")) + p("after"), "before\n\n| a | b |\n| --- | --- |\n| c | d\\|e |\n\nafter"},
		{"paragraphs of a cell", tbl(row("a", p("b")+p("c.")+p("d"))), "| a | b; c. d |\n| --- | --- |"},
		{"merged across", tbl(row("a", "b", "c"), row("<w:tcPr><w:gridSpan w:val='2'/></w:tcPr>"+p("d"), "e")), "| a | b | c |\n| --- | --- | --- |\n| d | | e |"},
		{"merged down", tbl(row("<w:tcPr><w:vMerge w:val='restart'/></w:tcPr>"+p("a"), "b"), row("<w:tcPr><w:vMerge/></w:tcPr><w:p/>", "c")), "| a | b |\n| --- | --- |\n| | c |"},
		{"columns left out", tbl(row("a", "b"), "<w:tr><w:trPr><w:gridBefore w:val='1'/></w:trPr><w:tc>"+p("c")+"</w:tc></w:tr>"), "| a | b |\n| --- | --- |\n| | c |"},
		{"empty rows and columns", tbl(row("", "", ""), row("a", "", "b"), row("", "", ""), row("c", "", "d")), "| a | b |\n| --- | --- |\n| c | d |"},
		{"nothing in it", p("a") + tbl(row("", ""), row("", "")) + p("b"), "a\n\nb"},
		{"one cell", tbl(row(p("a") + p("b"))), "a\n\nb"},
		{"frame", "<w:tbl><w:tblGrid><w:gridCol/></w:tblGrid>" + row(p("a", `<w:outlineLvl w:val="0"/>`)+tbl(row("b", "c"))) + "</w:tbl>", "# a\n\n| b | c |\n| --- | --- |"},
		{"layout", tbl(row(long, p(long)+p("b"))), long + "\n\n" + long + "\n\nb"},
		{"table in a table", tbl(row("a", tbl(row("b", "c"), row("d", "e"))+p("f"))), "| a | b, c; d, e; f |\n| --- | --- |"},
		{"headings and lists in cells", tbl(row(p("a", `<w:outlineLvl w:val="0"/>`), "b")), "| a | b |\n| --- | --- |"},
		{"controls around rows and cells", tbl("<w:sdt><w:sdtContent><w:tr><w:sdt><w:sdtContent><w:tc>" + p("a") + "</w:tc></w:sdtContent></w:sdt><w:tc>" + p("b") + "</w:tc></w:tr></w:sdtContent></w:sdt>"),
			"| a | b |\n| --- | --- |"},
		{"deleted row", tbl(row("a", "b"), "<w:tr><w:trPr><w:del/></w:trPr><w:tc>"+p("c")+"</w:tc><w:tc>"+p("d")+"</w:tc></w:tr>", row("e", "f")), "| a | b |\n| --- | --- |\n| e | f |"},
		{"deeper than tables are read", strings.Repeat("<w:tbl><w:tr><w:tc>", maxTables+3) + tbl(row("a", "b")) + strings.Repeat("</w:tc></w:tr></w:tbl>", maxTables+3), "a\n\nb"},
	} {
		t.Run(test.name, func(t *testing.T) { check(t, ReadDOCX, docx(test.body), test.want) })
	}
}

func TestStyles(t *testing.T) {
	style := func(id, inner string) string { return `<w:style w:styleId="` + id + `">` + inner + `</w:style>` }
	styles := part("w:styles", style("berschrift1", `<w:name w:val="heading 1"/>`)+
		style("Own", `<w:name w:val="Own"/><w:basedOn w:val="berschrift1"/>`)+
		style("Level", `<w:name w:val="x"/><w:pPr><w:outlineLvl w:val="2"/></w:pPr>`)+
		style("TOC", `<w:name w:val="TOC Heading"/><w:basedOn w:val="berschrift1"/><w:pPr><w:outlineLvl w:val="9"/></w:pPr>`)+
		style("T", `<w:name w:val="Title"/>`)+
		style("Secret", `<w:name w:val="Secret"/><w:rPr><w:vanish/></w:rPr>`)+
		style("A", `<w:basedOn w:val="B"/>`)+style("B", `<w:basedOn w:val="A"/>`))
	for _, test := range []struct{ name, body, want string }{
		{"by name", p("a", `<w:pStyle w:val="berschrift1"/>`), "# a"},
		{"inherited", p("a", `<w:pStyle w:val="Own"/>`), "# a"},
		{"by level", p("a", `<w:pStyle w:val="Level"/>`), "### a"},
		{"body text after all", p("a", `<w:pStyle w:val="TOC"/>`), "a"},
		{"the paragraph overrides", p("a", `<w:pStyle w:val="Level"/>`, `<w:outlineLvl w:val="9"/>`), "a"},
		{"title", p("a", `<w:pStyle w:val="T"/>`), "# a"},
		{"hidden by a style", `<w:p><w:r><w:rPr><w:rStyle w:val="Secret"/></w:rPr><w:t>a</w:t></w:r></w:p>`, "[hidden: a]"},
		{"in a circle", p("a", `<w:pStyle w:val="A"/>`), "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, ReadDOCX, docx(test.body).with(parts{"word/_rels/document.xml.rels": relationsOf("s styles styles.xml"), "word/styles.xml": styles}), test.want)
		})
	}
}

func TestNotes(t *testing.T) {
	ref := func(kind, id string) string { return `<w:r><w:` + kind + `Reference w:id="` + id + `"/></w:r>` }
	d := docx("<w:p>" + run("one") + ref("footnote", "2") + run(" two") + ref("endnote", "1") + run(" three") + ref("comment", "0") + ref("footnote", "3") + ref("footnote", "9") + "</w:p>")
	check(t, ReadDOCX, d.with(parts{
		"word/_rels/document.xml.rels": relationsOf("a footnotes footnotes.xml", "b endnotes endnotes.xml", "c comments comments.xml"),
		"word/footnotes.xml": part("w:footnotes", `<w:footnote w:type="separator" w:id="0">`+p("----")+`</w:footnote><w:footnote w:id="2">`+p("a note")+p("of two")+
			`</w:footnote><w:footnote w:id="3">`+p("another")+`</w:footnote>`),
		"word/endnotes.xml": part("w:endnotes", `<w:endnote w:id="1">`+p("at the end")+`</w:endnote>`),
		"word/comments.xml": part("w:comments", `<w:comment w:id="0" w:author="Ann">`+p("really?")+`</w:comment><w:comment w:id="1">`+p("lost")+`</w:comment>`),
	}), "one [footnote 1: a note; of two] two [endnote 1: at the end] three [comment by Ann: really?] [footnote 2: another]\n\n[comment: lost]")
}

func TestMargins(t *testing.T) {
	check(t, ReadDOCX, docx(p("body")).with(parts{
		"word/_rels/document.xml.rels": relationsOf("a header h1.xml", "b header h2.xml", "c header h3.xml", "d footer f1.xml", "e footer f2.xml", "f header none.xml"),
		"word/h1.xml":                  part("w:hdr", p("ACME")+p("1 Road")),
		"word/h2.xml":                  part("w:hdr", p("ACME")+p("1 Road")),
		"word/h3.xml":                  part("w:hdr", "<w:p>"+fieldRuns("PAGE", "1")+"</w:p>"),
		"word/f1.xml":                  part("w:ftr", "<w:tbl>"+row("Bank", "No. 5")+"</w:tbl>"),
		"word/f2.xml":                  part("w:ftr", `<w:p><w:hyperlink r:id="x">`+run("site")+`</w:hyperlink></w:p>`),
		"word/_rels/f2.xml.rels":       relationsOf("x hyperlink http://acme.example/"),
	}), "[header: ACME; 1 Road]\n\nbody\n\n[footer: Bank, No. 5]\n\n[footer: site (http://acme.example/)]")
}

func TestChartAndDiagram(t *testing.T) {
	point := func(idx, v string) string { return `<c:pt idx="` + idx + `"><c:v>` + v + `</c:v></c:pt>` }
	chart := part("c:chartSpace", `<c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea><c:barChart>`+
		`<c:ser><c:tx><c:strRef><c:f>Sheet1!B1</c:f><c:strCache>`+point("0", "Tea")+`</c:strCache></c:strRef></c:tx><c:cat><c:strRef><c:strCache>`+point("0", "May")+point("2", "July")+
		`</c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache><c:formatCode>General</c:formatCode>`+point("0", "4.4000000000000004")+point("2", "7")+`</c:numCache></c:numRef></c:val></c:ser>`+
		`<c:ser><c:tx><c:v>Coffee</c:v></c:tx><c:val><c:numLit>`+point("1", "5")+`</c:numLit></c:val></c:ser></c:barChart></c:plotArea></c:chart>`)
	diagram := part("dgm:dataModel", `<dgm:ptLst><dgm:pt><dgm:t><a:p><a:r><a:t>first</a:t></a:r></a:p></dgm:t></dgm:pt><dgm:pt type="parTrans"><dgm:t><a:p/></dgm:t></dgm:pt>`+
		`<dgm:pt><dgm:t><a:p><a:r><a:t>then</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst>`)
	body := `<w:p>` + run("see") + `<w:r><w:drawing><c:chart r:id="c"/></w:drawing></w:r></w:p><w:p><w:r><w:drawing><dgm:relIds r:dm="d"/></w:drawing></w:r></w:p>`
	check(t, ReadDOCX, docx(body+body).with(parts{
		"word/_rels/document.xml.rels": relationsOf("c chart charts/chart1.xml", "d diagramData diagrams/data1.xml"),
		"word/charts/chart1.xml":       chart,
		"word/diagrams/data1.xml":      diagram,
	}), "see\n\n[chart: Sales]\n\n| | Tea | Coffee |\n| --- | --- | --- |\n| May | 4.4 | |\n| | | 5 |\n| July | 7 | |\n\n- first\n- then\n\nsee")
}
