package ooxml

import (
	"slices"
	"strconv"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A slide is a slide, or a page of notes, while its shapes are read.
type slide struct {
	*deck
	x         *pack.Decoder
	relations byID
	number    int
	hidden    bool
	notes     bool // it is a page of notes
	title     string
	body      *content.Writer
	holder    placeholder // of the shape that is being read
}

// A placeholder is what a shape stands for (p:ph).
type placeholder struct {
	is   bool
	kind string // "title"; "" for a body of any kind
}

// write writes what was read, the title first.
func (s *slide) write(w *content.Writer) {
	if s.hidden {
		w.Break()
		w.WriteString("[hidden slide]\n")
	}
	if s.title != "" {
		w.Break()
		w.WriteString("# " + s.title + "\n")
	}
	if text := strings.TrimRight(s.body.String(), "\n"); text != "" {
		w.Break()
		w.WriteString(text + "\n")
	}
}

// shape reads an element of the tree of shapes.
func (s *slide) shape(n *pack.Node) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	switch n.Name {
	case "p:cSld", "p:spTree", "p:grpSp", "p:graphicFrame", "a:graphic", "a:graphicData", "p:oleObj":
		return s.x.Children(s.shape)
	case "p:sp", "p:pic":
		s.holder = placeholder{}
		return s.x.Children(s.shape)
	case "mc:AlternateContent":
		return alternate(s.x, func() int { return s.body.Len() + len(s.title) }, s.shape)
	case "p:nvSpPr", "p:nvPr":
		return s.x.Children(s.shape)
	case "p:nvPicPr", "p:nvGraphicFramePr":
		return s.x.Children(s.describe)
	case "p:ph":
		s.holder = placeholder{is: true, kind: n.Attr("type")}
	case "p:txBody":
		return s.text()
	case "a:tbl":
		return s.table()
	case "c:chart":
		return s.block(s.chart(s.relations[n.Attr("r:id")].target))
	case "dgm:relIds":
		return s.block(s.diagram(s.relations[n.Attr("r:dm")].target))
	}
	return nil
}

// describe writes what is said of a picture.
func (s *slide) describe(n *pack.Node) error {
	if text := strings.Join(strings.Fields(n.Attr("descr")), " "); n.Name == "p:cNvPr" && text != "" {
		return s.block("[image: "+text+"]", nil)
	}
	return nil
}

// block writes the text of a shape, apart from that of others.
func (s *slide) block(text string, err error) error {
	if text != "" {
		s.body.Break()
		s.body.WriteString(text + "\n")
	}
	if err == nil {
		err = s.body.Err()
	}
	return err
}

// unfilled are the texts of shapes that LibreOffice writes for the placeholders of notes where a presentation fills nothing in.
var unfilled = []string{"<header>", "<footer>", "<date/time>", "<number>"}

// text reads the text of a shape.
func (s *slide) text() error {
	t := slideText{container: s.container, relations: s.relations, bullets: s.holder.is && !s.notes}
	kind := s.holder.kind
	switch kind {
	case "", "body", "obj":
	default:
		t.bullets = false
	}
	err := t.read(s.x)
	text := t.String()
	switch {
	case s.notes && (kind == "sldNum" || kind == "hdr" || kind == "ftr" || kind == "dt" || slices.Contains(unfilled, text)):
		return err
	case kind == "sldNum" && s.marks && (text == strconv.Itoa(s.number) || text == "‹#›"): // the mark says it
		return err
	case (kind == "title" || kind == "ctrTitle") && s.title == "":
		s.title = strings.Join(strings.Fields(text), " ")
		return err
	}
	return s.block(text, err)
}

// table reads an a:tbl.
func (s *slide) table() error {
	var rows [][]string
	err := s.x.Children(func(n *pack.Node) error {
		if n.Name != "a:tr" {
			return nil
		}
		rows = append(rows, nil)
		row := &rows[len(rows)-1]
		return s.x.Children(func(n *pack.Node) error {
			if n.Name != "a:tc" {
				return nil
			}
			if s.cells--; s.cells < 0 {
				return tooManyCells()
			}
			text, err := s.cell()
			*row = append(*row, text)
			return err
		})
	})
	s.body.WriteTable(dense(rows))
	return err
}

// cell reads an a:tc. Those that a wider or higher one covers are there too, without text.
func (s *slide) cell() (string, error) {
	t := slideText{container: s.container, relations: s.relations}
	err := s.x.Children(func(n *pack.Node) error {
		if n.Name != "a:txBody" {
			return nil
		}
		return t.read(s.x)
	})
	return flat(t.String()), err
}
