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
//
// Where a comma is the decimal point a spreadsheet splits the file at semicolons, whatever is in quotes. So what follows a
// semicolon, a tab or a line end within the cell gets an apostrophe too, if it begins with = or, after another sign, calls a function
// or another program. Lists ("- item") stay as they are.
func Neutral(cell string) string {
	if cell == "" {
		return cell
	}
	inside := neutralInside(cell)
	if !begins(cell) || harmless(cell) {
		return inside
	}
	return "'" + inside
}

// separators are what a cell may be split at by a spreadsheet that takes the file for another format.
const separators = ";\t\r\n"

// neutralInside looks at each part of a cell but the first.
func neutralInside(cell string) string {
	if !strings.ContainsAny(cell, separators) {
		return cell
	}
	var b strings.Builder
	for first := true; cell != ""; first = false {
		end := strings.IndexAny(cell, separators) + 1
		if end == 0 {
			end = len(cell)
		}
		if !first && computes(cell[:end]) {
			b.WriteByte('\'')
		}
		b.WriteString(cell[:end])
		cell = cell[end:]
	}
	return b.String()
}

// The characters that a formula may begin with: as they are, in full width, and small.
const (
	equals = "=＝﹦"
	signs  = "+-@＋－＠﹢﹣﹫"
)

// calls finds a function that is called, or another program: cmd|'/C calc'!A0.
var calls = regexp.MustCompile(`[\pL\pN_.]\(|\|.*!`)

// computes reports whether a part of a cell is more than a text with a sign in front. A line of = is a rule under a title.
func computes(part string) bool {
	part = strings.TrimLeftFunc(part, func(r rune) bool { return r == '"' || blank(r) })
	switch first, _ := utf8.DecodeRuneInString(part); {
	case strings.ContainsRune(equals, first):
		return strings.Trim(part, equals+separators) != ""
	case strings.ContainsRune(signs, first):
		return calls.MatchString(part)
	}
	return false
}

// begins reports whether cell begins as a formula may.
func begins(cell string) bool {
	if cell[0] == '\t' || cell[0] == '\r' {
		return true
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(cell, blank))
	return strings.ContainsRune(equals+signs, first)
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
