// Package xlsx is the source of rows in a sheet of an XLSX workbook. It streams: memory does not depend on the number of rows, and
// what the workbook unpacks to is bounded.
//
// Values are what a person sees in Excel: dates, percentages and currencies as they are formatted, TRUE and FALSE, formulas by their
// last result, #N/A. Where a format follows the country of whoever looks (a date of Excel's format "short date"), it is
// written in the order of ISO 8601; otherwise names and separators are English, as in an English Excel.
//
// Each cell of a merged range has the range's value, since that is what a person reads beside each of its rows. Rows without a value are
// passed over and the others keep the numbers that Excel shows. Hidden rows and columns are read like others.
package xlsx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/workbook/numfmt"
	"docbatch/sources/pathname"
	"docbatch/sources/table"
)

// lookAhead is how many rows are looked at for columns that the header has no name for.
const lookAhead = 1000

// The bounds on what the rows of a sheet may come to: a text that many cells share is in the file once, and an empty cell not at all.
const (
	rowsFreeBytes = 1 << 30 // under which the ratio does not matter
	maxRowsRatio  = 250     // all rows to the size of the file
	fieldBytes    = 32      // of a field beside its value
)

// Options say which sheet is read, and how.
type Options struct {
	Name      string // name of the source; "" for the file's name
	Path      string // the file; a regular one, or a link to one
	Key       string // column whose value is the ID; "" for an ID made of the row's values
	Text      string // column that is the document's text; "" for all columns
	Sheet     string // the sheet's name, or its number from 1; "" for the first visible one
	NoHeader  bool   // the first row is data: the columns are col_1, col_2 …
	HeaderRow int    // the header's row number from 1; rows above it are passed over; 0 for the first row with a value
}

// A Source lists the rows of a sheet. Their IDs are those of table.List.
//
// It has as many columns as the header or, where the 1,000 rows after it go further, as those; their names are then col_8
// and so on. A short row is filled up with empty values; a row with a value further right fails, since no column is there for it.
//
// The file is held open: one that is replaced by another of its name is read to its end. A List that finds it changed ends
// with an error, and so does one that meets broken XML, naming the row, after the rows before it.
type Source struct {
	opts    Options
	path    string // the file's path, for people
	file    string // the file's name, for people
	info    fs.FileInfo
	archive *archive
	book    *workbook
	sheet   sheet
	strings *sharedStrings
	merged  []merged
	header  int // number of the header's row; 0 without one
	table   *table.Table
}

var _ pipeline.Source = (*Source)(nil)

// Open reads all of a workbook but the rows: it unpacks the sheet once, to see that the archive is whole and which cells are
// merged, and once more with a key column, to see that no key is there twice. A sheet with a header and no rows is no
// error, one without any value is. Errors are of class Fatal, or ctx's.
func Open(ctx context.Context, opts Options) (_ *Source, err error) {
	s := &Source{opts: opts, path: pathname.Display(opts.Path), file: pathname.Escape(filepath.Base(opts.Path))}
	if opts.Name == "" {
		s.opts.Name = s.file
	}
	if opts.HeaderRow < 0 || opts.HeaderRow > maxRows || opts.NoHeader && opts.HeaderRow > 0 {
		return nil, fault(pipeline.KindRead, "open %s: row %d can't be the header", s.path, opts.HeaderRow)
	}
	f, err := table.OpenFile(opts.Path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
			s.closeStrings()
		}
	}()
	s.info = f.Info
	if s.archive, err = openArchive(f); err != nil {
		return nil, err
	}
	if err := s.readParts(ctx); err != nil {
		return nil, err
	}
	if err := s.readHeader(ctx); err != nil {
		return nil, err
	}
	if err := s.table.CheckKeys(ctx, func() iter.Seq2[table.Row, error] { return s.rows(ctx) }); err != nil {
		return nil, err
	}
	return s, nil
}

