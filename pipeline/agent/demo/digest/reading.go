package digest

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// An occurrence is a word where it stands.
type occurrence struct{ id, start, end int32 }

// A reading is what is known of one document while it is read.
type reading struct {
	text       string
	units      []unit
	sentences  []sentence
	words      []occurrence
	vocabulary []word
	ids        map[string]int32
	lang       langs // one bit, or none where the language is not known
	counts     Counts
	buf        []byte
	pairs      []pair
	pairIDs    map[uint64]int32
}

var readings = sync.Pool{New: func() any {
	return &reading{ids: make(map[string]int32, 512), pairIDs: make(map[uint64]int32, 512)}
}}

// maxKept is how large a vocabulary may be that is kept for the next document.
const maxKept = 1 << 14

func newReading(text string) *reading {
	r := readings.Get().(*reading)
	r.text = text
	return r
}

// release gives the memory back for the next document; what hostile documents grew is dropped.
func (r *reading) release() {
	if cap(r.vocabulary) > maxKept || cap(r.words) > 8*maxKept || cap(r.pairs) > 4*maxKept {
		return
	}
	clear(r.ids)
	clear(r.pairIDs)
	clear(r.units)
	*r = reading{
		ids: r.ids, pairIDs: r.pairIDs, units: r.units[:0], sentences: r.sentences[:0], words: r.words[:0],
		vocabulary: r.vocabulary[:0], buf: r.buf[:0], pairs: r.pairs[:0],
	}
	readings.Put(r)
}

// read takes the text apart: units, sentences, words, counts.
func (r *reading) read() {
	r.layout()
	for i := range r.units {
		u := &r.units[i]
		split(r.text, u.start, u.end, func(start, end int) { r.addSentence(i, start, end) })
	}
}

// addSentence reads the words and numbers of text[start:end].
func (r *reading) addSentence(unit, start, end int) {
	s := sentence{start: start, end: end, unit: unit, first: len(r.words)}
	facts := r.counts.Dates + r.counts.Amounts + r.counts.Numbers
	for pos := start; ; {
		t, ok := next(r.text, pos, end)
		if !ok {
			break
		}
		pos = r.addToken(&s, t)
	}
	s.last = len(r.words)
	s.facts = r.counts.Dates + r.counts.Amounts + r.counts.Numbers - facts
	if s.length == 0 {
		return
	}
	r.counts.Words += s.length
	if k := r.units[unit].kind; k != heading {
		r.counts.Sentences++
	}
	r.sentences = append(r.sentences, s)
}

// addToken adds a token to s and tells where the text goes on.
func (r *reading) addToken(s *sentence, t token) (after int) {
	if t.number {
		s.length++
		if after = r.count(t); after > t.end && after <= s.end {
			s.length += strings.Count(r.text[t.end:after], " ")
			return after
		}
		return t.end
	}
	n := 1
	if t.wide {
		n = utf8.RuneCountInString(r.text[t.start:t.end])
	}
	begins := s.length == 0
	s.length += n
	id := r.add(t, begins)
	r.words = append(r.words, occurrence{id, int32(t.start), int32(t.end)})
	if r.vocabulary[id].month && r.text[t.start] <= 'Z' {
		if end := r.countMonth(t); end <= s.end {
			return end
		}
	}
	return t.end
}

// isStop reports whether a word says nothing of the subject. Where the language is not known, a stop word of any is one.
func (r *reading) isStop(w *word) bool {
	if w.letters < 2 || w.address || w.wide && (w.letters > 8 || wideScript(firstRune(r.text[w.start:])) == 'h') {
		return true
	}
	if r.lang == 0 {
		return w.stop != 0
	}
	return w.stop&r.lang != 0
}
