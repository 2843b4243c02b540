package rtf

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// read reads a document that must be readable.
func read(t *testing.T, doc string) *content.Content {
	t.Helper()
	c, err := Read(context.Background(), &content.File{Data: []byte(doc), Bounds: content.DefaultBounds()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const fontTable = `{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204{\*\panose 02}Arial Cyr;}{\f2\fcharset128 MS Gothic;}` +
	`{\f3\fcharset2 Symbol;}{\f4\fcharset2 Wingdings;}{\f5\fcharset2 Some Barcode;}{\f6\fnil\cpg1250 CE;}{\f7\fcharset1 Any;}{\f8 None;}}`

func TestText(t *testing.T) {
	for _, tt := range []struct {
		name, doc, want string
	}{
		{"nothing", ``, ""},
		{"paragraphs", `one\par two\line three\page four\sect five`, "one\ntwo\nthree\nfour\nfive\n"},
		{"empty paragraphs", `\par\par one\par\par\par two`, "one\n\ntwo\n"},
		{"paragraph by a line end", "one\\\ntwo\\\r\nthree", "one\ntwo\nthree\n"},
		{"line ends count for nothing", "o\nn\r\ne", "one\n"},
		{"characters", `a\emdash b\endash c\bullet d\lquote e\rquote f\ldblquote g\rdblquote h\tab i\~j\_k\-l\{m\}\\`, "a—b–c•d‘e’f“g”h\ti j-kl{m}\\\n"},
		{"inline formats", `{\b bo}ld \i0{\cf1\ul under}lined`, "bold underlined\n"},
		{"heading", `\pard\outlinelevel0 Top\par\pard\outlinelevel2 Low\par\pard\outlinelevel9 text`, "# Top\n\n### Low\n\ntext\n"},
		{"list", `{\listtext\'b7\tab}one\par{\listtext 2.\tab}two\par\pard\ilvl1{\pntext\f3\'b7\tab}three`, "- one\n2. two\n  - three\n"},
		{"table", `\trowd\cellx1\cellx2 a\cell\intbl b|c\cell\row\trowd\intbl d\par e\cell f\cell\row\pard g`,
			"| a | b\\|c |\n| --- | --- |\n| d e | f |\n\ng\n"},
		{"table at the end", `\trowd a\cell b\cell\row\trowd c\cell d`, "| a | b |\n| --- | --- |\n| c | d |\n"},
		{"table of a row", `\trowd a\par b\cell c\cell\row\pard d`, "a\nb\nc\nd\n"},
		{"table in a cell", `\trowd a\cell\pard\intbl\itap2 b\nestcell c\nestcell{\*\nesttableprops\trowd\nestrow}{\nonesttables\par}\pard\intbl d\cell\row` +
			`\trowd e\cell f\cell\row`, "| a | b \\| c \\| d |\n| --- | --- |\n| e | f |\n"},
		{"footnote", `a{\super\chftn}{\footnote\pard{\super\chftn} b\par c}d`, "a [footnote: b c]d\n"},
		{"endnote", `a {\footnote\ftnalt b}`, "a [endnote: b]\n"},
		{"comment", `a{\*\atnid X}{\*\atnauthor Ann}\chatn{\*\annotation{\*\atndate 1}\pard b}c`, "a [comment by Ann: b]c\n"},
		{"header and footer", `{\header a\par}{\footer{\field{\*\fldinst PAGE}{\fldrslt 1}}}{\footer b}c\par\sect{\headerr a}d`, "[header: a]\n[footer: b]\nc\n\nd\n"},
		{"field", `a {\field{\*\fldinst{HYPERLINK "http://x.y/"}}{\fldrslt{\ul here}}} b`, "a here b\n"},
		{"field in a field", `{\field{\fldinst TOC}{\fldrslt a {\field{\*\fldinst PAGEREF}{\fldrslt 42}}}} b`, "a 42 b\n"},
		{"picture", `a{\*\shppict{\pict{\*\picprop{\sp{\sn x}{\sv y}}}\pngblip 0a0b}}{\nonshppict{\pict 0a}}b`, "ab\n"},
		{"object", `a{\object{\*\objclass X}{\*\objdata 0a0b}{\result b\par}}c`, "ab\nc\n"},
		{"text box", `a{\shp{\*\shpinst\shpleft1{\sp{\sn x}{\sv y}}{\shptxt b\par c\par}}{\shprslt{\*\do{\dptxbxtext b}}}}d`, "a\nb\nc\nd\n"},
		{"text box of old", `a{\*\do\dobxpage{\dptxbx{\dptxbxtext\pard b\par}}}c`, "a\nb\nc\n"},
		{"text box in a cell", `\trowd a{\shp{\*\shpinst{\shptxt b}}}\cell c\cell\row\trowd d\cell e\cell\row`, "| a b | c |\n| --- | --- |\n| d | e |\n"},
		{"formula", `a {\mmath{\*\moMath{\mf{\mfPr{\mtype bar}}{\mnum{\mr x+1}}{\mden{\mr y}}}{\mr +}{\msSubSup{\me{\mr x}}{\msub{\mr i}}{\msup{\mr n-1}}}}} b`, "a (x+1)/y+x_i^(n-1) b\n"},
		{"formula over a paragraph", `{\mden a\par}b`, "/a\nb\n"},
		{"hidden", `a {\v b}c\v d\par e\v0 f{\v  }g`, "a [hidden: b]c[hidden: d]\n[hidden: e]f g\n"},
		{"deleted and revised", `a{\deleted b\par}{\revised c}\deleted d\deleted0 e`, "ace\n"},
		{"left out", `{\stylesheet{\s1 Normal;}}{\*\listtable{\list x}}{\colortbl;\red0;}{\*\unknown a{\b b}}{\xe c}{\*\bkmkstart d}e`, "e\n"},
		{"star within a group", `a{b\*\cs7\cf0 c}{\*\cs7 d}e\*\unknown f`, "abcdef\n"},
		{"unicode", `\u8364?\u-10179?\u-8704? \u8217\'92\uc0\u233x\uc2\u233ab{\uc3 \u233a}b`, "€😀 ’éxééb\n"},
		{"unicode without what stands for it", `\u8364\par a{\u8364}b`, "€\na€b\n"},
		{"halves of a pair", `\u-10179?a\u-8704?b\u55357?\u55357?\u56832?`, "a\ufffdb😀\n"},
		{"either of two ways", `{\upr{\b a}{\*\ud\b \u233?}}b`, "éb\n"},
		{"fonts", `\'e9\f1\'e9\f2\'82\'a0\'83A\'41\f0 b\f8\'e9`, "éйあアAbé\n"},
		{"font of a group", `{\f1 \'e9}\'e9`, "йé\n"},
		{"signs", `\f3 ab\'b7\'a3 \f4 \'fc\'a8\'01x \f5 a\'e9\f0 \u61623?\f3\u61505?\f4\u61692?`, "αβ•≤ ✓☐ ☒ aé•Α✓\n"},
		{"code page of a font", `\f6\'e8\plain\'e8`, "čè\n"},
		{"binary data", `a\bin4 {}\}b`, "ab\n"},
		{"bad hex", `a\'g1b`, "ag1b\n"},
		{"word too long", `a\` + strings.Repeat("x", 100) + `1 b`, "ab\n"},
		{"group too many ends", `a}b`, "a\n"},
		{"second document", `a}{\rtf1 b`, "a\nb\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := read(t, `{\rtf1\ansi\ansicpg1252\deff0`+fontTable+"\n"+tt.doc+`}`).Text
			if strings.TrimRight(got, "\n") != strings.TrimRight(tt.want, "\n") {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestCodePage(t *testing.T) {
	for _, tt := range []struct {
		name, doc, want string
	}{
		{"latin", `{\rtf1\ansi \'e9\'80}`, "é€"},
		{"mac", `{\rtf1\mac \'8e}`, "é"},
		{"dos", `{\rtf1\pc \'82}`, "é"},
		{"dos of the west", `{\rtf1\pca \'82\'b7}`, "éÀ"},
		{"cyrillic", `{\rtf1\ansi\ansicpg1251 \'e9}`, "й"},
		{"bytes that are not escaped", "{\\rtf1\\ansi\\ansicpg1250 za\xbf\xf3\xb3\xe6}", "zażółć"},
		{"japanese over two escapes and a letter", `{\rtf1\ansi\ansicpg932 \'83\'5c\'83A}`, "ソア"},
		{"utf-8", "{\\rtf1\\ansi\\ansicpg65001 \xc3\xa9\xff}", "é\ufffd"},
		{"unknown", `{\rtf1\ansi\ansicpg4711 \'e9}`, "é"},
		{"font without a table", `{\rtf1\ansi\ansicpg1251\f7 \'e9}`, "й"},
		{"font table without groups", `{\rtf1{\fonttbl\f0\fswiss\fcharset0 Helvetica;\f1\fcharset204 Cyr;}\f1 \'e9}`, "й"},
		{"junk before", "\ufeff \n{\\rtf1 a}", "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.TrimSpace(read(t, tt.doc).Text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestMeta(t *testing.T) {
	for _, tt := range []struct {
		name, info string
		want       map[string]string
	}{
		{"nothing", `{\title }{\author}`, nil},
		{"all", `{\title A \'e9\u233?\emdash{\b b}}{\author Ann}{\subject S}{\keywords k, l}{\doccomm no}{\creatim\yr2024\mo3\dy5\hr10\min20}{\revtim\yr2024\mo3\dy6}`,
			map[string]string{"title": "A éé—b", "author": "Ann", "subject": "S", "keywords": "k, l", "created": "2024-03-05T10:20:00", "modified": "2024-03-06"}},
		{"either of two ways", `{\upr{\title ?}{\*\ud{\title \u233?}}}`, map[string]string{"title": "é"}},
		{"no date", `{\creatim\yr0\mo0\dy0}{\revtim\yr2024\mo13\dy1}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := read(t, `{\rtf1{\info`+tt.info+`}text}`)
			if !maps.Equal(c.Meta, tt.want) {
				t.Errorf("got %q, want %q", c.Meta, tt.want)
			}
			if c.Text != "text\n" {
				t.Errorf("text %q, want only the text", c.Text)
			}
		})
	}
}

const wrapped = `{\rtf1\ansi\ansicpg1251\fromhtml1 \deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204 Cyr;}}{\colortbl;\red0;}
\uc1\pard\plain\f0\fs24 {\*\htmltag19 <html>}{\*\htmltag34 <head>\par<meta content="\'e9 \u233? \{\}">\par\tab</head>}
{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 {\*\htmltag84 <b>}\htmlrtf {\b \htmlrtf0 Hi \'e9{\f1 \'e9}{\*\htmltag92 </b>}\htmlrtf }\htmlrtf0
{\*\mhtmltag84 <img>}{\*\htmltag84 &lt;}\htmlrtf <\htmlrtf0 {\pntext x}a\~b\htmlrtf\par}\htmlrtf0 \par{\*\htmltag27 </html>}}`

func TestHTML(t *testing.T) {
	for _, tt := range []struct {
		name, doc, want string
		ok              bool
	}{
		{"a mail", wrapped, "<html><head>\n<meta content=\"й é {}\">\n\t</head><p><b>Hi éй</b>&lt;a b\n</html>", true},
		{"a text", `{\rtf1\fromtext a}`, "", false},
		{"no mail", `{\rtf1 a}`, "", false},
		{"no document", `\fromhtml1`, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page, ok := HTML([]byte(tt.doc))
			if got := string(page); got != tt.want || ok != tt.ok {
				t.Errorf("got %q, %v, want %q, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestReadHTML(t *testing.T) {
	tooDeep := content.TooLarge("too deep")
	for _, tt := range []struct {
		name   string
		within func(context.Context, *content.File) (*content.Content, error)
		want   string
	}{
		{"as html", func(_ context.Context, f *content.File) (*content.Content, error) {
			return &content.Content{Text: f.MediaType + " " + f.Charset}, nil
		}, "text/html utf-8"},
		{"html cannot be read", func(context.Context, *content.File) (*content.Content, error) { return nil, tooDeep }, "Hi éй<x a b"},
		{"nothing within", nil, "Hi éй<x a b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Read(context.Background(), &content.File{Data: []byte(wrapped), Bounds: content.DefaultBounds(), Within: tt.within})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(c.Text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBroken(t *testing.T) {
	const asItStands = `it does not begin with {\rtf as an RTF document does, and is given as it stands`
	const cutOff = "the document ends before its last group does: it may be cut off"
	for _, tt := range []struct {
		name, doc, want, warning string
	}{
		{"a piece of rtf", "{\\pard caf\xe9\\par}", `{\pard café\par}`, asItStands},
		{"begins too late", strings.Repeat(" ", junk) + `{\rtf1 a}`, strings.Repeat(" ", junk) + `{\rtf1 a}`, asItStands},
		{"cut off", `{\rtf1 a{\b b`, "ab\n", cutOff},
		{"cut in a word", `{\rtf1 a\pa`, "a\n", cutOff},
		{"cut in a byte", `{\rtf1 a\'e`, "a\n", cutOff},
		{"cut in binary data", `{\rtf1 a\bin100 x`, "a\n", cutOff},
		{"cut in a footnote", `{\rtf1 a{\footnote b`, "a [footnote: b]\n", cutOff},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := read(t, tt.doc)
			if got := strings.Join(c.Warnings, "; "); c.Text != tt.want || got != tt.warning {
				t.Errorf("got %q and warnings %q, want %q and %q", c.Text, got, tt.want, tt.warning)
			}
		})
	}
}

func kindOf(err error) string {
	if e, ok := errors.AsType[*pipeline.Error](err); ok {
		return e.Kind
	}
	return ""
}

func TestBounds(t *testing.T) {
	repeat := strings.Repeat
	for _, tt := range []struct {
		name, doc string
		tooLarge  bool
	}{
		{"groups in groups", repeat("{", 1_000_000) + "a", false},
		{"groups in groups that end", repeat("{", 1_000_000) + repeat("}", 1_000_000) + "a", false},
		{"footnotes in footnotes", repeat(`{\footnote a`, 100_000), false},
		{"text boxes in text boxes", repeat(`{\shp{\shptxt a`, 100_000), false},
		{"huge binary data", ` a\bin1000000000 b`, false},
		{"as many bytes as there may be for a character", `a\uc1000000000\u233 b`, false},
		{"numbers over all bounds", `\u99999999999999999999 \f99999999999999999999 \uc-5 \ilvl99999999 \outlinelevel-4 a`, false},
		{"characters", repeat(`\u20320?`, 300_000), false},
		{"fonts", `{\fonttbl` + fonts65k() + `}a`, false},
		{"cells", repeat(`\cell`, 1_000_000) + " a", false},
		{"cells of text", repeat(`a\cell `, 300_000), false},
		{"rows", repeat(`\trowd a\cell b\cell\row`, 100_000), false},
		{"rows without cells", repeat(`\row`, 1_000_000) + " a", false},
		{"a wide row over a long column", repeat(`a\cell `, 60_000) + `\row ` + repeat(`a\cell\row `, 60_000), false},
		{"too much text", repeat(`words\par `, 1_000_000), true},
		{"too much in a line", repeat("words ", 1_000_000), true},
		{"too much in a cell", `\trowd ` + repeat("words ", 1_000_000), true},
		{"too much in a footnote", `{\footnote ` + repeat("words ", 1_000_000) + "}", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bounds := content.DefaultBounds()
			bounds.Text = 4 << 20
			c, err := Read(context.Background(), &content.File{Data: []byte(`{\rtf1` + tt.doc), Bounds: bounds})
			switch {
			case tt.tooLarge && kindOf(err) != pipeline.KindTooLarge:
				t.Errorf("got %v, want too large", err)
			case !tt.tooLarge && err != nil:
				t.Error(err)
			case !tt.tooLarge && !strings.Contains(c.Text, "a") && !strings.Contains(c.Text, "你"):
				t.Errorf("%q has not the text", c.Text)
			case !tt.tooLarge && len(c.Text) > bounds.Text:
				t.Errorf("%d bytes of text, more than %d", len(c.Text), bounds.Text)
			}
		})
	}
}

// fonts65k is a font table of 65,000 fonts.
func fonts65k() string {
	var b strings.Builder
	for i := range 65_000 {
		b.WriteString(`{\f` + string(rune('1'+i%9)) + strings.Repeat(string(rune('0'+i%10)), 1+i%5) + ` a;}`)
	}
	return b.String()
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Read(ctx, &content.File{Data: []byte(`{\rtf1 a}`), Bounds: content.DefaultBounds()})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