// readParts reads what is needed before the cells.
func (s *Source) readParts(ctx context.Context) (err error) {
	if s.book, err = readWorkbook(s.archive); err != nil {
		return err
	}
	if s.sheet, err = s.book.find(s.path, s.opts.Sheet); err != nil {
		return err
	}
	s.strings = &sharedStrings{}
	if s.book.strings != "" {
		err := s.part(ctx, s.book.strings, func(in io.Reader) (err error) {
			s.strings, err = readStrings(ctx, in)
			return err
		})
		if err != nil {
			return err
		}
	}
	return s.part(ctx, s.sheet.part, func(in io.Reader) (err error) {
		s.merged, err = readMerged(ctx, in)
		return err
	})
}

// part opens a part for read and says what its error means.
func (s *Source) part(ctx context.Context, name string, read func(io.Reader) error) error {
	in, err := s.archive.open(name, maxPartBytes)
	if err != nil {
		return err
	}
	defer in.Close()
	err = read(in)
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return table.ReadError("read", s.path, err)
	}
	if err != nil && ctx.Err() == nil {
		return fault(pipeline.KindDamaged, "open %s: the workbook is damaged: %s: %w", s.path, pathname.Escape(name), err)
	}
	return err
}

// readHeader finds the header and how many columns there are.
func (s *Source) readHeader(ctx context.Context) error {
	var header [][]byte
	width, rows := 0, 0
	for row, err := range s.grid(ctx, s.mergedWidth()) {
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			break // List says so, after the rows before it
		}
		switch {
		case s.header == 0 && s.isHeader(row.number):
			if row.fault != "" {
				return fault(pipeline.KindDamaged, "%s row %d: %s", s.file, row.number, row.fault)
			}
			s.header = row.number
			for _, c := range row.cells {
				header = append(header, slices.Clone(c))
			}
		case s.header > 0 || s.opts.NoHeader:
			width = max(width, row.own)
			rows++
		}
		if rows == lookAhead {
			break
		}
	}
	if s.header == 0 && rows == 0 {
		return s.noHeader()
	}
	return s.setColumns(header, max(width, filled(header)))
}

func (s *Source) isHeader(number int) bool {
	return !s.opts.NoHeader && (s.opts.HeaderRow == 0 || s.opts.HeaderRow == number)
}

func (s *Source) noHeader() error {
	if s.opts.HeaderRow > 0 {
		return fault(pipeline.KindRead, "open %s: row %d of sheet %q is empty: there is no header", s.path, s.opts.HeaderRow, s.sheet.name)
	}
	return fault(pipeline.KindRead, "open %s: sheet %q is empty%s", s.path, s.sheet.name, s.book.shown())
}

func (s *Source) setColumns(header [][]byte, width int) error {
	names := make([]string, width)
	for i := range min(width, len(header)) {
		names[i] = string(header[i])
	}
	names, err := table.Names(names)
	if err != nil {
		return fault(pipeline.KindRead, "%s row %d: %w", s.file, s.header, err)
	}
	s.table, err = table.New(names, table.Options{Source: s.opts.Name, File: s.file, Unit: "row", Key: s.opts.Key, Text: s.opts.Text})
	return err
}

// mergedWidth is how far merged ranges go.
func (s *Source) mergedWidth() int {
	width := 0
	for _, m := range s.merged {
		width = max(width, m.right+1)
	}
	return width
}

// filled is the number of cells to the last one with a value.
func filled(cells [][]byte) int {
	n := len(cells)
	for n > 0 && len(cells[n-1]) == 0 {
		n--
	}
	return n
}

// Name is Options.Name.
func (s *Source) Name() string { return s.opts.Name }

// Columns are the header's names, made unique; see table.Names.
func (s *Source) Columns() []string { return s.table.Columns() }

// List implements pipeline.Source. Each call unpacks the sheet anew.
func (s *Source) List(ctx context.Context) iter.Seq2[pipeline.Ref, error] {
	return s.table.List(s.rows(ctx))
}

