package ooxml

import (
	"fmt"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A format is what matters of the properties of a run.
type format struct {
	hidden bool
	raised bool // superscript
	font   string
}

// run reads a w:r.
func (s *story) run() error {
	outer := s.format
	s.format = format{}
	err := s.children(s.piece)
	s.format = outer
	return err
}

// piece reads what is in a run.
func (s *story) piece(n *pack.Node) error {
	switch n.Name {
	case "w:rPr":
		return s.children(s.property)
	case "w:t":
		text, err := s.x.Text()
		s.put(s.format.apply(text))
		return err
	case "w:instrText":
		text, err := s.x.Text()
		s.instruct(text)
		return err
	case "w:fldChar":
		return s.fieldMark(n)
	case "w:tab", "w:ptab":
		s.put("\t")
	case "w:br", "w:cr":
		s.put("\n")
	case "w:noBreakHyphen":
		s.put("-")
	case "w:sym":
		s.put(symbol(n.Attr("w:font"), n.Attr("w:char")))
	case "w:footnoteReference", "w:endnoteReference", "w:commentReference":
		s.refer(strings.TrimSuffix(n.Name, "Reference") + " " + n.Attr("w:id"))
	case "w:drawing", "w:pict", "w:object":
		return s.children(s.drawing)
	case "mc:AlternateContent":
		return s.alternate(s.piece)
	case "w:ruby":
		return s.ruby()
	case "w:r", "m:oMath":
		return s.inline(n)
	}
	return nil
}

// property reads one of a run's properties.
func (s *story) property(n *pack.Node) error {
	switch n.Name {
	case "w:vanish":
		s.format.hidden = isOn(n)
	case "w:rStyle":
		s.format.hidden = s.format.hidden || s.styles.find(n.Attr("w:val")).hidden
	case "w:vertAlign":
		s.format.raised = n.Attr("w:val") == "superscript"
	case "w:rFonts":
		s.format.font = n.Attr("w:ascii")
	}
	return nil
}

var superscripts = strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹",
	"+", "⁺", "-", "⁻", "−", "⁻")

// apply writes text as the format shows it. Raised digits stay raised: 10⁵ is not 105.
func (f format) apply(text string) string {
	text = strings.ReplaceAll(text, "\n", " ")
	if f.raised && strings.Trim(text, "0123456789+-−") == "" {
		text = superscripts.Replace(text)
	}
	return private(text, f.font)
}

// refer puts a note where it is referred to.
func (s *story) refer(key string) {
	n := s.notes[key]
	if n == nil || n.text == "" {
		return
	}
	if !n.used && strings.HasSuffix(n.label, "note") {
		s.noteCount[n.label]++
		n.label = fmt.Sprintf("%s %d", n.label, s.noteCount[n.label])
	}
	n.used = true
	s.put(" [" + n.label + ": " + n.text + "]")
}

// ruby reads text with its reading above it: "漢字(かんじ)".
func (s *story) ruby() error {
	var reading string
	err := s.children(func(n *pack.Node) error {
		switch n.Name {
		case "w:rt":
			outer := s.para
			s.para = &paragraph{text: content.NewWriter(s.file.Bounds.Text)}
			err := s.children(s.inline)
			reading = s.para.text.String()
			s.para = outer
			return err
		case "w:rubyBase":
			return s.children(s.inline)
		}
		return nil
	})
	if reading != "" {
		s.put("(" + reading + ")")
	}
	return err
}
