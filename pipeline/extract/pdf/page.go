package pdf

import (
	"encoding/binary"
	"math"
	"slices"
	"unicode"
	"unicode/utf16"
)

// A page is what was read of a page.
type page struct {
	number  int // from 1
	read    bool
	text    string
	cut     bool // it has more than maxCharacters
	garbled bool // most of its characters are unknown
	picture bool // it holds no text, and something to see
}

// page reads page n of a document, counted from 0.
func (in *instance) page(doc pointer, n int) *page {
	p := &page{number: n + 1}
	handle := in.call("FPDF_LoadPage", doc, uint64(n))
	if handle == 0 {
		return p
	}
	defer func() { in.call("FPDF_ClosePage", handle) }()
	p.read = true
	marks := in.annotations(handle)
	sheet := in.sheet(handle)
	lines, cut := in.lines(handle, func(g glyph) bool { return g.meets(sheet) })
	p.cut = cut
	p.garbled = garbled(lines)
	lines = rejoin(lines)
	if len(marks.drawn) > 0 {
		handle, lines = in.flatten(doc, handle, n, lines, marks)
	}
	p.text = write(place(lines, marks.notes))
	p.picture = p.text == "" && in.shows(handle)
	return p
}

// lines gives the lines of a page, as PDFium ends them, of the characters that are wanted, with what PDFium makes after them; cut says
// that the page has more.
func (in *instance) lines(page pointer, wanted func(glyph) bool) (_ []line, cut bool) {
	text := in.call("FPDFText_LoadPage", page)
	if text == 0 {
		return nil, false
	}
	defer in.call("FPDFText_ClosePage", text)
	angle := in.function("FPDFText_GetCharAngle")
	all, keep := in.glyphs(text), true
	all = slices.DeleteFunc(all, func(g glyph) bool {
		if !g.made {
			keep = wanted(g)
		}
		return !keep
	})
	return split(all, func(g glyph) float64 {
		return float64(math.Float32frombits(uint32(angle.call(text, uint64(g.index)))))
	}), in.count("FPDFText_CountChars", text) > maxCharacters
}

// A glyph is a character as PDFium gives it. Its box holds the font's ascent and the advance, so that what lies between two of them is space
// that a writer put there.
type glyph struct {
	box
	r     rune
	index int  // in the page's text
	made  bool // by PDFium, out of a distance: no character of the document
}

// unknown stands for characters of fonts that do not say what they are. They divide words: PDFium gives control characters for them.
const unknown = unicode.ReplacementChar

// garbled says whether most characters are unknown, and those that are not are of no use, then.
func garbled(lines []line) bool {
	all, lost := 0, 0
	for _, l := range lines {
		for _, g := range l.glyphs {
			if g.r == unknown {
				lost++
			}
			if !unicode.IsSpace(g.r) {
				all++
			}
		}
	}
	return lost > all/2
}

// glyphs gives the characters of a page in the order of PDFium, which is that of the document, with the spaces and line ends that
// PDFium makes out of the distances. text is an FPDF_TEXTPAGE.
//
// A call costs about 0.1 µs: three for a character are a tenth of what PDFium takes to lay the text out. There is no call that fetches the
// boxes of many.
func (in *instance) glyphs(text pointer) []glyph {
	count := min(in.count("FPDFText_CountChars", text), maxCharacters)
	code, loose, made := in.function("FPDFText_GetUnicode"), in.function("FPDFText_GetLooseCharBox"), in.function("FPDFText_IsGenerated")
	rect := in.alloc(16)
	defer in.call("free", rect)
	all := make([]glyph, 0, count)
	for n := 0; n < count && in.err == nil; n++ {
		g := glyph{index: n, r: rune(uint32(code.call(text, uint64(n))))}
		if g.r == 0 {
			continue
		}
		if last := len(all) - 1; last >= 0 && utf16.IsSurrogate(all[last].r) {
			all[last].r = utf16.DecodeRune(all[last].r, g.r)
			if all[last].r != unknown {
				continue // the second half of a character
			}
		}
		if loose.call(text, uint64(n), rect) != 0 {
			g.box = in.box(rect)
		}
		if g.r <= ' ' {
			g.made = made.call(text, uint64(n)) == 1
			g.r = in.meaning(g, text)
		}
		all = append(all, g)
	}
	return all
}

