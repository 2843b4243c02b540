package xlsx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	"docbatch/sources/table"
)

// maxMerged bounds the merged ranges that are looked at.
const maxMerged = 1 << 18

// A merged is a range of cells that are shown as one; columns are counted from 0.
type merged struct {
	top, bottom int
	left, right int
	value       []byte
}

var endOfCells = regexp.MustCompile(`</(?:[\w.-]+:)?sheetData\s*>`)

// readMerged finds the merged ranges of a sheet, by their first row. They are written behind the cells, so that the part is
// unpacked once for them; that also shows whether the archive is whole.
func readMerged(ctx context.Context, in io.Reader) ([]merged, error) {
	tail, err := afterCells(ctx, in)
	if err != nil || tail == nil {
		return nil, err
	}
	var all []merged
	m := newMarkup(tail)
	for len(all) < maxMerged {
		token, err := m.next()
		if err != nil {
			break // the tail closes what began before it
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "mergeCell" {
			if r, ok := parseRange(attribute(e, "ref")); ok {
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b merged) int { return cmp.Or(cmp.Compare(a.top, b.top), cmp.Compare(a.left, b.left)) })
	_, err = io.Copy(io.Discard, tail)
	return all, err
}

// afterCells reads a sheet to the end of its cells and returns the rest; nil where the cells do not end.
func afterCells(ctx context.Context, in io.Reader) (io.Reader, error) {
	const overlap = 256
	block := make([]byte, 256<<10)
	kept := 0
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := io.ReadFull(in, block[kept:])
		data := block[:kept+n]
		if bytes.Contains(data, []byte("sheetData")) {
			if at := endOfCells.FindIndex(data); at != nil {
				return io.MultiReader(bytes.NewReader(data[at[1]:]), in), nil
			}
		}
		if errors.Is(err, io.EOF) || err == io.ErrUnexpectedEOF {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		kept = copy(block, data[len(data)-overlap:])
	}
}

// parseRange reads a reference like "B2:C5".
func parseRange(ref string) (merged, bool) {
	from, to, ok := strings.Cut(ref, ":")
	if !ok {
		return merged{}, false
	}
	left, top, ok1 := parseRef(from)
	right, bottom, ok2 := parseRef(to)
	return merged{top: top, bottom: bottom, left: left, right: right}, ok1 && ok2 && left <= right && top <= bottom
}

// parseRef reads a reference like "C17": the column from 0 and the row from 1.
func parseRef(ref string) (column, row int, ok bool) {
	ref = strings.ReplaceAll(ref, "$", "")
	i := 0
	for ; i < len(ref) && i < 4; i++ {
		c := ref[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		column = column*26 + int(c-'A') + 1
	}
	row, ok = parseRow(ref[i:])
	return column - 1, row, ok && i > 0 && column <= table.MaxColumns
}

// columnName is the name of the column at an index: "A" for 0.
func columnName(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}

// A filler gives each cell of a merged range the range's value, row by row. A value is taken from the range's first cell.
type filler struct {
	waiting []merged // by first row
	active  []merged // no two of them share a column
	taken   []int    // by column, the last row of the range that has it
}

// fill completes the cells of a row; rows come in ascending order.
func (f *filler) fill(row int, cells [][]byte) {
	f.active = slices.DeleteFunc(f.active, func(m merged) bool { return m.bottom < row })
	for len(f.waiting) > 0 && f.waiting[0].top <= row {
		m := f.waiting[0]
		f.waiting = f.waiting[1:]
		if m.top == row && m.left < len(cells) && f.take(m, len(cells)) {
			m.value = bytes.Clone(cells[m.left])
			f.active = append(f.active, m)
		}
	}
	for _, m := range f.active {
		for c := m.left; c <= m.right && c < len(cells); c++ {
			if len(cells[c]) == 0 {
				cells[c] = m.value
			}
		}
	}
}

// take takes the columns of a range that begins, unless another has one of them: ranges do not overlap. Those of a hostile sheet do,
// and would make the work on each row grow with the square of its columns.
func (f *filler) take(m merged, width int) bool {
	for len(f.taken) < width {
		f.taken = append(f.taken, 0)
	}
	columns := f.taken[m.left:min(m.right+1, width)]
	if slices.ContainsFunc(columns, func(last int) bool { return last >= m.top }) {
		return false
	}
	for i := range columns {
		columns[i] = m.bottom
	}
	return true
}
