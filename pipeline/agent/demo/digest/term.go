package digest

import (
	"cmp"
	"slices"
)

// A pair is two words that are no stop words, side by side in a sentence.
type pair struct {
	a, b  int32
	count int32
	start int // where it stands first
	end   int
}

// A term is a word or a pair that a digest may name.
type term struct {
	text  string
	score float64
	ids   [2]int32
}

const maxPairBytes = 60

// terms names what the document is about: words and pairs of words by how often they stand in it, where a pair counts for
// more than a word, a name or a long word for more than a short one, and what the title names for more than the rest.
func (r *reading) terms(title string) []string {
	r.countPairs()
	all := r.wordTerms(r.titleWords(title))
	for _, p := range r.pairs {
		if p.count > 1 {
			all = insertTerm(all, term{r.text[p.start:p.end], 2.5 * float64(p.count), [2]int32{p.a, p.b}})
		}
	}
	names := make([]string, 0, maxTerms)
	taken := make(map[int32]bool)
	for _, t := range all {
		if len(names) == maxTerms {
			break
		}
		if taken[t.ids[0]] || taken[t.ids[1]] {
			continue
		}
		taken[t.ids[0]], taken[t.ids[1]] = true, true
		names = append(names, oneLine(t.text, maxPairBytes))
	}
	return names
}

const keptTerms = 4 * maxTerms

// wordTerms gives the best single words.
func (r *reading) wordTerms(title map[int32]bool) []term {
	all := make([]term, 0, keptTerms+1)
	for i := range r.vocabulary {
		w := &r.vocabulary[i]
		if w.letters < 3 && !w.wide || r.isStop(w) || w.end-w.start > maxPairBytes {
			continue
		}
		score := float64(w.count) * (1 + float64(min(w.letters, 12))/24)
		if 2*w.names > w.count {
			score *= 1.2
		}
		if title[int32(i)] {
			score *= 1.4
		}
		all = insertTerm(all, term{r.text[w.start:w.end], score, [2]int32{int32(i), int32(i)}})
	}
	return all
}

// insertTerm keeps all sorted by score, the best first, what came first before what came later, and at most keptTerms.
func insertTerm(all []term, t term) []term {
	if len(all) == keptTerms && all[keptTerms-1].score >= t.score {
		return all
	}
	at, _ := slices.BinarySearchFunc(all, t, func(a, b term) int {
		if a.score == b.score {
			return -1
		}
		return cmp.Compare(b.score, a.score)
	})
	all = slices.Insert(all, at, t)
	return all[:min(len(all), keptTerms)]
}

// countPairs counts the pairs of neighbouring words between which nothing but a blank stands.
func (r *reading) countPairs() {
	for i := range r.sentences {
		s := &r.sentences[i]
		if r.units[s.unit].kind == line {
			continue
		}
		for at := s.first + 1; at < s.last; at++ {
			a, b := r.words[at-1], r.words[at]
			if b.start-a.end == 1 && b.end-a.start <= maxPairBytes && r.text[a.end] == ' ' && r.pairable(a.id) && r.pairable(b.id) {
				r.addPair(a.id, b.id, int(a.start), int(b.end))
			}
		}
	}
}

// pairable reports whether a word can be half of a pair.
func (r *reading) pairable(id int32) bool {
	w := &r.vocabulary[id]
	return !w.wide && w.letters > 2 && !r.isStop(w)
}

func (r *reading) addPair(a, b int32, start, end int) {
	key := uint64(a)<<32 | uint64(uint32(b))
	i, ok := r.pairIDs[key]
	if !ok {
		i = int32(len(r.pairs))
		r.pairIDs[key] = i
		r.pairs = append(r.pairs, pair{a: a, b: b, start: start, end: end})
	}
	r.pairs[i].count++
}
