package charset

import (
	"math"
	"strings"
	"sync"
)

// guess decides which of the encodings that hold ASCII and are not UTF-8 b is in. For each of them, and for each language written in it, it
// reckons how likely the letters of b are and takes the most likely.
//
// On chardet's own test texts in encodings that golang.org/x/text has, Decode gives exactly what x/text makes of the encoding named, in 420
// of 421. github.com/gogs/chardet with rules around it was measured at .945 of them; it looks at 8 KiB only, and at each of its recognizers
// in a goroutine, whose panic nobody could catch.
func guess(b []byte) string {
	s := foreign(b)
	best, encoding := math.Inf(-1), Windows1252
	for _, m := range models() {
		if score := m.score(s); score > best {
			best, encoding = score, m.encoding()
		}
	}
	return encoding
}

// A model says how likely a text is in one encoding; scores are natural logarithms and compare across models.
type model interface {
	encoding() string
	score(s *sample) float64
}

var models = sync.OnceValue(func() []model {
	byName := map[string]*letters{}
	for _, l := range languages {
		byName[l.name] = newLetters(l)
	}
	var all []model
	for _, e := range singleByte {
		all = append(all, newTable(e, byName))
	}
	for _, e := range multiByte {
		all = append(all, newPairs(e, byName[e.language], byName["en"]))
	}
	return all
})

// letters are a language's letters with the logarithms of their shares.
type letters struct {
	name  string
	share map[rune]float64
}

func newLetters(l language) *letters {
	out := &letters{l.name, map[rune]float64{}}
	i := 0
	for _, r := range l.letters {
		digit := strings.IndexByte("0123456789abcdefghijklmnopqrstuvwxyz", l.shares[i])
		out.share[r] = -float64(digit) / 2 * math.Ln2
		i++
	}
	return out
}

// A sample is what of a text speaks for its encoding: the words that have other bytes than ASCII, each once. A word that comes a hundred
// times says no more than one that comes once: a price list has a hundred signs of the pound, which are no letters of another script.
type sample struct {
	words []byte       // each followed by a space
	bytes [256]float64 // how often each byte is in words
	pairs []pair       // which bytes follow one another in them
}

type pair struct {
	first, second byte
	n             float64
}

// maxWords bounds a sample, in bytes: more of a text changes no decision.
const maxWords = 16 << 10

// foreign collects the words of b that have other bytes than ASCII. A byte that may be the second of two belongs to the first.
func foreign(b []byte) *sample {
	s := &sample{}
	seen := map[string]bool{}
	for i := 0; i < len(b) && len(s.words) < maxWords; i++ {
		start, high := i, false
		for i < len(b) && i-start < maxWords && (b[i] >= 0x80 || isASCIILetter(b[i]) || i > start && b[i-1] >= 0x80 && isSecond(b[i])) {
			high = high || b[i] >= 0x80
			i++
		}
		if word := b[start:i]; high && !seen[string(word)] {
			seen[string(word)] = true
			s.words = append(append(s.words, word...), ' ')
		}
	}
	s.count()
	return s
}

func (s *sample) count() {
	counts := make([]int32, 1<<16)
	for i, c := range s.words {
		s.bytes[c]++
		if i > 0 {
			counts[int(s.words[i-1])<<8|int(c)]++
		}
	}
	for i, n := range counts {
		if n > 0 {
			s.pairs = append(s.pairs, pair{byte(i >> 8), byte(i), float64(n)})
		}
	}
}

func isASCIILetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isSecond reports whether c, below 0x80 and no letter, is the second byte of a character in some encoding.
func isSecond(c byte) bool { return c >= '@' && c < 0x7f }
