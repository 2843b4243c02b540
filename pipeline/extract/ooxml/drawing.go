package ooxml

import (
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// drawing reads what is in a w:drawing, a w:pict or a w:object of a DOCX, however deep: text boxes, pictures' descriptions, charts, diagrams.
func (s *story) drawing(n *pack.Node) error {
	switch n.Name {
	case "":
	case "w:txbxContent":
		return s.textBox()
	case "wp:docPr":
		s.describe(n.Attr("descr"))
	case "v:shape", "v:rect":
		s.describe(n.Attr("alt"))
		return s.children(s.drawing)
	case "v:textpath":
		s.put(n.Attr("string"))
	case "a:p":
		p := slideParagraph{container: s.container, relations: s.relations}
		text, err := p.read(s.x)
		s.anchor(strings.TrimSpace(text))
		return err
	case "c:chart":
		return s.anchored(s.chart(s.relations[n.Attr("r:id")].target))
	case "dgm:relIds":
		return s.anchored(s.diagram(s.relations[n.Attr("r:dm")].target))
	case "mc:AlternateContent":
		return s.alternate(s.drawing)
	default:
		return s.children(s.drawing)
	}
	return nil
}

// textBox reads the blocks of a text box. They follow the paragraph that it is anchored in.
func (s *story) textBox() error {
	format := s.format
	s.format.hidden = false
	text, err := s.apart(s.file.Bounds.Text, func() error { return s.children(s.block) })
	s.format = format
	s.anchor(text)
	return err
}

// describe puts what is said of a picture in its place.
func (s *story) describe(text string) {
	if text = strings.Join(strings.Fields(text), " "); text != "" {
		s.put("[image: " + text + "]")
	}
}

func (s *story) anchored(text string, err error) error {
	s.anchor(text)
	return err
}

// anchor keeps a block for after the paragraph.
func (s *story) anchor(block string) {
	if block == "" {
		return
	}
	s.written++
	s.para.after = append(s.para.after, block)
}

// chart is the text of a chart: its titles and a table of what it shows; "" of one that was read before.
func (c *container) chart(part string) (string, error) {
	if c.seen[part] {
		return "", nil
	}
	c.seen[part] = true
	chart := &chart{}
	w := content.NewWriter(c.file.Bounds.Text)
	err := c.read(part, func(x *pack.Decoder, _ *pack.Node) error {
		err := chart.read(x)
		chart.write(w)
		return err
	})
	if err == nil {
		err = w.Err()
	}
	return strings.TrimSpace(w.String()), err
}

// diagram is the text of a diagram (SmartArt): the points of its data model that are not of the layout alone, one a line.
func (c *container) diagram(part string) (string, error) {
	if c.seen[part] {
		return "", nil
	}
	c.seen[part] = true
	relations, err := c.relationsByID(part)
	if err != nil {
		return "", err
	}
	w := content.NewWriter(c.file.Bounds.Text)
	err = c.read(part, func(x *pack.Decoder, _ *pack.Node) error {
		var visit func(n *pack.Node) error
		visit = func(n *pack.Node) error {
			switch n.Name {
			case "dgm:dataModel", "dgm:ptLst", "dgm:pt", "dgm:t":
				return x.Children(visit)
			case "a:p":
				p := slideParagraph{container: c, relations: relations}
				text, err := p.read(x)
				if text = strings.Join(strings.Fields(text), " "); text != "" {
					w.WriteString("- " + text + "\n")
				}
				return err
			}
			return nil
		}
		return x.Children(visit)
	})
	if err == nil {
		err = w.Err()
	}
	return strings.TrimSpace(w.String()), err
}
