package folder

import "strings"

// A filter chooses files by their names and paths.
type filter struct {
	include, exclude []pattern
	hidden           bool
}

func newFilter(include, exclude []string, hidden bool) (f filter, err error) {
	f.hidden = hidden
	if f.include, err = parsePatterns(include); err != nil {
		return filter{}, err
	}
	f.exclude, err = parsePatterns(exclude)
	return f, err
}

// unlisted reports whether files of a name are never listed.
func (f *filter) unlisted(name string) bool {
	if strings.HasPrefix(name, "~$") {
		return true
	}
	if name[0] != '.' {
		return false
	}
	return !f.hidden || strings.HasPrefix(name, ".~lock.") ||
		strings.Contains(name, ".docbatch-") && strings.HasSuffix(name, ".tmp")
}

// wanted reports whether the patterns let a file pass.
func (f *filter) wanted(child place, name string) bool {
	return !matchAny(f.exclude, child.rel, name, false) && (child.included || f.includes(child.rel, name))
}

// includes reports whether the patterns for what is included let a file pass.
func (f *filter) includes(rel, name string) bool {
	return len(f.include) == 0 || matchAny(f.include, rel, name, false)
}