// Open implements pipeline.Source: all is in the ref.
func (s *Source) Open(ctx context.Context, ref pipeline.Ref) (*pipeline.Document, error) {
	return s.table.Document(ctx, ref, s.opts.Path)
}

// Close closes the file and removes the temporary one of a workbook with much text.
func (s *Source) Close() error {
	return errors.Join(s.archive.file.Close(), s.closeStrings())
}

func (s *Source) closeStrings() error {
	if s.strings == nil {
		return nil
	}
	return s.strings.close()
}

// rows reads the sheet's rows after the header.
func (s *Source) rows(ctx context.Context) iter.Seq2[table.Row, error] {
	return func(yield func(table.Row, error) bool) {
		width := len(s.table.Columns())
		left := max(rowsFreeBytes, maxRowsRatio*s.info.Size())
		for row, err := range s.grid(ctx, width) {
			if left -= row.size(width); err == nil && left < 0 {
				err = fault(pipeline.KindTooLarge, "read %s: the rows to row %d, of %d columns each, come to over %d times the size of the file: "+
					"look for a value far to the right, or a long text that many cells share", s.path, row.number, width, maxRowsRatio)
			}
			if err != nil {
				yield(table.Row{}, err)
				return
			}
			if row.number > s.header && !yield(s.row(row), nil) {
				return
			}
		}
	}
}

// size is how much a row of so many columns takes in a ref.
func (r *gridRow) size(width int) int64 {
	n := int64(width) * fieldBytes
	for _, c := range r.cells {
		n += int64(len(c))
	}
	return n
}

func (s *Source) row(row gridRow) table.Row {
	width := len(s.table.Columns())
	if row.fault == "" && row.own > width {
		row.fault = fmt.Sprintf("there is a value in column %s, and the columns end at %s", columnName(row.own-1), columnName(width-1))
	}
	if row.fault == "" {
		return table.Row{Number: row.number, Cells: row.cells[:width]}
	}
	kind := pipeline.KindDamaged
	if row.tooLong {
		kind = pipeline.KindTooLarge
	}
	err := pipeline.Errorf(pipeline.Invalid, kind, "%s row %d: %s", s.file, row.number, row.fault)
	return table.Row{Number: row.number, Err: err, Raw: row.raw}
}

// grid reads all rows with a value, each with at least width cells and merged ranges filled.
func (s *Source) grid(ctx context.Context, width int) iter.Seq2[gridRow, error] {
	return func(yield func(gridRow, error) bool) {
		in, err := s.openSheet()
		if err != nil {
			yield(gridRow{}, err)
			return
		}
		defer in.Close()
		g := newGrid(in, s.strings, numfmt.New(s.book.codes, s.book.date1904, 0))
		merged := filler{waiting: s.merged}
		for {
			row, err := g.next()
			if err == io.EOF {
				break
			}
			if err = s.gridError(ctx, err); err != nil {
				yield(gridRow{}, err)
				return
			}
			for len(row.cells) < width {
				row.cells = append(row.cells, nil)
			}
			merged.fill(row.number, row.cells)
			if !yield(row, nil) {
				return
			}
		}
		if err := s.archive.file.Unchanged(s.info); err != nil {
			yield(gridRow{}, err)
		}
	}
}

func (s *Source) openSheet() (io.ReadCloser, error) {
	if err := s.archive.file.Unchanged(s.info); err != nil {
		return nil, err
	}
	return s.archive.open(s.sheet.part, maxPartBytes)
}

// gridError says what an error of a grid means; ctx's comes first.
func (s *Source) gridError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return table.ReadError("read", s.path, err)
	}
	if err != nil {
		return fault(pipeline.KindDamaged, "read %s: sheet %q is damaged %w", s.path, s.sheet.name, err)
	}
	return nil
}
