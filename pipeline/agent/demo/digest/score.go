package digest

import (
	"slices"
	"strings"
)

const (
	candidates = 32 // best sentences that a summary is chosen from
	gap        = 4  // insignificant words that may stand between significant ones of a cluster, after Luhn
	minWords   = 4  // of a sentence that can be in a summary

	maxFields     = 8 // of a form that are its summary
	maxFieldBytes = 100
)

// summary chooses the sentences that tell most. The measure is that of H. P. Luhn, "The Automatic Creation of Literature
// Abstracts", IBM Journal 2(2), 1958: the densest cluster of significant words, which are those that recur and are no stop
// words; joined with the location and title methods of H. P. Edmundson, "New Methods in Automatic Extracting", Journal of
// the ACM 16(2), 1969. A sentence that repeats a chosen one is passed over.
func (r *reading) summary(title string) []string {
	want := 2
	switch n := len(r.sentences); {
	case n > 20:
		want = 4
	case n > 8:
		want = 3
	}
	var chosen []int
	for _, c := range r.best(r.titleWords(title)) {
		if len(chosen) < want && !r.repeats(c, chosen) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		for i := range r.sentences[:min(want, len(r.sentences))] {
			chosen = append(chosen, i)
		}
	}
	if r.isForm(chosen) {
		return r.fields()
	}
	slices.Sort(chosen)
	texts := make([]string, 0, len(chosen))
	for _, c := range chosen {
		texts = append(texts, oneLine(r.text[r.sentences[c].start:r.sentences[c].end], maxSentenceBytes))
	}
	return texts
}

// isForm reports whether a document is nothing but "name: value" lines, such as the row of a table, and none of the chosen
// is a sentence.
func (r *reading) isForm(chosen []int) bool {
	for i := range r.units {
		if r.units[i].kind != field {
			return false
		}
	}
	return !slices.ContainsFunc(chosen, func(c int) bool {
		return endsLikeSentence(r.text[r.sentences[c].start:r.sentences[c].end])
	})
}

// fields gives the first lines of a form; they tell more than any part of them.
func (r *reading) fields() []string {
	var lines []string
	for _, u := range r.units[:min(len(r.units), maxFields)] {
		lines = append(lines, oneLine(r.lineOf(u), maxFieldBytes))
	}
	return lines
}

// best gives the sentences with the highest scores, best first, at most candidates.
func (r *reading) best(title map[int32]bool) []int {
	threshold := int32(1)
	if len(r.words) > 80 {
		threshold = 2
	}
	body := r.bodyStart()
	var top []int
	var scores [candidates + 1]float64
	for i := range r.sentences {
		if r.sentences[i].length < minWords {
			continue
		}
		score := r.score(i, threshold, body, title)
		at := len(top)
		for at > 0 && scores[at-1] < score {
			at--
		}
		if at >= candidates {
			continue
		}
		top = slices.Insert(top, at, i)
		copy(scores[at+1:], scores[at:candidates])
		scores[at] = score
		if len(top) > candidates {
			top = top[:candidates]
		}
	}
	return top
}

// bodyStart is the first sentence of running text; what stands before are addresses and headings.
func (r *reading) bodyStart() int {
	for i, s := range r.sentences {
		if u := r.units[s.unit]; u.kind == prose && s.length >= 2*minWords && endsLikeSentence(r.text[s.start:s.end]) {
			return i
		}
	}
	return 0
}

// score weighs one sentence.
func (r *reading) score(i int, threshold int32, body int, title map[int32]bool) float64 {
	s := &r.sentences[i]
	score := r.significance(s, threshold)
	if n := len(title); n > 0 {
		score += 1.5 * float64(r.shared(s, title)) / float64(n)
	}
	first := i == 0 || r.units[r.sentences[i-1].unit].paragraph != r.units[s.unit].paragraph
	switch {
	case i == body:
		score += 1.5
	case first && i > body:
		score += 0.4
	}
	score += min(0.25*float64(s.facts), 0.75)
	return score * r.fitness(s)
}

// significance is Luhn's factor: the square of the significant words of a cluster over its length, for the best cluster.
func (r *reading) significance(s *sentence, threshold int32) float64 {
	best := 0.0
	start, last, n := -1, -1, 0
	for i, o := range r.words[s.first:s.last] {
		w := &r.vocabulary[o.id]
		if w.count < threshold || w.letters < 3 && !w.wide || r.isStop(w) {
			continue
		}
		if start < 0 || i-last > gap+1 {
			start, n = i, 0
		}
		n++
		last = i
		best = max(best, float64(n*n)/float64(last-start+1))
	}
	return min(best, 8)
}

// fitness lowers the score of what is no good sentence of a summary.
func (r *reading) fitness(s *sentence) float64 {
	f := 1.0
	text := r.text[s.start:s.end]
	if !endsLikeSentence(text) {
		f *= 0.5
	}
	if strings.HasSuffix(text, "?") {
		f *= 0.6
	}
	switch n := s.length; {
	case n < 2*minWords:
		f *= 0.5
	case n > 45:
		f *= 0.6
	}
	switch r.units[s.unit].kind {
	case heading:
		f *= 0.1
	case line:
		f *= 0.4
	case entry:
		f *= 0.8
	case field:
		if !endsLikeSentence(text) {
			f *= 0.4
		}
	}
	return f
}

// endsLikeSentence reports whether s ends with a stop, perhaps inside closing marks.
func endsLikeSentence(s string) bool {
	s = strings.TrimRight(s, `"'”“’»›)]*_`)
	return strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") || endsWide(s)
}

// shared counts the words of s that are in set, each once for every time it stands there.
func (r *reading) shared(s *sentence, set map[int32]bool) int {
	n := 0
	for _, o := range r.words[s.first:s.last] {
		if set[o.id] {
			n++
		}
	}
	return min(n, len(set))
}

// repeats reports whether more than half of what sentence c says stands in one of the chosen.
func (r *reading) repeats(c int, chosen []int) bool {
	own := r.content(&r.sentences[c])
	for _, other := range chosen {
		if 2*r.shared(&r.sentences[other], own) > len(own) {
			return true
		}
	}
	return false
}

// content is the set of the words of s that are no stop words.
func (r *reading) content(s *sentence) map[int32]bool {
	set := make(map[int32]bool)
	for _, o := range r.words[s.first:s.last] {
		if !r.isStop(&r.vocabulary[o.id]) {
			set[o.id] = true
		}
	}
	return set
}

// titleWords is the set of the words of the title that are no stop words.
func (r *reading) titleWords(title string) map[int32]bool {
	set := make(map[int32]bool)
	for pos := 0; ; {
		t, ok := next(title, pos, len(title))
		if !ok {
			return set
		}
		pos = t.end
		if id, ok := r.ids[string(r.fold(title[t.start:t.end]))]; ok && !t.number && !r.isStop(&r.vocabulary[id]) {
			set[id] = true
		}
	}
}
