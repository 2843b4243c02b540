package html

import (
	"context"
	"strings"

	nethtml "golang.org/x/net/html"

	"docbatch/pipeline/extract/content"
)

// A page is a page that is being read.
type page struct {
	layout
	xhtml  bool
	frames int // how many frames within frames may still be read
	meta   meta

	within  int // elements that are open, but for those that pages often do not end
	deepest int // the most of them that there were

	skipped region // what is left out
	covered region // what the page hides

	title   bool // the text is the page's title
	pre     int  // elements that are open of which the white space counts
	fenced  bool // the mark at the beginning of their text is written
	formula formula
	options int // of the select that was opened last
}

// maxFrames bounds frames within frames.
const maxFrames = 3

func newPage(xhtml bool, bounds *content.Bounds) *page {
	return &page{
		layout: layout{out: content.NewWriter(bounds.Text), depth: bounds.Depth},
		xhtml:  xhtml,
		frames: maxFrames,
	}
}

// A region is an element and all that is within it.
type region struct {
	name  string // "" where there is none
	depth int    // elements of that name that are open
}

// start is told of each start of an element within the region.
func (r *region) start(name string) {
	if name == r.name && !endsAlone[name] {
		r.depth++
	}
}

// end is told of each end of an element, and reports whether it ends the region.
func (r *region) end(name string) bool {
	if r.name == "" || name != r.name {
		return false
	}
	r.depth--
	if r.depth > 0 {
		return false
	}
	r.name = ""
	return true
}

// token reads one token.
func (p *page) token(ctx context.Context, tokens *nethtml.Tokenizer, kind nethtml.TokenType) {
	switch kind {
	case nethtml.TextToken:
		p.words(string(tokens.Text()))
	case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
		tag := readTag(tokens)
		closed := kind == nethtml.SelfClosingTagToken && (p.xhtml || tag.name == "svg" || tag.name == "math")
		if closed || isParsed[tag.name] {
			tokens.NextIsNotRawText()
		}
		if !closed || !isSkipped[tag.name] {
			p.start(ctx, tag)
		}
		if kind == nethtml.StartTagToken && p.nests(tag.name) {
			p.within++
			p.deepest = max(p.deepest, p.within)
		}
		if closed && !isVoid[tag.name] {
			p.stop(tag.name)
		}
	case nethtml.EndTagToken:
		name, _ := tokens.TagName()
		if p.nests(string(name)) {
			p.within = max(0, p.within-1)
		}
		p.stop(string(name))
	}
}

// nests reports whether an element that begins or ends here counts for the depth: not one that ends by itself, as a link does where the next
// one begins, and not what is left out, a drawing of 100,000 lines for example.
func (p *page) nests(name string) bool {
	return p.skipped.name == "" && !isVoid[name] && !endsAlone[name] && name != "a"
}

// words takes the text between two tags.
func (p *page) words(text string) {
	switch {
	case p.skipped.name != "":
	case p.title:
		p.meta.setTitle(text)
	case p.pre > 0:
		p.preformatted(text)
	case len(p.formula) > 0:
		p.text(strings.TrimSpace(text)) // space between elements is for the eyes of the author
	default:
		p.text(text)
	}
}

// start takes the start of an element.
func (p *page) start(ctx context.Context, t tag) {
	if p.skipped.name == "svg" && blocks[t.name] != sameLine {
		p.skipped.name = "" // so does a browser end a drawing that nobody ended
	}
	switch {
	case p.skipped.name != "":
		p.skipped.start(t.name)
		return
	case isSkipped[t.name]:
		p.skipped = region{t.name, 1}
		return
	case t.hidden && isVoid[t.name]:
		return
	}
	if p.covered.name == t.name && endsAlone[t.name] {
		p.uncover()
	}
	p.covered.start(t.name)
	if t.name == "math" || len(p.formula) > 0 {
		p.text(p.formula.open(t.name))
	}
	p.open(ctx, t)
	if t.hidden && p.covered.name == "" {
		p.covered = region{t.name, 1}
		p.hide(true)
	}
}

// stop takes the end of an element.
func (p *page) stop(name string) {
	if p.skipped.name != "" {
		p.skipped.end(name)
		return
	}
	if p.covered.end(name) {
		p.uncover()
	}
	if len(p.formula) > 0 {
		p.text(p.formula.close(name))
	}
	p.close(name)
}

// uncover ends what the page hides.
func (p *page) uncover() {
	p.covered.name = ""
	p.hide(false)
}

// finish ends all that is open.
func (p *page) finish() {
	p.uncover()
	for len(p.tables) > 0 {
		p.closeTable()
	}
	p.breakLine(newLine)
}
