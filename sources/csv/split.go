package csv

import (
	"bytes"
	"fmt"

	"docbatch/sources/table"
)

// incomplete is the fault of a record that goes on after the bytes at hand. It is not shown.
const incomplete = "incomplete"

// split splits the record at the front of data into r.cells and returns its size, its line end included. With final, data is all that
// is left of the file. With a fault the size is how far it looked.
//
// It scans by line end, delimiter and quote with bytes.Index, which looks at many bytes at once.
func (r *reader) split(data []byte, final bool) (size int, fault string) {
	r.cells = r.cells[:0]
	r.unquoted = r.unquoted[:0]
	at, eol := 0, -1
	for {
		if at < len(data) && data[at] == '"' {
			end, fault := r.quoted(data, at, final)
			if fault != "" {
				return end, fault
			}
			at = end
		} else {
			if eol < at {
				eol = lineEnd(data, at, r.eol)
			}
			if eol == len(data) && !final {
				return len(data), incomplete
			}
			at = r.plain(data, at, eol)
		}
		if n, ended := r.ends(data, at); ended {
			return at + n, ""
		}
		at += len(r.delimiter)
	}
}

// lineEnd is the index of the line end at or after at, or that of the end of data.
func lineEnd(data []byte, at int, eol byte) int {
	if i := bytes.IndexByte(data[at:], eol); i >= 0 {
		return at + i
	}
	return len(data)
}

// ends reports whether the record ends at index at, and how long its line end is.
func (r *reader) ends(data []byte, at int) (n int, ended bool) {
	switch {
	case at == len(data):
		return 0, true
	case data[at] == r.eol:
		return 1, true
	case r.eol == '\n' && data[at] == '\r' && at+1 == len(data):
		return 1, true
	case r.eol == '\n' && data[at] == '\r' && data[at+1] == '\n':
		return 2, true
	}
	return 0, false
}

// plain adds the value without quotes at index at of a line that ends at eol, and returns where it ends.
func (r *reader) plain(data []byte, at, eol int) int {
	end := eol
	if r.eol == '\n' && end > at && data[end-1] == '\r' {
		end--
	}
	if i := r.nextDelimiter(data[at:end]); i >= 0 {
		end = at + i
	}
	r.add(data[at:end])
	return end
}

// nextDelimiter is the index of the first delimiter in a line, or -1.
func (r *reader) nextDelimiter(line []byte) int {
	switch len(r.delimiter) {
	case 0:
		return -1
	case 1:
		return bytes.IndexByte(line, r.delimiter[0])
	}
	return bytes.Index(line, r.delimiter)
}

// quoted adds the value whose opening quote is at index at and returns the index after the closing one.
func (r *reader) quoted(data []byte, at int, final bool) (end int, fault string) {
	start, doubled := at+1, false
	for i := start; ; i += 2 {
		q := bytes.IndexByte(data[i:], '"')
		if q < 0 {
			return len(data), r.unclosed(final)
		}
		i += q
		if i+1 == len(data) && !final {
			return len(data), incomplete
		}
		if i+1 < len(data) && data[i+1] == '"' {
			doubled = true
			continue
		}
		end = i + 1
		break
	}
	if !r.closes(data, end, final) {
		if r.cutShort(data, end, final) {
			return len(data), incomplete
		}
		return end, fmt.Sprintf("a quote inside the quoted column %d is not doubled", len(r.cells)+1)
	}
	r.add(r.value(data[start:end-1], doubled))
	if end == len(data) && !final {
		return end, incomplete
	}
	return end, ""
}

func (r *reader) unclosed(final bool) string {
	if !final {
		return incomplete
	}
	return fmt.Sprintf("the quote that opens column %d is never closed", len(r.cells)+1)
}

// closes reports whether what follows a closing quote, at index at, is a delimiter or the end of the record.
func (r *reader) closes(data []byte, at int, final bool) bool {
	if len(r.delimiter) > 0 && bytes.HasPrefix(data[at:], r.delimiter) {
		return true
	}
	_, ended := r.ends(data, at)
	if ended && at+1 == len(data) && data[at] == '\r' && r.eol == '\n' {
		return final
	}
	return ended
}

// cutShort reports whether more bytes than those at hand are needed to say what follows a quote.
func (r *reader) cutShort(data []byte, at int, final bool) bool {
	return !final && len(data)-at < max(len(r.delimiter), len("\r\n"))
}

// value is a quoted value with its doubled quotes made single.
func (r *reader) value(quoted []byte, doubled bool) []byte {
	if !doubled {
		return quoted
	}
	start := len(r.unquoted)
	for {
		i := bytes.IndexByte(quoted, '"')
		if i < 0 {
			break
		}
		r.unquoted = append(r.unquoted, quoted[:i+1]...)
		quoted = quoted[i+2:]
	}
	r.unquoted = append(r.unquoted, quoted...)
	return r.unquoted[start:]
}

// add adds a value; one more than a table may have, so that this is seen, and none after that.
func (r *reader) add(value []byte) {
	if len(r.cells) <= table.MaxColumns {
		r.cells = append(r.cells, value)
	}
}
