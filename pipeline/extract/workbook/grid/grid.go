// Package grid writes the cells of a sheet as an agent reads them best, within bounds: what people put on it as one table as a Markdown
// table, and what is mostly empty as lines that name the cells.
package grid

import (
	"slices"
	"strconv"
	"strings"

	"docbatch/pipeline/extract/content"
)

// The size of a sheet of Excel. OpenDocument has no bound on either.
const (
	MaxRows    = 1 << 20
	MaxColumns = 1 << 14
)

// maxCells bounds what is held of a sheet: a table of more cells goes on as another one with the same head.
const maxCells = 100_000

// A Grid takes the cells of a sheet. Rows without an empty one between them are a block, which is written when it is over.
type Grid struct {
	out   *content.Writer
	max   int // bytes of text
	rows  []row
	cells int
	size  int  // bytes that they take as text, about
	more  bool // the first row is the head of a table that goes on
}

type row struct {
	number int
	cells  []cell
}

type cell struct {
	column int
	text   string
}

// New makes a Grid that writes to out, which takes max bytes.
func New(out *content.Writer, max int) *Grid { return &Grid{out: out, max: max} }

// Add adds a cell, its row and column counted from 1; one that is blank or not on the sheet is left out. Rows come in order, and cells
// within a row. The error is content.TooLarge: there is more text than out takes.
func (g *Grid) Add(number, column int, text string) error {
	if strings.TrimSpace(text) == "" || number < 1 || number > MaxRows || column < 1 || column > MaxColumns {
		return nil
	}
	if g.ends(number) {
		g.Flush()
	}
	if g.cells >= maxCells && number != g.last() {
		g.goOn()
	}
	g.add(number, column, text)
	if g.out.Len()+g.size > g.max {
		return content.TooLarge("it holds more than %s of text (the bound on text)", content.Bytes(int64(g.max)))
	}
	return nil
}

// last is the number of the last row.
func (g *Grid) last() int { return g.rows[len(g.rows)-1].number }

// ends reports whether a row of that number is not one of the block.
func (g *Grid) ends(number int) bool {
	return len(g.rows) > 0 && number != g.last() && number != g.last()+1
}

func (g *Grid) add(number, column int, text string) {
	if len(g.rows) == 0 || g.last() != number {
		g.rows = append(g.rows, row{number: number})
	}
	last := &g.rows[len(g.rows)-1]
	last.cells = append(last.cells, cell{column, text})
	g.cells++
	g.size += len(text) + len(" | ")
}

// goOn writes the block and begins another with the same head, unless it is no table.
func (g *Grid) goOn() {
	head, last := g.rows[0], g.last()
	again := len(g.rows) > 1 && !g.sparse(g.columns())
	g.Flush()
	if !again {
		return
	}
	g.more = true
	for _, c := range head.cells {
		g.add(last, c.column, c.text)
	}
}

// Flush writes the block. One row or one column of cells are lines.
func (g *Grid) Flush() {
	columns := g.columns()
	switch {
	case g.more && len(g.rows) == 1:
	case g.sparse(columns):
		g.writeRows(func(r row, c cell) string { return Ref(r.number, c.column) + ": " })
	case len(g.rows) == 1:
		g.writeRows(func(row, cell) string { return "" })
	default:
		g.out.WriteTable(g.table(columns))
	}
	g.rows, g.cells, g.size, g.more = nil, 0, 0, false
}

// columns are those that hold something, in order.
func (g *Grid) columns() []int {
	columns := make([]int, 0, g.cells)
	for _, r := range g.rows {
		for _, c := range r.cells {
			columns = append(columns, c.column)
		}
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

// sparse reports whether a table would say less than it takes.
func (g *Grid) sparse(columns []int) bool { return len(columns)*len(g.rows) > 3*g.cells }

// table is the block without its empty columns.
func (g *Grid) table(columns []int) [][]string {
	table := make([][]string, len(g.rows))
	for i, r := range g.rows {
		table[i] = make([]string, len(columns))
		for _, c := range r.cells {
			at, _ := slices.BinarySearch(columns, c.column)
			table[i][at] = c.text
		}
	}
	return table
}

// writeRows writes each row as a line; label is what comes before each cell.
func (g *Grid) writeRows(label func(row, cell) string) {
	if len(g.rows) == 0 {
		return
	}
	g.out.Break()
	for _, r := range g.rows {
		for i, c := range r.cells {
			if i > 0 {
				g.out.WriteString(" | ")
			}
			g.out.WriteString(label(r, c) + strings.Join(strings.Fields(c.text), " "))
		}
		g.out.WriteString("\n")
	}
	g.out.WriteString("\n")
}

// Ref names a cell as people do: "B3".
func Ref(number, column int) string {
	var letters []byte
	for ; column > 0; column = (column - 1) / 26 {
		letters = append(letters, byte('A'+(column-1)%26))
	}
	slices.Reverse(letters)
	return string(letters) + strconv.Itoa(number)
}
