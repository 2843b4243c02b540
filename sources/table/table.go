// Package table holds what the rows of a CSV file and of a spreadsheet have in common: how their columns are named, what a
// row's ref is, and how a row becomes a document.
//
// It knows no format: sources/csv and sources/xlsx read the rows and hand them over.
package table

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"iter"
	"strconv"
	"strings"

	"docbatch/pipeline"
	"docbatch/sources/pathname"
)

// MaxColumns bounds the columns of a table; it is what a spreadsheet can have.
const MaxColumns = 16384

// maxKeyBytes bounds a key, which is stored and printed as the ID.
const maxKeyBytes = 1024

// stampBytes is how much of a SHA-256 makes a row's stamp: for 1,000,000 rows the chance of a clash is below 1 in 10^16.
const stampBytes = 12

// idBytes is how much of the SHA-256 of a row's content makes its ID where there is no key column. Two rows for which it is the same
// count as equal: in 1 of 37,000,000 files of 1,000,000 different rows there are such.
const idBytes = 8

// Options say what a table is and how its rows become documents.
type Options struct {
	Source string // name of the source that lists the rows
	File   string // the file's name, for people: as pathname.Escape writes it
	Unit   string // what a row's number counts: "line" or "row"
	Key    string // column whose value is the ID; "" for an ID made of the row's content
	Text   string // column that is the document's text; "" for all of them
}

// A Row is one row as a file's reader hands it over. It is valid until the next one is asked for.
type Row struct {
	Number int      // as in Ref.Row
	Cells  [][]byte // UTF-8, as many as there are columns
	Err    *pipeline.Error
	Raw    []byte // with Err: what is there instead of cells, for ID and stamp
}

// Blank reports whether no cell has more than white space in it. Such a row is no document.
func Blank(cells [][]byte) bool {
	for _, c := range cells {
		if len(bytes.TrimSpace(c)) > 0 {
			return false
		}
	}
	return true
}

// A Table turns the rows of one file into refs and documents. List and CheckKeys are used by one goroutine, Document by many.
type Table struct {
	opts    Options
	columns []string
	key     int               // -1: none
	text    int               // -1: all columns
	seed    [sha256.Size]byte // of the names and the text column: a row read in another way is another document

	frame []byte // the row being made, reused
}

// New makes a table of uniquely named columns; see Names. The key and the text column are found by their exact name, or else by
// it in another case; one that is not there is an error that says which are.
func New(columns []string, opts Options) (*Table, error) {
	t := &Table{opts: opts, columns: columns}
	var err error
	if t.key, err = t.find("key", opts.Key); err != nil {
		return nil, err
	}
	if t.text, err = t.find("text", opts.Text); err != nil {
		return nil, err
	}
	frame := binary.AppendVarint(nil, int64(t.text))
	for _, c := range columns {
		frame = appendFramed(frame, c)
	}
	t.seed = sha256.Sum256(frame)
	return t, nil
}

// Columns are the names of the columns, in order.
func (t *Table) Columns() []string { return t.columns }

// List makes refs of rows. It ends with the error with which they end. Without a key column it keeps up to 18 bytes a row.
//
// The ID of a row is its key without white space around it. A key that holds line ends or other controls, which no honest one does, is
// written as pathname.Escape does. A row whose key can't be had, because the row is broken or its key is empty, has "row 17" for its ID.
//
// Without a key column the ID is made of the row's values, or of what is there instead of them in a broken row, and of nothing
// else: 16 hexadecimal digits, and "-2", "-3" … behind them for the second, third … of rows that are equal. So a row that is inserted
// or moved makes no other row a new document, and a column that is renamed makes none.
func (t *Table) List(rows iter.Seq2[Row, error]) iter.Seq2[pipeline.Ref, error] {
	return func(yield func(pipeline.Ref, error) bool) {
		var seen repeats
		for row, err := range rows {
			if err != nil {
				yield(pipeline.Ref{}, err)
				return
			}
			if !yield(t.ref(row, &seen), nil) {
				return
			}
		}
	}
}

// ref makes the ref of a row. It shares no memory with the row, and its ID, name and stamp none with its fields, so that
// who keeps one of them keeps no row.
func (t *Table) ref(row Row, seen *repeats) pipeline.Ref {
	fields := t.content(row)
	content := sha256.Sum256(t.frame)
	t.frame = append(append(t.frame[:0], t.seed[:]...), content[:]...)
	stamp := sha256.Sum256(t.frame)

	own := append(t.frame[:0], t.opts.File...)
	own = append(own, " row "...)
	own = strconv.AppendInt(own, int64(row.Number), 10)
	name := len(own)
	own = hex.AppendEncode(own, stamp[:stampBytes])
	id := len(own)
	fault := row.Err
	if t.key < 0 {
		own = appendID(own, content[:idBytes], seen)
	} else {
		var key []byte
		key, fault = t.keyOf(row)
		own = append(own, key...)
	}
	t.frame = own
	s := string(own)
	return pipeline.Ref{
		Source: t.opts.Source,
		ID:     s[id:],
		Name:   s[:name],
		Stamp:  s[name:id],
		Row:    row.Number,
		Fields: fields,
		Err:    fault,
	}
}

