package csv

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Neutral is cell so that no spreadsheet takes it for a formula: with an apostrophe before it where it begins with
// = + - @ or one of their wide forms, blanks before it or not, or with a tab or a carriage return
// (https://owasp.org/www-community/attacks/CSV_Injection).
//
// Numbers and phone numbers stay as they are: a sign, digits in groups, exponent, percent, currency (-1.234,56 €, +3, -1e5,
// +33 6 12 34 56 78). So does what is only dashes.
func Neutral(cell string) string {
	if cell == "" || !begins(cell) || harmless(cell) {
		return cell
	}
	return "'" + cell
}

// begins reports whether cell begins as a formula may.
func begins(cell string) bool {
	if cell[0] == '\t' || cell[0] == '\r' {
		return true
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(cell, blank))
	switch first {
	case '=', '+', '-', '@',
		'＝', '＋', '－', '＠', // full-width forms
		'﹦', '﹢', '﹣', '﹫': // small forms
		return true
	}
	return false
}

// blank are the characters that a reader may drop at the start of a cell: spaces, and what has no width.
func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
}

// maxNumberBytes is far above what a number or a phone number needs.
const maxNumberBytes = 64

// number has no operator but the sign in front and one in the exponent, no letters but the exponent and the code of a
// currency at the end, and no parentheses: there is nothing in it to evaluate.
var number = regexp.MustCompile(`^ *[-+－＋][ \x{a0}]*\p{Sc}?` +
	`[ \x{a0}\x{2009}\x{202f}.,'’]*[0-9][0-9 \x{a0}\x{2009}\x{202f}.,'’]*` +
	`([eE][-+]?[0-9]+)?` +
	`[ \x{a0}\x{202f}]*(%|‰|\p{Sc}|[A-Z]{3})? *$`)

func harmless(cell string) bool {
	return strings.Trim(cell, "-") == "" || len(cell) <= maxNumberBytes && number.MatchString(cell)
}
