// Package charset turns text of any usual encoding into UTF-8: UTF-8 itself, UTF-16 and UTF-32 in both byte orders, the code pages of Windows,
// DOS, the Macintosh and ISO 8859, and the encodings of China, Japan and Korea. It decides by looking at the bytes, and by what is
// declared where something is.
//
// It knows nothing of file formats: what a format says of its own encoding is that format's business.
package charset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// The encodings that callers ask for by name, of those that Decode, DecodeAs and NewReader name.
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

// Decode gives b as UTF-8, without a byte order mark, and the name of the encoding that it was in, as the WHATWG Encoding Standard or else
// IANA has it, in small letters. It decides by the first 64 KiB. It always succeeds and text is always valid UTF-8: a byte that does not
// fit UTF-8 is read as Windows-1252, and what does not fit another encoding becomes U+FFFD.
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

// decoder makes the transformer from the encoding of a name of detect's to UTF-8.
func decoder(name string) transform.Transformer {
	if e, ok := encodings()[name]; ok {
		return e.NewDecoder()
	}
	return lenient{}
}

// encodings are those that detect finds, and those that neither index of x/text has, by name.
var encodings = sync.OnceValue(func() map[string]encoding.Encoding {
	all := map[string]encoding.Encoding{
		UTF16LE:   unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
		UTF16BE:   unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
		UTF32LE:   utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM),
		UTF32BE:   utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM),
		iso2022JP: japanese.ISO2022JP,
		iso2022KR: decoding(newISO2022KR),
		hz:        simplifiedchinese.HZGB2312,
		utf7:      decoding(func() transform.Transformer { return fromUTF7{} }),
	}
	for _, e := range singleByte {
		all[e.name] = e.table
	}
	for _, e := range multiByte {
		all[e.name] = e.codec
	}
	return all
})

// IsBinary reports whether b, or the beginning of it, is not text in any encoding that Decode knows: more than one in fifty
// of its bytes are NUL or controls that no text has. One or two stray ones make no binary.
func IsBinary(b []byte) bool {
	if len(b) > sampleBytes {
		b = b[:sampleBytes]
	}
	text, encoding := string(b), UTF8
	if found, _ := marked(b); found != "" {
		text, encoding = Decode(b)
	}
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
