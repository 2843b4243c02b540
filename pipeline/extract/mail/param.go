package mail

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"docbatch/pipeline/extract/mail/letter"
)

// Bounds on the parameters of a field.
const (
	maxParams    = 200
	maxNameRunes = 200 // of a file's name
)

// params reads a field such as "text/plain; charset=utf-8; name*0*=utf-8”a%20": its value in lower case and its parameters by name, with
// the continuations and encodings of RFC 2231. Values may hold spaces without being quoted, as Outlook Express wrote them.
func params(d *letter.Decoder, value string) (kind string, params map[string]string) {
	kind = firstWord(value)
	_, rest, _ := strings.Cut(value, ";")
	params = map[string]string{}
	pieces := map[string]map[int]piece{}
	for range maxParams {
		var name, text string
		name, text, rest = cutParam(rest)
		if name == "" && rest == "" {
			break
		}
		base, p := readPiece(name, text)
		if _, ok := params[base]; base == name && !ok {
			params[base] = decodeWords(d, text)
		} else if base != name {
			if pieces[base] == nil {
				pieces[base] = map[int]piece{}
			}
			pieces[base][p.n] = p
		}
	}
	for name, p := range pieces { // what is encoded is more exact than what stands beside it for old programs
		params[name] = join(d, p)
	}
	return kind, params
}

// firstWord is the value of a field without its parameters, in lower case.
func firstWord(value string) string {
	word, _, _ := strings.Cut(value, ";")
	return strings.ToLower(strings.Join(strings.Fields(dropComment(word)), ""))
}

// cutParam reads one parameter, up to the next semicolon that is in no quotes. A quote that never closes ends with the text.
func cutParam(s string) (name, value, rest string) {
	s = strings.TrimLeft(s, "; \t")
	name, s, ok := cutName(s)
	if !ok {
		return "", "", s
	}
	s = strings.TrimLeft(s, " \t")
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ";")
		return name, strings.TrimSpace(dropComment(value)), rest
	}
	value, rest = cutQuoted(s[1:])
	_, rest, _ = strings.Cut(rest, ";")
	return name, value, rest
}

// cutName reads "name=", or the parameter without a value that ends at the next semicolon.
func cutName(s string) (name, rest string, ok bool) {
	end := strings.IndexAny(s, "=;")
	if end < 0 {
		return "", "", false
	}
	if s[end] == ';' {
		return "", s[end:], false
	}
	return strings.ToLower(strings.TrimSpace(s[:end])), s[end+1:], true
}

// cutQuoted reads to the closing quote. A backslash that escapes neither a quote nor another is one of a path on Windows.
func cutQuoted(s string) (value, rest string) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return out.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
		}
		out.WriteByte(s[i])
	}
	return out.String(), ""
}

// dropComment leaves out a comment at the end: "7bit (really)".
func dropComment(s string) string {
	if before, _, ok := strings.Cut(s, " ("); ok && strings.HasSuffix(strings.TrimSpace(s), ")") {
		return before
	}
	return s
}

// A piece is a parameter that is encoded, or one of those that a long one was cut into.
type piece struct {
	n       int // which one
	encoded bool
	text    string
}

// readPiece takes "name*1*" apart; base is name where it is neither encoded nor cut.
func readPiece(name, text string) (base string, p piece) {
	p.text = text
	name, p.encoded = strings.CutSuffix(name, "*")
	base, number, _ := strings.Cut(name, "*")
	for _, c := range []byte(number) {
		if c < '0' || c > '9' || p.n > maxParams {
			return base, p
		}
		p.n = 10*p.n + int(c-'0')
	}
	return base, p
}

// join puts the pieces of a parameter together, in their order, and decodes them; the first one that is encoded names the encoding.
func join(d *letter.Decoder, pieces map[int]piece) string {
	var raw []byte
	encoding, encoded := "", false
	for _, n := range slices.Sorted(maps.Keys(pieces)) {
		p := pieces[n]
		text := p.text
		if p.encoded && !encoded {
			encoded = true
			if parts := strings.SplitN(text, "'", 3); len(parts) == 3 {
				encoding, text = parts[0], parts[2]
			}
		}
		if p.encoded {
			text = unescape(text)
		}
		raw = append(raw, text...)
	}
	if encoded {
		return d.Decode(raw, encoding)
	}
	return decodeWords(d, string(raw))
}

// unescape decodes percent signs, those that are followed by no byte left as they are.
func unescape(s string) string {
	return string(decodeHex([]byte(s), '%'))
}

// fileName is what a part is called by the parameters of its disposition and its type, without the folders that some programs put before
// it; "" where it has no name.
func fileName(disposition, kind map[string]string) string {
	name := cmp.Or(disposition["filename"], kind["name"])
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	runes := []rune(strings.Join(strings.Fields(name), " "))
	return string(runes[max(0, len(runes)-maxNameRunes):])
}
