package mail

import (
	"strings"
	"unicode/utf8"

	"docbatch/pipeline/extract/mail/letter"
)

// decodeWords decodes the encoded words of a header (RFC 2047, with the language of RFC 2231) wherever they stand. Words of one encoding
// that follow each other are joined before they are decoded, since programs cut them within characters. What is no encoded word stays,
// in UTF-8 or in whatever its bytes look like.
func decodeWords(d *letter.Decoder, value string) string {
	if !utf8.ValidString(value) {
		value = d.Decode([]byte(value), "") // bytes that were never declared
	}
	var out strings.Builder
	var pending []byte // bytes of words in encoding that are not yet decoded
	encoding := ""
	flush := func() {
		out.WriteString(d.Decode(pending, encoding))
		pending = pending[:0]
	}
	for {
		start, w, rest, ok := nextWord(value)
		if !ok {
			flush()
			out.WriteString(value)
			return out.String()
		}
		before := value[:start]
		if len(pending) == 0 || strings.TrimSpace(before) != "" {
			flush()
			out.WriteString(before)
		} else if !strings.EqualFold(w.charset, encoding) {
			flush()
		}
		encoding = w.charset
		pending = append(pending, w.bytes()...)
		value = rest
	}
}

// A word is an encoded word, "=?charset?encoding?text?=".
type word struct {
	charset string
	base64  bool
	text    string
}

// nextWord finds the first encoded word of s, which begins at start; rest follows it. Every byte is looked at a bounded number of times:
// what looks like the beginning of a word and is none is passed over, and a word ends at the first "?=".
func nextWord(s string) (start int, w word, rest string, ok bool) {
	for from := 0; ; {
		i := strings.Index(s[from:], "=?")
		if i < 0 {
			return 0, word{}, "", false
		}
		start = from + i
		if w, rest, ok = parseWord(s[start+2:]); ok {
			return start, w, rest, true
		}
		from = start + 2
	}
}

// maxCharsetName bounds the name of an encoding.
const maxCharsetName = 40

// parseWord reads an encoded word after its "=?". A last word that was cut off ends with the text.
func parseWord(s string) (w word, rest string, ok bool) {
	mark := strings.IndexByte(s[:min(len(s), maxCharsetName)], '?')
	if mark <= 0 {
		return word{}, "", false
	}
	w.charset, _, _ = strings.Cut(s[:mark], "*")
	s = strings.TrimLeft(s[mark+1:], " ")
	if len(s) < 2 || s[1] != '?' {
		return word{}, "", false
	}
	switch s[0] {
	case 'b', 'B':
		w.base64 = true
	case 'q', 'Q':
	default:
		return word{}, "", false
	}
	w.text, rest = cutWord(s[2:], !w.base64)
	return w, rest, true
}

// cutWord cuts at "?=". In quoted words that may also be a question mark before an escape, "?=3D", which no word's end is followed by.
func cutWord(s string, quoted bool) (text, rest string) {
	for from := 0; ; {
		i := strings.Index(s[from:], "?=")
		if i < 0 {
			return s, ""
		}
		end := from + i
		after := s[end+2:]
		if !quoted || len(after) < 2 || !isHex(after[0]) || !isHex(after[1]) || !strings.Contains(after, "?=") {
			return s[:end], after
		}
		from = end + 2
	}
}

// bytes are the decoded bytes of the word.
func (w word) bytes() []byte {
	if w.base64 {
		return decodeBase64([]byte(w.text))
	}
	return decodeQuoted([]byte(strings.ReplaceAll(w.text, "_", " ")))
}
