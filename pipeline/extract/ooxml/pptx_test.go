package ooxml

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"docbatch/pipeline/extract/content"
)

// pptx is a presentation of slides with those shapes.
func pptx(slides ...string) parts {
	ids, all := "", parts{}
	relations := []string{}
	for i, shapes := range slides {
		ids += fmt.Sprintf(`<p:sldId id="%d" r:id="s%d"/>`, 256+i, i)
		relations = append(relations, fmt.Sprintf("s%d slide slides/slide%d.xml", i, i+1))
		all[fmt.Sprintf("ppt/slides/slide%d.xml", i+1)] = part("p:sld", "<p:cSld><p:spTree>"+shapes+"</p:spTree></p:cSld>")
	}
	all["_rels/.rels"] = relationsOf("r officeDocument ppt/presentation.xml")
	all["ppt/presentation.xml"] = part("p:presentation", "<p:sldIdLst>"+ids+"</p:sldIdLst>")
	all["ppt/_rels/presentation.xml.rels"] = relationsOf(relations...)
	return all
}

// shape is a shape with a text of one paragraph; a text that begins with < is taken as it is. A holder "x" is not a placeholder.
func shape(holder, text string) string {
	ph := ""
	switch holder {
	case "":
	case "any":
		ph = `<p:ph idx="1"/>`
	default:
		ph = `<p:ph type="` + holder + `"/>`
	}
	if !strings.HasPrefix(text, "<") {
		text = para(text)
	}
	return `<p:sp><p:nvSpPr><p:cNvPr id="1" name="no"/><p:nvPr>` + ph + `</p:nvPr></p:nvSpPr><p:txBody>` + text + `</p:txBody></p:sp>`
}

func para(text string, pPr ...string) string {
	return "<a:p>" + strings.Join(pPr, "") + "<a:r><a:t>" + text + "</a:t></a:r></a:p>"
}

func TestPPTX(t *testing.T) {
	auto := `<a:pPr lvl="0"><a:buAutoNum type="romanLcParenR" startAt="3"/></a:pPr>`
	cell := func(text string) string { return "<a:tc><a:txBody>" + para(text) + "</a:txBody></a:tc>" }
	for _, test := range []struct{ name, shapes, want string }{
		{"title first", shape("", "text") + shape("ctrTitle", "The title"), "# The title\n\ntext"},
		{"title over lines", shape("title", "<a:p><a:r><a:t>The</a:t></a:r><a:br/><a:r><a:t>title</a:t></a:r></a:p>"), "# The title"},
		{"two titles", shape("title", "one") + shape("title", "two"), "# one\n\ntwo"},
		{"paragraphs of a box", shape("", para("a")+para("b")+para("")), "a\nb"},
		{"bullets of a body", shape("any", para("a")+para("b", `<a:pPr lvl="1"/>`)+para("c", `<a:pPr><a:buNone/></a:pPr>`)), "- a\n  - b\nc"},
		{"one paragraph of a body", shape("body", "a"), "a"},
		{"bullets that are said", shape("", para("a", `<a:pPr><a:buChar char="*"/></a:pPr>`)+para("b", `<a:pPr><a:buChar char="*"/></a:pPr>`)), "- a\n- b"},
		{"numbers", shape("", para("a", auto)+para("sub", `<a:pPr lvl="1"><a:buAutoNum type="alphaUcPeriod"/></a:pPr>`)+para("b", auto)+para("sub", `<a:pPr lvl="1"><a:buAutoNum type="alphaUcPeriod"/></a:pPr>`)),
			"iii) a\n  A. sub\niv) b\n  A. sub"},
		{"numbers begin again after a text", shape("", para("a", auto)+para("x")+para("b", auto)), "iii) a\nx\niii) b"},
		{"groups", `<p:grpSp><p:grpSp>` + shape("", "a") + `</p:grpSp>` + shape("", "b") + `</p:grpSp>`, "a\n\nb"},
		{"field and break", shape("", `<a:p><a:fld type="datetime"><a:t>1999</a:t></a:fld><a:br/><a:r><a:t>x</a:t></a:r></a:p>`), "1999\nx"},
		{"vertical tab", shape("", "a_x000B_b"), "a\nb"},
		{"link", shape("", `<a:p><a:r><a:rPr><a:hlinkClick r:id="web"/></a:rPr><a:t>he</a:t></a:r><a:r><a:rPr><a:hlinkClick r:id="web"/></a:rPr><a:t>re</a:t></a:r><a:r><a:t> now</a:t></a:r></a:p>`),
			"here (http://a.b/c) now"},
		{"table", `<p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tr>` + cell("a") + cell("b") + `</a:tr><a:tr>` + cell("c") + cell("") + `</a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame>`,
			"| a | b |\n| --- | --- |\n| c | |"},
		{"picture", `<p:pic><p:nvPicPr><p:cNvPr id="2" descr="a cat"/></p:nvPicPr></p:pic>`, "[image: a cat]"},
		{"alternatives", `<mc:AlternateContent><mc:Choice Requires="a14">` + shape("", "<a:p><m:oMath><m:r><m:t>x+1</m:t></m:r></m:oMath></a:p>") + `</mc:Choice><mc:Fallback>` + shape("", "x+1") +
			`</mc:Fallback></mc:AlternateContent>`, "x+1"},
		{"number of the slide in a deck of one", shape("sldNum", "1"), "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := check(t, ReadPPTX, pptx(test.shapes).with(parts{"ppt/slides/_rels/slide1.xml.rels": relationsOf("web hyperlink http://a.b/c")}), test.want)
			if c.Meta[content.MetaPages] != "1" {
				t.Errorf("pages = %q", c.Meta[content.MetaPages])
			}
		})
	}
}

