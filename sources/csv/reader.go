package csv

import (
	"bytes"
	"fmt"
	"io"

	"docbatch/sources/table"
)

const (
	// maxRecordBytes bounds one record, and so how far a quote may be away from the one that closes it.
	maxRecordBytes = 16 << 20

	// firstBufferBytes is what the reader holds of a file whose records are short.
	firstBufferBytes = 256 << 10

	// creditPerByte bounds the work that broken quotes can cause; see reader.credit.
	creditPerByte = 4
)

// A record is one row as it lies in the file, or one line that is no row. It is valid until the next one is read.
type record struct {
	line    int      // number of its first line
	cells   [][]byte // the values; with a fault what could be told
	columns int      // how many there are; more than len(cells) over table.MaxColumns
	raw     []byte   // its bytes, or of a line that is too long the first of them
	fault   string   // what is wrong with it; "" for a good one
	tooLong bool     // the fault is its size
}

// A reader splits UTF-8 text into records by RFC 4180, with two liberties that real files need: a quote in a value that did not
// begin with one is a letter, and lines end with LF or CRLF (or all with CR). Lines without a value are passed over.
//
// Nothing broken hides what follows: a record whose quotes are wrong counts as its first line only, and reading
// goes on at the line after it. It is written here because encoding/csv reads a quote that is never closed to the end of the file
// and does not say where to go on.
type reader struct {
	in        io.Reader
	delimiter []byte // nil where a line is one column
	eol       byte   // '\n', or '\r' where the file has no other line ends
	want      int    // columns that a record must have; 0 where that is not known yet
	wantBy    string // what says so: "the header has"

	buf      []byte // what was read; buf[pos:] waits
	pos      int
	err      error // of in, io.EOF included; nothing comes after it
	line     int   // number of the line at pos
	cells    [][]byte
	unquoted []byte // values in which quotes were doubled

	// credit is how many bytes may be looked at in vain: for a quote that is not closed everything up to the bound is, and
	// a hostile file has one in each line. It grows with what was read, so that the work stays linear in the file's size.
	credit int
}

func newReader(in io.Reader, delimiter []byte, eol byte) *reader {
	return &reader{in: in, delimiter: delimiter, eol: eol, buf: make([]byte, 0, firstBufferBytes), line: 1, credit: 2 * maxRecordBytes}
}

// next reads one record; io.EOF after the last one. Its other errors are those of the stream.
func (r *reader) next() (record, error) {
	for {
		rec, size, err := r.complete()
		if err != nil {
			return record{}, err
		}
		lines := 1
		if len(rec.raw) == size && rec.fault == "" {
			lines = r.countLines(rec.raw)
		}
		rec.line = r.line
		r.line += lines
		r.pos += size
		r.credit = min(2*maxRecordBytes, r.credit+creditPerByte*size)
		if rec.fault == "" && rec.columns <= table.MaxColumns && table.Blank(rec.cells) {
			continue
		}
		if rec.fault == "" && r.want > 0 && rec.columns != r.want {
			rec.fault = fmt.Sprintf("%s where %s %d", plural(rec.columns, "column"), r.wantBy, r.want)
		}
		return rec, nil
	}
}

// complete finds the record at pos, reading on as far as that takes, and says how many bytes of the buffer it has.
func (r *reader) complete() (record, int, error) {
	for {
		data := r.buf[r.pos:]
		if len(data) == 0 && r.err != nil {
			return record{}, 0, r.err
		}
		final := r.err == io.EOF
		reach := r.reach(data)
		size, fault := r.split(data[:reach], final && reach == len(data))
		lineCut := fault != "" && bytes.IndexByte(data, r.eol) < 0
		switch {
		case lineCut && r.err == nil && len(data) < maxRecordBytes, fault == incomplete && reach == len(data) && r.err == nil && !r.overreached(data):
			r.fill()
		case fault == incomplete && reach == len(data) && r.err != nil:
			return record{}, 0, r.err
		case lineCut && len(data) >= maxRecordBytes:
			return r.overlong()
		case fault == incomplete:
			rec := r.firstLine(data, reach)
			rec.fault = fmt.Sprintf("the quote that opens column %d is not closed within %d bytes", len(r.cells)+1, reach)
			return rec, len(rec.raw), nil
		case fault != "":
			rec := r.firstLine(data, size)
			rec.fault = fault
			return rec, len(rec.raw), nil
		case r.runaway(data[:size]):
			rec := r.firstLine(data, size)
			rec.fault = fmt.Sprintf("%s where %s %d, over %d lines: a quote is missing", plural(rec.columns, "column"), r.wantBy, r.want, r.countLines(data[:size]))
			return rec, len(rec.raw), nil
		default:
			return record{cells: r.cells, columns: len(r.cells), raw: data[:size]}, size, nil
		}
	}
}