// sheet is the page's whole sheet, in the space of its characters: what lies beyond it, as of a spread that was cut in two, is never seen. What
// is only cropped may be. The zero box stands for a sheet that is not known.
func (in *instance) sheet(page pointer) box {
	sides := in.alloc(16)
	defer in.call("free", sides)
	given := func(function string) bool { return in.call(function, page, sides, sides+4, sides+8, sides+12) == 1 }
	var media box
	switch {
	case given("FPDFPage_GetMediaBox"): // in any order of its corners
		b := in.box(sides)
		media = box{left: min(b.left, b.right), top: max(b.top, b.bottom), right: max(b.left, b.right), bottom: min(b.top, b.bottom)}
	case given("FPDFPage_GetCropBox"):
		return box{} // the media box is inherited, and PDFium tells only what is left of it
	}
	if in.call("FPDF_GetPageBoundingBox", page, sides) == 0 {
		return box{}
	}
	seen := in.box(sides) // cropped, and where the media box is broken what PDFium takes for it
	if media == (box{}) {
		return seen
	}
	return media.join(seen)
}

// maxCharacters bounds the characters of a page that are read: the rest of a page with more is left out, with a warning.
const maxCharacters = 500_000

// meaning is what a character below the letters stands for.
func (in *instance) meaning(g glyph, text pointer) rune {
	switch {
	case g.made || unicode.IsSpace(g.r):
		return g.r
	case g.r == hyphenMark && in.call("FPDFText_IsHyphen", text, uint64(g.index)) == 1:
		return hyphenMark
	}
	return unknown
}

// box reads an FS_RECTF.
func (in *instance) box(at pointer) box {
	raw := in.bytes(at, 16)
	if len(raw) < 16 {
		return box{}
	}
	float := func(n int) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(raw[4*n:])) }
	return box{left: float(0), top: float(1), right: float(2), bottom: float(3)}
}

// flatten makes what annotations draw, the values of a form's fields among it, a part of the page (FPDFPage_Flatten). It gives the page that
// is in its place, and the lines with what came to them in the places of annotations. The rest of the new page's text is not taken again:
// flattening may mix up its fonts.
func (in *instance) flatten(doc, handle pointer, n int, lines []line, m marks) (pointer, []line) {
	const success = 1
	if in.call("FPDFPage_Flatten", handle, 0) != success {
		return handle, place(lines, m.fields)
	}
	flat := in.call("FPDF_LoadPage", doc, uint64(n))
	if flat == 0 {
		return handle, place(lines, m.fields)
	}
	in.call("FPDF_ClosePage", handle)
	known := placesOf(lines)
	drawings, _ := in.lines(flat, func(g glyph) bool { return slices.ContainsFunc(m.drawn, g.within) && !known.hold(g.box) })
	return flat, place(lines, fill(rejoin(drawings), m.fields))
}

// places are where characters stand, by the whole points of their left sides.
type places map[int][]box

// maxStacked bounds how many characters are kept for a point: a page has hundreds of lines, not thousands.
const maxStacked = 500

func placesOf(lines []line) places {
	p := places{}
	for _, l := range lines {
		for _, g := range l.glyphs {
			b := g.turned(4 - l.turn)
			if at := int(b.left); len(p[at]) < maxStacked {
				p[at] = append(p[at], b)
			}
		}
	}
	return p
}

// hold says whether a character stands at a box already.
func (p places) hold(b box) bool {
	for point := int(b.left) - 1; point <= int(b.left)+1; point++ {
		for _, known := range p[point] {
			if math.Abs(float64(known.left-b.left)) < 1 && known.beside(b) {
				return true
			}
		}
	}
	return false
}

// maxObjects bounds how many objects of a page are looked at for what it shows.
const maxObjects = 2000

// The types of page objects.
const (
	objectPath    = 2
	objectImage   = 3
	objectShading = 4
	objectForm    = 5
)

// manyPaths is how many paths are more than a frame and rules: letters that are drawn.
const manyPaths = 50

// shows says whether a page without text holds something to see: a picture, or letters that are drawn as lines.
func (in *instance) shows(page pointer) bool {
	look := looks{in: in, get: in.function("FPDFPage_GetObject"), kind: in.function("FPDFPageObj_GetType")}
	return look.at(page, in.count("FPDFPage_CountObjects", page), 3)
}

type looks struct {
	in        *instance
	get, kind *function
	seen      int
	paths     int
}

// at looks at the objects of a page or of a form, and of the forms in it as deep as depth.
func (l *looks) at(holder pointer, count, depth int) bool {
	get := l.get
	for n := 0; n < count && l.seen < maxObjects; n++ {
		l.seen++
		object := get.call(holder, uint64(n))
		switch l.kind.call(object) {
		case objectImage, objectShading:
			return true
		case objectPath:
			l.paths++
		case objectForm:
			form := looks{in: l.in, get: l.in.function("FPDFFormObj_GetObject"), kind: l.kind, seen: l.seen, paths: l.paths}
			if depth > 0 && form.at(object, l.in.count("FPDFFormObj_CountObjects", object), depth-1) {
				return true
			}
			l.seen, l.paths = form.seen, form.paths
		}
		if l.paths >= manyPaths {
			return true
		}
	}
	return false
}
