package ooxml

import (
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A paragraph is a w:p while it is read.
type paragraph struct {
	text    *content.Writer
	style   string
	outline int // as said of the paragraph itself; see style.outline
	list    listRef
	deleted bool     // its mark is, as a tracked change
	hiding  bool     // the text so far ends within "[hidden: "
	after   []string // blocks that are anchored in it: text boxes, charts
}

// paragraph reads a w:p.
func (s *story) paragraph() error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return s.collect(func() error { return s.children(s.inline) })
}

// paragraphOf reads what stands in a paragraph but has none.
func (s *story) paragraphOf(n *pack.Node) error {
	return s.collect(func() error { return s.inline(n) })
}

// collect makes a paragraph of what f reads and writes it.
func (s *story) collect(f func() error) error {
	outer := s.para
	s.para = &paragraph{text: content.NewWriter(s.file.Bounds.Text)}
	err := f()
	s.emit(s.para)
	if err == nil {
		err = s.para.text.Err()
	}
	s.para = outer
	if err == nil {
		err = s.w.Err()
	}
	return err
}

// properties reads a w:pPr.
func (s *story) properties() error {
	p := s.para
	return s.children(func(n *pack.Node) error {
		switch n.Name {
		case "w:pStyle":
			p.style = n.Attr("w:val")
		case "w:outlineLvl":
			p.outline = outline(n)
		case "w:numPr":
			return p.list.read(s.x)
		case "w:rPr":
			return s.children(func(n *pack.Node) error {
				p.deleted = p.deleted || n.Name == "w:del"
				return nil
			})
		}
		return nil
	})
}

// emit writes a paragraph as a heading, an item of a list or a block of text. It counts the items of lists that have no text too.
func (s *story) emit(p *paragraph) {
	s.unhide(p)
	s.age()
	text := strings.TrimSpace(p.text.String())
	style := s.styles.find(p.style)
	mark, depth := "", 0
	if ref := p.list.or(style.list); ref.id != "" && (text != "" || !p.deleted) {
		mark, depth = s.numbering.next(ref, p.style)
	}
	switch level := p.heading(style); {
	case text == "" && s.inCell && mark != "" && mark != "-": // so the rows of a table are numbered
		s.write(mark)
	case text == "":
	case level > 0 && !s.inCell:
		s.write(strings.Repeat("#", min(level, 6)) + " " + strings.Join(strings.Fields(mark+" "+text), " "))
	case mark != "":
		s.item(mark, depth, text)
	default:
		s.write(text)
	}
	for _, block := range p.after {
		s.write(block)
	}
}

// item writes an item of a list, without a line between it and the one before.
func (s *story) item(mark string, depth int, text string) {
	indent := strings.Repeat("  ", depth)
	text = strings.ReplaceAll(text, "\n", "\n"+indent+"  ")
	if !s.inList() {
		s.w.Break()
	}
	s.written++
	s.w.WriteString(indent + mark + " " + text + "\n")
	s.listEnd = s.w.Len()
}

// inList reports whether the block before was an item of a list.
func (s *story) inList() bool { return s.listEnd > 0 && s.listEnd == s.w.Len() }

// heading is the level of the heading that a paragraph is; 0 for none.
func (p *paragraph) heading(style *style) int {
	level := p.outline
	if level == 0 {
		level = style.outline
	}
	if level == bodyText {
		return 0
	}
	return level
}

// or is what the paragraph says of its list, and what its style says where it is silent.
func (r listRef) or(style listRef) listRef {
	if r.id == "" {
		r.id = style.id
	}
	if !r.hasLevel {
		r.level, r.hasLevel = style.level, style.hasLevel
	}
	return r
}

// inline reads what stands in a paragraph beside its properties.
func (s *story) inline(n *pack.Node) error {
	switch n.Name {
	case "w:pPr":
		return s.properties()
	case "w:r":
		return s.run()
	case "w:ins", "w:moveTo", "w:smartTag", "w:customXml", "w:sdt", "w:sdtContent", "w:bdo", "w:dir":
		return s.children(s.inline)
	case "w:hyperlink":
		start := s.para.text.Len()
		err := s.children(s.inline)
		if r := s.relations[n.Attr("r:id")]; r.external {
			s.link(start, r.target)
		}
		return err
	case "w:fldSimple":
		start := s.para.text.Len()
		err := s.children(s.inline)
		s.link(start, address(n.Attr("w:instr")))
		return err
	case "mc:AlternateContent":
		return s.alternate(s.inline)
	case "m:oMath", "m:oMathPara":
		text, err := math(s.x)
		s.put(text)
		return err
	}
	return nil
}

// put adds text to the paragraph, or to the instruction of the field within which it stands.
func (s *story) put(text string) {
	if text == "" || s.para == nil || s.instruct(text) {
		return
	}
	p := s.para
	if s.format.hidden && !p.hiding {
		p.hiding = true
		p.text.WriteString("[hidden: ")
	} else if !s.format.hidden {
		s.unhide(p)
	}
	s.written++
	p.text.WriteString(text)
}

// unhide ends the hidden text of a paragraph.
func (s *story) unhide(p *paragraph) {
	if p.hiding {
		p.hiding = false
		p.text.WriteString("]")
	}
}

// maxLinkText is up to where the text of a link is searched for its address.
const maxLinkText = 4096

// link adds the address that the paragraph's text since start leads to, unless the text shows it.
func (s *story) link(start int, address string) {
	text := s.para.text.String()[start:]
	address = strings.TrimSpace(address)
	if address == "" || strings.TrimSpace(text) == "" || shows(text, address) {
		return
	}
	s.put(" (" + address + ")")
}

// shows reports whether a person who reads text has read the address too.
func shows(text, address string) bool {
	if len(text) > maxLinkText {
		return false
	}
	for _, scheme := range []string{"mailto:", "http://", "https://"} {
		address = strings.TrimPrefix(address, scheme)
	}
	return strings.Contains(strings.ToLower(text), strings.ToLower(strings.TrimSuffix(address, "/")))
}
