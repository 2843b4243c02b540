// Package charset turns text of any usual encoding into UTF-8: UTF-8 itself, UTF-16 and UTF-32 in both byte orders, and
// Windows-1252, which holds Latin-1. It decides by looking at the bytes alone; nobody tells it the encoding.
//
// It knows nothing of file formats: what a format says of its own encoding is that format's business.
package charset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// The encodings that are told apart, as Decode and NewReader name them.
const (
	UTF8        = "utf-8"
	UTF16LE     = "utf-16le"
	UTF16BE     = "utf-16be"
	UTF32LE     = "utf-32le"
	UTF32BE     = "utf-32be"
	Windows1252 = "windows-1252"
)

// sampleBytes is how much of a stream is looked at before its encoding is decided; even, so that it ends between the units of UTF-16.
const sampleBytes = 64 << 10

// Decode gives b as UTF-8, without a byte order mark, and the name of the encoding that it was in. It always succeeds and text is
// always valid UTF-8: a byte that does not fit UTF-8 is read as Windows-1252, a unit that does not fit UTF-16 or UTF-32
// becomes U+FFFD.
func Decode(b []byte) (text string, encoding string) {
	encoding, bom := detect(b, true)
	b = b[bom:]
	if encoding == UTF8 && utf8.Valid(b) {
		return string(b), encoding
	}
	out, _, _ := transform.Bytes(decoder(encoding), b) // no decoder here has errors: what does not fit is replaced
	return string(out), encoding
}

// NewReader gives the stream r as Decode would, deciding by its first 64 KiB, which it reads at once. Bytes after them that are not
// what these promised are treated as in Decode, so what is read is always valid UTF-8. An error of r while the first block
// is read is returned here, later ones by Read.
func NewReader(r io.Reader) (text io.Reader, encoding string, err error) {
	sample := make([]byte, sampleBytes)
	n, err := io.ReadFull(r, sample)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, "", fmt.Errorf("read the beginning of the text: %w", err)
	}
	sample = sample[:n]
	encoding, bom := detect(sample, n < sampleBytes)
	rest := io.MultiReader(bytes.NewReader(sample[bom:]), r)
	return transform.NewReader(rest, decoder(encoding)), encoding, nil
}

// decoder makes the transformer from encoding to UTF-8.
func decoder(encoding string) transform.Transformer {
	switch encoding {
	case UTF16LE:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case UTF16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	case UTF32LE:
		return utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM).NewDecoder()
	case UTF32BE:
		return utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM).NewDecoder()
	case Windows1252:
		return charmap.Windows1252.NewDecoder()
	default:
		return lenient{}
	}
}

// IsBinary reports whether b, or the beginning of it, is not text in any encoding that Decode knows: more than one in fifty
// of its bytes are NUL or controls that no text has. One or two stray ones make no binary.
func IsBinary(b []byte) bool {
	if len(b) > sampleBytes {
		b = b[:sampleBytes]
	}
	text, encoding := Decode(b)
	return wrong(text, encoding) > 2+len(text)/50
}

// wrong counts the characters of text, decoded from encoding, that no text has. Bell, backspace, form feed and escape are not among
// them: manual pages and coloured logs are full of these. Nor is U+FFFD where the author wrote it, in UTF-8.
func wrong(text, encoding string) int {
	n := 0
	for i := range len(text) {
		if isControl(text[i]) {
			n++
		}
	}
	if encoding != UTF8 {
		n += strings.Count(text, string(utf8.RuneError))
	}
	return n
}

func isControl(c byte) bool {
	return c < '\a' || c > '\r' && c < ' ' && c != '\x1b' || c == '\x7f'
}
