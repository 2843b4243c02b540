// Package ooxml reads the documents of Word and PowerPoint since 2007: WordprocessingML and PresentationML of ISO/IEC 29500, transitional
// and strict, with Microsoft's extensions ([MS-DOCX], [MS-PPTX], [MS-ODRAWXML]).
//
// It gives what a person sees who opens the document, in reading order, and what he would see in the margin: notes, comments, the text of
// charts and diagrams. It does no layout: there are no page marks in a DOCX.
package ooxml

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A container is the package of a document (ISO/IEC 29500-2) that is being read.
type container struct {
	ctx     context.Context
	file    *content.File
	archive *pack.Archive
	content *content.Content
	seen    map[string]bool // parts whose text is given already: a part is read once, however often it is referred to
	within  *pack.Embedded
}

// open opens a document's package.
func open(ctx context.Context, f *content.File) (*container, error) {
	a, err := pack.Open(f.Data, f.Bounds)
	if err != nil {
		return nil, err
	}
	c := &container{ctx: ctx, file: f, archive: a, content: &content.Content{}, seen: map[string]bool{}}
	c.within = pack.NewEmbedded(a, f, c.content)
	if damage := a.Damage(); damage != "" {
		c.content.Warn(damage)
	}
	return c, nil
}

// A relation is what a part refers to by an id.
type relation struct {
	id       string
	kind     string // the last word of its type: "hyperlink", the same in strict and transitional documents
	target   string // the name of a part, or an address outside
	external bool
}

// maxRelations bounds the relations of one part; they are held in memory.
const maxRelations = 100_000

// relations are those of a part, in the order of the file; of the package itself where part is "". A part without any has none.
func (c *container) relations(part string) ([]relation, error) {
	name := path.Join(path.Dir(part), "_rels", path.Base(part)+".rels")
	if part == "" {
		name = "_rels/.rels"
	}
	var list []relation
	err := c.elements(name, "rel:Relationship", func(n *pack.Node) error {
		if len(list) >= maxRelations {
			return content.TooLarge("%s holds more than %d relations (the bound on relations)", name, maxRelations)
		}
		r := relation{
			id:       n.Attr("Id"),
			kind:     path.Base(n.Attr("Type")),
			target:   n.Attr("Target"),
			external: strings.EqualFold(n.Attr("TargetMode"), "External"),
		}
		if !r.external && !strings.HasPrefix(r.target, "/") {
			r.target = path.Join(path.Dir(part), strings.ReplaceAll(r.target, `\`, "/"))
		}
		list = append(list, r)
		return nil
	})
	return list, err
}

// byID is what a part refers to, by id.
type byID map[string]relation

func (c *container) relationsByID(part string) (byID, error) {
	list, err := c.relations(part)
	relations := make(byID, len(list))
	for _, r := range list {
		relations[r.id] = r
	}
	return relations, err
}

// elements calls f for the elements of that name which are children of the root of a part. A part that is not there has none.
func (c *container) elements(part, name string, f func(n *pack.Node) error) error {
	return c.read(part, func(x *pack.Decoder, root *pack.Node) error {
		return x.Children(func(n *pack.Node) error {
			if n.Name != name {
				return nil
			}
			return f(n)
		})
	})
}

// read calls f for the root of a part that the document can do without: one that is not there is no error, and one that breaks off is a
// warning.
func (c *container) read(part string, f func(x *pack.Decoder, root *pack.Node) error) error {
	if !c.archive.Has(part) {
		return nil
	}
	return c.tolerate(c.mustRead(part, f))
}

// mustRead is read for a part that has to be there and be whole.
func (c *container) mustRead(part string, f func(x *pack.Decoder, root *pack.Node) error) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	x, err := c.archive.XML(part)
	if err != nil {
		return err
	}
	return x.Children(func(root *pack.Node) error {
		if root.Name == "" {
			return nil
		}
		return f(x, root)
	})
}

// tolerate makes a warning of the error of a part that is damaged.
func (c *container) tolerate(err error) error {
	if !errors.Is(err, pack.ErrDamaged) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.content.Warn(err.Error())
	return nil
}

// mainPart finds the part that the text begins with: by the relations of the package, else by its content type, which contains kind.
func (c *container) mainPart(kind string) (string, error) {
	list, err := c.relations("")
	if err != nil {
		return "", err
	}
	for _, r := range list {
		if r.kind == "officeDocument" && c.archive.Has(r.target) {
			return r.target, nil
		}
	}
	var part string
	err = c.elements("[Content_Types].xml", "ct:Override", func(n *pack.Node) error {
		if t := n.Attr("ContentType"); part == "" && strings.Contains(t, kind) && strings.Contains(t, "main") && c.archive.Has(n.Attr("PartName")) {
			part = n.Attr("PartName")
		}
		return nil
	})
	return part, err
}

// alternate reads an mc:AlternateContent (ISO/IEC 29500-3) by f: the first choice by which written grows, else the fallback. They show the
// same in different ways.
func alternate(x *pack.Decoder, written func() int, f func(n *pack.Node) error) error {
	before := written()
	return x.Children(func(n *pack.Node) error {
		if n.Name != "mc:Choice" && n.Name != "mc:Fallback" || written() > before {
			return nil
		}
		return x.Children(f)
	})
}

// embedded writes the text of the documents within this one that a part refers to.
func (c *container) embedded(w *content.Writer, list []relation) error {
	for _, r := range list {
		if r.kind != "package" && r.kind != "oleObject" || r.external || !c.archive.Has(r.target) {
			continue
		}
		if err := c.within.Write(c.ctx, w, r.target); err != nil {
			return err
		}
	}
	return nil
}
