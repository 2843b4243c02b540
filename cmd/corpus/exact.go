package main

import (
	"bytes"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode/utf32"

	textunicode "golang.org/x/text/encoding/unicode"
)

// exactAnchors are the right decodings of text files. Those of the corpus are Unicode in some form, or else Windows-1252.
func exactAnchors(samples []sample) (map[string]string, error) {
	found := map[string]string{}
	for _, s := range samples {
		if s.format == charset {
			found[s.hash] = s.truth
			continue
		}
		data, err := os.ReadFile(s.path)
		if err != nil {
			return nil, err
		}
		if found[s.hash], err = rightEncoding(data).NewDecoder().String(string(data)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func rightEncoding(data []byte) encoding.Encoding {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe, 0, 0}):
		return utf32.UTF32(utf32.LittleEndian, utf32.UseBOM)
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), len(data) > 1 && data[1] == 0:
		return textunicode.UTF16(textunicode.LittleEndian, textunicode.UseBOM)
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}), len(data) > 1 && data[0] == 0:
		return textunicode.UTF16(textunicode.BigEndian, textunicode.UseBOM)
	case utf8.Valid(data):
		return textunicode.UTF8BOM
	}
	return charmap.Windows1252
}

// plain is a text as it is compared for being exact: docbatch leaves out control characters, and the end of the last line says nothing.
func plain(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	text = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) || r == '\ufeff' {
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}
