package archive

import (
	"archive/zip"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// legacyNames decodes names that are not UTF-8: by what a zip without a word on its encoding is most likely to have, given all its names
// that are not. The standard says code page 437; Windows writes that of the machine.
func legacyNames(files []*zip.File) func(string) string {
	var all strings.Builder
	for _, f := range files {
		if !utf8.ValidString(f.Name) && all.Len() < 64<<10 {
			all.WriteString(f.Name + "/")
		}
	}
	if all.Len() == 0 {
		return func(name string) string { return name }
	}
	enc := legacyEncoding(all.String())
	return func(name string) string {
		decoded, err := enc.NewDecoder().String(name)
		if err != nil {
			return name // pathname.Escape has an answer to every name
		}
		return decoded
	}
}

// legacyEncoding tells the code pages apart that whole countries used. In a western name letters that are not ASCII stand among others;
// a Russian, Chinese or Japanese one has runs of them.
func legacyEncoding(names string) encoding.Encoding {
	sjis, isSJIS := decode(japanese.ShiftJIS, names)
	_, isGBK := decode(simplifiedchinese.GBK, names)
	latin, _ := decode(charmap.CodePage437, names)
	switch {
	case isSJIS && kana(sjis) && inRuns(sjis):
		return japanese.ShiftJIS
	case !inRuns(latin):
		return charmap.CodePage437
	case russian(names):
		return charmap.CodePage866
	case isGBK:
		return simplifiedchinese.GBK
	case isSJIS:
		return japanese.ShiftJIS
	}
	return charmap.CodePage437
}

// decode decodes names, and reports whether all of it has a meaning.
func decode(enc encoding.Encoding, names string) (decoded string, ok bool) {
	decoded, err := enc.NewDecoder().String(names)
	return decoded, err == nil && !strings.ContainsRune(decoded, utf8.RuneError)
}

// inRuns reports whether letters that are not ASCII stand at least two by two, on average.
func inRuns(names string) bool {
	letters, runs := 0, 0
	before := rune(0)
	for _, r := range names {
		if r >= 0x80 {
			letters++
			if before < 0x80 {
				runs++
			}
		}
		before = r
	}
	return letters >= 2*runs
}

// kana reports whether a syllable of Japanese stands in names.
func kana(names string) bool {
	return strings.ContainsFunc(names, func(r rune) bool { return r >= 0x3041 && r <= 0x30fe })
}

// russian reports whether all that is not ASCII in names is a letter of code page 866.
func russian(names string) bool {
	for _, b := range []byte(names) {
		if b >= 0x80 && (b > 0xaf && b < 0xe0 || b > 0xf1) {
			return false
		}
	}
	return true
}

// unicodePath is the name in an "Info-ZIP Unicode Path Extra Field" (APPNOTE.TXT 4.6.9); "" where there is none.
func unicodePath(extra []byte) string {
	const id, header = 0x7075, 5 // a version and the checksum of the other name
	for len(extra) >= 4 {
		tag, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; size > len(extra) {
			return ""
		}
		if field := extra[:size]; tag == id && size > header && field[0] == 1 && utf8.Valid(field[header:]) {
			return string(field[header:])
		}
		extra = extra[size:]
	}
	return ""
}
