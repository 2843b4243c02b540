package workbook

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"docbatch/pipeline/extract/pack"
	"docbatch/pipeline/extract/workbook/grid"
)

// A sheetReader reads one sheet.
type sheetReader struct {
	*book
	ctx     context.Context
	sheet   sheet
	titled  bool
	grid    *grid.Grid
	notes   map[cellRef]string
	row     int // of the row that was read last
	column  int // of the cell that was read last
	raw     []byte
	margins []string
}

// A cellRef is the place of a cell, from 1.
type cellRef struct{ row, column int }

func (b *book) readSheet(ctx context.Context, s sheet) error {
	if !b.archive.Has(s.part) || s.part == "" {
		b.damaged = true
		b.content.Warn(fmt.Sprintf("the part of the sheet %q is missing", s.name))
		return nil
	}
	if b.seen[s.part] {
		return nil
	}
	b.seen[s.part] = true
	r := &sheetReader{book: b, ctx: ctx, sheet: s, grid: grid.New(b.out, b.file.Bounds.Text)}
	rels := b.relations(s.part)
	notes, err := b.readNotes(rels)
	if err != nil {
		return err
	}
	r.notes = notes
	if err := b.check(s.part, b.archive.Walk(s.part, r.element)); err != nil {
		return err
	}
	r.grid.Flush()
	r.leftNotes()
	r.writeMargins()
	for _, drawing := range rels.kinds["drawing"] {
		if err := r.drawing(drawing); err != nil {
			return err
		}
	}
	for _, part := range slices.Concat(rels.kinds["package"], rels.kinds["oleObject"]) {
		if err := b.within.Write(ctx, b.out, part); err != nil {
			return err
		}
	}
	return b.out.Err()
}

// title writes the sheet's heading before the first thing that is in it.
func (r *sheetReader) title() {
	if r.titled {
		return
	}
	r.titled = true
	r.out.Break()
	r.out.WriteString("## " + strings.Join(strings.Fields(r.sheet.name), " "))
	if r.sheet.hidden {
		r.out.WriteString(" (hidden)")
	}
	r.out.WriteString("\n\n")
}

func (r *sheetReader) element(d *pack.Decoder, n *pack.Node) (bool, error) {
	if name, ok := margins[n.Name]; ok {
		return true, r.margin(d, name)
	}
	if n.Name != "x:row" {
		return false, nil
	}
	if err := r.ctx.Err(); err != nil {
		return false, err
	}
	r.row, r.column = number(n.Attr("r"), r.row+1), 0
	return true, d.Children(func(n *pack.Node) error {
		if n.Name != "x:c" {
			return nil
		}
		return r.cell(d, n)
	})
}

// cell reads a cell and adds it to the grid.
func (r *sheetReader) cell(d *pack.Decoder, n *pack.Node) error {
	r.column++
	if ref, ok := parseRef(n.Attr("r")); ok {
		r.column = ref.column
	}
	text, err := r.value(d, n)
	if err != nil {
		return err
	}
	ref := cellRef{r.row, r.column}
	if note, ok := r.notes[ref]; ok {
		delete(r.notes, ref)
		text = strings.TrimSpace(text + " " + note)
	}
	if strings.TrimSpace(text) != "" {
		r.title()
	}
	return r.grid.Add(r.row, r.column, text)
}

// value reads the text of a cell as a person sees it.
func (r *sheetReader) value(d *pack.Decoder, n *pack.Node) (string, error) {
	var stored, rich, formula string
	err := d.Children(func(n *pack.Node) (err error) {
		switch n.Name {
		case "x:v":
			stored, err = d.Text()
		case "x:is":
			rich, err = richText(d)
		case "x:f":
			formula, err = d.Text()
		}
		return err
	})
	switch {
	case err != nil:
		return "", err
	case rich != "":
		return rich, nil
	case stored != "":
		return r.show(n.Attr("t"), n.Attr("s"), stored), nil
	case formula != "":
		return "=" + formula, nil
	}
	return "", nil
}

// show gives what is stored in a cell of a kind and a style as it is shown.
func (r *sheetReader) show(kind, style, stored string) string {
	switch kind {
	case "s":
		return r.strings.at(number(strings.TrimSpace(stored), -1))
	case "str", "inlineStr":
		return unescape(stored)
	case "b":
		return strings.ToUpper(strconv.FormatBool(isTrue(stored)))
	case "e", "d":
		return stored
	}
	r.raw = r.formats.Append(r.raw[:0], number(style, 0), []byte(strings.TrimSpace(stored)))
	return string(r.raw)
}

// leftNotes writes the comments on cells that there are none of.
func (r *sheetReader) leftNotes() {
	refs := slices.SortedFunc(maps.Keys(r.notes), func(a, b cellRef) int {
		if a.row != b.row {
			return a.row - b.row
		}
		return a.column - b.column
	})
	for _, ref := range refs {
		r.title()
		r.out.Printf("%s: %s\n", grid.Ref(ref.row, ref.column), r.notes[ref])
	}
}

// number reads a number that is not negative; what is none is otherwise.
func number(s string, otherwise int) int {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return int(n)
	}
	return otherwise
}

// parseRef reads "B3".
func parseRef(s string) (cellRef, bool) {
	var ref cellRef
	for len(s) > 0 && s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z' && ref.column <= grid.MaxColumns {
		ref.column = ref.column*26 + int(s[0]|0x20-'a') + 1
		s = s[1:]
	}
	row, err := strconv.Atoi(s)
	ref.row = row
	return ref, err == nil && row >= 1 && row <= grid.MaxRows && ref.column >= 1 && ref.column <= grid.MaxColumns
}
