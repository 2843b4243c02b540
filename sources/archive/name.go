package archive

import (
	"fmt"
	"path"
	"strings"

	"docbatch/sources/pathname"
)

// maxName bounds a member's name, in bytes; PATH_MAX of Linux.
const maxName = 4096

// names gives the members of one archive their IDs.
type names struct {
	prefix string
	taken  map[string]int // IDs, and the last number that told one from another
}

func newNames(archive string) *names {
	return &names{prefix: archive + Border, taken: map[string]int{}}
}

// id is the ID of the next member that is called name, and why no document can be called that; "" for what is no document.
func (n *names) id(name string) (id, why string) {
	name, why = clean(name)
	if name == "" || why == "" && litter(name) {
		return "", ""
	}
	return n.unique(n.prefix + pathname.Escape(name)), why
}

// unique tells an ID from those before it as file managers do: "a.txt", "a (2).txt".
func (n *names) unique(id string) string {
	if _, ok := n.taken[id]; !ok {
		n.taken[id] = 1
		return id
	}
	ext := path.Ext(id)
	if strings.Contains(ext, "/") {
		ext = ""
	}
	for {
		n.taken[id]++
		next := fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(id, ext), n.taken[id], ext)
		if _, ok := n.taken[next]; !ok {
			n.taken[next] = 1
			return next
		}
	}
}

// clean is a member's name as a path with slashes, "" for none, and why a document can't have it. Windows writes backslashes into
// archives; in none of them does a path begin at the root of a disk, or lead out of the archive, for an honest reason.
func clean(name string) (clean, why string) {
	if len(name) > maxName {
		return name[:maxName/16], fmt.Sprintf("its name is longer than %d bytes (the bound on a name)", maxName)
	}
	name = strings.ReplaceAll(name, `\`, "/")
	if strings.HasPrefix(name, "/") || len(name) >= 3 && name[1:3] == ":/" {
		return name, "its name is an absolute path, which no member of an archive may have"
	}
	elements := make([]string, 0, 8)
	for e := range strings.SplitSeq(name, "/") {
		switch e {
		case "", ".":
		case "..":
			return name, "its name leads out of the archive"
		default:
			elements = append(elements, e)
		}
	}
	return strings.Join(elements, "/"), ""
}

// litter reports whether a member is what macOS adds to archives.
func litter(name string) bool {
	return strings.HasPrefix(name, "__MACOSX/") || strings.Contains(name, "/__MACOSX/") || path.Base(name) == ".DS_Store"
}
