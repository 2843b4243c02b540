// Package pathname writes names that strangers chose so that they can be stored, compared and shown: whatever bytes a name has, it
// is one line of valid text that controls no terminal, and no two names become the same.
package pathname

import (
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape writes a byte of name that is not part of valid UTF-8, or of a character that controls a terminal, ends a line or turns the
// direction of writing, as %XX, in capital hexadecimal digits; so it does a % that would else be taken for the beginning of such
// an escape, and a ! before a slash, which in an ID ends the name of an archive. Most names stay as they are.
func Escape(name string) string {
	i := 0
	for i < len(name) && plainAt(name, i) {
		i++
	}
	if i == len(name) {
		return name
	}
	var b strings.Builder
	for i = 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if isEscape(name[i:]) || isBorder(name[i:]) || controls(r) || r == utf8.RuneError && size == 1 {
			for _, c := range []byte(name[i : i+size]) {
				b.WriteString("%" + string(upperHex[c>>4]) + string(upperHex[c&15]))
			}
		} else {
			b.WriteString(name[i : i+size])
		}
		i += size
	}
	return b.String()
}

// Unescape is the inverse of Escape.
func Unescape(escaped string) string {
	if !strings.Contains(escaped, "%") {
		return escaped
	}
	var b strings.Builder
	for i := 0; i < len(escaped); i++ {
		if isEscape(escaped[i:]) {
			b.WriteByte(byte(strings.IndexByte(upperHex, escaped[i+1])<<4 | strings.IndexByte(upperHex, escaped[i+2])))
			i += 2
		} else {
			b.WriteByte(escaped[i])
		}
	}
	return b.String()
}

// Display is a path as a person may see it: escaped, and with slashes.
func Display(path string) string { return Escape(filepath.ToSlash(path)) }

// Controls reports whether Escape changes more of s than its percent signs.
func Controls(s string) bool { return !utf8.ValidString(s) || strings.IndexFunc(s, controls) >= 0 }

// controls reports whether r does something instead of being seen. Joiners and marks of direction are not among these: names in
// Persian and Hebrew have them.
func controls(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

const upperHex = "0123456789ABCDEF"

// plainAt reports whether the byte at i is printable ASCII that stands for itself.
func plainAt(name string, i int) bool {
	return name[i] >= ' ' && name[i] < 0x7f && !isEscape(name[i:]) && !isBorder(name[i:])
}

// isBorder reports whether s begins with what stands between an archive and its member.
func isBorder(s string) bool { return len(s) >= 2 && s[0] == '!' && s[1] == '/' }

// isEscape reports whether s begins with % and two capital hexadecimal digits.
func isEscape(s string) bool {
	return len(s) >= 3 && s[0] == '%' && strings.IndexByte(upperHex, s[1]) >= 0 && strings.IndexByte(upperHex, s[2]) >= 0
}
