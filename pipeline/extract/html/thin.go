package html

import "strings"

// maxAttributes bounds the attributes of one tag. The tokenizer keeps 32 bytes for each, which makes 16 times the page out of "<p a a a a".
const maxAttributes = 10_000

// thin cuts the attributes over the bound out of each tag of source.
func thin(source string) string {
	var kept strings.Builder
	from, at := 0, 0
	for {
		tag := strings.IndexByte(source[at:], '<')
		if tag < 0 {
			break
		}
		at += tag + 1
		cut, end := tagEnd(source, at)
		if cut < end {
			kept.WriteString(source[from:cut])
			from = end
		}
		at = end + rawLen(source[at:cut], source[end:])
	}
	if from == 0 {
		return source
	}
	return kept.String() + source[from:]
}

// tagEnd finds the end of the tag whose name begins at source[at], and where its attributes go over the bound: at the end if they do not.
func tagEnd(source string, at int) (cut, end int) {
	if at == len(source) || source[at] != '/' && !isLetter(source[at]) {
		return at, at
	}
	cut = len(source)
	words, gap, value := 0, false, false
	for end = at + 1; end < len(source) && source[end] != '>'; end++ {
		switch c := source[end]; {
		case (c == '"' || c == '\'') && value:
			quoted := strings.IndexByte(source[end+1:], c)
			if quoted < 0 {
				return min(cut, len(source)), len(source)
			}
			end += 1 + quoted
			gap, value = true, false
		case c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '/':
			gap = true
		case c == '=':
			value = true
		default:
			if gap && !value {
				words++
			}
			gap, value = false, false
		}
		if words > maxAttributes {
			cut = min(cut, end)
		}
	}
	return min(cut, end), end
}

// rawLen is the length of what follows the start of an element of which the text is no markup, before its end; 0 for any other.
func rawLen(tag, rest string) int {
	for _, name := range []string{"script", "style"} {
		if len(tag) < len(name) || !strings.EqualFold(tag[:len(name)], name) {
			continue
		}
		for at := 0; ; at += 2 {
			end := strings.Index(rest[at:], "</")
			if end < 0 {
				return len(rest)
			}
			at += end
			if tail := rest[at+2:]; len(tail) >= len(name) && strings.EqualFold(tail[:len(name)], name) {
				return at
			}
		}
	}
	return 0
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
