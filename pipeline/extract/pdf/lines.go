package pdf

import (
	"cmp"
	"math"
	"slices"

	"golang.org/x/text/unicode/bidi"
)

// A box is a place on a page, in points from its lower left.
type box struct{ left, top, right, bottom float32 }

func (b box) height() float32 { return b.top - b.bottom }

func (b box) middle() float32 { return (b.top + b.bottom) / 2 }

// join is the smallest box about both.
func (b box) join(other box) box {
	return box{min(b.left, other.left), max(b.top, other.top), max(b.right, other.right), min(b.bottom, other.bottom)}
}

// beside says whether two boxes stand on one line: a superscript does with what it belongs to.
func (b box) beside(other box) bool {
	common := min(b.top, other.top) - max(b.bottom, other.bottom)
	return common > 0.5*min(b.height(), other.height())
}

// covers says whether two characters stand on each other.
func (b box) covers(other box) bool {
	common := min(b.right, other.right) - max(b.left, other.left)
	return common > 0.3*min(b.right-b.left, other.right-other.left)
}

// within says whether the middle of a box is within another.
func (b box) within(other box) bool {
	x, y := (b.left+b.right)/2, b.middle()
	return x > other.left && x < other.right && y > other.bottom && y < other.top
}

// meets says whether any of a box is within another. Of a box that is not known it is.
func (b box) meets(other box) bool {
	if b == (box{}) || other == (box{}) {
		return true
	}
	return b.right >= other.left && b.left <= other.right && b.top >= other.bottom && b.bottom <= other.top
}

// turned is the box on the page turned back by quarters of a circle, so that what is written upwards runs to the right.
func (b box) turned(quarters int) box {
	for range quarters {
		b = box{left: b.bottom, top: -b.left, right: b.top, bottom: -b.right}
	}
	return b
}

// A line is what stands on one line of a page, or a part of it.
type line struct {
	box
	glyphs []glyph
	note   string // instead of glyphs: a comment, the value of a form's field
	broken bool   // a word goes on in the next line; its hyphen is taken out
	mixed  bool   // its characters are not in order
	plain  bool   // it is written from right to left, or askew: its characters stay as PDFium has them
	turn   int    // the quarters of a circle, against the clock, by which it is turned
}

// hyphenMark is what PDFium puts for a hyphen that divides a word at the end of a line.
const hyphenMark = 0x2

// split makes lines of characters: where PDFium ends them, and where it puts a space and goes on elsewhere. angle gives the angle of a
// character that begins a line, in radians, with the clock.
func split(all []glyph, angle func(glyph) float64) []line {
	var lines []line
	var l line
	end := func() {
		if len(l.glyphs) > 0 {
			lines = append(lines, l)
		}
		l = line{}
	}
	for n, g := range all {
		switch {
		case g.r == hyphenMark:
			l.broken = true
			end()
		case g.r == '\n':
			end()
		case g.r == '\r', g.r == ' ' && len(l.glyphs) == 0:
		case g.made && n+1 < len(all) && l.leaves(all[n+1]):
			end()
		default:
			if len(l.glyphs) == 0 {
				l.turn, l.plain = quarters(angle(g))
			}
			l.add(g)
		}
	}
	end()
	return lines
}

// quarters is an angle with the clock in quarters of a circle against it, and whether it is none of them.
func quarters(angle float64) (turn int, askew bool) {
	exact := -angle / (math.Pi / 2)
	turn = int(math.Round(exact))
	return (turn%4 + 4) % 4, math.Abs(exact-float64(turn)) > 0.05
}

// add puts a character at the end of the line.
func (l *line) add(g glyph) {
	g.box = g.turned(l.turn)
	l.glyphs = append(l.glyphs, g)
	if g.made || g.r == ' ' || g.height() <= 0 {
		return
	}
	if l.height() <= 0 {
		l.box = g.box
	}
	l.box = l.join(g.box)
	l.plain = l.plain || isRightToLeft(g.r)
}

