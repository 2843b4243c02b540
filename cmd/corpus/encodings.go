package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// languages holds a text of our own in each language, below a line "== language encoding encoding...".
//
//go:embed languages.txt
var languages string

// charset is the format of the texts of our own: their anchor is what was encoded.
const charset = "charset"

// forms are the encodings that the IANA index does not give, or not with the byte order mark that is wanted.
var forms = map[string]encoding.Encoding{
	"x-mac-cyrillic": charmap.MacintoshCyrillic, // is not in the index
	"utf-8":          unicode.UTF8,
	"utf-8-bom":      unicode.UTF8BOM,
	"utf-16le":       unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	"utf-16le-bom":   unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf-16be-bom":   unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"utf-32le-bom":   utf32.UTF32(utf32.LittleEndian, utf32.UseBOM),
}

// everyLanguage are the forms in which each language is tried beside its own encodings.
var everyLanguage = []string{"utf-8", "utf-8-bom", "utf-16le-bom", "utf-16be-bom"}

// shortBytes is the length of the short form of a text, in bytes.
const shortBytes = 400

// writeEncodings writes the texts to dir in all their encodings, whole and short, and gives them as samples that know the truth.
func writeEncodings(dir string) ([]sample, error) {
	dir = filepath.Join(dir, charset)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var samples []sample
	for _, section := range strings.Split(languages, "== ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		names := strings.Fields(title)
		for _, name := range append(names[1:], everyLanguage...) {
			short, err := shorten(text, name)
			if err != nil {
				return nil, err
			}
			for length, text := range map[string]string{"whole": text, "short": short} {
				s, err := writeEncoded(filepath.Join(dir, fmt.Sprintf("%s-%s-%s.txt", name, names[0], length)), text, name)
				if err != nil {
					return nil, err
				}
				samples = append(samples, s)
			}
		}
	}
	return samples, nil
}

func writeEncoded(path, text, name string) (sample, error) {
	data, err := encode(text, name)
	if err != nil {
		return sample{}, err
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return sample{}, err
	}
	s, err := readSample(path, charset)
	s.truth = text
	return s, err
}

func encode(text, name string) ([]byte, error) {
	enc, ok := forms[name]
	if !ok {
		var err error
		if enc, err = ianaindex.IANA.Encoding(name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	data, err := enc.NewEncoder().Bytes([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %q: %w", name, clip(text, 40), err)
	}
	return data, nil
}

// shorten cuts a text so that it is shortBytes long in an encoding, or a bit less.
func shorten(text, name string) (string, error) {
	runes := []rune(text)
	for n := min(len(runes), shortBytes); ; n-- {
		data, err := encode(string(runes[:n]), name)
		if err != nil || len(data) <= shortBytes {
			return string(runes[:n]), err
		}
	}
}
