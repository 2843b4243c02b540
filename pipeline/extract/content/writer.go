package content

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Writer collects the text of a document up to a bound. Once it is full it takes no more, and Err says so: a reader may write on and look
// at Err when that suits it, but for loops that hostile bytes make long.
type Writer struct {
	text strings.Builder
	max  int
	full bool
}

// NewWriter makes a Writer that takes max bytes.
func NewWriter(max int) *Writer { return &Writer{max: max} }

// WriteString adds text. It never fails; see Err.
func (w *Writer) WriteString(text string) (int, error) {
	if w.full || w.text.Len()+len(text) > w.max {
		w.full = true
		return len(text), nil
	}
	return w.text.WriteString(text)
}

// Write adds text; see WriteString.
func (w *Writer) Write(text []byte) (int, error) { return w.WriteString(string(text)) }

// Printf adds formatted text.
func (w *Writer) Printf(format string, args ...any) { fmt.Fprintf(w, format, args...) }

// Page begins a page, a slide or a sheet with a mark on a line of its own: "--- page 3 ---".
func (w *Writer) Page(kind string, n int) {
	w.Break()
	w.Printf("--- %s %d ---\n\n", kind, n)
}

// Break ends the line and leaves one empty line, but at the beginning of the text and after another Break.
func (w *Writer) Break() {
	switch text := w.text.String(); {
	case text == "", strings.HasSuffix(text, "\n\n"):
	case strings.HasSuffix(text, "\n"):
		w.WriteString("\n")
	default:
		w.WriteString("\n\n")
	}
}

// Len is the length of the text so far, in bytes.
func (w *Writer) Len() int { return w.text.Len() }

// String is the text so far.
func (w *Writer) String() string { return w.text.String() }

// Err is the error TooLarge when there was more text than the bound allows.
func (w *Writer) Err() error {
	if !w.full {
		return nil
	}
	return TooLarge("it holds more than %s of text (the bound on text)", Bytes(int64(w.max)))
}

// Bytes says a number of bytes to a person: "16 MiB".
func Bytes(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.size && n%unit.size == 0 {
			return fmt.Sprintf("%d %s", n/unit.size, unit.name)
		}
		if n >= unit.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// maxMeta bounds one value of Meta, in bytes.
const maxMeta = 1000

// oneLine makes a value of Meta out of anything: valid UTF-8 on one line.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text[:min(len(text), 4*maxMeta)], "�")), " ")
	for len(text) > maxMeta || !utf8.ValidString(text) {
		text = text[:min(len(text)-1, maxMeta)]
	}
	return text
}
