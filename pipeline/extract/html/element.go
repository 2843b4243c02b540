package html

import (
	"cmp"
	"context"
	"strings"

	nethtml "golang.org/x/net/html"
)

// A tag is the start of an element, with those of its attributes that matter.
type tag struct {
	name   string
	attr   map[string]string // nil where there is none
	hidden bool              // the page does not show the element
}

// wanted are the attributes that matter.
var wanted = set("alt", "checked", "colspan", "content", "hidden", "http-equiv", "itemprop", "lang", "name", "property", "role", "rowspan",
	"selected", "srcdoc", "start", "style", "type", "value", "xml:lang")

// readTag reads the tag that tokens are at.
func readTag(tokens *nethtml.Tokenizer) tag {
	name, more := tokens.TagName()
	t := tag{name: string(name)}
	for more {
		var key, value []byte
		key, value, more = tokens.TagAttr()
		if !wanted[string(key)] {
			continue
		}
		if t.attr == nil {
			t.attr = map[string]string{}
		}
		if _, twice := t.attr[string(key)]; !twice {
			t.attr[string(key)] = string(value)
		}
	}
	t.hidden = t.name != "body" && t.name != "html" && (t.has("hidden") || hides(t.attr["style"]))
	return t
}

func (t tag) has(key string) bool {
	_, ok := t.attr[key]
	return ok
}

// is reports whether the attribute is one of the words, in any case.
func (t tag) is(key string, words ...string) bool {
	for _, word := range words {
		if strings.EqualFold(strings.TrimSpace(t.attr[key]), word) {
			return true
		}
	}
	return false
}

// hides reports whether an element of that style cannot be seen.
func hides(style string) bool {
	if style == "" {
		return false
	}
	style = strings.ToLower(strings.Join(strings.Fields(style), ""))
	return strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden") || strings.Contains(style, "mso-hide:all")
}

// open lays out the start of an element.
func (p *page) open(ctx context.Context, t tag) {
	switch t.name {
	case "html", "meta":
		p.meta.add(t)
	case "title":
		p.title = true
	case "h1", "h2", "h3", "h4", "h5", "h6":
		p.heading(int(t.name[1] - '0'))
	case "br":
		p.lineEnd()
	case "hr":
		p.breakLine(newBlock)
		p.text("---")
		p.breakLine(newBlock)
	case "ul", "menu", "dir":
		p.openNest(nest{})
	case "ol":
		p.openNest(numbered(t))
	case "li":
		p.item(t.attr["value"])
	case "blockquote":
		p.openNest(nest{quote: true})
	case "pre", "listing", "xmp", "plaintext":
		p.breakLine(newBlock)
		p.pre++
	case "table":
		p.openTable(t.is("role", "presentation", "none"))
	case "thead", "tbody", "tfoot", "tr":
		p.openRow()
	case "td", "th":
		p.openCell(t.attr["colspan"], t.attr["rowspan"])
	case "iframe":
		p.frame(ctx, t.attr["srcdoc"])
	default:
		p.openInline(t)
	}
}

// openInline lays out the start of an element within a line, or of a block without more to it.
func (p *page) openInline(t tag) {
	switch t.name {
	case "q":
		p.text("“")
	case "del", "s", "strike":
		p.text("~~")
	case "sup", "sub":
		p.raised = len(p.line)
	case "rt":
		p.text("(")
	case "img":
		p.picture(t.attr["alt"])
	case "input":
		p.input(t)
	case "select":
		p.space()
		p.options = 0
	case "option":
		p.option(t.has("selected"))
	default:
		p.apart(t.name)
	}
}

// close lays out the end of an element.
func (p *page) close(name string) {
	switch name {
	case "title":
		p.title = false
	case "h1", "h2", "h3", "h4", "h5", "h6":
		p.breakLine(newBlock)
		p.lead = ""
	case "br":
		p.lineEnd()
	case "ul", "menu", "dir", "ol":
		p.closeNest(false)
	case "blockquote":
		p.closeNest(true)
	case "pre", "listing", "xmp":
		p.endPre()
	case "table":
		p.closeTable()
	case "thead", "tbody", "tfoot", "tr":
		p.endRow()
	case "td", "th":
		p.endCell()
	case "q":
		p.text("”")
	case "del", "s", "strike":
		p.text("~~")
	case "sup":
		p.raise("^", "⁰¹²³⁴⁵⁶⁷⁸⁹")
	case "sub":
		p.raise("_", "₀₁₂₃₄₅₆₇₈₉")
	case "rt":
		p.text(")")
	default:
		p.apart(name)
	}
}

