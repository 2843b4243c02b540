package ooxml

import (
	"slices"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

const (
	// maxTables is how deep tables are read within tables; deeper ones are read as text.
	maxTables = 16
	// maxSpan bounds the columns that one cell spans, and those that a row leaves out; Word allows 63 columns.
	maxSpan = 63
	// longCell is the mean length of a cell, in bytes, from which a table is taken for a way to lay out text.
	longCell = 600
)

// A table is a w:tbl while it is read.
type table struct {
	rows    [][]string // the text of the cells, as blocks
	row     []string
	frame   bool // it has one column: it is there for the layout, and its cells are read as if it were not there
	deleted bool // the row is, as a tracked change
}

// table reads a w:tbl.
func (s *story) table() error {
	t := &table{frame: s.tables >= maxTables}
	s.tables++
	err := s.children(func(n *pack.Node) error { return s.tableChild(t, n) })
	s.tables--
	t.endRow()
	s.writeTable(t)
	if err == nil {
		err = s.w.Err()
	}
	return err
}

// tableChild reads what stands between a table's rows.
func (s *story) tableChild(t *table, n *pack.Node) error {
	next := func(n *pack.Node) error { return s.tableChild(t, n) }
	switch n.Name {
	case "w:tblGrid":
		columns := 0
		err := s.children(func(n *pack.Node) error {
			if n.Name == "w:gridCol" {
				columns++
			}
			return nil
		})
		t.frame = t.frame || columns == 1
		return err
	case "w:tr":
		t.endRow()
		return s.children(func(n *pack.Node) error { return s.rowChild(t, n) })
	case "w:sdt", "w:sdtContent", "w:customXml", "w:ins", "w:moveTo":
		return s.children(next)
	case "mc:AlternateContent":
		return s.alternate(next)
	}
	return nil
}

// rowChild reads what stands between a row's cells.
func (s *story) rowChild(t *table, n *pack.Node) error {
	switch n.Name {
	case "w:trPr":
		return s.children(func(n *pack.Node) error {
			switch n.Name {
			case "w:gridBefore":
				return t.add("", clamp(n.Attr("w:val"), 0, maxSpan), s)
			case "w:del":
				t.deleted = true
			}
			return nil
		})
	case "w:tc":
		if t.deleted {
			return nil
		}
		return s.cell(t)
	case "w:sdt", "w:sdtContent", "w:customXml":
		return s.children(func(n *pack.Node) error { return s.rowChild(t, n) })
	}
	return nil
}

// cell reads a w:tc.
func (s *story) cell(t *table) error {
	span := 1
	read := func() error {
		return s.children(func(n *pack.Node) error {
			if n.Name != "w:tcPr" {
				return s.block(n)
			}
			return s.children(func(n *pack.Node) error {
				if n.Name == "w:gridSpan" {
					span = clamp(n.Attr("w:val"), 1, maxSpan)
				}
				return nil
			})
		})
	}
	if t.frame {
		return read()
	}
	outer := s.inCell
	s.inCell = true
	text, err := s.apart(s.file.Bounds.Text, read)
	s.inCell = outer
	if added := t.add(text, span, s); err == nil {
		err = added
	}
	return err
}

// add adds a cell that spans so many columns.
func (t *table) add(text string, span int, s *story) error {
	if s.cells -= span; s.cells < 0 {
		return tooManyCells()
	}
	for range span {
		t.row = append(t.row, text)
		text = ""
	}
	return nil
}

func tooManyCells() error {
	return content.TooLarge("its tables hold more than %d cells (the bound on cells)", maxCells)
}

func (t *table) endRow() {
	if len(t.row) > 0 && !t.deleted {
		t.rows = append(t.rows, t.row)
	}
	t.row, t.deleted = nil, false
}

// writeTable writes a table as Markdown; its cells one after the other where it is there for the layout.
func (s *story) writeTable(t *table) {
	size, cells, width := 0, 0, 0
	for _, row := range t.rows {
		for i, text := range row {
			if text != "" {
				size, cells, width = size+len(text), cells+1, max(width, i+1)
			}
		}
	}
	switch {
	case cells == 0:
	case width == 1, size/cells >= longCell:
		s.writeLayout(t)
	default:
		for _, row := range t.rows {
			for i := range row {
				row[i] = flat(row[i])
			}
		}
		s.written++
		s.w.WriteTable(dense(t.rows))
	}
}

func (s *story) writeLayout(t *table) {
	for _, row := range t.rows {
		for _, text := range row {
			if strings.TrimSpace(text) != "" {
				s.write(text)
			}
		}
	}
}

// dense leaves out the rows and the columns in which no cell holds text: forms are full of them.
func dense(rows [][]string) [][]string {
	var used []bool // by column
	rows = slices.DeleteFunc(rows, func(row []string) bool {
		empty := true
		for i, text := range row {
			if i == len(used) {
				used = append(used, false)
			}
			if text != "" {
				used[i], empty = true, false
			}
		}
		return empty
	})
	for i, row := range rows {
		kept := row[:0]
		for column, text := range row {
			if used[column] {
				kept = append(kept, text)
			}
		}
		rows[i] = kept
	}
	return rows
}
