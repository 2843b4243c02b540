package digest

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A sentence is a stretch of a unit; words are the numbers of its words in the vocabulary.
type sentence struct {
	start, end  int
	unit        int
	first, last int // reading.words[first:last]
	length      int // in words, numbers included
	facts       int // dates, amounts and numbers
}

const maxUnsplit = 2000 // bytes after which a sentence ends at the next blank, or at any rune after twice as many

// abbreviations are words whose full stop ends no sentence, in lower case.
var abbreviations = set(`mr mrs ms dr prof st no nos vs etc inc ltd co corp fig vol pp approx dept est ext ref encl
 m mme mlle mm art av bd env tél
 bzw ca evtl ggf hr fr inkl exkl max min mind nr sog str tel usw vgl zzgl abs abt bspw ing dipl gem geb
 sr sra srta ud uds avda núm pág aprox sig sigg dott ing spett egr gent c.a p.es
 dhr mevr bijv m.b.t ten`)

// ordinalNouns are what German counts with a number and a full stop: "im 3. Quartal".
var ordinalNouns = set(`quartal halbjahr stock obergeschoss etage klasse absatz jahrhundert mahnung auflage sitzung kalenderwoche`)

// split cuts a unit into the ends of its sentences, calling found for each.
func split(text string, start, end int, found func(start, end int)) {
	begin := start
	for i := start; i < end; {
		c := text[i]
		if c < utf8.RuneSelf && c != '.' && c != '!' && c != '?' {
			i++
			if i-begin > maxUnsplit && (c == ' ' || c == '\n' || i-begin > 2*maxUnsplit) {
				found(begin, i)
				begin = i
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:end])
		at := i
		i += n
		wide := isWideStop(r)
		if wide || c == '.' || c == '!' || c == '?' || r == '…' || r == '؟' || r == '।' {
			i = closers(text, i, end)
			if wide || endsSentence(text, begin, at, i, end) {
				found(begin, i)
				for begin = i; begin < end && (isBlank(text[begin]) || text[begin] == '\n'); begin++ {
				}
				i = begin
			}
		}
		if i-begin > 2*maxUnsplit {
			found(begin, i)
			begin = i
		}
	}
	if begin < end {
		found(begin, end)
	}
}

// closers skips further stops and closing marks.
func closers(text string, i, end int) int {
	for i < end {
		r, n := utf8.DecodeRuneInString(text[i:end])
		if !strings.ContainsRune(`.!?)]"'”“’»›」』）…*_`, r) {
			break
		}
		i += n
	}
	return i
}

// endsSentence reports whether the stop at text[at], after which the text goes on at next, ends a sentence.
func endsSentence(text string, begin, at, next, end int) bool {
	if next >= end {
		return true
	}
	if !isBlank(text[next]) && text[next] != '\n' {
		return false
	}
	for next < end && (isBlank(text[next]) || text[next] == '\n') {
		next++
	}
	if next == end {
		return true
	}
	follow, _ := utf8.DecodeRuneInString(text[next:end])
	if unicode.IsLower(follow) {
		return false
	}
	if text[at] != '.' {
		return true
	}
	word := lastWord(text[max(begin, at-12):at])
	switch {
	case word == "":
		return true
	case len(word) <= 2 && isDigit(word[0]):
		return at-len(word) > begin && monthAt(text, next) == "" && !ordinalNouns[strings.ToLower(wordAt(text, next))]
	case utf8.RuneCountInString(word) == 1:
		return !unicode.IsLetter(firstRune(word))
	}
	return !abbreviations[strings.ToLower(word)]
}

// lastWord is what stands behind the last blank or bracket of s.
func lastWord(s string) string {
	return s[strings.LastIndexAny(s, " \t\n(\"'")+1:]
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// isWideStop reports whether r ends a sentence in scripts without spaces.
func isWideStop(r rune) bool { return r == '。' || r == '！' || r == '？' || r == '｡' }

// endsWide reports whether s ends with a stop of such a script.
func endsWide(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return isWideStop(r) || r == '؟' || r == '…'
}

// set makes a set of the words in s.
func set(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}
