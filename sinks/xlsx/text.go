package xlsx

import (
	"regexp"
	"strings"
	"unicode/utf16"

	"docbatch/sinks/table"
)

// maxCellUnits is how long a text Excel holds in a cell, in UTF-16 units.
const maxCellUnits = 32767

// cutMark ends a text that was cut.
const cutMark = "\n[… cut: an Excel cell holds 32,767 characters; CSV and JSONL have the whole text]"

// lineEnds makes every line end the one that Excel has in cells; it shows a carriage return as a box or as _x000D_.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// fit is text as a cell can hold it: clean, with \n for line ends, cut with a mark where it is too long.
func fit(text string) string {
	return cut(separate(lineEnds.Replace(table.Clean(text))))
}

func cut(text string) string {
	if len(text) <= maxCellUnits { // no text has more units than bytes
		return text
	}
	room := maxCellUnits - units(cutMark)
	end, n := 0, 0
	for i, r := range text {
		if n <= room {
			end = i
		}
		if n += utf16.RuneLen(r); n > maxCellUnits {
			return text[:end] + cutMark
		}
	}
	return text
}

func units(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// A workbook writes a character that XML can't hold as _xHHHH_, so a text that looks like this must be escaped. excelize does
// it, but for two cases: escapes that share an underscore (_x000D_x000A_), and surrogates (_xD800_), which readers decode
// to nothing. There an invisible word joiner goes between: the text looks as it was.
var (
	escape     = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)
	escapeTail = regexp.MustCompile(`^x[0-9A-Fa-f]{4}_`)
	surrogate  = regexp.MustCompile(`^_x[Dd][89A-Fa-f]`)
	wordJoiner = "\u2060"
	underscore = "_x005F_" // excelize does escape what follows this one, unless it is a surrogate
)

func separate(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	var b strings.Builder
	for {
		at := escape.FindStringIndex(text)
		if at == nil {
			b.WriteString(text)
			return b.String()
		}
		found, rest := text[at[0]:at[1]], text[at[1]:]
		b.WriteString(text[:at[0]])
		switch {
		case surrogate.MatchString(found):
			b.WriteString("_" + wordJoiner + found[1:len(found)-1])
			rest = "_" + rest // may begin the next one
		case escapeTail.MatchString(rest) && (found != underscore || surrogate.MatchString("_"+rest)):
			b.WriteString(found + wordJoiner)
		default:
			b.WriteString(found)
		}
		text = rest
	}
}

// xmlBytes is an upper bound of what a row takes in the sheet's XML.
func xmlBytes(cells []string) int64 {
	const row, cell = 96, 96 // the elements and attributes around them
	n := row
	for _, text := range cells {
		n += cell + len(text)
		for i := range len(text) {
			switch text[i] {
			case '&', '<', '>', '"', '\'', '\t':
				n += 4
			case '_':
				n += len(underscore)
			}
		}
	}
	return int64(n)
}
