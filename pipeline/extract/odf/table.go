package odf

import (
	"slices"
	"strings"

	"docbatch/pipeline/extract/pack"
	"docbatch/pipeline/extract/workbook/grid"
)

// maxRepeat bounds how often a row or a cell of a table in a text is repeated.
const maxRepeat = 1000

// rows calls f with each row of a table, those in groups too, and other with what else is in it.
func (r *reader) rows(d *pack.Decoder, f, other func(n *pack.Node) error) error {
	return d.Children(func(n *pack.Node) error {
		switch n.Name {
		case "table:table-row":
			if err := r.ctx.Err(); err != nil {
				return err
			}
			return f(n)
		case "table:table-rows", "table:table-header-rows", "table:table-row-group":
			return r.rows(d, f, other)
		}
		return other(n)
	})
}

// cells calls f with each cell of a row.
func cells(d *pack.Decoder, f func(n *pack.Node) error) error {
	return d.Children(func(n *pack.Node) error {
		if n.Name != "table:table-cell" && n.Name != "table:covered-table-cell" {
			return nil
		}
		return f(n)
	})
}

// table reads a table of a text. One within a cell is written as lines.
func (r *reader) table(d *pack.Decoder) error {
	if r.inline > 0 {
		return r.innerTable(d)
	}
	var table [][]string
	err := r.rows(d, func(n *pack.Node) error {
		before := r.left
		row, err := r.tableRow(d)
		if len(row) == 0 {
			return err
		}
		table = append(table, row)
		size := before - r.left
		for range min(number(n.Attr("table:number-rows-repeated"), 1), maxRepeat) - 1 {
			if err := r.spend(size); err != nil {
				return err
			}
			table = append(table, row)
		}
		return err
	}, func(*pack.Node) error { return nil })
	r.out.WriteTable(table)
	r.listed = false
	r.writeAsides()
	return err
}

// tableRow reads a row up to its last cell that is not empty; nil where all are.
func (r *reader) tableRow(d *pack.Decoder) ([]string, error) {
	var row []string
	width := 0
	err := cells(d, func(n *pack.Node) error {
		text, err := r.captured(func() error { return r.blocks(d) })
		for i := range min(max(number(n.Attr("table:number-columns-repeated"), 1), 1), maxRepeat) {
			row = append(row, text)
			if text != "" {
				width = len(row)
			}
			if err := r.spend(min(i, 1)*len(text) + len(" | ")); err != nil {
				return err
			}
		}
		return err
	})
	return slices.Clone(row[:width]), err
}

// captured gives what read adds to the paragraph, as if there were none yet.
func (r *reader) captured(read func() error) (string, error) {
	outer, items := r.par, r.items
	r.par, r.items = nil, nil
	r.inline++
	err := read()
	r.inline--
	text := strings.TrimSpace(string(r.par))
	r.par, r.items = outer, items
	return text, err
}

func (r *reader) innerTable(d *pack.Decoder) error {
	return r.rows(d, func(*pack.Node) error {
		r.newline()
		first := true
		return cells(d, func(*pack.Node) error {
			if !first {
				r.par = append(r.par, "; "...)
			}
			first = false
			if err := r.spend(len("; ")); err != nil {
				return err
			}
			return r.blocks(d)
		})
	}, func(*pack.Node) error { return nil })
}

// sheets reads a spreadsheet.
func (r *reader) sheets(d *pack.Decoder) error {
	r.calc = true
	return d.Children(func(n *pack.Node) error {
		if n.Name != "table:table" {
			return nil
		}
		if err := r.countPage("sheets"); err != nil {
			return err
		}
		return r.sheet(d, n)
	})
}

// sheet reads a sheet as a grid, under its name.
func (r *reader) sheet(d *pack.Decoder, n *pack.Node) error {
	title := "## " + strings.Join(strings.Fields(n.Attr("table:name")), " ")
	if r.styles.hidden("table", n.Attr("table:style-name")) {
		title += " (hidden)"
	}
	s := &sheet{reader: r, grid: grid.New(r.out, r.file.Bounds.Text), title: title}
	err := r.rows(d, func(n *pack.Node) error { return s.row(d, n) }, func(n *pack.Node) error {
		if n.Name == "table:shapes" {
			return s.shapes(d)
		}
		return nil
	})
	s.grid.Flush()
	r.writeAsides()
	return err
}

// A sheet is a sheet that is being read.
type sheet struct {
	*reader
	grid  *grid.Grid
	title string // "" once it is written
	last  int    // the number of the last row
}

// row reads a row, which may stand for many.
func (s *sheet) row(d *pack.Decoder, n *pack.Node) error {
	type filled struct {
		column int
		text   string
	}
	var row []filled
	column := 0
	err := cells(d, func(n *pack.Node) error {
		text, err := s.cell(d, n)
		repeat := max(number(n.Attr("table:number-columns-repeated"), 1), 1)
		for i := 1; i <= repeat && text != "" && column+i <= grid.MaxColumns; i++ {
			row = append(row, filled{column + i, text})
			if err := s.spend(len(" | ")); err != nil {
				return err
			}
		}
		column = min(column+repeat, grid.MaxColumns)
		return err
	})
	repeat := max(number(n.Attr("table:number-rows-repeated"), 1), 1)
	if len(row) > 0 {
		s.head()
	}
	for i := 1; i <= repeat && len(row) > 0 && s.last+i <= grid.MaxRows; i++ {
		for _, c := range row {
			if err := s.grid.Add(s.last+i, c.column, c.text); err != nil {
				return err
			}
		}
	}
	s.last = min(s.last+repeat, grid.MaxRows)
	return err
}

// head writes the sheet's heading before the first thing that is on it.
func (s *sheet) head() {
	s.block(s.title)
	s.title = ""
}

// cell reads a cell: its text as it is shown, and the comment on it.
func (s *sheet) cell(d *pack.Decoder, n *pack.Node) (string, error) {
	comment := ""
	text, err := s.captured(func() error {
		return d.Children(func(n *pack.Node) (err error) {
			switch {
			case n.Name == "office:annotation":
				comment, err = s.captured(func() error { return s.annotation(d) })
			case strings.HasPrefix(n.Name, "draw:"):
				s.head()
				return s.anchored(func() error { return s.shape(d, n) })
			default:
				return s.blockNode(d, n)
			}
			return err
		})
	})
	if text == "" {
		text = value(n)
	}
	return strings.TrimSpace(text + " " + comment), err
}

// shapes reads what lies over the sheet.
func (s *sheet) shapes(d *pack.Decoder) error {
	return d.Children(func(n *pack.Node) error {
		return s.anchored(func() error { return s.shape(d, n) })
	})
}

// anchored reads a shape, to follow the sheet.
func (s *sheet) anchored(read func() error) error {
	inline := s.inline
	s.inline = 0
	err := s.aside(read)
	s.inline = inline
	return err
}

// value is what is stored in a cell whose text the writer left out.
func value(n *pack.Node) string {
	for _, name := range []string{"office:string-value", "office:date-value", "office:time-value", "office:boolean-value", "office:value"} {
		if v := n.Attr(name); v != "" {
			return v
		}
	}
	return ""
}
