package xlsx

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"

	"docbatch/pipeline/extract/workbook/numfmt"
	"docbatch/sources/table"
)

const (
	// maxRowBytes bounds the text of one row: a short reference to a long shared string can be repeated in each column.
	maxRowBytes = 16 << 20

	// maxRows is the number of rows that a sheet can have.
	maxRows = 1 << 20
)

var errRowBound = fmt.Errorf("the row is over the bound of %d bytes", maxRowBytes)

// A gridRow is one row of a sheet that has a value. It is valid until the next one is read.
type gridRow struct {
	number  int
	cells   [][]byte // at least to the last one that has a value
	own     int      // how many there are to the last one that has a value of its own, not of a merged range
	raw     []byte   // their text, one after the other
	fault   string   // what is wrong with it; "" for a good one
	tooLong bool
}

// A grid reads the cells of a sheet row by row.
//
// It is written here because the iterator of excelize takes broken XML for the end of the sheet (of a sheet cut in half
// it yields the first half and no error) and formats all cells or none.
type grid struct {
	m       *markup
	strings *sharedStrings
	formats *numfmt.Formats

	started bool
	number  int // of the row that was read last
	column  int // of the cell that was read last, from 0
	text    []byte
	spans   []span
	raw     []byte
	cells   [][]byte
	fault   string
}

// A span is where in grid.text a cell's text is.
type span struct{ start, end int }

func newGrid(in io.Reader, strings *sharedStrings, formats *numfmt.Formats) *grid {
	return &grid{m: newMarkup(in), strings: strings, formats: formats}
}

// next reads the next row with a value; io.EOF after the last one. Any other error says that the sheet can't be read on.
func (g *grid) next() (gridRow, error) {
	for {
		e, err := g.rowStart()
		if err == io.EOF {
			return gridRow{}, err
		}
		if err != nil {
			return gridRow{}, fmt.Errorf("after row %d: %w", g.number, err)
		}
		if err := g.setNumber(attribute(e, "r")); err != nil {
			return gridRow{}, err
		}
		row, err := g.row()
		if err != nil {
			return gridRow{}, fmt.Errorf("in row %d: %w", g.number, err)
		}
		if row.fault != "" || !table.Blank(row.cells) {
			return row, nil
		}
	}
}

// rowStart finds the next row element.
func (g *grid) rowStart() (xml.StartElement, error) {
	for {
		token, err := g.m.next()
		if err == io.EOF && !g.started {
			err = errors.New("it has no cells")
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return xml.StartElement{}, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			if g.started && e.Name.Local == "row" {
				return e, nil
			}
			g.started = g.started || e.Name.Local == "sheetData"
		case xml.EndElement:
			if e.Name.Local == "sheetData" {
				return xml.StartElement{}, io.EOF
			}
		}
	}
}

// setNumber takes the number of a row, which may be left out for the one after the last.
func (g *grid) setNumber(r string) error {
	number := g.number + 1
	if r != "" {
		n, ok := parseRow(r)
		if !ok {
			return fmt.Errorf("a row has the number %q", r)
		}
		number = n
	}
	if number <= g.number || number > maxRows {
		return fmt.Errorf("row %d comes after row %d", number, g.number)
	}
	g.number = number
	return nil
}

func parseRow(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return int(n), err == nil && n >= 1 && n <= maxRows
}

// row reads the row that has just begun.
func (g *grid) row() (gridRow, error) {
	g.text, g.spans, g.column, g.fault = g.text[:0], g.spans[:0], -1, ""
	inside := g.m.depth
	tooLong := false
	for g.m.depth >= inside {
		token, err := g.m.next()
		if err != nil {
			return gridRow{}, err
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != "c" || tooLong {
			continue
		}
		err = g.cell(e)
		if tooLong = errors.Is(err, errRowBound); tooLong {
			g.fault = errRowBound.Error()
		} else if err != nil {
			return gridRow{}, err
		}
	}
	g.cells = g.cells[:0]
	for _, s := range g.spans {
		g.cells = append(g.cells, g.text[s.start:s.end:s.end])
	}
	return gridRow{number: g.number, cells: g.cells, own: len(g.cells), raw: g.text, fault: g.fault, tooLong: tooLong}, nil
}

// cell reads the cell that has just begun.
func (g *grid) cell(e xml.StartElement) error {
	g.column++
	style, kind := 0, ""
	for _, a := range e.Attr {
		switch a.Name.Local {
		case "r":
			column, _, ok := parseRef(a.Value)
			if !ok {
				return fmt.Errorf("a cell has the reference %q", a.Value)
			}
			g.column = column
		case "s":
			style, _ = strconv.Atoi(a.Value)
		case "t":
			kind = a.Value
		}
	}
	if g.column >= table.MaxColumns {
		return fmt.Errorf("a row has more than %d cells", table.MaxColumns)
	}
	start := len(g.text)
	if err := g.content(kind, style); err != nil {
		return err
	}
	if len(g.text) > maxRowBytes {
		return errRowBound
	}
	for len(g.spans) <= g.column && len(g.text) > start {
		g.spans = append(g.spans, span{})
	}
	if len(g.text) > start {
		g.spans[g.column] = span{start, len(g.text)}
	}
	return nil
}

// content reads a cell's children and appends its text.
func (g *grid) content(kind string, style int) error {
	g.raw = g.raw[:0]
	for inside := g.m.depth; g.m.depth >= inside; {
		token, err := g.m.next()
		if err != nil {
			return err
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "v":
			g.raw, err = g.m.text(g.raw)
		case "is":
			g.text, err = richText(g.m, g.text)
		default:
			err = g.m.skip()
		}
		if err != nil {
			return err
		}
	}
	return g.value(kind, style)
}

// value appends the text of a cell whose stored value is g.raw, as a person sees it.
func (g *grid) value(kind string, style int) (err error) {
	if len(g.raw) == 0 {
		return nil
	}
	raw := bytes.TrimSpace(g.raw)
	switch kind {
	case "s":
		if g.text, err = g.strings.append(g.text, string(raw)); errors.Is(err, errNoString) {
			g.fault, err = fmt.Sprintf("column %s: %v", columnName(g.column), err), nil
		}
		return err
	case "str", "inlineStr":
		start := len(g.text)
		g.text = unescape(append(g.text, g.raw...), start)
	case "b":
		if string(raw) == "0" {
			g.text = append(g.text, "FALSE"...)
		} else {
			g.text = append(g.text, "TRUE"...)
		}
	case "e", "d":
		g.text = append(g.text, raw...)
	default:
		g.text = g.formats.Append(g.text, style, raw)
	}
	return nil
}
