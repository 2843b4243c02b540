// Package html reads web pages: HTML of any age and XHTML, also as the body of a mail or the chapter of a book.
//
// A page is read as a stream of tags and text, never as a tree: nesting costs nothing, and the time is linear in its length. Markup that was
// forgotten or put in the wrong order does little harm, because what counts here is where a line, a cell or an item begins.
package html

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	nethtml "golang.org/x/net/html"

	"docbatch/pipeline/charset"
	"docbatch/pipeline/extract/content"
)

// maxPage bounds a page; reading takes some four times that of memory.
const maxPage = 32 << 20

// maxDepth bounds elements within elements. Pages that people wrote, and ended nothing in, reach thousands.
const maxDepth = 50_000

// Read gives the text of a web page: HTML as browsers read it (https://html.spec.whatwg.org/multipage/parsing.html), or XHTML where the media type or
// an XML declaration says so. Headings, lists, quotations, preformatted text and tables are Markdown; a table that only lays the page out
// is not. A link is its text; a picture is its alternative text in brackets; what a person would see in a form is kept.
// Scripts, styles, comments, templates and drawings are left out. Text that the page itself hides is marked "[hidden: ...]".
//
// With Options.Article only the article of the page is read, where one is found. Errors are of the bounds on a page (32 MiB), on depth (50,000)
// and on text.
func Read(ctx context.Context, f *content.File) (*content.Content, error) {
	if len(f.Data) > maxPage {
		return nil, content.TooLarge("it is larger than %s (the bound on a page)", content.Bytes(maxPage))
	}
	source := decode(f)
	if f.Options.Article {
		if c, err := readArticle(ctx, source, f.Bounds); c != nil || err != nil {
			return c, err
		}
	}
	return readPage(ctx, source, isXHTML(f.MediaType, source), f.Bounds)
}

// readPage reads all of a page.
func readPage(ctx context.Context, source string, xhtml bool, bounds *content.Bounds) (*content.Content, error) {
	p := newPage(xhtml, bounds)
	if err := p.read(ctx, source); err != nil {
		return nil, err
	}
	p.finish()
	if err := p.out.Err(); err != nil {
		return nil, err
	}
	c := &content.Content{Text: p.out.String()}
	if p.deepest > p.depth {
		c.Warn(fmt.Sprintf("elements lie more than %d deep within one another (the bound on depth): of what is deeper the text is read, lists and tables are not told", p.depth))
	}
	p.meta.fill(c)
	return c, nil
}

// read reads source to its end: the page, or what a frame shows into the place where the frame is.
func (p *page) read(ctx context.Context, source string) error {
	tokens := nethtml.NewTokenizer(strings.NewReader(thin(source)))
	tokens.AllowCDATA(p.xhtml)
	for n := 0; ; n++ {
		if n%1024 == 0 {
			if err := cmp.Or(ctx.Err(), p.out.Err()); err != nil {
				return err
			}
		}
		if kind := tokens.Next(); kind != nethtml.ErrorToken {
			p.token(ctx, tokens, kind)
			if p.deepest > maxDepth {
				return content.TooLarge("elements lie more than %d deep within one another (the bound on depth)", maxDepth)
			}
			continue
		}
		return nil // of a string there is no error but its end
	}
}

// declared finds the encoding that a page declares of itself: in its XML declaration or in a meta element.
var declared = regexp.MustCompile(`(?i)^\s*<\?xml\s[^>]*?encoding\s*=\s*["']\s*([\w.:-]+)|<meta\s[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)`)

// declaredWithin is how much of a page is searched for that: browsers look at 1024 bytes, which long scripts in old pages exceed.
const declaredWithin = 8 << 10

// decode gives the page as UTF-8: by its byte order mark, by what came with it, by what it declares, or as its bytes look.
func decode(f *content.File) string {
	label := f.Charset
	if label == "" {
		label = declaredCharset(f.Data[:min(len(f.Data), declaredWithin)])
	}
	if label == "" {
		text, _ := charset.Decode(f.Data)
		return text
	}
	text, _ := charset.DecodeAs(f.Data, label)
	return text
}

// declaredCharset is "" where nothing is declared, and where UTF-16 is: a declaration that can be read byte by byte is not in it.
func declaredCharset(head []byte) string {
	m := declared.FindSubmatch(bytes.TrimPrefix(head, []byte("\ufeff")))
	if m == nil {
		return ""
	}
	label := strings.ToLower(string(m[1]) + string(m[2]))
	if strings.HasPrefix(label, "utf-16") || strings.HasPrefix(label, "utf16") {
		return ""
	}
	return label
}

// isXHTML reports whether "<title/>" is an empty title, not the beginning of one that nobody ends.
func isXHTML(mediaType, source string) bool {
	head := strings.TrimLeft(source[:min(len(source), 256)], " \t\r\n\f")
	return mediaType == "application/xhtml+xml" || strings.HasPrefix(head, "<?xml")
}