// content puts what the row holds into the frame, so that no two rows that differ give the same bytes: the number of cells and each
// cell behind its length; no cells and what is there instead for a row that is broken, which has no fields. The fields are made of
// one copy of all cells.
func (t *Table) content(row Row) []pipeline.Field {
	if row.Err != nil {
		t.frame = append(binary.AppendUvarint(t.frame[:0], 0), row.Raw...)
		return nil
	}
	t.frame = binary.AppendUvarint(t.frame[:0], uint64(len(t.columns)))
	start := len(t.frame)
	fields := make([]pipeline.Field, len(t.columns))
	for i := range fields {
		t.frame = appendFramed(t.frame, withoutNUL(row.Cells[i]))
	}
	s := string(t.frame[start:])
	at := 0
	for i := range fields {
		n, width := binary.Uvarint(t.frame[start+at:])
		at += width
		fields[i] = pipeline.Field{Name: t.columns[i], Value: s[at : at+int(n)]}
		at += int(n)
	}
	return fields
}

// appendID appends the ID of a row whose content has that hash.
func appendID(b, hash []byte, seen *repeats) []byte {
	b = hex.AppendEncode(b, hash)
	if n := seen.add(binary.BigEndian.Uint64(hash)); n > 1 {
		b = strconv.AppendInt(append(b, '-'), int64(n), 10)
	}
	return b
}

// keyOf is the ID of a row of a table with a key column and what is wrong with the row, if anything. It is valid as long as the row.
func (t *Table) keyOf(row Row) ([]byte, *pipeline.Error) {
	fault := row.Err
	if fault == nil {
		key := oneLine(bytes.TrimSpace(withoutNUL(row.Cells[t.key])))
		if len(key) > 0 && len(key) <= maxKeyBytes {
			return key, nil
		}
		fault = t.keyFault(row.Number, len(key))
	}
	return strconv.AppendInt([]byte("row "), int64(row.Number), 10), fault
}

// oneLine is key so that it can be shown as an ID.
func oneLine(key []byte) []byte {
	if s := string(key); pathname.Controls(s) {
		return []byte(pathname.Escape(s))
	}
	return key
}

func (t *Table) keyFault(number, size int) *pipeline.Error {
	if size == 0 {
		return pipeline.Errorf(pipeline.Invalid, pipeline.KindDamaged, "%s %s %d: the key column %q is empty",
			t.opts.File, t.opts.Unit, number, t.columns[t.key])
	}
	return pipeline.Errorf(pipeline.Invalid, pipeline.KindDamaged, "%s %s %d: the key in column %q has %d bytes, over the bound of %d",
		t.opts.File, t.opts.Unit, number, t.columns[t.key], size, maxKeyBytes)
}

// Document makes the document of a ref that List yielded, in this run or an earlier one; path is the file's.
func (t *Table) Document(ctx context.Context, ref pipeline.Ref, path string) (*pipeline.Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if ref.Err != nil {
		return nil, ref.Err
	}
	text, err := t.documentText(ref)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(text) == "" {
		return nil, pipeline.Errorf(pipeline.Invalid, pipeline.KindNoText, "%s: column %q is empty", ref.Name, t.opts.Text)
	}
	return &pipeline.Document{Ref: ref, Path: path, Text: text}, nil
}

func (t *Table) documentText(ref pipeline.Ref) (string, error) {
	if t.text < 0 {
		return allColumns(ref.Fields), nil
	}
	name := t.columns[t.text]
	for _, f := range ref.Fields {
		if f.Name == name {
			return f.Value, nil
		}
	}
	return "", pipeline.Errorf(pipeline.Invalid, pipeline.KindDamaged,
		"%s: no column %q: the row was listed when the file had other columns", ref.Name, name)
}

// allColumns is a row as text: a line "name: value" for each column.
func allColumns(fields []pipeline.Field) string {
	size := 0
	for _, f := range fields {
		size += len(f.Name) + len(f.Value) + len(": \n")
	}
	var b strings.Builder
	b.Grow(size)
	for _, f := range fields {
		b.WriteString(f.Name)
		b.WriteString(": ")
		b.WriteString(f.Value)
		b.WriteByte('\n')
	}
	return b.String()
}

// appendFramed appends s behind its length, so that no two lists of strings give the same bytes.
func appendFramed[S string | []byte](b []byte, s S) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// withoutNUL drops what a document's text must not have.
func withoutNUL(b []byte) []byte {
	if bytes.IndexByte(b, 0) < 0 {
		return b
	}
	return bytes.ReplaceAll(b, []byte{0}, nil)
}
