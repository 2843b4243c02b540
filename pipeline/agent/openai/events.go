package openai

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

var bom = []byte("\uFEFF")

// events reads the server-sent events (WHATWG HTML, section 9.2) of a stream, with all that services do to them, and gives
// go-openai one clean data line for each that holds JSON. It is between the two because the library can't be asked whether a
// stream was whole, loses a last line without a newline and an error that is not as it expects, and gives up over keep-alives.
type events struct {
	call   *call
	lines  *bufio.Scanner
	name   string // of the event that has begun
	data   []byte // its data lines, where the first was not all
	whole  []byte // a body that is no stream: JSON, or a page
	stray  []byte // the first line that means nothing
	first  bool   // a line was read
	begun  bool   // an event was given
	done   bool   // [DONE] came
	single bool   // the body was one JSON value and no stream
	out    []byte // what the library has still to read
	event  []byte // the JSON of the last event
	err    error  // how the stream ended; io.EOF says nothing about its being whole
}

func newEvents(c *call, from io.Reader) *events {
	e := &events{call: c, lines: bufio.NewScanner(from)}
	e.lines.Buffer(nil, int(min(c.agent.options.MaxResponseBytes, 1<<30))+1)
	e.lines.Split(new(lineSplitter).split)
	return e
}

// A lineSplitter ends lines at LF, CR LF and CR. It does not wait for what follows a CR: in a stream that may take minutes.
type lineSplitter struct {
	afterCR bool
	seen    int // bytes known to hold no end: without it a long line in small reads takes time by its square
}

func (s *lineSplitter) split(data []byte, atEOF bool) (int, []byte, error) {
	skip := 0
	if s.afterCR && len(data) > 0 && data[0] == '\n' {
		skip = 1
	}
	from := max(skip, s.seen)
	if i := bytes.IndexAny(data[from:], "\r\n"); i >= 0 {
		end := from + i
		s.afterCR, s.seen = data[end] == '\r', 0
		return end + 1, data[skip:end], nil
	}
	if s.seen = len(data); !atEOF || len(data) == skip {
		return 0, nil, nil
	}
	s.seen = 0
	return len(data), data[skip:], nil
}

// Read gives the clean stream.
func (e *events) Read(p []byte) (int, error) {
	if len(e.out) == 0 {
		event, err := e.next()
		switch {
		case err == nil:
			e.out = appendLine(e.out[:0], event)
		case e.done:
			e.out = append(e.out[:0], "data: [DONE]\n"...)
		default:
			return 0, err
		}
	}
	n := copy(p, e.out)
	e.out = e.out[n:]
	return n, nil
}

// Close closes the body below, which drains it.
func (e *events) Close() error { return e.call.body.Close() }

// appendLine adds the data line of event. The library takes a line that begins with `{"error":` for an error even where
// the error is null; a space keeps it from that. A line break between two JSON tokens may as well be a space.
func appendLine(line, event []byte) []byte {
	line = append(line, "data: "...)
	start := len(line)
	line = append(line, event[0], ' ')
	line = append(line, event[1:]...)
	for i, c := range line[start:] {
		if c == '\n' || c == '\r' {
			line[start+i] = ' '
		}
	}
	return append(line, '\n')
}

// next gives the JSON of the next event, valid until it is called again. The error is io.EOF at the end of the stream, which
// was whole if e.done.
func (e *events) next() ([]byte, error) {
	e.event = nil
	for e.event == nil && e.err == nil {
		if e.lines.Scan() {
			e.line(e.lines.Bytes())
		} else {
			e.end()
		}
	}
	if e.event == nil {
		return nil, e.err
	}
	e.begun = true
	return e.event, nil
}

// line takes one line without its end.
func (e *events) line(line []byte) {
	if !e.first {
		line, e.first = bytes.TrimPrefix(line, bom), true
	}
	bare := bytes.TrimSpace(line)
	name, value, _ := bytes.Cut(line, []byte(":"))
	switch {
	case e.whole != nil:
		e.whole = append(append(e.whole, '\n'), line...)
	case len(bare) == 0:
		e.flush()
	case strings.ContainsRune("{[<", rune(bare[0])):
		e.whole = bytes.Clone(line)
	case string(name) == "event":
		e.name = string(bytes.TrimSpace(value))
	case string(name) == "data":
		e.addData(bytes.TrimSpace(value))
	case e.stray == nil && len(name) > 0 && string(name) != "id" && string(name) != "retry":
		e.stray = bytes.Clone(line)
	}
}

// addData takes the value of a data line. One that is all of an event goes on at once, so that a service that leaves out the
// blank lines is understood.
func (e *events) addData(value []byte) {
	switch {
	case len(e.data) > 0:
		e.data = append(append(e.data, '\n'), value...)
	case string(value) == "[DONE]":
		e.done, e.err = true, io.EOF
	case json.Valid(value):
		e.take(value)
	default:
		e.data = append(e.data, value...)
	}
}

// flush ends the event that has begun.
func (e *events) flush() {
	if len(e.data) > 0 {
		e.take(e.data)
		e.data = e.data[:0]
	}
	e.name = ""
}

// take takes the data of an event.
func (e *events) take(data []byte) {
	switch {
	case e.name == "error":
		e.err = e.call.classify(readFault(data), data)
	case data[0] != '{' && data[0] != '[':
		// "ping", "null": words that keep a connection alive hold no text
	case !json.Valid(data):
		e.err = e.call.nonsense(data)
	case bytes.Contains(data, errorMember):
		e.takeSuspect(data)
	default:
		e.event = data
	}
}

// takeSuspect takes data that may be an error.
func (e *events) takeSuspect(data []byte) {
	var w wireCompletion
	_ = decodeLoose(data, &w) // JSON it is
	if fault, found := faultIn(&w, data); found {
		e.err = e.call.classify(fault, data)
		return
	}
	e.event = data
}

// end takes what is left at the end of the body.
func (e *events) end() {
	if e.err = e.lines.Err(); e.err == nil {
		e.err = io.EOF
	} else if errors.Is(e.err, bufio.ErrTooLong) {
		e.err = errTooLarge
	}
	switch {
	case e.whole == nil:
		ended := e.err
		e.flush()
		if ended != io.EOF {
			e.err = ended // the event was cut
		}
	case json.Valid(e.whole):
		e.single = !e.begun
		e.takeSuspect(e.whole)
	case e.err == io.EOF:
		e.err = e.call.nonsense(e.whole)
	}
}

// looksStreamed reports whether a body is a stream, though none was asked for.
func looksStreamed(raw []byte) bool {
	head := strings.TrimSpace(string(bytes.TrimPrefix(raw[:min(len(raw), 64)], bom)))
	for _, start := range []string{"data:", "event:", "id:", "retry:", ":"} {
		if strings.HasPrefix(head, start) {
			return true
		}
	}
	return false
}
