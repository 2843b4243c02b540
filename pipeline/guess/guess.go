// Package guess finds what a person meant who misspelt a name: a column, a key of the job file, a sheet.
package guess

import (
	"strings"
	"unicode/utf8"
)

// Nearest is the known name that word most likely was meant to be: the same but for case, or the one that is the fewest
// changed letters away, if those are at most a third of its letters and one more. It is "" where none is near.
func Nearest(word string, known []string) string {
	best, least := "", len(word)+1
	for _, k := range known {
		if strings.EqualFold(k, word) {
			return k
		}
		bound := utf8.RuneCountInString(k)/3 + 1
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d <= bound && d < least {
			best, least = k, d
		}
	}
	return best
}

// DidYouMean is `; did you mean "k"?` for the nearest known name k, or "" where none is near.
func DidYouMean(word string, known []string) string {
	if k := Nearest(word, known); k != "" {
		return `; did you mean "` + k + `"?`
	}
	return ""
}

// distance is the number of letters to insert, delete or replace to get from a to b, neighbours swapped counting once
// (optimal string alignment; Damerau 1964, Levenshtein 1966).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, prev, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(y)]
}
