package charset

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// boms are the byte order marks, the longer before those that they begin with.
var boms = []struct {
	mark     string
	encoding string
}{
	{"\xef\xbb\xbf", UTF8},
	{"\xff\xfe\x00\x00", UTF32LE},
	{"\x00\x00\xfe\xff", UTF32BE},
	{"\xff\xfe", UTF16LE},
	{"\xfe\xff", UTF16BE},
}

// detect decides the encoding of b, the whole of a text or its beginning, and how many bytes its byte order mark takes. This is the
// place for a better detector: nothing else decides.
func detect(b []byte, whole bool) (encoding string, bom int) {
	if encoding, bom = marked(b); encoding != "" {
		return encoding, bom
	}
	if utf8.Valid(b) {
		return UTF8, 0
	}
	sequences, broken := countUTF8(b, whole)
	if broken <= sequences {
		return UTF8, 0
	}
	return guess(b[:min(len(b), sampleBytes)]), 0
}

// marked recognises the encodings that leave no doubt: by a byte order mark, their zero bytes or their escapes; "" for the others.
func marked(b []byte) (encoding string, bom int) {
	if encoding, bom = wide(b); encoding != "" {
		return encoding, bom
	}
	return detectShifting(b), 0
}

// wide recognises a byte order mark, and without one UTF-16 and UTF-32; "" for what has neither.
func wide(b []byte) (encoding string, bom int) {
	for _, m := range boms {
		if bytes.HasPrefix(b, []byte(m.mark)) {
			return m.encoding, len(m.mark)
		}
	}
	if bytes.IndexByte(b, 0) < 0 {
		return "", 0
	}
	if encoding = detectUTF32(b); encoding != "" {
		return encoding, 0
	}
	return detectUTF16(b), 0
}

// detectUTF32 recognises UTF-32 by its units, each of which has a high byte of zero and next to never more than Unicode has.
func detectUTF32(b []byte) string {
	b = b[:min(len(b), sampleBytes)&^3]
	for i, name := range []string{UTF32LE, UTF32BE} {
		zeros := 0
		for unit := b; len(unit) > 0; unit = unit[4:] {
			if unit[3-3*i] == 0 && unit[2-i] <= 0x10 {
				zeros++
			}
		}
		if zeros == len(b)/4 && zeros > 1 && wrongIn(b, name)*50 <= zeros {
			return name
		}
	}
	return ""
}

// detectUTF16 recognises UTF-16 by the zero bytes, which lie in the high half of the units of Latin letters, digits, spaces and line
// ends: they are on one side and next to never on the other. Where they are few, as in Russian or Japanese, b must also make a bad text
// of single bytes. It returns "" for what is not UTF-16.
func detectUTF16(b []byte) string {
	b = b[:min(len(b), sampleBytes)&^1]
	var even, odd int
	for i := 0; i < len(b); i += 2 {
		if b[i] == 0 {
			even++
		}
		if b[i+1] == 0 {
			odd++
		}
	}
	encoding, zeros, others := UTF16LE, odd, even
	if even > odd {
		encoding, zeros, others = UTF16BE, even, odd
	}
	units := len(b) / 2
	if zeros == 0 || others*4 > zeros || zeros*100 < units {
		return ""
	}
	if zeros*4 < units && wrongAsBytes(b)*4 < units || wrongIn(b, encoding)*50 > units {
		return ""
	}
	return encoding
}

// wrongIn counts what a text would not have if b were in the encoding.
func wrongIn(b []byte, encoding string) int {
	out, _, _ := transform.Bytes(decoder(encoding), b)
	return wrong(string(out), encoding)
}

// wrongAsBytes counts what a text would not have, its NULs aside, if b were UTF-8.
func wrongAsBytes(b []byte) int {
	_, wrong := countUTF8(b, false)
	for _, c := range b {
		if c != 0 && isControl(c) {
			wrong++
		}
	}
	return wrong
}

// countUTF8 counts the multi-byte sequences of b that are valid and the bytes that are in none. A sequence that the end of b cuts
// is neither, unless b is the whole text.
func countUTF8(b []byte, whole bool) (sequences, broken int) {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case r != utf8.RuneError || size > 1:
			sequences++
		case !whole && !utf8.FullRune(b[i:]):
			return sequences, broken
		default:
			broken++
		}
		i += size
	}
	return sequences, broken
}
