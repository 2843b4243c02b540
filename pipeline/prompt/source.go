package prompt

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A source is the text of a template and where it is from.
type source struct {
	name string
	text string
}

// errorf makes an error at a place in the source, given as an offset in bytes.
func (s source) errorf(offset int, format string, args ...any) error {
	return fmt.Errorf("%s: "+format, append([]any{s.position(offset)}, args...)...)
}

// position is file:line:column, the column counted in characters from 1.
func (s source) position(offset int) string {
	before := s.text[:min(max(offset, 0), len(s.text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return fmt.Sprintf("%s:%d:%d", s.name, 1+strings.Count(before, "\n"), 1+utf8.RuneCountInString(before[start:]))
}

// offset is the reverse for a line from 1 and a column from 0 in bytes, as text/template counts them.
func (s source) offset(line, column int) int {
	at := 0
	for range line - 1 {
		next := strings.IndexByte(s.text[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	return at + column
}
