package workbook

import (
	"strings"
	"unicode/utf16"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A stringTable is the strings that cells refer to, one after the other: many are shorter than what Go needs to hold one.
type stringTable struct {
	text string
	ends []uint32
}

// at is the string of an index from 0; "" where there is none.
func (t *stringTable) at(i int) string {
	switch {
	case i < 0 || i >= len(t.ends):
		return ""
	case i == 0:
		return t.text[:t.ends[0]]
	}
	return t.text[t.ends[i-1]:t.ends[i]]
}

// readStrings reads the table of strings.
func (b *book) readStrings(part string) error {
	var all strings.Builder
	err := b.archive.Walk(part, func(d *pack.Decoder, n *pack.Node) (bool, error) {
		if n.Name != "x:si" {
			return false, nil
		}
		text, err := richText(d)
		all.WriteString(text)
		b.strings.ends = append(b.strings.ends, uint32(all.Len()))
		// Each is in a cell: more of them than the bound allows are more text than it allows.
		if all.Len()+len(" | ")*len(b.strings.ends) > b.file.Bounds.Text {
			return true, b.tooMuchText()
		}
		return true, err
	})
	b.strings.text = all.String()
	return err
}

func (b *book) tooMuchText() error {
	return content.TooLarge("it holds more than %s of text (the bound on text)", content.Bytes(int64(b.file.Bounds.Text)))
}

// richText reads the text of a string item or a comment, without what says how it is pronounced.
func richText(d *pack.Decoder) (string, error) {
	var text strings.Builder
	var each func(n *pack.Node) error
	each = func(n *pack.Node) error {
		switch n.Name {
		case "", "x:rPh", "x:rPr", "x:phoneticPr":
			return nil
		case "x:t":
			s, err := d.Text()
			text.WriteString(s)
			return err
		}
		return d.Children(each)
	}
	err := d.Children(each)
	return unescape(text.String()), err
}

// unescape replaces the characters that are written as _x000D_ since XML does not have them (ECMA-376 part 1, 22.4.2.4).
func unescape(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	units := utf16.Encode([]rune(text))
	out := units[:0]
	for i := 0; i < len(units); i++ {
		if unit, ok := escaped(units[i:]); ok {
			out = append(out, unit)
			i += len("_x0000_") - 1
			continue
		}
		out = append(out, units[i])
	}
	return string(utf16.Decode(out))
}

// escaped reads the escape that units begin with.
func escaped(units []uint16) (unit uint16, ok bool) {
	if len(units) < len("_x0000_") || units[0] != '_' || units[1] != 'x' || units[6] != '_' {
		return 0, false
	}
	for _, c := range units[2:6] {
		i := strings.IndexByte("0123456789abcdef", byte(c|0x20))
		if c > 'f' || i < 0 {
			return 0, false
		}
		unit = unit<<4 | uint16(i)
	}
	return unit, true
}
