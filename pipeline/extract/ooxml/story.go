package ooxml

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A story is a text of its own in a DOCX: the body, a header, a note. It is read block by block, a block run by run.
type story struct {
	*document
	x         *pack.Decoder
	relations byID
	w         *content.Writer // takes the blocks
	para      *paragraph      // that is being read; nil between blocks
	fields    []*field        // that have begun and not ended
	tables    int             // around what is being read
	inCell    bool            // of a table that is more than a frame
	format    format          // of the run that is being read
	listEnd   int             // where in w the last item of a list ends
	written   int             // grows with whatever is written, wherever to
}

// children calls f for what is within the element that was read last.
func (s *story) children(f func(n *pack.Node) error) error { return s.x.Children(f) }

// apart gives what f writes as blocks, of at most max bytes, without writing it to the story.
func (s *story) apart(max int, f func() error) (string, error) {
	w, para, fields, listEnd := s.w, s.para, s.fields, s.listEnd
	s.w, s.para, s.fields, s.listEnd = content.NewWriter(max), nil, nil, 0
	err := f()
	text := s.w.String()
	if err == nil {
		err = s.w.Err()
	}
	s.w, s.para, s.fields, s.listEnd = w, para, fields, listEnd
	return strings.Trim(text, "\n"), err
}

// block reads what stands where a paragraph may.
func (s *story) block(n *pack.Node) error {
	switch n.Name {
	case "w:p":
		return s.paragraph()
	case "w:tbl":
		return s.table()
	case "w:body", "w:sdt", "w:sdtContent", "w:customXml", "w:smartTag", "w:ins", "w:moveTo":
		return s.children(s.block)
	case "mc:AlternateContent":
		return s.alternate(s.block)
	case "w:altChunk":
		return s.altChunk(n.Attr("r:id"))
	case "m:oMathPara", "m:oMath":
		return s.paragraphOf(n)
	}
	return nil
}

// alternate reads an mc:AlternateContent by f.
func (s *story) alternate(f func(n *pack.Node) error) error {
	return alternate(s.x, func() int { return s.written }, f)
}

// altChunk writes a document of another format in its place.
func (s *story) altChunk(id string) error {
	r, ok := s.relations[id]
	if !ok || r.external {
		return nil
	}
	_, text, err := s.within.Read(s.ctx, r.target)
	if err != nil || text == "" {
		return err
	}
	s.write(text)
	return s.w.Err()
}

// write adds a block of text as it is.
func (s *story) write(text string) {
	s.written++
	s.w.Break()
	s.w.WriteString(text)
	s.w.WriteString("\n")
}

// flat puts blocks on one line, set apart by semicolons where no sign does it; so are the rows of tables, and their cells by commas.
func flat(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(line), " ")
		if cells, ok := strings.CutPrefix(line, "|"); ok {
			line = flatRow(cells)
		}
		if line == "" {
			continue
		}
		if last, _ := utf8.DecodeLastRuneInString(b.String()); b.Len() > 0 {
			if !strings.ContainsRune(".,;:!?…。、，；：！？", last) {
				b.WriteByte(';')
			}
			b.WriteByte(' ')
		}
		b.WriteString(line)
	}
	return b.String()
}

// flatRow is a row of a Markdown table as text; "" of the line under its head.
func flatRow(row string) string {
	row = strings.TrimSuffix(row, "|")
	if strings.Trim(row, "-| ") == "" {
		return ""
	}
	var cells []string
	for cell := range strings.SplitSeq(row, " |") {
		if cell = strings.TrimSpace(cell); cell != "" {
			cells = append(cells, cell)
		}
	}
	return strings.Join(cells, ", ")
}

// hasWords reports whether text holds more than numbers and signs.
func hasWords(text string) bool { return strings.ContainsFunc(text, unicode.IsLetter) }
