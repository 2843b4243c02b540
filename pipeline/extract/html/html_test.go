package html

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// read reads a page that must be readable.
func read(t *testing.T, f content.File) *content.Content {
	t.Helper()
	if f.Bounds == nil {
		f.Bounds = content.DefaultBounds()
	}
	c, err := Read(context.Background(), &f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, page, want string
	}{
		{"nothing", "", ""},
		{"no markup", "only words\nin lines", "only words in lines\n"},
		{"paragraphs", "<p>one<p>two<div>three</div>four", "one\n\ntwo\nthree\nfour\n"},
		{"headings", "<h1>Top</h1>text<h3>Low<br>er</h3>", "# Top\n\ntext\n\n### Low\ner\n"},
		{"an empty heading", "<h2> </h2><p>text", "text\n"},
		{"inline markup", "<b>bo</b>ld, <i>it</i><code>alic</code>", "bold, italic\n"},
		{"white space", "a \n\t b&nbsp; c", "a b c\n"},
		{"places to break a word", "hy&shy;phen\u200bate", "hyphenate\n"},
		{"entities", "&lt;a&gt; &eacute; &#8364; &#x41; &bogus;", "<a> é € A &bogus;\n"},
		{"links are text", `<a href="http://x.y/">here</a> and <a href="/z">there</a>`, "here and there\n"},
		{"pictures", `a<img alt="a cat">b<img src=x><img alt="">`, "a [a cat] b\n"},
		{"line ends", "a<br>b<br><br>c<hr>d</br>e", "a\nb\n\nc\n\n---\n\nd\ne\n"},
		{"list", "<ul><li>one<li>two</ul>", "- one\n- two\n"},
		{"list in a list", "<ul><li>one<ol><li>a<li>b</ol><li>two</ul>end", "- one\n  1. a\n  2. b\n- two\n\nend\n"},
		{"numbers", `<ol start=3 type=a><li>x<li value=27>y</ol><ol type=I><li value=1984>z</ol>`, "c. x\naa. y\n\nMCMLXXXIV. z\n"},
		{"numbers of a style", `<ol style="margin:0; list-style-type: lower-roman"><li>x</ol><p><ol type=A style="list-style: inside decimal !important"><li>y</ol><p><ol style="list-style:disc"><li>z</ol>`,
			"i. x\n\n1. y\n\n1. z\n"},
		{"paragraphs of an item", "<ol><li><p>one</p><p>two</p></ol>", "1. one\n\n   two\n"},
		{"item without a list", "<li>one<li>two", "- one\n- two\n"},
		{"quotation", "<blockquote>a<blockquote>b</blockquote>c</blockquote>d", "> a\n\n> > b\n\n> c\n\nd\n"},
		{"definitions", "<dl><dt>term<dd>words</dl>", "term\nwords\n"},
		{"preformatted", "<pre>\na\n  b</pre>c", "```\na\n  b\n```\n\nc\n"},
		{"preformatted with markup", "<pre><b>a</b>\n<br>b</pre>", "```\na\n\nb\n```\n"},
		{"nothing preformatted", "<pre> \n</pre>c", "c\n"},
		{"quoted, deleted, raised", "<q>a</q> <del>b</del> 10<sup>6</sup> H<sub>2</sub>O x<sup>n</sup> <sup>1</sup>", "“a” ~~b~~ 10⁶ H₂O x^n 1\n"},
		{"ruby", "漢<ruby>字<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>", "漢字(kan)\n"},
		{"formula", "<math><mfrac><mn>1</mn> <mrow><mi>a</mi><mo>+</mo><msup><mi>b</mi><mn>2</mn></msup></mrow></mfrac> <msqrt><mi>c</mi></msqrt></math>!",
			"1/{a+b^2}√{c} !\n"},
		{"left out", "<script>a<b</script><style>x{}</style><template>t</template><svg><title>s</title><text>u</text></svg><!-- c -->text", "text\n"},
		{"a drawing without end", "<svg><path><p>text", "text\n"},
		{"without scripts and frames", "<noscript><b>a</b></noscript><iframe>b</iframe><noframes><p>c</noframes>", "a\nb\n\nc\n"},
		{"a frame's own page", `<p>a<iframe srcdoc="<h1>b</h1><p>c"></iframe>d`, "a\n\n# b\n\nc\nd\n"},
		{"frames in frames", `<iframe srcdoc="1<iframe srcdoc='2<iframe srcdoc=&quot;3<iframe srcdoc=4></iframe>&quot;>'>">`, "1\n2\n3\n"},
		{"hidden block", "<p>a<p style='display: none'>b<p>c", "a\n\n[hidden: b]\n\nc\n"},
		{"hidden words", "a <span hidden>b</span> c", "a [hidden: b] c\n"},
		{"hidden in lines", "<div style='VISIBILITY:hidden'>a<div>b</div></div>c", "[hidden: a]\n[hidden: b]\nc\n"},
		{"hidden and without text", "<div hidden> <img alt=x hidden></div>c<input hidden value=y>", "c\n"},
		{"a body is not hidden", "<body style='display:none'>a", "a\n"},
		{"form", `<label>Name<input value="Ann"></label><input type=hidden value=h><input type=checkbox checked>yes<input type=radio>no<textarea>long
 text</textarea><input type=submit value=Send><input type=password value=p>`, "Name Ann [x] yes [ ] no long text Send\n"},
		{"choice", "Pick <select><option>a<option selected>b</select> now", "Pick a / [x] b now\n"},
		{"table", "<table><caption>T</caption><tr><th>a<th>b<tr><td>1<td>2|3</table>", "T\n\n| a | b |\n| --- | --- |\n| 1 | 2\\|3 |\n"},
		{"table with sections", "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td><p>1</p><p>2</p></td><td>3</td></tr></tbody></table>x",
			"| a | b |\n| --- | --- |\n| 1 2 | 3 |\n\nx\n"},
		{"spans", "<table><tr><td rowspan=2>a<td colspan=2>b<td>c<tr><td>d<td>e<td>f</table>", "| a | b | | c |\n| --- | --- | --- | --- |\n| | d | e | f |\n"},
		{"a span over a short row", "<table><tr><td>a<td>b<td rowspan=2>c<tr><td>d<tr><td>e<td>f<td>g</table>",
			"| a | b | c |\n| --- | --- | --- |\n| d | | |\n| e | f | g |\n"},
		{"empty columns and rows", "<table><tr><td><td>a<td> <td>b<tr><td><td><tr><td><td>c<td><td>d</table>", "| a | b |\n| --- | --- |\n| c | d |\n"},
		{"table of a row", "<table><tr><td>a<td>b</table>", "a | b\n"},
		{"table of a row with blocks", "<table><tr><td>a<div>b</div><td>c</table>", "a\nb\nc\n"},
		{"table of a column", "<table><tr><td>a<br>b<tr><td>c</table>", "a\nb\nc\n"},
		{"list in a cell", "<table><tr><td>a<td>b<tr><td><ul><li>c<li>d</ul><td>e</table>", "| a | b |\n| --- | --- |\n| - c - d | e |\n"},
		{"table in a list", "<ul><li>a<table><tr><td>1<td>2<tr><td>3<td>4</table><li>b</ul>", "- a\n\n| 1 | 2 |\n| --- | --- |\n| 3 | 4 |\n\n- b\n"},
		{"layout by tables", "<table><tr><td>a<td>b<tr><td>c<table><tr><td>1<td>2<tr><td>3<td>4</table>d<td>e</table>",
			"a | b\nc\n\n| 1 | 2 |\n| --- | --- |\n| 3 | 4 |\n\nd\ne\n"},
		{"layout by role", "<table role=Presentation><tr><td>a<td>b<tr><td>c<td>d</table>", "a\nb\nc\nd\n"},
		{"layout by a heading", "<table><tr><td><h1>a</h1>b<tr><td>c</table>", "# a\n\nb\nc\n"},
		{"cell without a table", "<tr><td>a<td>b", "a\nb\n"},
		{"end of what did not begin", "a</table></ul></blockquote></pre></td></p>b", "a\n\nb\n"},
		{"never ended", "<table><tr><td><ul><li>a<pre>b<select><option>c<h1>", "- a\nb c\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := read(t, content.File{Data: []byte(tt.page)}).Text; strings.TrimRight(got, "\n") != strings.TrimRight(tt.want, "\n") {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestXHTML(t *testing.T) {
	const body = `<title/><script src="x"/><p/>a<div/>b<a id="x"/>c<svg/>d<![CDATA[<e>]]>`
	for _, tt := range []struct {
		name, mediaType, page, want string
	}{
		{"by its media type", "application/xhtml+xml", body, "a\nbcd<e>\n"},
		{"by its declaration", "text/html", "\n<?xml version='1.0'?>" + body, "a\nbcd<e>\n"},
		{"html that looks like it", "text/html", "<p/>a<script src='x'/>b</script>c<svg/>d", "acd\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := read(t, content.File{MediaType: tt.mediaType, Data: []byte(tt.page)}).Text
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCharset(t *testing.T) {
	const text = "Žluťoučký kůň úpěl ďábelské ódy"
	latin2, err := charmap.ISO8859_2.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("<meta charset=iso-8859-2><p>" + text)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, charset, page string
	}{
		{"utf-8", "", "<p>" + text},
		{"utf-8 that claims to be latin-2", "", "<meta charset=iso-8859-2><p>" + text},
		{"from outside", "iso-8859-2", "<meta charset=windows-1251><p>" + latin2},
		{"meta", "", "<html><head><meta charset='ISO-8859-2'><p>" + latin2},
		{"meta of old", "", `<meta http-equiv=Content-Type content="text/html; charset=iso-8859-2"><p>` + latin2},
		{"meta far below", "", "<!--" + strings.Repeat(" x", 2000) + "--><meta charset=iso-8859-2>" + latin2},
		{"declaration", "", `<?xml version="1.0" encoding="iso-8859-2"?><p>` + latin2 + "</p>"},
		{"byte order mark", "", wide},
		{"byte order mark of utf-8", "", "\ufeff<?xml version='1.0' encoding='utf-8'?><p>" + text + "</p>"},
		{"utf-16 by a byte that is not", "", "<meta charset=utf-16><p>" + text},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.TrimSpace(read(t, content.File{Charset: tt.charset, Data: []byte(tt.page)}).Text)
			if got != text {
				t.Errorf("got %q, want %q", got, text)
			}
		})
	}
}

func TestMeta(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		want       map[string]string
	}{
		{"nothing", "<p>a<meta name=author content=' '>", nil},
		{"the usual", `<html lang=de><title> A &amp;
 B </title><meta name=Author content=Ann><meta name=description content=About><meta name=keywords content="a, b">
 <meta property=article:published_time content=2024-03-05T10:20:30+01:00><meta name=last-modified content="Tue, 05 Mar 2024 11:00:00 GMT">`,
			map[string]string{"title": "A & B", "language": "de", "author": "Ann", "subject": "About", "keywords": "a, b",
				"created": "2024-03-05T10:20:30+01:00", "modified": "2024-03-05T11:00:00Z"}},
		{"the first counts", "<title>a</title><title>b</title><meta name=author content=x><meta name=dc.creator content=y>", map[string]string{"title": "a", "author": "x"}},
		{"of a drawing", "<svg><title>a</title></svg><title>b</title>", map[string]string{"title": "b"}},
		{"stand-ins", "<meta property=og:title content=a><meta name=date content='March 5, 2024'>", map[string]string{"title": "a", "created": "2024-03-05"}},
		{"better than a stand-in", "<meta property=og:title content=a><title>b</title>", map[string]string{"title": "b"}},
		{"no date", "<meta name=date content=yesterday>", nil},
		{"time without zone", "<meta itemprop=datePublished content='2024-03-05 10:20:30'>", map[string]string{"created": "2024-03-05T10:20:30"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := read(t, content.File{Data: []byte(tt.page)}).Meta; !maps.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestArticle(t *testing.T) {
	para := "<p>" + strings.Repeat("A sentence of the article, with commas, and more. ", 12) + "</p>"
	article := "<html><head><title>The Title</title><meta name=author content=Ann></head><body><nav><ul><li><a href=/>Home</a><li><a href=/x>News</a></ul></nav>" +
		"<article><h1>The Title</h1>" + strings.Repeat(para, 5) + "</article><div class=sidebar><a href=/ad>Buy now</a></div></body></html>"
	for _, tt := range []struct {
		name, page string
		found      bool
	}{
		{"an article", article, true},
		{"no article", "<ul><li><a href=/>Home</a><li>Buy now</ul>", false},
		{"too deep for a tree", strings.Repeat("<div>", 600) + "Home Buy now", false},
		{"too long to look", strings.Repeat("<i>", 2*maxElements+1) + "Home Buy now" + article, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := read(t, content.File{Data: []byte(tt.page), Options: content.Options{Article: true}})
			whole := strings.Contains(c.Text, "Home") && strings.Contains(c.Text, "Buy now")
			if whole == tt.found {
				t.Errorf("whole page %v, want %v: %q", whole, !tt.found, c.Text)
			}
			if tt.found && (!strings.HasPrefix(c.Text, "# The Title\n\nA sentence") || c.Meta[content.MetaAuthor] != "Ann") {
				t.Errorf("got %q, %q, want the title, the sentences and the author", c.Text[:min(len(c.Text), 50)], c.Meta)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	repeat := strings.Repeat
	for _, tt := range []struct {
		name, page string
		max        int    // bytes of text
		bound      string // that is named; "": it is read
	}{
		{"a page too large", repeat(" ", maxPage+1), 100, "32 MiB (the bound on a page)"},
		{"too much text", repeat("<p>words", 1000), 1000, "the bound on text"},
		{"too much in a line", repeat("words ", 1000), 1000, "the bound on text"},
		{"a span of a billion", "<table><tr><td colspan=1000000000 rowspan=1000000000>a<td>b<tr><td>c</table>", 100, ""},
		{"spans everywhere", "<table>" + repeat("<tr><td colspan=9999 rowspan=9999>a", 20_000), 1 << 20, "the bound on text"},
		{"a wide row over a long column", "<table><tr>" + repeat("<td>a", 60_000) + repeat("<tr><td>b", 60_000), 1 << 20, ""},
		{"divs in divs", repeat("<div>", 100_000) + "a" + repeat("</div>", 100_000), 10, "50000 deep within one another (the bound on depth)"},
		{"tables in tables", repeat("<table><tr><td>a", maxDepth), 400_000, ""},
		{"lists in lists", repeat("<ol><li>a", maxDepth), 10_000_000, ""},
		{"quotations in quotations", repeat("<blockquote>a", maxDepth), 10_000_000, ""},
		{"markup in markup", repeat("<b><i><font>a", maxDepth/3), 200_000, ""},
		{"formulas in formulas", repeat("<math><msup><mrow>a", maxDepth/3), 2_000_000, ""},
		{"one div too many", repeat("<div>", maxDepth+1) + "a", 10, "the bound on depth"},
		{"too many lists in lists", repeat("<ul><li>", 100_000) + "a", 10, "the bound on depth"},
		{"too many tables in tables", repeat("<table><tr><td>", 100_000) + "a", 10, "the bound on depth"},
		{"too deep in a frame", `<iframe srcdoc="` + repeat("<i>", maxDepth+1) + `"></iframe>a`, 10, "the bound on depth"},
		{"attributes without end", "<p " + repeat("a ", 1_000_000) + ">a", 10, ""},
		{"entities", repeat("&amp;", 500_000), 500_001, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bounds := content.DefaultBounds()
			bounds.Text = tt.max
			c, err := Read(context.Background(), &content.File{Data: []byte(tt.page), Bounds: bounds})
			switch {
			case tt.bound == "" && err != nil:
				t.Error(err)
			case tt.bound == "" && c.Text == "":
				t.Error("no text")
			case tt.bound != "" && (!isTooLarge(err) || !strings.Contains(err.Error(), tt.bound)):
				t.Errorf("got %v, want an error that names %s", err, tt.bound)
			}
		})
	}
}

func isTooLarge(err error) bool {
	e, ok := errors.AsType[*pipeline.Error](err)
	return ok && e.Kind == pipeline.KindTooLarge
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, article := range []bool{false, true} {
		_, err := Read(ctx, &content.File{Data: []byte("<p>a"), Bounds: content.DefaultBounds(), Options: content.Options{Article: article}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("article %v: got %v, want %v", article, err, context.Canceled)
		}
	}
}

func TestThin(t *testing.T) {
	many := strings.Repeat(" a", maxAttributes)
	for _, tt := range []struct {
		name, page, want string
	}{
		{"no tag", "a < b", "a < b"},
		{"few", `<p a=b c="d > e">f`, `<p a=b c="d > e">f`},
		{"just enough", "<p" + many + ">b", "<p" + many + ">b"},
		{"one too many", "<p" + many + " c>b", "<p" + many + " >b"},
		{"too many at an end", "</p" + many + " c>b", "</p" + many + " >b"},
		{"in a value", `<p a="` + many + ` c">b`, `<p a="` + many + ` c">b`},
		{"in a script", "<script>x <y" + many + " z</script>b", "<script>x <y" + many + " z</script>b"},
		{"never ended", "<p" + many + " c d", "<p" + many + " "},
		{"a value never ended", `<p a="b` + many + " c", `<p a="b` + many + " c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := thin(tt.page); got != tt.want {
				t.Errorf("got %d bytes that end in %q, want %d that end in %q", len(got), got[max(0, len(got)-20):], len(tt.want), tt.want[max(0, len(tt.want)-20):])
			}
		})
	}
}

// TestDeep reads a page whose elements lie deeper than the bound, and says so; many that nobody ends are not deep.
func TestDeep(t *testing.T) {
	const drawing = `<svg><g><path d="M0 0"/>`
	for _, tt := range []struct {
		name, page string
		warned     bool
	}{
		{"as deep as may be", strings.Repeat("<div>", 512) + "word", false},
		{"deeper", strings.Repeat("<div>", 513) + "word", true},
		{"as deep as is read", strings.Repeat("<div>", maxDepth) + "word", true},
		{"one after the other", strings.Repeat("<div>word</div>", maxDepth+1), false},
		{"never ended", strings.Repeat("<p>word<br>", maxDepth+1), false},
		{"links that are never ended", strings.Repeat("<a name=b>word", maxDepth+1), false},
		{"a drawing", drawing + strings.Repeat("<path>", maxDepth+1) + "</svg>word", false},
		{"drawings", strings.Repeat(drawing+"</g></svg>", 1000) + "word", false},
		{"empty elements", strings.Repeat("<span/>", maxDepth+1) + "word", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Read(t.Context(), &content.File{MediaType: "text/html", Data: []byte(tt.page), Bounds: content.DefaultBounds()})
			if err != nil || !strings.Contains(c.Text, "word") {
				t.Fatalf("got %+v, %v, want the text", c, err)
			}
			if warned := strings.Contains(strings.Join(c.Warnings, ""), "(the bound on depth)"); warned != tt.warned {
				t.Errorf("got warnings %q, want one: %v", c.Warnings, tt.warned)
			}
		})
	}
}
