package table

import (
	"fmt"
	"strconv"
	"strings"

	"docbatch/pipeline"
	"docbatch/pipeline/guess"
)

// maxNameBytes bounds a column's name: a longer one is a text that was taken for a header.
const maxNameBytes = 1024

// shownColumns is how many columns an error lists.
const shownColumns = 20

// Names makes unique, non-empty names of a header: white space around a name is dropped and inside is one space, an empty name
// becomes "col_3", a repeated one "name_2". A name that the header has itself is never given to another column.
func Names(header []string) ([]string, error) {
	names := make([]string, len(header))
	taken := make(map[string]bool, len(header))
	for i, h := range header {
		names[i] = clean(h)
		if len(names[i]) > maxNameBytes {
			return nil, fmt.Errorf("the name of column %d has %d bytes, over the bound of %d: is there a header?", i+1, len(names[i]), maxNameBytes)
		}
		taken[names[i]] = true
	}
	used := make(map[string]bool, len(header))
	next := make(map[string]int)
	for i, name := range names {
		switch base := Numbered(i); {
		case name == "" && !taken[base]:
			taken[base] = true
			names[i] = base
		case name == "":
			names[i] = unused(base, taken, next)
		case used[name]:
			names[i] = unused(name, taken, next)
		default:
			used[name] = true
		}
	}
	return names, nil
}

// Numbered is the name of the column at index i where it has none: "col_1" for 0.
func Numbered(i int) string { return "col_" + strconv.Itoa(i+1) }

// unused takes the first of base_2, base_3 … that no column has.
func unused(base string, taken map[string]bool, next map[string]int) string {
	for n := max(next[base], 2); ; n++ {
		name := base + "_" + strconv.Itoa(n)
		if !taken[name] {
			taken[name] = true
			next[base] = n + 1
			return name
		}
	}
}

func clean(name string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(name, "\x00", "")), " ")
}

// find is the index of the column that was asked for; -1 for "".
func (t *Table) find(what, name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	name = clean(name)
	folded := -1
	for i, c := range t.columns {
		if c == name {
			return i, nil
		}
		if folded < 0 && strings.EqualFold(c, name) {
			folded = i
		}
	}
	if folded >= 0 {
		return folded, nil
	}
	return -1, pipeline.Errorf(pipeline.Fatal, pipeline.KindRead, "%s: no column %q for the %s%s (the columns are: %s)",
		t.opts.File, name, what, guess.DidYouMean(name, t.columns), t.shown())
}

func (t *Table) shown() string {
	if len(t.columns) <= shownColumns {
		return strings.Join(t.columns, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(t.columns[:shownColumns], ", "), len(t.columns)-shownColumns)
}
