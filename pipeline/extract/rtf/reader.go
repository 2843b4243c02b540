package rtf

import (
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"docbatch/pipeline/extract/content"
)

// A group is what a group of the document changes until it ends.
type group struct {
	dest dest
	key  string // of named, which takes the text; ""
	font int
	uc   int // how many bytes stand for each \u, for readers that do not know it

	hidden, deleted, copied bool // of text; copied: it repeats what the HTML has already

	inTable bool // of the paragraph
	heading int  // from 1; 0: none
	indent  int  // of a list's item, in levels

	ends func() // what the end of the group does
}

// The bounds of what is kept while a document is read.
const (
	maxGroups = 10_000  // groups within groups; deeper ones change what is around them
	maxNamed  = 4 << 10 // bytes of a title and the like
	maxRaw    = 1 << 16 // bytes that wait to be decoded, about
)

// A reader reads one document.
type reader struct {
	lexer  lexer
	html   bool // what is wanted is the HTML that the document was made from
	groups []group
	deeper int  // groups over maxGroups that are open
	opened bool // a group has just begun
	star   bool // so it has, with \*

	page     int          // the document's code page
	fonts    map[int]font // by number
	deffont  int
	defined  int    // the font that the font table is at
	raw      []byte // text that is not decoded yet, of rawPage
	rawPage  int
	fallback int  // bytes to be left out: they stand for the \u before them
	high     rune // the first half of a surrogate pair

	named map[string]string
	times map[string]*[6]int // by the key of content.Meta: year, month, day, hour, minute, second

	layout
	content *content.Content
}

func newReader(data []byte, max int) *reader {
	return &reader{
		lexer:   lexer{data: data},
		page:    1252,
		deffont: -1,
		fonts:   map[int]font{},
		named:   map[string]string{},
		times:   map[string]*[6]int{},
		layout:  layout{out: content.NewWriter(max), max: max, seen: map[string]bool{}},
		content: &content.Content{},
	}
}

// top is the innermost group. There is one whenever a token is read but the first.
func (r *reader) top() *group { return &r.groups[len(r.groups)-1] }

// token reads one token.
func (r *reader) token(t token) {
	opened := r.opened
	r.opened = t.kind == opens
	switch t.kind {
	case opens:
		r.open()
	case closes:
		r.close()
	case text, char:
		r.bytes(t.text)
	case binary:
		r.fallback = max(r.fallback-1, 0)
	case symbol:
		if r.fallback > 0 {
			r.fallback--
			return
		}
		r.flush()
		r.star = opened && t.name == "*"
		r.symbol(t.name)
	case word:
		r.fallback = 0
		r.flush()
		r.word(t)
	}
}

func (r *reader) open() {
	r.flush()
	r.fallback = 0
	switch n := len(r.groups); {
	case n == 0:
		r.groups = append(r.groups, group{font: -1, uc: 1})
	case n == maxGroups:
		r.deeper++
	default:
		r.groups = append(r.groups, r.groups[n-1])
		r.top().ends = nil
	}
}

func (r *reader) close() {
	r.flush()
	r.fallback = 0
	if r.deeper > 0 {
		r.deeper--
		return
	}
	if ends := r.top().ends; ends != nil {
		ends()
	}
	if len(r.groups) == 1 {
		r.finish()
	}
	r.groups = r.groups[:len(r.groups)-1]
}

// finish ends the document.
func (r *reader) finish() {
	r.flush()
	if !r.html {
		r.layout.finish(r.top())
	}
}

// bytes takes bytes of text.
func (r *reader) bytes(b []byte) {
	skip := min(r.fallback, len(b))
	r.fallback -= skip
	b = b[skip:]
	switch g := r.top(); g.dest {
	case out, drawn, info:
		if g.key == "" {
			return
		}
	case fonts:
		r.nameFont(string(b))
		return
	}
	if page := r.codePage(); page != r.rawPage {
		r.flush()
		r.rawPage = page
	}
	for piece := range slices.Chunk(b, maxRaw) {
		r.raw = append(r.raw, piece...)
		if len(r.raw) >= maxRaw && piece[len(piece)-1] < 0x80 { // no character of two bytes ends in the next piece
			r.flush()
		}
	}
}

// codePage is what the bytes of text mean.
func (r *reader) codePage() int {
	g := r.top()
	if f := r.fonts[g.font]; f.page != 0 && f.page != symbols && g.dest != markup {
		return f.page
	}
	return r.page
}

// flush decodes the bytes that were read. Two bytes may make one character, so that they are decoded together.
func (r *reader) flush() {
	if len(r.raw) > 0 {
		raw := r.raw
		r.raw = r.raw[:0]
		r.write(decode(raw, r.rawPage))
	}
}

// unicode takes a character that is given by its number.
func (r *reader) unicode(n int) {
	c := rune(n)
	if n < 0 {
		c = rune(n + 0x10000)
	}
	high := r.high
	r.high = 0
	switch {
	case c >= 0xd800 && c < 0xdc00:
		r.high = c
		r.fallback = r.top().uc
		return
	case utf16.IsSurrogate(c):
		c = utf16.DecodeRune(high, c)
	case c >= 0xf000 && c < 0xf100: // the characters of fonts without letters
		page := r.codePage()
		if page >= 0 {
			page = greek
		}
		c = sign(c-0xf000, page)
	case !utf8.ValidRune(c):
		c = utf8.RuneError
	}
	r.write(string(c))
	r.fallback = r.top().uc
}

// write takes text where the group says.
func (r *reader) write(text string) {
	g := r.top()
	r.high = 0
	switch {
	case g.key != "":
		if have := r.named[g.key]; len(have) < maxNamed {
			r.named[g.key] = have + text
		}
	case r.html:
		if !g.copied && (g.dest == body || g.dest == markup) {
			r.out.WriteString(text)
		}
	case g.dest == body || g.dest == item:
		if !g.deleted {
			r.add(text, g)
		}
	}
}

// nameFont takes text of the font table.
func (r *reader) nameFont(name string) {
	if f, ok := r.fonts[r.defined]; ok {
		f.addName(strings.TrimSuffix(name, ";"))
		r.fonts[r.defined] = f
	}
}
