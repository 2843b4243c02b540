package rtf

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// A font says what the bytes of a text in it mean.
type font struct {
	page int    // the code page; 0: that of the document
	name string // as far as it says that the font has signs instead of letters
}

// maxFonts bounds the font table.
const maxFonts = 1 << 14

// charsets are the code pages of \fcharset. ANSI is Windows-1252 whatever the document's code page is.
var charsets = map[int]int{
	0: 1252, 2: symbols, 77: 10000, 78: 932, 79: 949, 80: 936, 81: 950, 83: 1255, 84: 1256, 85: 1253, 86: 1254, 88: 1250, 89: 10007,
	128: 932, 129: 949, 130: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256, 179: 1256, 180: 1256, 181: 1255,
	186: 1257, 204: 1251, 222: 874, 238: 1250, 254: 437, 255: 850,
}

// The code pages that are none of Windows.
const (
	symbols = -1 // of a font without letters, until its name says which
	greek   = -2 // Symbol
	signs   = -3 // Wingdings and its like
)

// encodings are the code pages as \ansicpg and \cpg name them.
var encodings = map[int]encoding.Encoding{
	437: charmap.CodePage437, 708: charmap.ISO8859_6, 720: charmap.Windows1256, 737: charmap.Windows1253, 819: charmap.ISO8859_1, 850: charmap.CodePage850,
	852: charmap.CodePage852, 855: charmap.CodePage855, 857: charmap.Windows1254, 858: charmap.CodePage858, 860: charmap.CodePage860,
	862: charmap.CodePage862, 863: charmap.CodePage863, 865: charmap.CodePage865, 866: charmap.CodePage866, 874: charmap.Windows874,
	932: japanese.ShiftJIS, 936: simplifiedchinese.GBK, 949: korean.EUCKR, 950: traditionalchinese.Big5,
	1250: charmap.Windows1250, 1251: charmap.Windows1251, 1252: charmap.Windows1252, 1253: charmap.Windows1253, 1254: charmap.Windows1254,
	1255: charmap.Windows1255, 1256: charmap.Windows1256, 1257: charmap.Windows1257, 1258: charmap.Windows1258, 1361: korean.EUCKR,
	10000: charmap.Macintosh, 10001: japanese.ShiftJIS, 10002: traditionalchinese.Big5, 10003: korean.EUCKR, 10007: charmap.MacintoshCyrillic,
	10008: simplifiedchinese.GBK, 20866: charmap.KOI8R, 21866: charmap.KOI8U, 28591: charmap.ISO8859_1, 28592: charmap.ISO8859_2,
	51932: japanese.EUCJP, 54936: simplifiedchinese.GB18030, 65001: encoding.Nop,
}

// addName adds to the name of a font in which the letters are signs.
func (f *font) addName(name string) {
	if f.page >= 0 || len(f.name) > maxWord {
		return
	}
	f.name += strings.ToLower(name)
	switch {
	case strings.Contains(f.name, "symbol"):
		f.page = greek
	case strings.Contains(f.name, "dings"), strings.Contains(f.name, "dingbats"):
		f.page = signs
	}
}

// decode gives bytes of a code page as UTF-8.
func decode(raw []byte, page int) string {
	if page == greek || page == signs {
		var b strings.Builder
		for _, c := range raw {
			b.WriteRune(sign(rune(c), page))
		}
		return b.String()
	}
	if isASCII(raw) {
		return string(raw)
	}
	e, ok := encodings[page]
	if !ok {
		e = charmap.Windows1252
	}
	text, err := e.NewDecoder().Bytes(raw)
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(text), "\ufffd")
}

func isASCII(raw []byte) bool {
	for _, c := range raw {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// sign is the character that looks like c of the font Symbol or Wingdings. What there is no such character for is a bullet: that is what
// most are used as.
func sign(c rune, page int) rune {
	if c <= ' ' {
		return ' '
	}
	if page == signs {
		if r, ok := wingdings[c]; ok {
			return r
		}
		return '•'
	}
	switch {
	case c >= 'A' && c <= 'Z':
		return []rune("ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ")[c-'A']
	case c >= 'a' && c <= 'z':
		return []rune("αβχδεφγηιϕκλμνοπθρστυϖωξψζ")[c-'a']
	}
	if r, ok := symbolFont[c]; ok {
		return r
	}
	if c < 0x7f {
		return c
	}
	return '•'
}

// symbolFont are the characters of the font Symbol but its letters and those that it has in common with ASCII
// (https://www.unicode.org/Public/MAPPINGS/VENDORS/ADOBE/symbol.txt).
var symbolFont = map[rune]rune{
	'"': '∀', '$': '∃', '\'': '∋', '*': '∗', '-': '−', '@': '≅', '\\': '∴', '^': '⊥', '~': '∼',
	0xa1: 'ϒ', 0xa2: '′', 0xa3: '≤', 0xa4: '⁄', 0xa5: '∞', 0xa6: 'ƒ', 0xa7: '♣', 0xa8: '♦', 0xa9: '♥', 0xaa: '♠', 0xab: '↔', 0xac: '←',
	0xad: '↑', 0xae: '→', 0xaf: '↓', 0xb0: '°', 0xb1: '±', 0xb2: '″', 0xb3: '≥', 0xb4: '×', 0xb5: '∝', 0xb6: '∂', 0xb7: '•', 0xb8: '÷',
	0xb9: '≠', 0xba: '≡', 0xbb: '≈', 0xbc: '…', 0xbf: '↵', 0xc0: 'ℵ', 0xc1: 'ℑ', 0xc2: 'ℜ', 0xc3: '℘', 0xc4: '⊗', 0xc5: '⊕', 0xc6: '∅',
	0xc7: '∩', 0xc8: '∪', 0xc9: '⊃', 0xca: '⊇', 0xcb: '⊄', 0xcc: '⊂', 0xcd: '⊆', 0xce: '∈', 0xcf: '∉', 0xd0: '∠', 0xd1: '∇', 0xd2: '®',
	0xd3: '©', 0xd4: '™', 0xd5: '∏', 0xd6: '√', 0xd7: '⋅', 0xd8: '¬', 0xd9: '∧', 0xda: '∨', 0xdb: '⇔', 0xdc: '⇐', 0xdd: '⇑', 0xde: '⇒',
	0xdf: '⇓', 0xe0: '◊', 0xe5: '∑', 0xf2: '∫',
}

// wingdings are characters of the font Wingdings that say more than a bullet does.
var wingdings = map[rune]rune{
	'J': '☺', 'L': '☹', '(': '☎', ')': '✆', '*': '✉', 'o': '☐', 'q': '☐', 'r': '☐', 'x': '☒', 0xa8: '☐', 0xdf: '←', 0xe0: '→', 0xe1: '↑', 0xe2: '↓',
	0xe8: '→', 0xf0: '⇨', 0xfb: '✗', 0xfc: '✓', 0xfd: '☒', 0xfe: '☑',
}