func TestSlides(t *testing.T) {
	deck := pptx(shape("title", "One")+shape("sldNum", "1"), shape("", "two")+shape("sldNum", "‹#›"), shape("", "three")+shape("ftr", "ACME"))
	deck["ppt/slides/slide2.xml"] = strings.Replace(deck["ppt/slides/slide2.xml"], "<p:sld ", `<p:sld show="0" `, 1)
	const want = "--- slide 1 ---\n\n# One\n\n--- slide 2 ---\n\n[hidden slide]\n\ntwo\n\n--- slide 3 ---\n\nthree\n\nACME"
	t.Run("in order", func(t *testing.T) { check(t, ReadPPTX, deck, want) })
	t.Run("the order is not that of the names", func(t *testing.T) {
		check(t, ReadPPTX, deck.with(parts{"ppt/_rels/presentation.xml.rels": relationsOf("s0 slide slides/slide3.xml", "s1 slide /ppt/slides/slide2.xml", "s2 slide slides/slide3.xml")}),
			"--- slide 1 ---\n\nthree\n\nACME\n\n--- slide 2 ---\n\n[hidden slide]\n\ntwo")
	})
	t.Run("found by their names", func(t *testing.T) {
		check(t, ReadPPTX, deck.with(parts{"ppt/presentation.xml": "", "ppt/slides/slide11.xml": "<p:sld/>"}), want+"\n\n--- slide 4 ---")
	})
}

func TestNotesAndComments(t *testing.T) {
	deck := pptx(shape("", "text")).with(parts{
		"ppt/slides/_rels/slide1.xml.rels": relationsOf("n notesSlide ../notesSlides/notesSlide1.xml", "c comments ../comments/comment1.xml", "m comments ../comments/modern1.xml",
			"x package ../embeddings/book.xlsx"),
		"ppt/notesSlides/notesSlide1.xml": part("p:notes", "<p:cSld><p:spTree>"+shape("body", para("say this")+para("and that"))+shape("sldNum", "1")+shape("", "&lt;footer&gt;")+"</p:spTree></p:cSld>"),
		"ppt/comments/comment1.xml":       part("p:cmLst", `<p:cm authorId="0"><p:text>fine</p:text></p:cm><p:cm authorId="7"><p:text>who?</p:text></p:cm>`),
		"ppt/comments/modern1.xml": part("p188:cmLst", `<p188:cm authorId="{1}"><p188:replyLst><p188:reply authorId="{2}"><p188:txBody>`+para("answer")+
			`</p188:txBody></p188:reply></p188:replyLst><p188:txBody>`+para("question")+`</p188:txBody></p188:cm>`),
		"ppt/_rels/presentation.xml.rels": relationsOf("s0 slide slides/slide1.xml", "a commentAuthors commentAuthors.xml", "b authors authors.xml"),
		"ppt/commentAuthors.xml":          part("p:cmAuthorLst", `<p:cmAuthor id="0" name="Ann"/>`),
		"ppt/authors.xml":                 part("p188:authorLst", `<p188:author id="{1}" name="Bob"/><p188:author id="{2}" name="Cy"/>`),
		"ppt/embeddings/book.xlsx":        "sums",
	})
	f := deck.file(t)
	f.Within = reader
	c, err := ReadPPTX(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	const want = "text\n\nNotes: say this\nand that\n\n[comment by Ann: fine]\n\n[comment: who?]\n\n[comment by Bob: question]\n\n[comment by Cy: answer]\n\n" +
		"--- embedded book.xlsx ---\n\nbook.xlsx says sums"
	if got := strings.TrimSpace(c.Text); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
