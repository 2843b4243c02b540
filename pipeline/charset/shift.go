package charset

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/transform"
)

// The encodings that write all in ASCII bytes.
const (
	iso2022JP = "iso-2022-jp"
	iso2022KR = "iso-2022-kr"
	utf7      = "utf-7"
	hz        = "hz-gb-2312"
)

// detectShifting recognises the encodings that say so themselves, by an escape: ISO 2022 of Japan and of Korea (RFC 1468, RFC 1557).
// Terminals have escapes too, but none of these.
func detectShifting(b []byte) string {
	at := bytes.IndexByte(b, 0x1b)
	switch {
	case at < 0 || countHigh(b) > 0:
		return ""
	case bytes.Contains(b[at:], []byte("\x1b$)C")):
		return iso2022KR
	case bytes.Contains(b[at:], []byte("\x1b$B")), bytes.Contains(b[at:], []byte("\x1b$@")):
		return iso2022JP
	}
	return ""
}

// decoding is an encoding that is only read.
type decoding func() transform.Transformer

func (d decoding) NewDecoder() *encoding.Decoder { return &encoding.Decoder{Transformer: d()} }
func (d decoding) NewEncoder() *encoding.Encoder { return encoding.Nop.NewEncoder() }

func newISO2022KR() transform.Transformer {
	return transform.Chain(&shiftOut{}, korean.EUCKR.NewDecoder())
}

// shiftOut makes EUC-KR of ISO-2022-KR (RFC 1557): the bytes between SO and SI get their high bit.
type shiftOut struct{ out bool }

// Reset implements transform.Transformer.
func (s *shiftOut) Reset() { s.out = false }

// Transform implements transform.Transformer.
func (s *shiftOut) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		if header := []byte("\x1b$)C"); bytes.HasPrefix(src[nSrc:], header) {
			nSrc += len(header)
			continue
		} else if !atEOF && bytes.HasPrefix(header, src[nSrc:]) {
			return nDst, nSrc, transform.ErrShortSrc
		}
		switch c := src[nSrc]; {
		case c == 0x0e, c == 0x0f:
			s.out = c == 0x0e
		case nDst == len(dst):
			return nDst, nSrc, transform.ErrShortDst
		default:
			if s.out && c > ' ' && c < 0x7f {
				c |= 0x80
			}
			dst[nDst] = c
			nDst++
		}
		nSrc++
	}
	return nDst, nSrc, nil
}

// fromUTF7 decodes UTF-7 (RFC 2152), one run of base64 at a time. It keeps no state.
type fromUTF7 struct{ transform.NopResetter }

// maxRun bounds a run of base64, in bytes; a longer one is no UTF-7.
const maxRun = 2 << 10

// Transform implements transform.Transformer.
func (fromUTF7) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		text, size := string(src[nSrc]), 1
		switch {
		case src[nSrc] >= utf8.RuneSelf:
			text = "\ufffd"
		case src[nSrc] == '+':
			if text, size = utf7Run(src[nSrc:]); size > len(src)-nSrc-1 && size < maxRun && !atEOF {
				return nDst, nSrc, transform.ErrShortSrc // it may go on
			}
		}
		if nDst+len(text) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += copy(dst[nDst:], text)
		nSrc += size
	}
	return nDst, nSrc, nil
}

// utf7Run decodes the run that b, which begins with "+", begins with, and tells its length.
func utf7Run(b []byte) (text string, size int) {
	size = 1
	for size < len(b) && size < maxRun && (isASCIILetter(b[size]) || '0' <= b[size] && b[size] <= '9' || b[size] == '+' || b[size] == '/') {
		size++
	}
	code := b[1:size]
	if size < len(b) && b[size] == '-' {
		size++
	}
	if len(code) == 0 {
		return "+", size
	}
	raw := make([]byte, base64.RawStdEncoding.DecodedLen(len(code)))
	n, _ := base64.RawStdEncoding.Decode(raw, code) // what is broken ends the run
	var units []uint16
	for raw = raw[:n]; len(raw) >= 2; raw = raw[2:] {
		units = append(units, binary.BigEndian.Uint16(raw))
	}
	return string(utf16.Decode(units)), size
}
