package folder

import (
	"io/fs"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape makes a path, with slashes, the ID that Source describes. Most paths are their own ID.
func escape(path string) string {
	i := 0
	for i < len(path) && plainAt(path, i) {
		i++
	}
	if i == len(path) {
		return path
	}
	var b strings.Builder
	for i = 0; i < len(path); {
		r, size := utf8.DecodeRuneInString(path[i:])
		if r == '%' && isEscape(path[i:]) || unicode.IsControl(r) || r == utf8.RuneError && size == 1 {
			for _, c := range []byte(path[i : i+size]) {
				b.WriteString("%" + string(upperHex[c>>4]) + string(upperHex[c&15]))
			}
		} else {
			b.WriteString(path[i : i+size])
		}
		i += size
	}
	return b.String()
}

const upperHex = "0123456789ABCDEF"

// plainAt reports whether the byte at i is printable ASCII that stands for itself.
func plainAt(path string, i int) bool {
	return path[i] >= ' ' && path[i] < 0x7f && (path[i] != '%' || !isEscape(path[i:]))
}

// unescape is the inverse of escape.
func unescape(id string) string {
	if !strings.Contains(id, "%") {
		return id
	}
	var b strings.Builder
	for i := 0; i < len(id); i++ {
		if isEscape(id[i:]) {
			b.WriteByte(byte(strings.IndexByte(upperHex, id[i+1])<<4 | strings.IndexByte(upperHex, id[i+2])))
			i += 2
		} else {
			b.WriteByte(id[i])
		}
	}
	return b.String()
}

// isEscape reports whether s begins with % and two capital hexadecimal digits.
func isEscape(s string) bool {
	return len(s) >= 3 && s[0] == '%' && strings.IndexByte(upperHex, s[1]) >= 0 && strings.IndexByte(upperHex, s[2]) >= 0
}

// display is path as a person may see it: with slashes and without control characters.
func display(path string) string { return escape(filepath.ToSlash(path)) }

// stamp is a mark that changes when a file does: size and time of change in nanoseconds to the base of 36, permissions in octal.
func stamp(info fs.FileInfo) string {
	b := make([]byte, 0, 32)
	b = strconv.AppendInt(b, info.Size(), 36)
	b = append(b, '-')
	b = strconv.AppendInt(b, info.ModTime().UnixNano(), 36)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(info.Mode().Perm()), 8)
	return string(b)
}

// foldCase makes paths comparable where the system takes upper and lower case for the same.
func foldCase(path string) string {
	if runtime.GOOS == "windows" {
		return strings.ToLower(path)
	}
	return path
}
