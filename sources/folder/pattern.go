package folder

import (
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"docbatch/pipeline"
)

// A pattern is one that Options describe.
type pattern struct {
	glob    string
	base    bool // matched with the last element of a path
	folders bool // matches folders only
}

func parsePatterns(globs []string) ([]pattern, error) {
	var ps []pattern
	for _, given := range globs {
		glob := strings.TrimPrefix(filepath.ToSlash(given), "./")
		p := pattern{glob: strings.TrimSuffix(glob, "/"), folders: strings.HasSuffix(glob, "/")}
		p.base = !strings.Contains(p.glob, "/")
		p.glob = strings.TrimPrefix(p.glob, "/")
		if p.glob == "" || !doublestar.ValidatePattern(p.glob) {
			return nil, pipeline.Errorf(pipeline.Fatal, pipeline.KindConfig, "pattern %q: malformed; it may hold *, **, ?, [a-z] and {a,b}", given)
		}
		ps = append(ps, p)
	}
	return ps, nil
}

func (p pattern) match(rel, name string) bool {
	if p.base {
		return doublestar.MatchUnvalidated(p.glob, name)
	}
	return doublestar.MatchUnvalidated(p.glob, rel)
}

// matchAny reports whether one of ps matches a file or folder.
func matchAny(ps []pattern, rel, name string, isFolder bool) bool {
	for _, p := range ps {
		if (isFolder || !p.folders) && p.match(rel, name) {
			return true
		}
	}
	return false
}

// matchFolders reports whether one of those of ps that are for folders only matches a folder.
func matchFolders(ps []pattern, rel, name string) bool {
	for _, p := range ps {
		if p.folders && p.match(rel, name) {
			return true
		}
	}
	return false
}
