package odf

import (
	"path"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// slides reads a presentation or a drawing; marks between its pages come only where there are several.
func (r *reader) slides(d *pack.Decoder, kind string) error {
	first := ""
	err := d.Children(func(n *pack.Node) error {
		if n.Name != "draw:page" {
			return nil
		}
		if err := r.countPage(kind + "s"); err != nil {
			return err
		}
		text, err := r.apart(func() error { return r.slide(d, n) })
		switch r.pages {
		case 1:
			first = text
			return err
		case 2:
			r.out.Page(kind, 1)
			r.block(first)
		}
		r.out.Page(kind, r.pages)
		r.block(text)
		return err
	})
	if r.pages == 1 {
		r.block(first)
	}
	return err
}

// countPage counts a page, slide or sheet.
func (r *reader) countPage(kind string) error {
	if r.pages++; r.pages > r.file.Bounds.Pages {
		return content.TooLarge("it holds more than %d %s (the bound on pages)", r.file.Bounds.Pages, kind)
	}
	return nil
}

func (r *reader) slide(d *pack.Decoder, n *pack.Node) error {
	if r.styles.hidden("drawing-page", n.Attr("draw:style-name")) {
		r.block("(hidden)")
	}
	notes := ""
	err := d.Children(func(n *pack.Node) (err error) {
		if n.Name == "presentation:notes" {
			notes, err = r.apart(func() error { return r.blocks(d) })
			return err
		}
		return r.blockNode(d, n)
	})
	if notes = strings.TrimSpace(notes); notes != "" {
		r.block("Notes:\n\n" + notes)
	}
	return err
}

// shape reads a frame or another shape (OpenDocument 1.3 part 3, 10): text boxes, tables, objects and what says what a picture shows.
func (r *reader) shape(d *pack.Decoder, n *pack.Node) error {
	switch class := n.Attr("presentation:class"); class {
	default:
		if r.furniture && class != "" {
			return nil // what the author of a slide would put there
		}
	case "date-time", "page-number":
		return nil
	case "header", "footer":
		if !r.furniture {
			return nil // what they show is the master page's
		}
	case "title":
		if r.furniture {
			return nil
		}
		defer func(before int) { r.heading = before }(r.heading)
		r.heading = 2
	}
	if n.Attr("presentation:placeholder") == "true" {
		return nil
	}
	if text := r.controls[n.Attr("draw:control")]; text != "" {
		r.line(text)
	}
	picture, object, words := false, false, ""
	err := d.Children(func(n *pack.Node) error {
		switch n.Name {
		case "svg:title", "svg:desc":
			text, err := d.Text()
			words = strings.TrimSpace(words + " " + strings.Join(strings.Fields(text), " "))
			return err
		case "draw:object":
			object = true
			return r.object(d, n)
		case "draw:image":
			picture = true
		}
		return r.blockNode(d, n)
	})
	if err == nil && picture && !object && words != "" {
		err = r.spend(len(words))
		r.line("[image: " + words + "]")
	}
	return err
}

// forms notes the text of form controls for the shapes that show them.
func (r *reader) forms(d *pack.Decoder) error {
	return d.Children(func(n *pack.Node) error {
		if n.Name == "" {
			return nil
		}
		id, text := n.Attr("xml:id"), n.Attr("form:label")
		if id == "" {
			id = n.Attr("form:id")
		}
		for _, name := range []string{"form:current-value", "form:value"} {
			if v := n.Attr(name); v != "" && !strings.HasSuffix(text, v) {
				text = strings.TrimSpace(text + " " + v)
				break
			}
		}
		if n.Attr("form:current-state") == "checked" {
			text = "[x] " + text
		}
		if id != "" && text != "" {
			r.controls[id] = text
			if err := r.spend(len(id) + len(text)); err != nil {
				return err
			}
		}
		return r.forms(d)
	})
}

// object reads an embedded document: a formula, a chart, a table. It is a part of the ZIP file, or lies in the element itself.
func (r *reader) object(d *pack.Decoder, n *pack.Node) error {
	styles, numbers, pages := r.styles, r.numbers, r.pages
	r.styles, r.numbers = newStyles(), newNumbering()
	r.embedded++
	defer func() {
		r.styles, r.numbers, r.pages = styles, numbers, pages
		r.embedded--
	}()
	href := n.Attr("xlink:href")
	if href == "" || r.source == nil {
		return d.Children(func(n *pack.Node) error { return r.root(d, n) })
	}
	name := path.Join("/", href, "content.xml")[1:]
	if r.objects[name] {
		return nil
	}
	part, err := r.source.XML(name)
	if err != nil {
		return tolerate(err)
	}
	r.objects[name] = true
	return r.check(name, r.document(part))
}

// chart reads the titles of a chart, and its numbers where they are not on a sheet of the document.
func (r *reader) chart(d *pack.Decoder) error {
	return d.Children(func(n *pack.Node) error {
		switch n.Name {
		case "":
			return nil
		case "text:p":
			return r.paragraph(d, n, 0, "")
		case "table:table":
			if r.calc {
				return nil
			}
			return r.table(d)
		}
		return r.chart(d)
	})
}

// maxFurniture bounds the headers and the footers, in bytes.
const maxFurniture = 64 << 10

// readMasters reads what all pages have: headers and footers, and the shapes behind slides; each once, without the numbers of pages.
func (r *reader) readMasters(d *pack.Decoder) error {
	r.furniture = true
	defer func() { r.furniture = false }()
	return d.Children(func(n *pack.Node) error {
		if n.Name != "style:master-page" {
			return nil
		}
		return d.Children(func(n *pack.Node) error {
			switch n.Name {
			case "style:header", "style:header-left", "style:header-first":
				return r.readFurniture(&r.header, func() error { return r.blocks(d) })
			case "style:footer", "style:footer-left", "style:footer-first":
				return r.readFurniture(&r.footer, func() error { return r.blocks(d) })
			}
			if strings.HasPrefix(n.Name, "draw:") {
				return r.readFurniture(&r.footer, func() error { return r.shape(d, n) })
			}
			return nil
		})
	})
}

func (r *reader) readFurniture(into *string, read func() error) error {
	text, err := r.apart(read)
	if text = strings.TrimSpace(text); text != "" && len(*into)+len(text) <= maxFurniture && !strings.Contains(*into, text) {
		*into += text + "\n\n"
	}
	return err
}
