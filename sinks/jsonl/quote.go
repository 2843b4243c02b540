package jsonl

import (
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/rangetable"
)

const hex = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259), without NUL, and with U+FFFD for each byte that is not UTF-8. What is not seen
// but acted on is escaped: C1 controls, marks of direction, joiners, tags, which would control the terminal that a line is printed on,
// and U+2028 and U+2029, which some readers take for line ends.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		if plain(r, size) {
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		b = appendEscape(b, r)
		i += size
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func plain(r rune, size int) bool {
	switch {
	case r < utf8.RuneSelf:
		return r >= ' ' && r != '"' && r != '\\' && r != 0x7f
	case r == utf8.RuneError:
		return size > 1
	}
	return !unicode.Is(unseen, r)
}

// unseen are the characters that are acted on instead of being shown.
var unseen = rangetable.Merge(unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)

func appendEscape(b []byte, r rune) []byte {
	switch r {
	case 0:
		return b
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	case utf8.RuneError:
		return append(b, "\ufffd"...)
	}
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return appendUnit(appendUnit(b, high), low)
	}
	return appendUnit(b, r)
}

// appendUnit appends one unit of UTF-16.
func appendUnit(b []byte, u rune) []byte {
	return append(b, '\\', 'u', hex[u>>12&0xf], hex[u>>8&0xf], hex[u>>4&0xf], hex[u&0xf])
}
