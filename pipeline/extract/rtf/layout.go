package rtf

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"docbatch/pipeline/extract/content"
)

// A layout puts the text of a document together: paragraphs, tables, and texts that stand aside.
type layout struct {
	out *content.Writer
	max int // bytes of out

	paragraph []byte // of the body that is being read, or of a table's cell
	hidden    bool   // the mark of hidden text is open in the buffer

	row   []string // the cells of the row that is open
	inRow bool
	rows  [][]string // of the table that is open
	cells int        // in them

	asides []aside         // that are open, the innermost last
	seen   map[string]bool // headers and footers
}

// An aside is a text of its own: a footnote, a header, a text box.
type aside struct {
	name string
	text []byte
}

// The bounds of asides.
const (
	maxAsides = 8     // within asides
	maxSeen   = 1_000 // different headers and footers
)

// The bounds of a table. One that has more cells is written in pieces.
const (
	maxCells = 1 << 18
	maxGrid  = 4 << 20 // cells, with those that fill short rows up
	maxCell  = 2_000   // bytes: a table whose cells hold more is there for the looks of the page
)

// buffer is where text goes.
func (l *layout) buffer() *[]byte {
	if n := len(l.asides); n > 0 {
		return &l.asides[n-1].text
	}
	return &l.paragraph
}

// add adds text of a group.
func (l *layout) add(text string, g *group) {
	b := l.buffer()
	if len(l.asides) == 0 && len(*b) == 0 && !l.inTable(g) {
		l.writeTable()
	}
	if l.hidden && !g.hidden {
		l.endHidden()
	}
	if g.hidden && !l.hidden && strings.TrimSpace(text) != "" {
		*b = append(*b, "[hidden: "...)
		l.hidden = true
	}
	if len(*b) <= l.max { // more is too much anyway
		*b = append(*b, text...)
	}
	if len(l.paragraph) > l.max {
		l.writeParagraph(g)
	}
}

func (l *layout) endHidden() {
	if l.hidden {
		b := l.buffer()
		*b = append(*b, ']')
		l.hidden = false
	}
}

// inTable reports whether a paragraph of the body stands in a table. Not all writers say so of the paragraph.
func (l *layout) inTable(g *group) bool { return l.inRow || g.inTable }

// endParagraph ends a paragraph.
func (l *layout) endParagraph(g *group) {
	l.endHidden()
	if len(l.asides) > 0 || l.inTable(g) {
		b := l.buffer()
		*b = append(*b, '\n')
		return
	}
	l.writeTable()
	l.writeParagraph(g)
}

// writeParagraph writes the paragraph of the body.
func (l *layout) writeParagraph(g *group) {
	text := strings.TrimRight(string(l.paragraph), " \t\n")
	l.paragraph = l.paragraph[:0]
	switch {
	case text == "":
		l.out.Break()
	case g.heading > 0 && !strings.Contains(text, "\n"):
		l.out.Break()
		l.out.WriteString(strings.Repeat("#", min(g.heading, 6)) + " " + strings.TrimSpace(text) + "\n\n")
	default:
		l.out.WriteString(strings.Repeat("  ", g.indent) + text + "\n")
	}
}

// endItem ends the bullet or number of a list's item that began at a place of the buffer.
func (l *layout) endItem(at int) {
	b := l.buffer()
	if at > len(*b) {
		return
	}
	marker := strings.TrimSpace(string((*b)[at:]))
	*b = (*b)[:at]
	if r, n := utf8.DecodeRuneInString(marker); n == len(marker) && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
		marker = "-"
	}
	*b = append(append(*b, marker...), ' ')
}

// endTerm ends a part of a formula that began at a place of the buffer: it is in parentheses, unless it is one number or word.
func (l *layout) endTerm(at int) {
	b := l.buffer()
	if at > len(*b) {
		return
	}
	term := strings.TrimSpace(string((*b)[at:]))
	if strings.ContainsFunc(term, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		term = "(" + term + ")"
	}
	*b = append((*b)[:at], term...)
}

