package numfmt

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A token is a piece of a number format.
type token struct {
	kind tokenKind
	text string // a literal's text; of a date the letters, in lower case
}

type tokenKind int

const (
	literalToken tokenKind = iota
	symbolToken            // one of . , % / that is a literal only where it has no meaning
	digitsToken            // 0 # ?
	dateToken              // y m d h s in any number, am/pm, a/p, [h] [m] [s]
	generalToken           // General or @
)

// tokenize cuts a section into tokens; not ok is one that this package leaves to excelize.
func tokenize(code string) (tokens []token, ok bool) {
	for code != "" {
		t, size, ok := nextToken(code)
		if !ok {
			return nil, false
		}
		code = code[size:]
		tokens = append(tokens, t...)
	}
	return tokens, true
}

// nextToken reads the token at the front of code; some characters stand for none.
func nextToken(code string) (t []token, size int, ok bool) {
	switch c := code[0]; c {
	case '"':
		text, _, found := strings.Cut(code[1:], `"`)
		return literal(text), min(len(text)+2, len(code)), found
	case '\\', '_', '*':
		return escape(code)
	case '[':
		inside, _, found := strings.Cut(code[1:], "]")
		t, ok := bracket(inside)
		return t, len(inside) + 2, ok && found
	case '.', ',', '%', '/':
		return []token{{symbolToken, code[:1]}}, 1, true
	case '0', '#', '?':
		size = len(code) - len(strings.TrimLeft(code, "0#?"))
		return []token{{digitsToken, code[:size]}}, size, true
	case '@':
		return []token{{generalToken, ""}}, 1, true
	default:
		return wordToken(code)
	}
}

// escape reads a character after one that says how it is meant: as it is, as a space of its width, or
// as what fills the cell, which is left out.
func escape(code string) (t []token, size int, ok bool) {
	_, n := utf8.DecodeRuneInString(code[1:])
	switch size = 1 + n; {
	case code[0] == '\\':
		t = literal(code[1:size])
	case code[0] == '_':
		t = literal(" ")
	}
	return t, size, true
}

func literal(text string) []token { return []token{{literalToken, text}} }

// wordToken reads letters that mean something, or one character that means itself.
func wordToken(code string) (t []token, size int, ok bool) {
	lower := strings.ToLower(code)
	for _, word := range []string{"am/pm", "a/p"} {
		if strings.HasPrefix(lower, word) {
			return []token{{dateToken, word}}, len(word), true
		}
	}
	if strings.HasPrefix(lower, "general") {
		return []token{{generalToken, ""}}, len("general"), true
	}
	c := lower[0]
	if strings.IndexByte("ymdhs", c) >= 0 {
		size = len(lower) - len(strings.TrimLeft(lower, string(c)))
		return []token{{dateToken, lower[:size]}}, size, true
	}
	if c >= 'a' && c <= 'z' {
		return nil, 0, false
	}
	_, size = utf8.DecodeRuneInString(code)
	return literal(code[:size]), size, true
}

// bracket reads what is in brackets: a currency with a locale, a colour, or hours beyond a day. Conditions and calendars are
// left to excelize.
func bracket(inside string) (t []token, ok bool) {
	lower := strings.ToLower(inside)
	switch {
	case strings.HasPrefix(inside, "$"):
		symbol, locale, _ := strings.Cut(inside[1:], "-")
		return literal(symbol), plainLocale(locale)
	case lower != "" && strings.Trim(lower, lower[:1]) == "" && strings.ContainsAny(lower[:1], "hms"):
		return []token{{dateToken, "[" + lower + "]"}}, true
	case strings.HasPrefix(lower, "color"):
		return nil, true
	}
	switch lower {
	case "black", "blue", "cyan", "green", "magenta", "red", "white", "yellow":
		return nil, true
	}
	return nil, false
}

// plainLocale reports whether a locale changes nothing in what is written: none, the system's, or one of English.
// For others this package has no names of months.
func plainLocale(locale string) bool {
	id, err := strconv.ParseUint(locale, 16, 32)
	return locale == "" || err == nil && (id&0xff == 0x09 && id <= 0xffff || id == 0xf800 || id == 0xf400) || strings.HasPrefix(locale, "en-")
}
