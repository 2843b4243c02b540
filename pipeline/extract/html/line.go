package html

import (
	"strings"
	"unicode/utf8"

	"docbatch/pipeline/extract/content"
)

// How lines are apart.
const (
	sameLine = iota
	newLine
	newBlock // an empty line between them
)

// A layout puts text into lines, and lines into the text of the page or into the cell of a table that is being read.
type layout struct {
	out  *content.Writer
	line []byte // the line that is being written, without what prefix gives
	gap  int    // what is to be between this line and the one before
	lead string // goes before the first word of the line: "## "

	raised int // where in the line a superscript or subscript began; 0: nowhere

	hidden bool // text is marked as hidden
	marked bool // the line's mark for that is open

	nests  []nest // lists and quotations that are open, the outermost first
	tables []*table
	depth  int // bounds nests and tables; what is deeper is read without them
}

// A nest is a list or a quotation, which put something before each line.
type nest struct {
	quote  bool
	kind   string // of the numbers of a list, as the attribute type of ol: "1", "a", "A", "i", "I"; "" for bullets
	next   int
	marker string // "3. ", "- ": of an item that has no line yet
	indent int    // of the item's other lines
}

// maxIndented is how many nests show in a line. Deeper ones stay flat: the page must not grow by the square of its depth.
const maxIndented = 12

// text adds text to the line; white space is one space.
func (l *layout) text(text string) {
	for _, r := range text {
		switch r {
		case ' ', '\t', '\n', '\r', '\f', '\u00a0':
			l.space()
		case '\u00ad', '\u200b', '\ufeff': // where a word may be broken: it is not broken here
		default:
			l.begin()
			l.line = utf8.AppendRune(l.line, r)
		}
	}
}

// begin writes what is due before the next character.
func (l *layout) begin() {
	if l.lead != "" {
		l.line = append(l.line, l.lead...)
		l.lead = ""
	}
	if l.hidden && !l.marked {
		l.line = append(l.line, "[hidden: "...)
		l.marked = true
	}
}

// space adds a space between words.
func (l *layout) space() {
	if n := len(l.line); n > 0 && l.line[n-1] != ' ' {
		l.line = append(l.line, ' ')
	}
}

// hide begins or ends text that is hidden.
func (l *layout) hide(hidden bool) {
	l.hidden = hidden
	if l.marked && !hidden {
		l.line = append(trimRight(l.line), ']')
		l.marked = false
	}
}

// verbatim adds preformatted text, of which the white space counts.
func (l *layout) verbatim(text string) {
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			l.end()
		}
		line = strings.TrimSuffix(line, "\r")
		if line != "" {
			l.begin()
			l.line = append(l.line, line...)
		}
	}
}

// breakLine ends the line, if there is one, and sees to the gap before the next.
func (l *layout) breakLine(gap int) {
	if len(trimRight(l.line)) > 0 {
		l.end()
	}
	l.line, l.raised = l.line[:0], 0
	l.gap = max(l.gap, gap)
}

// end puts the line, even an empty one, where it belongs.
func (l *layout) end() {
	line := trimRight(l.line)
	if l.marked {
		line = append(line, ']')
		l.marked = false
	}
	if t := l.cell(); t != nil {
		l.addToCell(t, line)
	} else {
		l.write(line)
	}
	l.line, l.raised = l.line[:0], 0
}

// write puts a line into the text of the page.
func (l *layout) write(line []byte) {
	if l.gap == newBlock {
		l.out.Break()
	}
	l.out.WriteString(l.prefix())
	l.out.Write(line)
	l.out.WriteString("\n")
	l.gap = newLine
}

// prefix is what the lists and quotations put before a line.
func (l *layout) prefix() string {
	var p []byte
	for i := range l.nests[:min(len(l.nests), maxIndented)] {
		switch n := &l.nests[i]; {
		case n.quote:
			p = append(p, "> "...)
		case n.marker != "":
			p = append(p, n.marker...)
			n.marker = ""
		default:
			p = append(p, "           "[:min(n.indent, 11)]...)
		}
	}
	return string(p)
}

// openNest begins a list or a quotation.
func (l *layout) openNest(n nest) {
	gap := newBlock
	if !n.quote && l.list() >= 0 {
		gap = newLine
	}
	l.breakLine(gap)
	if len(l.nests) < l.depth {
		l.nests = append(l.nests, n)
	}
}

// closeNest ends the innermost list or quotation and what was left open in it.
func (l *layout) closeNest(quote bool) {
	l.breakLine(newLine)
	for i := len(l.nests) - 1; i >= l.base(); i-- {
		if l.nests[i].quote == quote {
			l.nests = l.nests[:i]
			break
		}
	}
	gap := newBlock
	if !quote && l.list() >= 0 {
		gap = newLine
	}
	l.breakLine(gap)
}

// item begins an item of the innermost list. The number is the item's own, or "".
func (l *layout) item(number string) {
	l.breakLine(newLine)
	at := l.list()
	if at < 0 {
		l.lead = "- "
		return
	}
	l.nests = l.nests[:at+1]
	n := &l.nests[at]
	if k, ok := parseNumber(number); ok {
		n.next = k
	}
	marker := "- "
	if n.kind != "" {
		marker = formatNumber(n.next, n.kind) + ". "
		n.next++
	}
	if l.cell() != nil {
		l.lead = marker
		return
	}
	n.marker, n.indent = marker, len(marker)
}

// list is the index of the innermost list within the innermost table, -1 if there is none.
func (l *layout) list() int {
	for i := len(l.nests) - 1; i >= l.base(); i-- {
		if !l.nests[i].quote {
			return i
		}
	}
	return -1
}

// base is the index of the first nest within the innermost table.
func (l *layout) base() int {
	if len(l.tables) == 0 {
		return 0
	}
	return l.tables[len(l.tables)-1].base
}

func trimRight(line []byte) []byte {
	for len(line) > 0 && line[len(line)-1] == ' ' {
		line = line[:len(line)-1]
	}
	return line
}
