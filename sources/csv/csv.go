// Package csv is the source of rows in a text file with delimiters: comma, semicolon, tab, pipe or another.
//
// What is broken in such a file is broken in one row: a row with the wrong number of columns or with wrong quotes is listed with its error,
// and the rows after it are read as if it were not there. The package writes nothing; sinks/csv does.
package csv

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"io/fs"
	"iter"
	"path/filepath"

	"docbatch/pipeline"
	"docbatch/pipeline/charset"
	"docbatch/sources/pathname"
	"docbatch/sources/table"
)

// Options say which file is read, and how.
type Options struct {
	Name      string // name of the source; "" for the file's name
	Path      string // the file; a regular one, or a link to one
	Key       string // column whose value is the ID; "" for an ID made of the row's values
	Text      string // column that is the document's text; "" for all columns
	NoHeader  bool   // the first row is data: the columns are col_1, col_2 …
	Delimiter rune   // what is between two values; 0: found from the file
}

// A Source lists the rows of a file.
//
// A row's number is that of its first line in the file, as an editor shows it: a value with line breaks makes the numbers jump. The
// IDs are those of table.List. A row in which every value is empty is no document.
//
// The file must stay as it was at Open. A List that finds it changed, or changed while it was read, ends with an error; one that is
// replaced by another of its name while it is read is read to its end.
type Source struct {
	opts    Options
	path    string      // the file's path, for people
	file    string      // the file's name, for people
	info    fs.FileInfo // as it was at Open
	layout  layout
	columns int
	table   *table.Table
}

var _ pipeline.Source = (*Source)(nil)

