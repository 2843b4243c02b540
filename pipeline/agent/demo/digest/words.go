package digest

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A word is an entry of the vocabulary of one document.
type word struct {
	start, end int   // where it stands first, in lower case if it ever does
	count      int32 // how often
	names      int32 // how often with a capital inside a sentence
	stop       langs // the languages in which it is a stop word
	letters    int16 // runes
	lower      bool  // start and end show it in lower case
	wide       bool  // of a script without spaces
	month      bool  // the name of one
	address    bool  // of mail or a host, or an abbreviation
}

// A token is a word or a number as it stands in the text.
type token struct {
	start, end int
	number     bool
	wide       bool
}

// next finds the first token of text[pos:end]; ok is false where there is none.
func next(text string, pos, end int) (t token, ok bool) {
	for pos < end {
		c := text[pos]
		if isDigit(c) {
			return numberToken(text, pos, end), true
		}
		if c < utf8.RuneSelf {
			if isASCIILetter(c) {
				return token{start: pos, end: wordEnd(text, pos, end)}, true
			}
			pos++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[pos:end])
		if s := wideScript(r); s != 0 {
			return token{start: pos, end: wideEnd(text, pos, end, s), wide: true}, true
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return token{start: pos, end: wordEnd(text, pos, end)}, true
		}
		pos += n
	}
	return token{}, false
}

// elisions are the short words of French and Italian that lose their end before a vowel: "l'eau", "nell'androne".
var elisions = set(`l d n s j t m c qu un nell dell all dall sull quest lorsqu puisqu jusqu`)

// wordEnd is where the word that begins at pos ends: letters, digits and marks, with single hyphens, apostrophes, dots and
// the like inside, so that an address is one word.
func wordEnd(text string, pos, end int) int {
	start := pos
	for pos < end {
		c := text[pos]
		if isASCIILetter(c) || isDigit(c) || c == '_' {
			pos++
			continue
		}
		r, n := rune(c), 1
		if c >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[pos:end])
		}
		switch {
		case r == '-' || r == '.' || r == '@' || r == '\'' || r == '’':
			if pos+n >= end || !isWordByte(text[pos+n]) || pos == start {
				return pos
			}
			if (r == '\'' || r == '’') && pos-start <= 6 && elisions[strings.ToLower(text[start:pos])] {
				return pos
			}
		case n == 1 || wideScript(r) != 0 || !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r):
			return pos
		}
		pos += n
	}
	return pos
}

// numberToken takes digits with single marks between them, and what is written right behind: "1.250,00", "2026-03-01", "2nd".
func numberToken(text string, pos, end int) token {
	t := token{start: pos, number: true}
	for pos < end {
		if isDigit(text[pos]) {
			pos++
			continue
		}
		n := numberMark(text[pos:end])
		if n == 0 || pos+n >= end || !isDigit(text[pos+n]) {
			break
		}
		pos += n
	}
	if pos < end && (isASCIILetter(text[pos]) || text[pos] >= utf8.RuneSelf) {
		tail := wordEnd(text, pos, end)
		if tail-pos > 3 {
			t.number = false
		}
		pos = tail
	}
	t.end = pos
	return t
}

// numberMark gives the length of the mark that s begins with if it can stand between the digits of one number.
func numberMark(s string) int {
	switch c := s[0]; {
	case strings.IndexByte(".,:/-'", c) >= 0:
		return 1
	case c < utf8.RuneSelf:
		return 0
	}
	if r, n := utf8.DecodeRuneInString(s); r == '\u00A0' || r == '\u202F' || r == '’' {
		return n
	}
	return 0
}

// wideScript tells the scripts without spaces apart; 0 for all others.
func wideScript(r rune) uint8 {
	switch {
	case r < 0x3040:
		return 0
	case r <= 0x309F:
		return 'h'
	case r <= 0x30FF:
		return 'k'
	case r >= 0x3400 && r <= 0x9FFF, r >= 0xF900 && r <= 0xFAFF, r >= 0x20000 && r <= 0x323AF:
		return 'c'
	}
	return 0
}

// chineseParticles cut runs of Chinese characters into something like words.
const chineseParticles = "的了在是和与或有不也就都而这那我你他为对从到以把被于之请并"

// wideEnd is where the run of one script that begins at pos ends.
func wideEnd(text string, pos, end int, script uint8) int {
	for i := pos; i < end; {
		r, n := utf8.DecodeRuneInString(text[i:end])
		if wideScript(r) != script {
			return i
		}
		if script == 'c' && strings.ContainsRune(chineseParticles, r) {
			if i == pos {
				i += n
			}
			return i
		}
		i += n
	}
	return end
}

// wordAt is the word or number at or behind text[pos], at most one blank away; "" where there is none.
func wordAt(text string, pos int) string {
	limit := min(len(text), pos+32)
	if pos < limit && (isBlank(text[pos]) || text[pos] == '\n') {
		pos++
	}
	if pos < limit && (isWordByte(text[pos])) {
		return text[pos:wordEnd(text, pos, limit)]
	}
	return ""
}

// add counts a token in the vocabulary and gives its number there.
func (r *reading) add(t token, begins bool) int32 {
	s := r.text[t.start:t.end]
	lower := r.fold(s)
	id, ok := r.ids[string(lower)]
	if !ok {
		id = int32(len(r.vocabulary))
		key := string(lower)
		r.ids[key] = id
		w := word{start: t.start, end: t.end, stop: stopWords[key], wide: t.wide, month: months[key], address: strings.ContainsAny(key, ".@"), letters: int16(min(utf8.RuneCountInString(s), 1000))}
		w.lower = s == key
		r.vocabulary = append(r.vocabulary, w)
	}
	w := &r.vocabulary[id]
	w.count++
	if s == string(lower) {
		if !w.lower {
			w.start, w.end, w.lower = t.start, t.end, true
		}
	} else if !begins {
		w.names++
	}
	return id
}

// fold gives s in lower case, with a straight apostrophe, in a buffer that the next call uses again.
func (r *reading) fold(s string) []byte {
	b := r.buf[:0]
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			b = append(b, c)
			i++
			continue
		}
		x, n := utf8.DecodeRuneInString(s[i:])
		if x == '’' {
			b = append(b, '\'')
		} else {
			b = utf8.AppendRune(b, unicode.ToLower(x))
		}
		i += n
	}
	r.buf = b
	return b
}

func isASCIILetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isWordByte(c byte) bool { return isASCIILetter(c) || isDigit(c) || c >= utf8.RuneSelf }