// openAside begins a text of its own.
func (l *layout) openAside(name string) {
	l.endHidden()
	l.asides = append(l.asides, aside{name: name})
}

// rename gives the innermost text of its own another name, if it has the one that is meant.
func (l *layout) rename(from, to string) {
	if n := len(l.asides); n > 0 && l.asides[n-1].name == from {
		l.asides[n-1].name = to
	}
}

// endAside ends the innermost text of its own and puts it where it belongs.
func (l *layout) endAside(author string) {
	l.endHidden()
	n := len(l.asides) - 1
	a := l.asides[n]
	l.asides = l.asides[:n]
	text := oneLine(a.text)
	if text == "" {
		return
	}
	b := l.buffer()
	switch a.name {
	case "header", "footer":
		l.writeOnce("[" + a.name + ": " + text + "]")
	case "":
		if len(*b) > 0 {
			*b = append(*b, '\n')
		}
		*b = append(append(*b, strings.TrimSpace(string(a.text))...), '\n')
	case "comment":
		if author != "" {
			a.name += " by " + author
		}
		fallthrough
	default:
		if n := len(*b); n > 0 && (*b)[n-1] != ' ' {
			*b = append(*b, ' ')
		}
		*b = append(*b, "["+a.name+": "+text+"]"...)
	}
}

// oneLine is text with single spaces for white space; unlike strings.Fields it needs no more memory than the text.
func oneLine(text []byte) string {
	line := make([]byte, 0, len(text))
	for _, c := range text {
		if c == '\n' || c == '\t' {
			c = ' '
		}
		if c != ' ' || len(line) > 0 && line[len(line)-1] != ' ' {
			line = append(line, c)
		}
	}
	return strings.TrimSuffix(string(line), " ")
}

// writeOnce writes a header or footer between the paragraphs, unless it stands there already or is only a page number.
func (l *layout) writeOnce(text string) {
	letters := strings.IndexFunc(text[len("[header: "):], unicode.IsLetter)
	if letters < 0 || l.seen[text] || len(l.seen) == maxSeen {
		return
	}
	l.seen[text] = true
	l.out.WriteString(text + "\n")
}

// finish ends all that is open; g is the group that the last paragraph is in.
func (l *layout) finish(g *group) {
	for len(l.asides) > 0 {
		l.endAside("")
	}
	l.endHidden()
	if len(l.row) > 0 {
		l.tableWord("row")
	}
	l.inRow = false
	l.writeTable()
	l.writeParagraph(g)
}

// tableWord takes a control word of tables. A table within a cell is text with bars.
func (l *layout) tableWord(name string) {
	b := l.buffer()
	if len(l.asides) > 0 {
		*b = append(*b, ' ')
		return
	}
	l.endHidden()
	switch name {
	case "trowd":
		l.inRow = true
	case "nestcell":
		*b = append(*b, " | "...)
	case "nestrow":
		*b = append(*b, '\n')
	case "cell":
		l.endCell()
	case "row":
		if strings.TrimSpace(string(*b)) != "" {
			l.endCell()
		}
		l.inRow = false
		l.endRow()
	}
}

func (l *layout) endRow() {
	if len(l.row) > 0 {
		l.rows = append(l.rows, l.row)
		l.row = nil
	}
}

func (l *layout) endCell() {
	l.row = append(l.row, strings.TrimSpace(string(l.paragraph)))
	l.paragraph = l.paragraph[:0]
	if l.cells++; l.cells > maxCells {
		l.endRow()
		l.writeTable()
	}
}

// writeTable writes the table that is open: as lines where it only lays text out.
func (l *layout) writeTable() {
	if len(l.rows) == 0 {
		return
	}
	rows, width, longest := l.rows, 0, 0
	l.rows, l.cells = nil, 0
	for _, row := range rows {
		width = max(width, len(row))
		for _, cell := range row {
			longest = max(longest, len(cell))
		}
	}
	if len(rows) > 1 && longest <= maxCell && len(rows)*width <= maxGrid {
		l.out.WriteTable(rows)
		return
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" {
				l.out.WriteString(cell + "\n")
			}
		}
	}
}
