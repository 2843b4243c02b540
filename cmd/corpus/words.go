package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// words are the words of a text as they are compared: runs of letters and digits in lower case. A character of Chinese, Japanese and
// Korean is a word of its own, for where theirs end is a matter of opinion.
func words(text string) []string {
	var found []string
	begin := -1
	end := func(i int) {
		if begin >= 0 {
			found = append(found, strings.ToLower(text[begin:i]))
			begin = -1
		}
	}
	for i, r := range text {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
			end(i)
			found = append(found, string(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if begin < 0 {
				begin = i
			}
		default:
			end(i)
		}
	}
	end(len(text))
	return found
}

// A score says how well a text agrees with its anchor, each from 0 to 1.
type score struct {
	recall    float64 // of the anchor's words, those that the text has, each as often
	precision float64 // of the text's words, those that the anchor has
	order     float64 // of the anchor's pairs of adjacent words, those that the text has
}

// compare scores words against those of an anchor, which has some.
func compare(anchor, got []string) score {
	want, have := count(anchor), count(got)
	shared := overlap(want, have)
	s := score{recall: share(shared, len(anchor)), precision: share(shared, len(got))}
	s.order = share(overlap(count(pairs(anchor)), count(pairs(got))), len(anchor)-1)
	return s
}

func share(part, whole int) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func count(words []string) map[string]int {
	n := map[string]int{}
	for _, w := range words {
		n[w]++
	}
	return n
}

// overlap is the size of what two multisets share.
func overlap(a, b map[string]int) int {
	n := 0
	for w, times := range a {
		n += min(times, b[w])
	}
	return n
}

func pairs(words []string) []string {
	var found []string
	for i := range len(words) - 1 {
		found = append(found, words[i]+" "+words[i+1])
	}
	return found
}

// missing are the words of want that got lacks, the most frequent first, at most n.
func missing(want, got []string, n int) []string {
	lacks, have := count(want), count(got)
	for w := range lacks {
		if lacks[w] -= have[w]; lacks[w] <= 0 {
			delete(lacks, w)
		}
	}
	found := slices.SortedFunc(maps.Keys(lacks), func(a, b string) int {
		return cmp.Or(cmp.Compare(lacks[b], lacks[a]), cmp.Compare(a, b))
	})
	return found[:min(n, len(found))]
}
