package jsonl

import "unicode/utf8"

const hex = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259), without NUL, and with U+FFFD for each byte that is not UTF-8. U+2028
// and U+2029 are escaped because some readers take them for line ends.
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
	switch r {
	case '"', '\\', 0x7f, 0x2028, 0x2029:
		return false
	case utf8.RuneError:
		return size > 1
	}
	return r >= ' '
}

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
	return append(b, '\\', 'u', hex[r>>12&0xf], hex[r>>8&0xf], hex[r>>4&0xf], hex[r&0xf])
}
