package html

import (
	"slices"
	"strings"
)

// The bounds of a table. One that has more cells is written in pieces; a span is cut.
const (
	maxCells   = 1 << 18
	maxColspan = 30
	maxRowspan = 1000
	maxCell    = 2000    // bytes: a cell with more text is no cell of data
	maxGrid    = 4 << 20 // cells, with those that fill short rows up
)

// A table is read row by row. Old pages and mails are laid out by tables: one that holds a table, a heading or a long text is no table of data,
// and is read as the blocks in its cells.
type table struct {
	layout bool
	base   int // the nests around it

	rows   [][]string
	row    []string
	cells  int
	inCell bool
	cell   []byte
	width  int   // of the cell, in columns
	height int   // of the cell, in rows
	below  []int // for each column, in how many rows to come a cell from above stands in it
}

// cell is the table whose cell takes the text now; nil where the text goes into the page.
func (l *layout) cell() *table {
	if t := l.table(); t != nil && t.inCell && !t.layout {
		return t
	}
	return nil
}

// table is the innermost table.
func (l *layout) table() *table {
	if len(l.tables) == 0 {
		return nil
	}
	return l.tables[len(l.tables)-1]
}

// openTable begins a table within the cell of another, which is thereby layout, or anywhere else.
func (l *layout) openTable(layout bool) {
	l.noData()
	l.breakLine(newBlock)
	if len(l.tables) < l.depth {
		l.tables = append(l.tables, &table{layout: layout, base: len(l.nests)})
	}
}

// closeTable ends the innermost table.
func (l *layout) closeTable() {
	t := l.table()
	if t == nil {
		return
	}
	l.endRow()
	l.writeRows(t)
	l.nests = l.nests[:min(len(l.nests), t.base)]
	l.tables = l.tables[:len(l.tables)-1]
	l.breakLine(newBlock)
}

// noData makes the innermost table one of layout: what was read of it is written, the cell that is open goes on as a block.
func (l *layout) noData() {
	t := l.table()
	if t == nil || t.layout {
		return
	}
	l.breakLine(newLine)
	if len(t.row) > 0 {
		t.rows = append(t.rows, t.row)
	}
	l.writeRows(t)
	for line := range strings.Lines(string(t.cell)) {
		l.write([]byte(strings.TrimSuffix(line, "\n")))
	}
	*t = table{layout: true, base: t.base}
}

// openRow begins a row.
func (l *layout) openRow() {
	l.endRow()
	l.breakLine(newLine)
}

// openCell begins a cell.
func (l *layout) openCell(colspan, rowspan string) {
	l.endCell()
	l.breakLine(newLine)
	t := l.table()
	if t == nil || t.layout {
		return
	}
	l.nests = l.nests[:min(len(l.nests), t.base)]
	t.fill()
	t.inCell = true
	t.width, t.height = 1, 1
	if n, ok := parseNumber(colspan); ok {
		t.width = min(max(n, 1), maxColspan)
	}
	if n, ok := parseNumber(rowspan); ok {
		t.height = min(max(n, 1), maxRowspan)
	}
}

// addToCell adds a line to the cell that is open.
func (l *layout) addToCell(t *table, line []byte) {
	t.cell = append(append(t.cell, line...), '\n')
	if len(t.cell) > maxCell {
		l.line = l.line[:0]
		l.noData()
	}
}

// endCell ends the cell that is open, if one is.
func (l *layout) endCell() {
	if l.breakLine(newLine); l.cell() == nil {
		return
	}
	t := l.table()
	t.inCell = false
	for i := range t.width {
		cell := ""
		if i == 0 {
			cell = strings.TrimSpace(string(t.cell))
		}
		t.set(cell, t.height-1)
	}
	t.cell = t.cell[:0]
	if t.cells > maxCells {
		l.endRow()
		l.writeRows(t)
	}
}

// endRow ends the row that is open, if one is.
func (l *layout) endRow() {
	l.endCell()
	if t := l.table(); t != nil && len(t.row) > 0 {
		t.fill()
		t.rows = append(t.rows, t.row)
		t.pass()
		t.row = nil
	}
}

// set puts a cell into the row; below is in how many rows to come it stands too.
func (t *table) set(cell string, below int) {
	for len(t.below) <= len(t.row) {
		t.below = append(t.below, 0)
	}
	t.below[len(t.row)] = below
	t.row = append(t.row, cell)
	t.cells++
}

// fill adds empty cells to the row where cells from above stand in it.
func (t *table) fill() {
	for i := len(t.row); i < len(t.below) && t.below[i] > 0; i++ {
		t.set("", t.below[i]-1)
	}
}

// pass ends the row for the cells from above that it did not reach.
func (t *table) pass() {
	for i := len(t.row); i < len(t.below); i++ {
		t.below[i] = max(t.below[i]-1, 0)
	}
	for n := len(t.below); n > 0 && t.below[n-1] == 0; n-- {
		t.below = t.below[:n-1]
	}
}

// writeRows writes the rows that were read and forgets them. A table of one column is lines, one of one row a line, unless its cells have
// several.
func (l *layout) writeRows(t *table) {
	rows := dropEmpty(t.rows)
	t.rows, t.row, t.cells, t.below = nil, nil, 0, nil
	width := 0
	for _, row := range rows {
		width = max(width, len(row))
	}
	if len(rows) > 1 && width > 1 && len(rows)*width <= maxGrid {
		l.out.WriteTable(rows)
		l.gap = newBlock
		return
	}
	for _, row := range rows {
		row = slices.DeleteFunc(row, func(cell string) bool { return cell == "" })
		text := strings.Join(row, " | ")
		if strings.Contains(text, "\n") {
			text = strings.Join(row, "\n")
		}
		for line := range strings.SplitSeq(text, "\n") {
			l.write([]byte(line))
		}
	}
}

// dropEmpty leaves out rows and columns without text: they are there to move other columns apart.
func dropEmpty(rows [][]string) [][]string {
	var full []bool
	for _, row := range rows {
		for i, cell := range row {
			if i == len(full) {
				full = append(full, false)
			}
			full[i] = full[i] || cell != ""
		}
	}
	var kept [][]string
	for _, row := range rows {
		some := false
		var cells []string
		for i, cell := range row {
			if full[i] {
				cells = append(cells, cell)
				some = some || cell != ""
			}
		}
		if some {
			kept = append(kept, cells)
		}
	}
	return kept
}