// apart keeps an element apart from what is around it: a block by a line end, a button by a space.
func (p *page) apart(name string) {
	if gap := blocks[name]; gap != sameLine {
		p.breakLine(gap)
	} else if isSpaced[name] {
		p.space()
	}
}

func (p *page) heading(level int) {
	p.noData()
	p.breakLine(newBlock)
	p.lead = strings.Repeat("#", level) + " "
}

// lineEnd is a line end that the page asks for; two of them leave a line empty.
func (p *page) lineEnd() {
	switch {
	case p.pre > 0:
		p.end()
	case len(p.line) == 0:
		p.gap = newBlock
	default:
		p.breakLine(newLine)
	}
}

// numbered is the list that ol begins.
func numbered(t tag) nest {
	n := nest{kind: cmp.Or(listStyle(t.attr["style"]), strings.TrimSpace(t.attr["type"]), "1"), next: 1}
	if k, ok := parseNumber(t.attr["start"]); ok {
		n.next = k
	}
	return n
}

// listStyle is the type of the numbers that a style asks for; "" where it asks for none of those.
func listStyle(style string) string {
	_, value, _ := strings.Cut(strings.ToLower(style), "list-style")
	value, _, _ = strings.Cut(value, ";")
	for _, word := range strings.FieldsFunc(value, func(c rune) bool { return c == ':' || c == ' ' || c == '!' }) {
		if kind, ok := listStyles[word]; ok {
			return kind
		}
	}
	return ""
}

var listStyles = map[string]string{
	"decimal": "1", "lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A", "upper-latin": "A", "lower-roman": "i", "upper-roman": "I",
}

// preformatted takes the text between two tags where its white space counts.
func (p *page) preformatted(text string) {
	if !p.fenced {
		text = strings.TrimPrefix(strings.TrimPrefix(text, "\r"), "\n")
		if strings.TrimSpace(text) == "" {
			return
		}
		p.fenced = true
		p.fence()
	}
	p.verbatim(text)
}

// endPre ends the innermost preformatted text.
func (p *page) endPre() {
	p.breakLine(newLine)
	p.pre = max(p.pre-1, 0)
	if p.pre == 0 && p.fenced {
		p.fence()
		p.fenced = false
	}
	p.breakLine(newBlock)
}

// fence marks where preformatted text begins or ends, but not in a cell, which is one line.
func (p *page) fence() {
	if p.cell() == nil {
		p.line = append(p.line, "```"...)
		p.end()
	}
}

// frame reads the page that a frame brings along.
func (p *page) frame(ctx context.Context, source string) {
	p.breakLine(newLine)
	if source == "" || p.frames == 0 {
		return
	}
	p.frames--
	p.noData()
	_ = p.read(ctx, source) // its errors are ctx's and the bounds', of which the page around it hears too
	p.frames++
	p.skipped, p.title, p.pre = region{}, false, 0
}

// picture writes what a picture shows.
func (p *page) picture(alt string) {
	if strings.TrimSpace(alt) != "" {
		p.space()
		p.text("[" + alt + "]")
		p.space()
	}
}

// input writes what an input shows.
func (p *page) input(t tag) {
	p.space()
	switch {
	case t.is("type", "hidden", "password", "file", "range", "color"):
	case t.is("type", "image"):
		p.picture(t.attr["alt"])
	case t.is("type", "checkbox", "radio") && t.has("checked"):
		p.text("[x]")
	case t.is("type", "checkbox", "radio"):
		p.text("[ ]")
	default:
		p.text(t.attr["value"])
	}
	p.space()
}

// option writes what goes before the text of an option.
func (p *page) option(selected bool) {
	p.space()
	if p.options++; p.options > 1 {
		p.text("/ ")
	}
	if selected {
		p.text("[x] ")
	}
}

// raise ends a superscript or subscript: digits become those of Unicode, other text gets the sign before it, so that 10 to the 6th is not 106.
// One at the beginning of a line is the number of a note, and stays as it is.
func (p *page) raise(sign, digits string) {
	at := p.raised
	p.raised = 0
	if at == 0 || at >= len(p.line) || p.line[at-1] == ' ' {
		return
	}
	text := string(p.line[at:])
	p.line = p.line[:at]
	if strings.Trim(text, "0123456789") != "" {
		p.line = append(append(p.line, sign...), text...)
		return
	}
	for _, r := range text {
		p.line = append(p.line, string([]rune(digits)[r-'0'])...)
	}
}