// Open finds the encoding, the delimiter and the columns of a file. With a key column it reads the whole file to see that no
// key is there twice. A file without rows is no error, one without a header is. Errors are of class Fatal, or ctx's.
func Open(ctx context.Context, opts Options) (*Source, error) {
	s := &Source{opts: opts, path: pathname.Display(opts.Path), file: pathname.Escape(filepath.Base(opts.Path))}
	if opts.Name == "" {
		s.opts.Name = s.file
	}
	if opts.Delimiter != 0 && !validDelimiter(opts.Delimiter) {
		return nil, fatal("open %s: %q can't be a delimiter", s.path, opts.Delimiter)
	}
	f, err := table.OpenFile(opts.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s.info = f.Info
	if err := s.inspect(f); err != nil {
		return nil, err
	}
	if err := s.table.CheckKeys(ctx, func() iter.Seq2[table.Row, error] { return s.rows(ctx) }); err != nil {
		return nil, err
	}
	return s, nil
}

// inspect reads the front of the file: layout and columns.
func (s *Source) inspect(f io.Reader) error {
	raw := bufio.NewReaderSize(f, sampleBytes)
	front, err := raw.Peek(sampleBytes)
	if err != nil && err != io.EOF {
		return table.ReadError("open", s.path, err)
	}
	if charset.IsBinary(front) {
		return fatal("open %s: it is not a text file", s.path)
	}
	text, _, err := charset.NewReader(raw)
	if err != nil {
		return table.ReadError("open", s.path, err)
	}
	sample := bufio.NewReaderSize(text, sampleBytes)
	decoded, err := sample.Peek(sampleBytes)
	if err != nil && err != io.EOF {
		return table.ReadError("open", s.path, err)
	}
	s.layout = detect(s.opts.Path, decoded, err == io.EOF, s.opts.Delimiter)
	return s.header(newReader(sample, s.layout.delimiter, s.layout.eol))
}

// header reads the columns from the first record.
func (s *Source) header(r *reader) error {
	rec, err := s.first(r)
	if err == io.EOF {
		return fatal("open %s: it is empty: there is no header", s.path)
	}
	if err != nil {
		return table.ReadError("open", s.path, err)
	}
	if rec.fault != "" {
		return fatal("%s line %d: %s", s.file, rec.line, rec.fault)
	}
	if rec.columns > table.MaxColumns {
		return fatal("%s line %d: over the bound of %d columns", s.file, rec.line, table.MaxColumns)
	}
	names := make([]string, rec.columns)
	if !s.opts.NoHeader {
		for i, c := range rec.cells {
			names[i] = string(c)
		}
	}
	if names, err = table.Names(names); err != nil {
		return fatal("%s line %d: %w", s.file, rec.line, err)
	}
	s.columns = rec.columns
	s.table, err = table.New(names, table.Options{Source: s.opts.Name, File: s.file, Unit: "line", Key: s.opts.Key, Text: s.opts.Text})
	return err
}

// first reads the first record after the line that names the delimiter.
func (s *Source) first(r *reader) (record, error) {
	if s.layout.sepLine {
		r.delimiter = nil
		if _, err := r.next(); err != nil {
			return record{}, err
		}
		r.delimiter = s.layout.delimiter
	}
	return r.next()
}

// Name is Options.Name.
func (s *Source) Name() string { return s.opts.Name }

// Columns are the header's names, made unique; see table.Names.
func (s *Source) Columns() []string { return s.table.Columns() }

// List implements pipeline.Source. Each call reads the file from its front.
func (s *Source) List(ctx context.Context) iter.Seq2[pipeline.Ref, error] {
	return s.table.List(s.rows(ctx))
}

// Open implements pipeline.Source: all is in the ref.
func (s *Source) Open(ctx context.Context, ref pipeline.Ref) (*pipeline.Document, error) {
	return s.table.Document(ctx, ref, s.opts.Path)
}

// Close implements pipeline.Source. A Source holds nothing open.
func (s *Source) Close() error { return nil }

// rows reads the file's rows. They end with an error where the file can't be read on or is not the one that Open saw.
func (s *Source) rows(ctx context.Context) iter.Seq2[table.Row, error] {
	return func(yield func(table.Row, error) bool) {
		f, err := table.OpenFile(s.opts.Path)
		if err != nil {
			yield(table.Row{}, err)
			return
		}
		defer f.Close()
		more, err := s.read(ctx, f, func(row table.Row) bool { return yield(row, nil) })
		if more && err != nil {
			yield(table.Row{}, err)
		}
	}
}

// read hands the rows of f to yield until that returns false, and then returns false too.
func (s *Source) read(ctx context.Context, f *table.File, yield func(table.Row) bool) (more bool, err error) {
	if err := f.Unchanged(s.info); err != nil {
		return true, err
	}
	text, _, err := charset.NewReader(f)
	if err != nil {
		return true, table.ReadError("read", s.path, err)
	}
	r := newReader(text, s.layout.delimiter, s.layout.eol)
	rec, err := s.first(r)
	r.want, r.wantBy = s.columns, "the header has"
	if s.opts.NoHeader {
		r.wantBy = "the first row has"
	} else if err == nil {
		rec, err = r.next()
	}
	for ; err == nil; rec, err = r.next() {
		if err := ctx.Err(); err != nil {
			return true, err
		}
		if !yield(s.row(rec)) {
			return false, nil
		}
	}
	if err != io.EOF {
		return true, table.ReadError("read", s.path, err)
	}
	return true, f.Unchanged(s.info)
}

func (s *Source) row(rec record) table.Row {
	row := table.Row{Number: rec.line, Cells: rec.cells}
	if rec.fault != "" {
		kind := pipeline.KindDamaged
		if rec.tooLong {
			kind = pipeline.KindTooLarge
		}
		row.Raw = bytes.TrimRight(rec.raw, "\r\n") // not its line end: the last line of a file may have none
		row.Err = pipeline.Errorf(pipeline.Invalid, kind, "%s line %d: %s", s.file, rec.line, rec.fault)
	}
	return row
}

// fatal is an error of the file as a whole.
func fatal(format string, args ...any) error {
	return pipeline.Errorf(pipeline.Fatal, pipeline.KindRead, format, args...)
}