// reach is how much of data may be looked at: all of it, but where broken quotes used the credit up no more than that, and
// always the first line.
func (r *reader) reach(data []byte) int {
	if r.credit >= maxRecordBytes {
		return len(data)
	}
	first := bytes.IndexByte(data, r.eol) + 1
	if first == 0 {
		return len(data)
	}
	return min(len(data), max(first, r.credit))
}

// overreached reports whether data, in which a line but no record ends, is as much as may be looked at.
func (r *reader) overreached(data []byte) bool {
	return len(data) >= min(maxRecordBytes, r.credit)
}

// firstLine is the record that a broken one counts as; scanned bytes were looked at to find that it is broken.
func (r *reader) firstLine(data []byte, scanned int) record {
	end := bytes.IndexByte(data, r.eol) + 1
	if end == 0 {
		end = len(data)
	}
	r.credit -= max(0, scanned-end)
	return record{cells: r.cells, columns: len(r.cells), raw: data[:end]}
}

// overlong passes over a line that is longer than a record may be.
func (r *reader) overlong() (record, int, error) {
	rec := record{
		raw:     bytes.Clone(r.buf[r.pos:]),
		fault:   fmt.Sprintf("the line is longer than the bound of %d bytes", maxRecordBytes),
		tooLong: true,
	}
	for {
		r.pos = len(r.buf)
		if r.err != nil {
			break
		}
		r.fill()
		if end := bytes.IndexByte(r.buf[r.pos:], r.eol); end >= 0 {
			return rec, end + 1, nil
		}
	}
	if r.err != io.EOF {
		return record{}, 0, r.err
	}
	return rec, 0, nil
}

// runaway reports whether a record of several lines and the wrong number of columns has swallowed records: its second line
// begins one with the right number. Otherwise its quotes are taken to be right and its columns to be wrong.
func (r *reader) runaway(data []byte) bool {
	if r.want == 0 || len(r.cells) == r.want {
		return false
	}
	first := bytes.IndexByte(data, r.eol) + 1
	if first == 0 || first == len(data) {
		return false
	}
	probe := reader{delimiter: r.delimiter, eol: r.eol}
	_, fault := probe.split(data[first:], true)
	return fault == "" && len(probe.cells) == r.want
}

// fill reads more. Where nothing waits it begins at the front of the buffer, and it doubles the buffer when it is full.
func (r *reader) fill() {
	if r.pos > 0 {
		r.buf = r.buf[:copy(r.buf, r.buf[r.pos:])]
		r.pos = 0
	}
	if len(r.buf) == cap(r.buf) {
		r.buf = append(make([]byte, 0, 2*cap(r.buf)), r.buf...)
	}
	// The buffer is filled whole, so that a long record, which is split anew after each fill, is so only a few times.
	for idle := 0; r.err == nil && len(r.buf) < cap(r.buf); {
		n, err := r.in.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+n]
		r.err = err
		if idle++; n > 0 {
			idle = 0
		} else if idle == 100 && err == nil {
			r.err = io.ErrNoProgress
		}
	}
}

func (r *reader) countLines(raw []byte) int {
	n := bytes.Count(raw, []byte{r.eol})
	if len(raw) > 0 && raw[len(raw)-1] != r.eol {
		n++
	}
	return n
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
