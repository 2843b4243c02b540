// Package csv writes records as CSV (RFC 4180): comma, CRLF, quotes where they are needed, UTF-8, a header line. No cell can
// become a formula (see Neutral).
//
// There is no byte order mark: to most programs it would be part of the first column's name. Excel takes such a file for
// Windows-1252 when it is double-clicked; for Excel there is the xlsx sink.
package csv

import (
	"errors"
	"io"
	"strings"

	"docbatch/pipeline"
	"docbatch/sinks/output"
	"docbatch/sinks/table"
)

// A Sink writes records to one file or stream.
type Sink struct {
	out   output.Writer
	table *table.Table
	cells []string
	line  []byte
}

var _ pipeline.Sink = (*Sink)(nil)

// Open begins a file with the original columns fields; see output.Open for what happens to an old one.
func Open(path string, fields []string) (*Sink, error) {
	f, err := output.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := begin(f, fields)
	if err != nil {
		return nil, errors.Join(err, f.Discard())
	}
	return s, nil
}

// New begins a stream on w with the original columns fields. Commit flushes it and leaves w open.
func New(w io.Writer, fields []string) (*Sink, error) {
	return begin(output.NewStream(w), fields)
}

func begin(out output.Writer, fields []string) (*Sink, error) {
	s := &Sink{out: out, table: table.New(fields)}
	return s, s.writeLine(s.table.Header())
}

// Write adds the record as one line; a field that is no column is left out.
func (s *Sink) Write(rec *pipeline.Record) error {
	s.cells = s.table.AppendCells(s.cells[:0], rec)
	return s.writeLine(s.cells)
}

// Commit puts the file in its place, or flushes the stream.
func (s *Sink) Commit() error { return s.out.Commit() }

// Discard drops what was written; of a stream, what was not sent yet.
func (s *Sink) Discard() error { return s.out.Discard() }

func (s *Sink) writeLine(cells []string) error {
	for i, cell := range cells {
		if i > 0 {
			s.line = append(s.line, ',')
		}
		s.line = appendCell(s.line, Neutral(table.Clean(cell)))
	}
	s.line = append(s.line, "\r\n"...)
	_, err := s.out.Write(s.line)
	s.line = s.line[:0]
	return err
}

// appendCell is here because encoding/csv with CRLF also changes the line ends within a cell: an answer is kept as it is.
func appendCell(line []byte, cell string) []byte {
	if !needsQuotes(cell) {
		return append(line, cell...)
	}
	line = append(line, '"')
	for {
		before, after, found := strings.Cut(cell, `"`)
		line = append(line, before...)
		if !found {
			return append(line, '"')
		}
		line = append(line, `""`...)
		cell = after
	}
}

// needsQuotes quotes outer blanks too: many readers would cut them.
func needsQuotes(cell string) bool {
	if cell == "" {
		return false
	}
	first, last := cell[0], cell[len(cell)-1]
	return first == ' ' || last == ' ' || first == '\t' || last == '\t' || strings.ContainsAny(cell, "\",\r\n")
}
