package mail

import (
	"bytes"
	"strings"
)

// Bounds on headers. What lies beyond is dropped: nobody wrote it by hand.
const (
	maxFields     = 2000
	maxFieldBytes = 256 << 10
)

// A field is one line of a header, unfolded and not yet decoded.
type field struct {
	name  string // in lower case
	value string
}

// A header is the fields of an entity in order.
type header []field

// get is the first value of a field; "" where there is none.
func (h header) get(name string) string {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// all are the values of a field that may stand several times, joined by commas.
func (h header) all(name string) string {
	var values []string
	for _, f := range h {
		if f.name == name && strings.TrimSpace(f.value) != "" {
			values = append(values, f.value)
		}
	}
	return strings.Join(values, ", ")
}

// cutHeader parts the header of an entity from its body. Lines end in LF, CRLF or CR. A line that can't be of a header begins the body,
// unless a header line follows it: then it is the rest of a line that was folded wrongly.
func cutHeader(data []byte) (h header, body []byte) {
	var value strings.Builder
	name := ""
	flush := func() {
		if name != "" && len(h) < maxFields {
			h = append(h, field{name, value.String()})
		}
		value.Reset()
	}
	for rest := data; len(rest) > 0; {
		line, next := cutLine(rest)
		key, after, ok := fieldLine(line)
		switch {
		case len(line) == 0:
			flush()
			return h, next
		case line[0] == ' ' || line[0] == '\t':
			if len(bytes.TrimSpace(line)) == 0 && !folds(next) {
				flush()
				return h, next
			}
			appendValue(&value, line)
		case ok:
			flush()
			name = key
			appendValue(&value, after)
		case isEnvelope(line) && value.Len() == 0 && len(h) == 0:
		case name != "" && (folds(next) || strings.HasSuffix(value.String(), ";")):
			appendValue(&value, line)
		default:
			flush()
			return h, rest
		}
		rest = next
	}
	flush()
	return h, nil
}

// folds reports whether data goes on with a line of a header.
func folds(data []byte) bool {
	line, _ := cutLine(data[:min(len(data), maxFieldBytes)])
	_, _, ok := fieldLine(line)
	return ok
}

// appendValue adds a line to a value, up to the bound on it.
func appendValue(value *strings.Builder, text []byte) {
	text = bytes.TrimSpace(text)
	left := maxFieldBytes - 1 - value.Len()
	if len(text) == 0 || left <= 0 {
		return
	}
	if value.Len() > 0 {
		value.WriteByte(' ')
	}
	value.Write(text[:min(len(text), left)])
}

// cutLine parts the first line, without its end, from what follows.
func cutLine(data []byte) (line, rest []byte) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0:
		return data, nil
	case data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n':
		return data[:i], data[i+2:]
	}
	return data[:i], data[i+1:]
}

// maxNameBytes bounds the name of a field; the longest in use have about 40.
const maxNameBytes = 100

// fieldLine reads "Name: value". White space before the colon is a usual mistake.
func fieldLine(line []byte) (name string, value []byte, ok bool) {
	colon := bytes.IndexByte(line[:min(len(line), maxNameBytes)], ':')
	if colon <= 0 {
		return "", nil, false
	}
	key := bytes.TrimRight(line[:colon], " \t")
	for _, c := range key {
		if c <= ' ' || c >= 0x7f {
			return "", nil, false
		}
	}
	return strings.ToLower(string(key)), line[colon+1:], len(key) > 0
}

// isEnvelope recognises the line that a mailbox puts before a message.
func isEnvelope(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}