func isRightToLeft(r rune) bool {
	if r < 0x590 { // which most are
		return false
	}
	props, _ := bidi.LookupRune(r)
	return props.Class() == bidi.R || props.Class() == bidi.AL
}

// leaves says whether a character does not go on with the line.
func (l *line) leaves(next glyph) bool {
	if len(l.glyphs) == 0 {
		return false
	}
	last, b := l.glyphs[len(l.glyphs)-1].box, next.turned(l.turn)
	return !last.beside(b) || !l.plain && b.left < last.left-last.height()
}

// rejoin puts parts of a line together that PDFium takes for lines: a superscript and what follows it, indices that the document writes after
// all that they belong to, cells of a row.
func rejoin(lines []line) []line {
	var joined []line
	for _, l := range lines {
		if last := len(joined) - 1; last >= 0 && joined[last].takes(&l) {
			joined[last].take(&l)
			continue
		}
		joined = append(joined, l)
	}
	return joined
}

// takes says whether other stands on the line l, beside it or in the gaps of it.
func (l *line) takes(other *line) bool {
	if l.note != "" || l.plain || other.plain || l.broken || l.turn != other.turn || !l.beside(other.box) {
		return false
	}
	if len(l.glyphs) > maxLine {
		return false
	}
	if other.left >= l.right || other.right <= l.left {
		return true
	}
	if len(l.glyphs)*len(other.glyphs) > maxPairs {
		return false
	}
	for _, g := range other.glyphs {
		if g.r != ' ' && slices.ContainsFunc(l.glyphs, func(own glyph) bool { return own.r != ' ' && g.covers(own.box) }) {
			return false
		}
	}
	return true
}

// What is put together, so that a page of a million pieces takes no hours: a line takes no more from so many characters on, nor where so many
// pairs of characters are to be compared; and lines get no place among others, nor values in place of drawings, where there are so many pairs of
// them.
const (
	maxLine      = 4096
	maxPairs     = 1 << 13
	maxLinePairs = 1 << 17
)

// sameSize is the least ratio of the heights of parts of a line that are words of their own, and not an index and what it belongs to.
const sameSize = 0.8

// take puts the characters of other into the line.
func (l *line) take(other *line) {
	inOrder := other.left >= l.right
	if inOrder && min(l.height(), other.height()) > sameSize*max(l.height(), other.height()) {
		l.glyphs = append(l.glyphs, glyph{r: ' ', box: box{left: l.right, right: l.right}})
	}
	l.mixed = l.mixed || other.mixed || !inOrder
	l.glyphs = append(l.glyphs, other.glyphs...)
	l.box = l.join(other.box)
	l.broken = other.broken
}

// order puts the characters of a line where they stand. The spaces that PDFium made are of another order.
func (l *line) order() {
	l.glyphs = slices.DeleteFunc(l.glyphs, func(g glyph) bool { return g.made })
	slices.SortStableFunc(l.glyphs, func(a, b glyph) int { return cmp.Compare(a.left, b.left) })
	l.mixed = false
}

// place puts more lines among those of a page, by where they stand: on a line, or after the nearest one above.
func place(lines, more []line) []line {
	if len(lines)*len(more) > maxLinePairs {
		return append(lines, more...)
	}
	for i := range more {
		lines = placeOne(lines, &more[i])
	}
	return lines
}

func placeOne(lines []line, one *line) []line {
	after, nearest := -1, float32(math.Inf(1))
	for n := range lines {
		l := &lines[n]
		if l.turn != one.turn {
			continue
		}
		if one.note == "" && l.takes(one) {
			l.take(one)
			return lines
		}
		distance := l.middle() - one.middle()
		if l.beside(one.box) && l.left <= one.left {
			distance = 0
		}
		if distance >= 0 && distance <= nearest {
			after, nearest = n, distance
		}
	}
	if after >= 0 && lines[after].broken {
		after = min(after+1, len(lines)-1)
	}
	return slices.Insert(lines, after+1, *one)
}
