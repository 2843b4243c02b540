package workbook

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"docbatch/pipeline/extract/pack"
)

// margins are the elements of an x:headerFooter (ECMA-376 part 1, 18.3.1.46) and how their text is called.
var margins = map[string]string{
	"x:oddHeader": "header", "x:evenHeader": "header", "x:firstHeader": "header",
	"x:oddFooter": "footer", "x:evenFooter": "footer", "x:firstFooter": "footer",
}

// margin keeps a header or a footer of the printed page, for after the cells; each text of the workbook once.
func (r *sheetReader) margin(d *pack.Decoder, name string) error {
	code, err := d.Text()
	if text := marginText(code); text != "" && len(r.seen) < r.file.Bounds.Parts {
		if text = "[" + name + ": " + text + "]\n"; !r.seen[text] {
			r.seen[text] = true
			r.margins = append(r.margins, text)
		}
	}
	return err
}

func (r *sheetReader) writeMargins() {
	for _, text := range r.margins {
		r.title()
		r.out.WriteString(text)
	}
}

// maxPageWords is the length, in characters, up to which the words around the page's number say nothing else: "Page of", "Seite von".
const maxPageWords = 10

// marginText is the text of a header's code: "&L&8left&CPage &P" (ECMA-376 part 1, 18.3.1.39) is "left". What fields show is not known here,
// and words for the page's number alone are left out.
func marginText(code string) string {
	var sections []string
	var b strings.Builder
	numbered := false
	end := func() {
		text := strings.Join(strings.Fields(b.String()), " ")
		if strings.ContainsFunc(text, unicode.IsLetter) && (!numbered || utf8.RuneCountInString(text) > maxPageWords) {
			sections = append(sections, text)
		}
		b.Reset()
		numbered = false
	}
	for {
		text, rest, ok := strings.Cut(code, "&")
		b.WriteString(text)
		if !ok || rest == "" {
			break
		}
		code = rest[1:]
		switch c := rest[0]; {
		case c == '&':
			b.WriteByte('&')
		case c == 'L', c == 'C', c == 'R':
			end()
		case c == 'P':
			numbered = true
		case c == '"': // a font
			_, code, _ = strings.Cut(code, `"`)
		case c == 'K': // a colour: 00FF00 or 01-050
			code = code[min(6, len(code)):]
		case c >= '0' && c <= '9': // a size
			code = strings.TrimLeft(code, "0123456789")
		}
	}
	end()
	return strings.Join(sections, "; ")
}
