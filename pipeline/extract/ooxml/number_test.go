package ooxml

import (
	"strings"
	"testing"
)

func TestLists(t *testing.T) {
	lvl := func(at int, format, text string, more ...string) string {
		return `<w:lvl w:ilvl="` + formatNumber(at, "decimal") + `"><w:start w:val="1"/><w:numFmt w:val="` + format + `"/><w:lvlText w:val="` + text + `"/>` + strings.Join(more, "") + `</w:lvl>`
	}
	abstract := func(id, levels string) string {
		return `<w:abstractNum w:abstractNumId="` + id + `">` + levels + `</w:abstractNum>`
	}
	num := func(id, abstract string, more ...string) string {
		return `<w:num w:numId="` + id + `"><w:abstractNumId w:val="` + abstract + `"/>` + strings.Join(more, "") + `</w:num>`
	}
	numbering := part("w:numbering", abstract("0", lvl(0, "decimal", "%1.")+lvl(1, "lowerLetter", "%2)")+lvl(2, "lowerRoman", "%1.%2.%3"))+
		abstract("1", lvl(0, "bullet", "\uf0b7")+lvl(1, "none", "")+lvl(2, "decimal", "%3"))+
		abstract("2", lvl(0, "upperRoman", "Article %1")+lvl(1, "decimal", "§ %1.%2", "<w:isLgl/>")+lvl(2, "decimal", "%3", `<w:lvlRestart w:val="0"/>`))+
		abstract("3", `<w:numStyleLink w:val="ListStyle"/>`)+
		abstract("4", `<w:styleLink w:val="ListStyle"/>`+lvl(0, "decimalZero", "%1"))+
		abstract("5", lvl(0, "decimal", "%1", `<w:pStyle w:val="Numbered"/>`)+lvl(1, "decimal", "%1.%2", `<w:pStyle w:val="Numbered2"/>`))+
		num("1", "0")+num("2", "0", `<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride>`)+num("3", "1")+num("4", "2")+num("5", "3")+num("6", "5")+
		num("7", "0", `<w:lvlOverride w:ilvl="0">`+lvl(0, "upperLetter", "%1)")+`</w:lvlOverride>`)+num("8", "none"))
	styles := part("w:styles", `<w:style w:styleId="Numbered"><w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="6"/></w:numPr></w:pPr></w:style>`+
		`<w:style w:styleId="Numbered2"><w:name w:val="heading 2"/><w:basedOn w:val="Numbered"/></w:style>`)
	item := func(num, level, text string) string {
		return p(text, `<w:numPr><w:ilvl w:val="`+level+`"/><w:numId w:val="`+num+`"/></w:numPr>`)
	}
	styled := func(style, text string, more ...string) string {
		return p(text, append([]string{`<w:pStyle w:val="` + style + `"/>`}, more...)...)
	}
	for _, test := range []struct{ name, body, want string }{
		{"levels", p("x") + item("1", "0", "a") + item("1", "1", "b") + item("1", "2", "c") + item("1", "1", "d") + item("1", "0", "e") + item("1", "1", "f") + p("y"),
			"x\n\n1. a\n  a) b\n    1.a.i c\n  b) d\n2. e\n  a) f\n\ny"},
		{"counts on after a text", item("1", "0", "a") + p("x") + item("1", "0", "b"), "1. a\n\nx\n\n2. b"},
		{"another list of the same definition counts on", item("1", "0", "a") + item("7", "0", "b"), "1. a\nB) b"},
		{"starts again where it says so", item("1", "0", "a") + item("2", "0", "b") + item("2", "0", "c"), "1. a\n5. b\n6. c"},
		{"a level that was passed over has begun", item("1", "2", "a") + item("1", "1", "b"), "    1.a.i a\n  b) b"},
		{"bullets, and a level without a mark", item("3", "0", "a") + item("3", "1", "b") + item("3", "2", "c"), "- a\n\nb\n\n    1 c"},
		{"articles, all in digits below", item("4", "0", "a") + item("4", "1", "b"), "Article I a\n  § 1.1 b"},
		{"a level that never begins again", item("4", "2", "a") + item("4", "0", "b") + item("4", "2", "c"), "    1 a\nArticle II b\n    2 c"},
		{"by a style of lists", item("5", "0", "a") + item("5", "0", "b"), "01 a\n02 b"},
		{"by the style of the paragraph", styled("Numbered", "a") + styled("Numbered2", "b") + styled("Numbered", "c"), "# 1 a\n\n## 1.1 b\n\n# 2 c"},
		{"not a list after all", styled("Numbered", "a", `<w:numPr><w:numId w:val="0"/></w:numPr>`), "# a"},
		{"empty items count, deleted ones do not", item("1", "0", "") + p("", `<w:numPr><w:numId w:val="1"/></w:numPr><w:rPr><w:del/></w:rPr>`) + item("1", "0", "a"), "2. a"},
		{"a column of numbers", "<w:tbl>" + row(item("1", "0", ""), "a") + row(item("1", "0", ""), "b") + row(item("3", "0", ""), "c") + "</w:tbl>",
			"| 1. | a |\n| --- | --- |\n| 2. | b |\n| | c |"},
		{"no such list", item("99", "0", "a") + item("8", "0", "b"), "a\n\nb"},
		{"lines of an item", `<w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>a</w:t><w:br/><w:t>b</w:t></w:r></w:p>`, "  a) a\n    b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, ReadDOCX, docx(test.body).with(parts{"word/_rels/document.xml.rels": relationsOf("n numbering numbering.xml", "s styles styles.xml"),
				"word/numbering.xml": numbering, "word/styles.xml": styles}), strings.TrimSpace(test.want))
		})
	}
}

func TestFormatNumber(t *testing.T) {
	for _, test := range []struct {
		n            int
		format, want string
	}{
		{1, "decimal", "1"}, {12, "", "12"}, {4, "upperRoman", "IV"}, {1994, "lowerRoman", "mcmxciv"}, {0, "upperRoman", "0"}, {4000, "upperRoman", "4000"},
		{1, "lowerLetter", "a"}, {26, "upperLetter", "Z"}, {27, "lowerLetter", "aa"}, {54, "lowerLetter", "bbb"}, {0, "lowerLetter", "0"}, {1 << 30, "lowerLetter", "1073741824"},
		{2, "russianLower", "б"}, {1, "ordinal", "1st"}, {2, "ordinal", "2nd"}, {3, "ordinal", "3rd"}, {11, "ordinal", "11th"}, {21, "ordinal", "21st"}, {112, "ordinal", "112th"},
		{5, "decimalZero", "05"}, {15, "decimalZero", "15"}, {7, "numberInDash", "- 7 -"}, {3, "decimalEnclosedCircle", "③"}, {21, "decimalEnclosedCircle", "21"},
		{9, "chineseCounting", "九"}, {10, "japaneseCounting", "十"}, {23, "chineseCountingThousand", "二十三"}, {100, "chineseCounting", "100"}, {3, "hebrew1", "3"},
	} {
		if got := formatNumber(test.n, test.format); got != test.want {
			t.Errorf("formatNumber(%d, %q) = %q, want %q", test.n, test.format, got, test.want)
		}
	}
}
