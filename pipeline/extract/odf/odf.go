// Package odf reads the documents of OpenDocument (ISO/IEC 26300, OASIS OpenDocument 1.3): text, spreadsheets, presentations and drawings,
// in a ZIP file or as one XML file.
package odf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A reader reads one document.
type reader struct {
	flow
	ctx     context.Context
	file    *content.File
	source  source
	content *content.Content
	left    int // bytes of text that may still be read

	styles   styles
	numbers  numbering
	controls map[string]string // the text of form controls, by id
	objects  map[string]bool   // embedded objects that were read
	header   string            // of the pages, once each
	footer   string
	pages    int

	formula   bool // what was read last is a formula
	furniture bool // it is a header or a footer that is read
	calc      bool // it is a spreadsheet
	embedded  int  // over 0: within an embedded object
	damaged   bool
}

// A source gives the XML of a part.
type source interface {
	XML(name string) (*pack.Decoder, error)
}

// Read is the content.Reader of the ZIP form (ODT, ODS, ODP, ODG and their templates).
//
// Headings, lists and tables are Markdown, list items with the numbers that the document's list styles give them. Footnotes and comments
// are in brackets where they belong: "[footnote 1: …]", "[comment by Ann: …]". Deleted text of tracked changes is left out; hidden text,
// sections, sheets and slides are read and marked "hidden". Headers and footers of a text document come once, before and after it, and
// what is behind all slides after them; those of sheets are left out. Text boxes follow the paragraph that they are anchored to. Formulas
// are written in a line, charts as title and table. Links are their text.
//
// Of encrypted documents those are opened that are encrypted as OpenDocument 1.2 and 1.3 recommend: AES-256 and PBKDF2.
func Read(ctx context.Context, f *content.File) (*content.Content, error) {
	archive, err := pack.Open(f.Data, f.Bounds)
	if err != nil {
		return nil, err
	}
	source, err := unlock(archive, f)
	if err != nil {
		return nil, err
	}
	r := newReader(ctx, f, source)
	if damage := archive.Damage(); damage != "" {
		r.content.Warn(damage)
	}
	if !archive.Has("content.xml") {
		return nil, content.Damaged("there is no content.xml in it")
	}
	for _, part := range []string{"meta.xml", "styles.xml", "content.xml"} {
		if err := r.part(part); err != nil {
			return nil, err
		}
	}
	return r.finish()
}

// ReadFlat is the content.Reader of the form in one XML file (FODT, FODS, FODP); see Read.
func ReadFlat(ctx context.Context, f *content.File) (*content.Content, error) {
	r := newReader(ctx, f, nil)
	if err := r.check("the document", r.document(pack.NewDecoder(f.Data, f.Bounds))); err != nil {
		return nil, err
	}
	return r.finish()
}

func newReader(ctx context.Context, f *content.File, s source) *reader {
	return &reader{
		ctx: ctx, file: f, source: s, content: &content.Content{}, left: f.Bounds.Text,
		flow:     flow{out: content.NewWriter(f.Bounds.Text)},
		styles:   newStyles(),
		numbers:  newNumbering(),
		controls: map[string]string{},
		objects:  map[string]bool{},
	}
}

func (r *reader) finish() (*content.Content, error) {
	if r.damaged && r.out.Len() == 0 {
		return nil, content.Damaged("it is damaged, and there is no text in what is left of it")
	}
	if r.pages > 0 {
		r.content.SetMeta(content.MetaPages, strconv.Itoa(r.pages))
	}
	r.content.Text = r.out.String()
	return r.content, r.out.Err()
}

// part reads a part of the ZIP file, as far as it goes.
func (r *reader) part(name string) error {
	d, err := r.source.XML(name)
	if err == nil {
		err = r.document(d)
	}
	return r.check(name, err)
}

// check makes a warning of the error of a part that is damaged or missing: the document may do without.
func (r *reader) check(part string, err error) error {
	if errors.Is(err, pack.ErrDamaged) {
		r.damaged = true
		r.content.Warn(fmt.Sprintf("%s is damaged and was read as far as it goes", part))
	}
	return tolerate(err)
}

// tolerate forgives that a part is damaged or not there.
func tolerate(err error) error {
	if errors.Is(err, pack.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// document reads an XML file.
func (r *reader) document(d *pack.Decoder) error {
	return d.Children(func(n *pack.Node) error { return r.root(d, n) })
}

// root reads what an XML file holds: a formula, all of a document, or a part of one.
func (r *reader) root(d *pack.Decoder, n *pack.Node) error {
	switch n.Name {
	case "":
		return nil
	case "math:math":
		return r.math(d)
	}
	return d.Children(func(n *pack.Node) error {
		switch {
		case n.Name == "office:styles", n.Name == "office:automatic-styles":
			return r.styles.read(d)
		case n.Name == "office:body":
			return d.Children(func(n *pack.Node) error { return r.body(d, n) })
		case n.Name == "office:meta" && r.embedded == 0:
			return r.readMeta(d)
		case n.Name == "office:master-styles" && r.embedded == 0:
			return r.readMasters(d)
		}
		return nil
	})
}

// body reads the document proper, of any kind.
func (r *reader) body(d *pack.Decoder, n *pack.Node) (err error) {
	switch n.Name {
	case "office:spreadsheet":
		return r.sheets(d)
	case "office:chart":
		return r.chart(d)
	case "office:presentation":
		err = r.slides(d, "slide")
	case "office:drawing":
		err = r.slides(d, "page")
	default:
		if r.embedded == 0 {
			r.block(r.header)
		}
		err = r.blocks(d)
	}
	if r.embedded == 0 {
		r.block(r.footer)
	}
	return err
}

// readMeta notes what the document says of itself (OpenDocument 1.3 part 3, 4.3).
func (r *reader) readMeta(d *pack.Decoder) error {
	keys := map[string]string{
		"dc:title": content.MetaTitle, "dc:subject": content.MetaSubject, "dc:language": content.MetaLanguage, "dc:date": content.MetaModified,
		"meta:creation-date": content.MetaCreated, "meta:initial-creator": content.MetaAuthor, "dc:creator": content.MetaAuthor,
	}
	keywords := ""
	return d.Children(func(n *pack.Node) error {
		if n.Name == "" {
			return nil
		}
		text, err := d.Text()
		switch key := keys[n.Name]; {
		case n.Name == "meta:keyword" && len(keywords) < 1000:
			if keywords != "" {
				keywords += ", "
			}
			keywords += text
			r.content.SetMeta(content.MetaKeywords, keywords)
		case n.Name == "meta:document-statistic":
			r.content.SetMeta(content.MetaPages, n.Attr("meta:page-count"))
		case key == "" || key == content.MetaAuthor && r.content.Meta[key] != "" && n.Name == "dc:creator":
		case key == content.MetaCreated || key == content.MetaModified:
			r.content.SetMeta(key, date(text))
		default:
			r.content.SetMeta(key, text)
		}
		return err
	})
}
