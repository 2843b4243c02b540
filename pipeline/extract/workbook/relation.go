package workbook

import (
	"path"
	"strings"

	"docbatch/pipeline/extract/pack"
)

// Relations are the parts that a part refers to (ECMA-376 part 2, 9.3).
type relations struct {
	targets map[string]string // by id
	kinds   map[string][]string
}

// relations reads those of a part; "" is the package. A list that is damaged is as good as what can be read of it.
func (b *book) relations(part string) relations {
	r := relations{targets: map[string]string{}, kinds: map[string][]string{}}
	dir, name := path.Split(part)
	// An error leaves out what only the relations say, and what is missing then is told where it is missed.
	_ = b.archive.Walk(dir+"_rels/"+name+".rels", func(_ *pack.Decoder, n *pack.Node) (bool, error) {
		if n.Name != "rel:Relationship" || n.Attr("TargetMode") == "External" || len(r.targets) >= b.file.Bounds.Parts {
			return false, nil
		}
		target := n.Attr("Target")
		if !strings.HasPrefix(target, "/") {
			target = path.Join(dir, target)
		}
		kind := path.Base(n.Attr("Type"))
		r.targets[n.Attr("Id")] = target
		r.kinds[kind] = append(r.kinds[kind], target)
		return false, nil
	})
	return r
}

// first is the first part of a kind, which is the last element of a relation's type; or another.
func (r relations) first(kind, otherwise string) string {
	if targets := r.kinds[kind]; len(targets) > 0 {
		return targets[0]
	}
	return otherwise
}
