package pdf

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// What lies between two characters of one line, as shares of the height of the lower of them, which is about 1.2 times the size of its font.
// They are measured: words found of pdftotext's on 170 documents are most with these.
const (
	keptGap   = 0.05 // a space that PDFium makes is one, from here on: it makes some between letters that are set apart
	widerGap  = 1.2  // and so many times the space between the letters before: they may be set apart
	spaceGap  = 0.15 // a space, from here on
	columnGap = 1.25 // another column, from here on
	wideGap   = 0.7  // between lines: another paragraph, from here on
)

// write is the text of lines.
func write(lines []line) string {
	var out strings.Builder
	var last *line
	for n := range lines {
		l := &lines[n]
		text := l.text()
		if text == "" {
			continue
		}
		switch {
		case last == nil || last.broken && l.note == "":
		case last.parts(l):
			out.WriteString("\n\n")
		default:
			out.WriteString("\n")
		}
		out.WriteString(text)
		last = l
	}
	return out.String()
}

// parts says whether a paragraph ends between two lines.
func (l *line) parts(next *line) bool {
	if l.turn != next.turn {
		return true
	}
	below := l.bottom - next.top
	return below > wideGap*min(l.height(), next.height()) || next.bottom > l.top
}

// text is the line's text, its spaces made anew out of the distances.
func (l *line) text() string {
	if l.note != "" {
		return l.note
	}
	if l.mixed {
		l.order()
	}
	var out strings.Builder
	var last *glyph
	space, made := false, false
	spacing := float32(0) // between the letters of the word so far
	for n := 0; n < len(l.glyphs); n++ {
		g := &l.glyphs[n]
		if unicode.IsSpace(g.r) || g.r == unknown {
			space, made = space || !g.made || l.plain, made || g.made
			continue
		}
		if last != nil {
			gap := g.left - last.right
			between := l.between(last, g, space, made && (gap < 0 || gap > widerGap*spacing))
			out.WriteString(between)
			if spacing = 0; between == "" {
				spacing = max(0, gap)
			}
		}
		text := string(g.r)
		if n+1 < len(l.glyphs) {
			if accented := accent(g, &l.glyphs[n+1]); accented != "" {
				text = accented
				n++
			}
		}
		out.WriteString(text)
		last, space, made = &l.glyphs[n], false, false
	}
	return out.String()
}

// between is what stands between two characters of the line: space says that the document has a space there, made that PDFium does.
func (l *line) between(a, b *glyph, space, made bool) string {
	height := min(a.height(), b.height())
	if height <= 0 {
		height = max(a.height(), b.height())
	}
	gap := b.left - a.right
	switch {
	case !l.plain && gap > columnGap*height:
		return "\t"
	case space || !l.plain && (gap > spaceGap*height || made && (gap > keptGap*height || gap < -keptGap*height)):
		return " "
	}
	return ""
}

// combining are the marks that stand for accents that are characters of their own.
var combining = map[rune]rune{
	'`': 0x300, '´': 0x301, 'ˆ': 0x302, '˜': 0x303, '¯': 0x304, '˘': 0x306, '˙': 0x307, '¨': 0x308, '˚': 0x30a, '˝': 0x30b, 'ˇ': 0x30c,
	'¸': 0x327, '˛': 0x328,
}

// dotted are letters without their dot, as they are written under an accent.
var dotted = map[rune]rune{'ı': 'i', 'ȷ': 'j'}

// accent is the letter that an accent and a letter make that stand on each other, as TeX writes them; "" for others.
func accent(a, b *glyph) string {
	mark, letter := combining[a.r], b.r
	if mark == 0 {
		mark, letter = combining[b.r], a.r
	}
	if mark == 0 || !unicode.IsLetter(letter) || !a.covers(b.box) {
		return ""
	}
	if with, ok := dotted[letter]; ok {
		letter = with
	}
	return norm.NFC.String(string([]rune{letter, mark}))
}
