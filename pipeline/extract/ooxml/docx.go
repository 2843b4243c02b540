package ooxml

import (
	"context"
	"maps"
	"slices"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A document is a DOCX that is being read.
type document struct {
	*container
	part      string // the main one
	styles    styles
	numbering *numbering
	notes     map[string]*note // by the element that refers to it and the id
	noteCount map[string]int   // of the notes that were referred to, by kind
	cells     int              // of tables, that may still be read
}

// A note is a footnote, an endnote or a comment.
type note struct {
	label string // "footnote 2", "comment by A"
	text  string
	used  bool
}

// maxCells bounds the cells of a document's tables, with those that span several columns counted as so many: a table is held in memory.
const maxCells = 2_000_000

// ReadDOCX is the content.Reader of Word's documents and templates, .docx, .docm, .dotx and .dotm (WordprocessingML of ISO/IEC 29500,
// transitional and strict).
//
// Headings, lists with their numbers and tables are Markdown. Footnotes, endnotes and comments stand where they are referred to, in
// brackets. Tracked changes are read as accepted. Hidden text is marked "[hidden: ...]". Headers and footers are given once each, at the
// beginning and at the end. Documents within it follow at the end.
func ReadDOCX(ctx context.Context, f *content.File) (*content.Content, error) {
	c, err := open(ctx, f)
	if err != nil {
		return nil, err
	}
	d := &document{container: c, notes: map[string]*note{}, noteCount: map[string]int{}, cells: maxCells}
	if d.part, err = c.mainPart("wordprocessingml"); err != nil {
		return nil, err
	}
	if d.part == "" {
		d.part = "word/document.xml"
	}
	w := content.NewWriter(f.Bounds.Text)
	if err := d.read(w); err != nil {
		return nil, err
	}
	c.within.Warn()
	c.content.Text = w.String()
	return c.content, w.Err()
}

// read writes all of the document.
func (d *document) read(w *content.Writer) error {
	list, err := d.relations(d.part)
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		d.readMeta,
		func() error { return d.readDefinitions(list) },
		func() error { return d.readNotes(list) },
		func() error { return d.margin(w, list, "header") },
		func() error { return d.body(w) },
		func() error { return d.leftovers(w) },
		func() error { return d.margin(w, list, "footer") },
		func() error { return d.embedded(w, list) },
	} {
		if err := step(); err != nil {
			return err
		}
		if err := w.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) readDefinitions(list []relation) (err error) {
	if d.styles, err = d.readStyles(target(list, "styles")); err != nil {
		return err
	}
	d.numbering, err = d.readNumbering(target(list, "numbering"))
	return err
}

// target is the part that a relation of that kind leads to; "" where there is none.
func target(list []relation, kind string) string {
	i := slices.IndexFunc(list, func(r relation) bool { return r.kind == kind && !r.external })
	if i < 0 {
		return ""
	}
	return list[i].target
}

// body writes the main part's text.
func (d *document) body(w *content.Writer) error {
	err := d.story(d.part, w, func(x *pack.Decoder, s *story) error { return s.children(s.block) })
	if !d.archive.Has(d.part) {
		return err
	}
	return d.tolerate(err)
}

// story reads a part as a text of its own, by f, which is given its root.
func (d *document) story(part string, w *content.Writer, f func(x *pack.Decoder, s *story) error) error {
	relations, err := d.relationsByID(part)
	if err != nil {
		return err
	}
	return d.mustRead(part, func(x *pack.Decoder, root *pack.Node) error {
		return f(x, &story{document: d, x: x, relations: relations, w: w})
	})
}

// readNotes reads the parts of footnotes, endnotes and comments: where they are referred to is known only later.
func (d *document) readNotes(list []relation) error {
	max := d.file.Bounds.Text
	for _, kind := range []string{"footnotes", "endnotes", "comments"} {
		part := target(list, kind)
		if !d.archive.Has(part) {
			continue
		}
		err := d.story(part, nil, func(x *pack.Decoder, s *story) error {
			return x.Children(func(n *pack.Node) error {
				note, err := s.note(n, max)
				if note != nil {
					max -= len(note.text)
					d.notes[n.Name+" "+n.Attr("w:id")] = note
				}
				return err
			})
		})
		if err := d.tolerate(err); err != nil {
			return err
		}
	}
	return nil
}

// note reads a note of at most max bytes; nil of what is no note, such as the line above the footnotes.
func (s *story) note(n *pack.Node, max int) (*note, error) {
	label := strings.TrimPrefix(n.Name, "w:")
	switch label {
	case "comment":
		if author := strings.TrimSpace(n.Attr("w:author")); author != "" {
			label += " by " + author
		}
	case "footnote", "endnote":
		if t := n.Attr("w:type"); t != "" && t != "normal" {
			return nil, nil
		}
	default:
		return nil, nil
	}
	if len(s.notes) >= maxDefinitions {
		return nil, content.TooLarge("it holds more than %d notes and comments (the bound on notes)", maxDefinitions)
	}
	text, err := s.apart(max, func() error { return s.children(s.block) })
	return &note{label: label, text: flat(text)}, err
}

// leftovers writes the comments that nothing referred to.
func (d *document) leftovers(w *content.Writer) error {
	for _, key := range slices.Sorted(maps.Keys(d.notes)) {
		if n := d.notes[key]; !n.used && n.text != "" && strings.HasPrefix(key, "w:comment") {
			w.Break()
			w.Printf("[%s: %s]", n.label, n.text)
		}
	}
	return nil
}

// margin writes the headers or the footers, each text once. One of page numbers alone is left out.
func (d *document) margin(w *content.Writer, list []relation, kind string) error {
	for _, r := range list {
		if r.kind != kind || d.seen[r.target] || !d.archive.Has(r.target) {
			continue
		}
		d.seen[r.target] = true
		var text string
		err := d.story(r.target, nil, func(_ *pack.Decoder, s *story) (err error) {
			text, err = s.apart(d.file.Bounds.Text, func() error { return s.children(s.block) })
			return err
		})
		if err := d.tolerate(err); err != nil {
			return err
		}
		text = flat(text)
		if key := kind + " " + text; hasWords(text) && !d.seen[key] {
			d.seen[key] = true
			w.Break()
			w.Printf("[%s: %s]\n", kind, text)
		}
	}
	return nil
}
