// Package xlsx writes records as an Excel workbook. Every cell is a string: 007 and 2026-01-02 stay what they are, and a
// formula is a text. The sheets are called "results", "results 2" …: a new one begins where Excel's limit of 1,048,576
// rows, or that of 4 GiB a part of the archive, is reached. Each has the header in bold, frozen, with filters.
//
// Memory does not grow with the number of records: excelize keeps a sheet's rows in a file of a scratch folder beside the
// output, and the archive goes straight to the output. While it is written, the disk holds the uncompressed rows as well.
package xlsx

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"github.com/xuri/excelize/v2"

	"docbatch/pipeline"
	"docbatch/sinks/output"
	"docbatch/sinks/table"
)

// What Excel can hold.
const (
	maxColumns    = excelize.MaxColumns
	maxRows       = excelize.TotalRows // of a sheet, the header included
	maxSheetBytes = 4<<30 - 64<<20     // of a sheet's XML: above, archive/zip writes headers that Excel calls damaged
)

var errClosed = errors.New("the output was already closed")

// A Sink writes records to one workbook.
type Sink struct {
	path  string
	out   *output.File
	table *table.Table
	book  *excelize.File
	look  look

	sheet  *excelize.StreamWriter // the sheet being written; nil before the first
	sheets int                    // begun so far
	rows   int                    // in the sheet being written, the header included
	bytes  int64                  // upper bound of its XML

	cells  []string
	values []any
	sample sample

	maxRows  int
	maxBytes int64
}

var _ pipeline.Sink = (*Sink)(nil)

// Open begins a workbook with the original columns fields; see output.Open for what happens to an old one. It is an error
// where a sheet can't hold that many columns.
func Open(path string, fields []string) (*Sink, error) {
	t := table.New(fields)
	if n := len(t.Header()); n > maxColumns {
		return nil, fmt.Errorf("open %s: %d columns are more than the %d that a sheet can hold: use .csv or .jsonl", path, n, maxColumns)
	}
	out, err := output.Open(path)
	if err != nil {
		return nil, err
	}
	s := &Sink{path: path, out: out, table: t, maxRows: maxRows, maxBytes: maxSheetBytes}
	if err := s.begin(); err != nil {
		return nil, errors.Join(err, out.Discard())
	}
	return s, nil
}

func (s *Sink) begin() error {
	dir, err := s.out.Scratch()
	if err != nil {
		return err
	}
	s.book = excelize.NewFile(excelize.Options{TmpDir: dir})
	// excelize would build the whole archive in memory; this way it goes to the output piece by piece.
	s.book.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(s.out) })
	s.look, err = newLook(s.book, s.table.Header())
	return s.wrap(err)
}

// Write adds the record as one row; a field that is no column is left out. The first rows are held back, to learn how
// wide the columns should be.
func (s *Sink) Write(rec *pipeline.Record) error {
	if s.book == nil {
		return s.wrap(errClosed)
	}
	s.cells = s.table.AppendCells(s.cells[:0], rec)
	for i, cell := range s.cells {
		s.cells[i] = fit(cell)
	}
	if s.sheet != nil {
		return s.wrap(s.writeRow(s.cells))
	}
	if s.sample.add(s.cells) {
		return nil
	}
	return s.wrap(s.writeSample())
}

// writeSample begins the first sheet and writes what was held back.
func (s *Sink) writeSample() error {
	s.look.measure(s.sample.rows)
	if err := s.nextSheet(); err != nil {
		return err
	}
	for _, cells := range s.sample.rows {
		if err := s.writeRow(cells); err != nil {
			return err
		}
	}
	s.sample = sample{}
	return nil
}

func (s *Sink) writeRow(cells []string) error {
	size := xmlBytes(cells)
	if s.rows >= s.maxRows || s.bytes+size > s.maxBytes {
		if err := s.endSheet(); err != nil {
			return err
		}
		if err := s.nextSheet(); err != nil {
			return err
		}
	}
	s.values = s.look.appendRow(s.values[:0], cells)
	return s.setRow(s.values, size, s.look.rowOpts(cells))
}

func (s *Sink) setRow(values []any, size int64, opts excelize.RowOpts) error {
	s.rows++
	s.bytes += size
	return s.sheet.SetRow("A"+strconv.Itoa(s.rows), values, opts)
}

// nextSheet begins a sheet with its header.
func (s *Sink) nextSheet() error {
	s.sheets++
	name, err := s.addSheet()
	if err != nil {
		return err
	}
	if s.sheet, err = s.book.NewStreamWriter(name); err != nil {
		return err
	}
	if err := s.look.dress(s.sheet); err != nil {
		return err
	}
	s.rows, s.bytes = 0, 0
	header := s.look.headerRow()
	return s.setRow(header, xmlBytes(s.table.Header()), excelize.RowOpts{})
}

// addSheet adds an empty sheet; a new workbook of excelize has one already.
func (s *Sink) addSheet() (string, error) {
	if s.sheets == 1 {
		return sheetName(1), s.book.SetSheetName(s.book.GetSheetName(0), sheetName(1))
	}
	name := sheetName(s.sheets)
	_, err := s.book.NewSheet(name)
	return name, err
}

func sheetName(n int) string {
	if n == 1 {
		return "results"
	}
	return "results " + strconv.Itoa(n)
}

// endSheet finishes the sheet being written.
func (s *Sink) endSheet() error {
	last, err := excelize.CoordinatesToCellName(len(s.table.Header()), s.rows)
	if err != nil {
		return err
	}
	if err := s.book.AutoFilter(s.sheet.Sheet, "A1:"+last, nil); err != nil {
		return err
	}
	// Without this Excel puts a green corner on every number, as a warning that it is a text.
	if err := s.book.AddIgnoredErrors(s.sheet.Sheet, "A1:"+last, excelize.IgnoredErrorsNumberStoredAsText); err != nil {
		return err
	}
	return s.sheet.Flush()
}

// Commit writes the workbook and puts it in its place.
func (s *Sink) Commit() error {
	if s.book == nil {
		return s.out.Commit()
	}
	if err := s.finish(); err != nil {
		return errors.Join(s.wrap(err), s.Discard())
	}
	// The archive goes to s.out, see begin; the errors of that name the file already.
	if err := s.book.Write(io.Discard); err != nil {
		return errors.Join(err, s.Discard())
	}
	if err := s.closeBook(); err != nil {
		return errors.Join(s.wrap(err), s.out.Discard())
	}
	return s.out.Commit()
}

// finish ends the last sheet.
func (s *Sink) finish() error {
	if s.sheet == nil {
		if err := s.writeSample(); err != nil {
			return err
		}
	}
	return s.endSheet()
}

// Discard drops what was written.
func (s *Sink) Discard() error {
	if s.book == nil {
		return s.out.Discard()
	}
	return errors.Join(s.wrap(s.closeBook()), s.out.Discard())
}

// closeBook removes excelize's temporary files.
func (s *Sink) closeBook() error {
	err := s.book.Close()
	s.book = nil
	return err
}

// wrap names the output; the name of a file in the scratch folder would tell a person nothing.
func (s *Sink) wrap(err error) error {
	if err == nil {
		return nil
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return fmt.Errorf("write %s: %w", s.path, err)
}
