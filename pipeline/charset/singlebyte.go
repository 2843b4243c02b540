package charset

import (
	"strings"
	"unicode"

	"golang.org/x/text/encoding/charmap"
)

// A codepage is an encoding of one byte a character, with the languages that are written in it.
type codepage struct {
	name      string
	table     *charmap.Charmap
	languages string
	prior     float64 // how much likelier it is than Windows-1252 before its text is seen, as a natural logarithm
}

const (
	western  = "en de fr es pt it nl da sv nb fi is ca"
	central  = "cs sk pl hu ro hr sl de"
	cyrillic = "ru uk be bg sr mk"
)

var singleByte = []codepage{
	{Windows1252, charmap.Windows1252, western, 0},
	{"windows-1250", charmap.Windows1250, central, -4},
	{"windows-1251", charmap.Windows1251, cyrillic, -5},
	{"windows-1253", charmap.Windows1253, "el", -6},
	{"windows-1254", charmap.Windows1254, "tr", -5},
	{"windows-1255", charmap.Windows1255, "he", -6},
	{"windows-1256", charmap.Windows1256, "ar fa", -6},
	{"windows-1257", charmap.Windows1257, "et lt lv", -6},
	{"windows-874", charmap.Windows874, "th", -6},
	{"iso-8859-2", charmap.ISO8859_2, central, -5},
	{"iso-8859-5", charmap.ISO8859_5, cyrillic, -8},
	{"iso-8859-6", charmap.ISO8859_6, "ar fa", -7},
	{"iso-8859-7", charmap.ISO8859_7, "el", -6.5},
	{"iso-8859-8", charmap.ISO8859_8, "he", -6.5},
	{"iso-8859-13", charmap.ISO8859_13, "et lt lv", -7},
	{"iso-8859-15", charmap.ISO8859_15, western, -5},
	{"koi8-r", charmap.KOI8R, "ru bg", -6},
	{"koi8-u", charmap.KOI8U, "uk be", -6.5},
	{"ibm437", charmap.CodePage437, western, -9},
	{"ibm850", charmap.CodePage850, western, -8},
	{"ibm852", charmap.CodePage852, central, -9},
	{"ibm855", charmap.CodePage855, cyrillic, -11},
	{"ibm862", charmap.CodePage862, "he", -12},
	{"ibm866", charmap.CodePage866, cyrillic, -8},
	{"macintosh", charmap.Macintosh, western, -9},
	{"x-mac-cyrillic", charmap.MacintoshCyrillic, cyrillic, -10},
}

// What a character costs that is no letter of the language, as a natural logarithm. Chosen by hand, on chardet's texts and on
// manual pages of Debian; TestGuess and TestGuessFewBytes hold what they must keep.
const (
	costUpper   = -3.2 // a capital, beside the letter's own share
	costSpace   = -4   // the space that does not break
	costMark    = -6   // quotes, dashes, signs that prose has
	costStrange = -11  // letters of other languages, other signs
	costNone    = -16  // controls, and what the encoding does not define
	costLatin   = -2   // an ASCII letter in the words of another script, beside its share in English
	costBend    = -4   // a capital after a small letter
	costMix     = -3   // letters of two scripts side by side
	costInside  = -1.5 // a strange sign beside a letter
)

// marks are what prose has beside letters.
const marks = "‘’‚“”„–—…«»‹›·\u00a0\u00ad¡¿´"

// signs are what it has beside digits and alone.
const signs = "•°§©®™€£ºª№±½¼¾×÷µ²³¹¢¥†"

// boxes are what the texts of DOS are framed with.
const boxes = "─│┌┐└┘├┤┬┴┼═║╔╗╚╝╠╣╦╩╬░▒▓█"

// A table is the model of a code page: the costs of the 256 bytes in each language, and what sort of character each byte is.
type table struct {
	codepage
	costs [][256]float64
	sorts [256]sort
}

// A sort is what matters of a character for what stands beside it.
type sort byte

const (
	outside sort = iota // spaces, marks: anything may stand beside them
	lower               // ASCII
	upper
	lowerHigh // beyond ASCII, as are the rest
	upperHigh
	caseless
	strange
)

func newTable(e codepage, byName map[string]*letters) *table {
	t := &table{codepage: e}
	for b := range t.sorts {
		t.sorts[b] = sortOf(e.table.DecodeByte(byte(b)))
	}
	for name := range strings.FieldsSeq(e.languages) {
		costs := [256]float64{}
		for b := range costs {
			costs[b] = cost(e.table.DecodeByte(byte(b)), byName[name], byName["en"])
		}
		t.costs = append(t.costs, costs)
	}
	return t
}

func (t *table) encoding() string { return t.name }

func (t *table) score(s *sample) float64 {
	best := 0.0
	for i, costs := range t.costs {
		sum := 0.0
		for b, n := range s.bytes {
			sum += n * costs[b]
		}
		if i == 0 || sum > best {
			best = sum
		}
	}
	for _, p := range s.pairs {
		best += p.n * beside(t.sorts[p.first], t.sorts[p.second])
	}
	return best + t.prior
}

// cost is how likely r is in the language.
func cost(r rune, l, english *letters) float64 {
	small := unicode.ToLower(r)
	capital := 0.0
	if small != r {
		capital = costUpper
	}
	switch share, ok := l.share[small]; {
	case r == ' ':
		return 0
	case ok:
		return share + capital
	case r < 0x80 && isASCIILetter(byte(r)) && english.share[small] != 0:
		return costLatin + english.share[small] + capital
	case r == '\u00a0':
		return costSpace
	case r < 0x80, strings.ContainsRune(marks+signs+boxes, r):
		return costMark
	case r == '\ufffd', unicode.IsControl(r):
		return costNone
	}
	return costStrange + capital
}

func sortOf(r rune) sort {
	switch {
	case r == ' ', strings.ContainsRune(marks+boxes, r):
		return outside
	case r < 0x80 && unicode.IsLower(r):
		return lower
	case r < 0x80 && unicode.IsUpper(r):
		return upper
	case unicode.Is(unicode.Latin, r) && unicode.IsUpper(r):
		return upper
	case unicode.Is(unicode.Latin, r) && unicode.IsLetter(r):
		return lower
	case unicode.IsUpper(r):
		return upperHigh
	case unicode.IsLower(r):
		return lowerHigh
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return caseless
	}
	return strange
}

// beside is the cost of one character after another.
func beside(a, b sort) float64 {
	switch {
	case a == outside || b == outside:
		return 0
	case a == strange || b == strange:
		return costInside
	case (a <= upper) != (b <= upper):
		return costMix
	case (a == lower || a == lowerHigh) && (b == upper || b == upperHigh):
		return costBend
	}
	return 0
}
