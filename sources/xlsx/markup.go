package xlsx

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/html/charset"
)

const (
	// maxTokenBytes bounds one tag or one piece of text; a cell of Excel holds 32,767 characters.
	maxTokenBytes = 4 << 20

	// maxDepth bounds how deep elements are nested; a sheet needs seven.
	maxDepth = 64
)

var (
	errTokenBound = fmt.Errorf("a piece of the XML is over the bound of %d bytes", maxTokenBytes)
	errDepthBound = fmt.Errorf("the XML is nested over the bound of %d", maxDepth)
)

// markup reads XML of strangers as tokens in bounded memory.
type markup struct {
	dec   *xml.Decoder
	in    *meter
	depth int
}

func newMarkup(in io.Reader) *markup {
	m := &meter{in: in, left: maxTokenBytes}
	dec := xml.NewDecoder(m)
	dec.CharsetReader = charset.NewReaderLabel
	return &markup{dec: dec, in: m}
}

// next is the next token, valid until the one after it. An end within an open element is io.ErrUnexpectedEOF.
func (m *markup) next() (xml.Token, error) {
	m.in.left = maxTokenBytes
	token, err := m.dec.RawToken()
	if err != nil {
		if err == io.EOF && m.depth > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch token.(type) {
	case xml.StartElement:
		if m.depth++; m.depth > maxDepth {
			return nil, errDepthBound
		}
	case xml.EndElement:
		if m.depth--; m.depth < 0 {
			return nil, errors.New("an element ends that did not begin")
		}
	}
	return token, nil
}

// skip passes over the rest of the element that has just begun.
func (m *markup) skip() error {
	for outside := m.depth - 1; m.depth > outside; {
		if _, err := m.next(); err != nil {
			return err
		}
	}
	return nil
}

// text appends the text that is directly in the element that has just begun, to its end.
func (m *markup) text(dst []byte) ([]byte, error) {
	inside := m.depth
	for m.depth >= inside {
		token, err := m.next()
		if err != nil {
			return dst, err
		}
		if t, ok := token.(xml.CharData); ok && m.depth == inside {
			if dst = append(dst, t...); len(dst) > maxRowBytes {
				return dst, errRowBound
			}
		}
	}
	return dst, nil
}

// walk calls visit with each element and the one that it is in, to the end of in or the first error.
func walk(in io.Reader, visit func(parent string, e xml.StartElement) error) error {
	m := newMarkup(in)
	var open []string
	for {
		token, err := m.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			parent := ""
			if len(open) > 0 {
				parent = open[len(open)-1]
			}
			if err := visit(parent, e); err != nil {
				return err
			}
			open = append(open, e.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

// attribute is the value of the attribute of that local name, or "".
func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// meter ends a stream of which more is read than it has left; whoever reads tokens sets that anew for each.
type meter struct {
	in   io.Reader
	left int
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errTokenBound
	}
	n, err := m.in.Read(p)
	m.left -= n
	return n, err
}
