// Package numfmt writes the numbers of a workbook as Excel (English) shows them: by the number formats of ECMA-376 part 1, 18.8.30 and
// 18.8.31. It formats some millions of numbers a second; what it does not know itself it leaves to excelize.
package numfmt

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
)

// localDate is what a date is written as whose format says only "as in the reader's country".
const localDate = "yyyy-mm-dd"

// Builtin is the code of the number format of an id that a workbook uses without saying what it is (ECMA-376 part 1, 18.8.30), as
// Excel shows it in English. The ones that depend on the country of whoever looks are written in the order of ISO 8601.
func Builtin(id int) string {
	switch {
	case id >= 0 && id < len(builtins):
		return builtins[id]
	case id >= 27 && id <= 31, id == 36, id >= 50 && id <= 58:
		return localDate
	case id >= 32 && id <= 35:
		return "h:mm:ss"
	case id >= 37 && id < 37+len(accounting):
		return accounting[id-37]
	}
	return "General"
}

var builtins = []string{
	"General", "0", "0.00", "#,##0", "#,##0.00",
	`"$"#,##0_);("$"#,##0)`, `"$"#,##0_);("$"#,##0)`, `"$"#,##0.00_);("$"#,##0.00)`, `"$"#,##0.00_);("$"#,##0.00)`,
	"0%", "0.00%", "0.00E+00", "# ?/?", "# ??/??",
	localDate, "d-mmm-yy", "d-mmm", "mmm-yy", "h:mm AM/PM", "h:mm:ss AM/PM", "h:mm", "h:mm:ss", localDate + " hh:mm",
}

var accounting = []string{
	"#,##0_);(#,##0)", "#,##0_);(#,##0)", "#,##0.00_);(#,##0.00)", "#,##0.00_);(#,##0.00)",
	`_(* #,##0_);_(* (#,##0);_(* "-"_)`, `_("$"* #,##0_);_("$"* (#,##0);_("$"* "-"_)`,
	`_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_)`, `_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_)`,
	"mm:ss", "[h]:mm:ss", "mm:ss.0", "##0.0E+0", "@",
}

// MaxCodeBytes is the length of the longest code that this package is meant for; Excel allows 255 characters.
const MaxCodeBytes = 1024

// Formats writes numbers as their styles say. It is used by one goroutine.
type Formats struct {
	codes    []string // by style
	date1904 bool
	compiled []*format
	stranger *stranger
}

// New makes Formats of the codes of a workbook's styles, none longer than MaxCodeBytes. Dates count from 1904 or from 1900. Numbers in
// formats that are left to excelize are written as they are stored after the first maxSlow of them, since one may take it 160 us; 0 is
// without end.
func New(codes []string, date1904 bool, maxSlow int) *Formats {
	return &Formats{codes: codes, date1904: date1904, compiled: make([]*format, len(codes)), stranger: newStranger(date1904, maxSlow)}
}

// Append appends the number raw as a person sees it in Excel, in the style of that index. What is no number is appended as it is.
func (f *Formats) Append(dst []byte, style int, raw []byte) []byte {
	x, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return append(dst, raw...)
	}
	if style < 0 || style >= len(f.codes) {
		return appendGeneral(dst, raw, x)
	}
	if f.compiled[style] == nil {
		f.compiled[style] = compile(f.codes[style])
	}
	s, signed := f.compiled[style].section(x)
	if x < 0 && !signed {
		raw, x = bytes.TrimPrefix(raw, []byte("-")), -x
	}
	if s.kind == exotic {
		return append(dst, f.stranger.text(s.code, raw)...)
	}
	out, ok := s.append(dst, raw, x, f.date1904)
	if !ok {
		return appendGeneral(dst, raw, x) // a date that is none: Excel shows ####
	}
	return trimFrom(out, len(dst))
}

// trimFrom drops the white space around out[start:], which formats have to align columns.
func trimFrom(out []byte, start int) []byte {
	return append(out[:start], bytes.TrimSpace(out[start:])...)
}

// A format is a number format.
type format struct {
	sections    []section // for positive numbers and zero, negative ones, zero; or by their conditions
	conditional bool
}

// A section is one of the formats between semicolons.
type section struct {
	kind    sectionKind
	when    condition
	code    string // without the condition
	number  numberFormat
	date    []datePart
	rounded int    // digits of a second's fraction that a date shows
	prefix  string // around a number in its General form
	suffix  string
}

type sectionKind int

const (
	general sectionKind = iota
	number
	date
	exotic // left to excelize
)

// A condition says for which numbers a section is, in place of their sign: "[>=100]".
type condition struct {
	operator string // "" for none
	value    float64
}

var conditions = regexp.MustCompile(`\[(<=|>=|<>|<|>|=)(-?[0-9.]+)\]`)

// compile reads a format's code.
func compile(code string) *format {
	f := &format{}
	for _, code := range splitSections(code) {
		s := section{kind: exotic}
		when := condition{}
		if at := conditions.FindStringSubmatchIndex(code); at != nil {
			when.operator = code[at[2]:at[3]]
			when.value, _ = strconv.ParseFloat(code[at[4]:at[5]], 64)
			code = code[:at[0]] + code[at[1]:]
			f.conditional = true
		}
		if known, ok := compileSection(code); ok {
			s = known
		}
		s.when, s.code = when, code
		f.sections = append(f.sections, s)
	}
	f.sections = f.sections[:min(len(f.sections), 3)] // the fourth is for text
	return f
}

// splitSections cuts a code at the semicolons that are not quoted.
func splitSections(code string) []string {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '\\' || c == '_' || c == '*'):
			i++
		case !quoted && c == ';':
			parts = append(parts, code[start:i])
			start = i + 1
		}
	}
	return append(parts, code[start:])
}

func compileSection(code string) (section, bool) {
	tokens, ok := tokenize(code)
	if !ok {
		return section{}, false
	}
	kind := number
	for _, t := range tokens {
		if t.kind == dateToken {
			kind = date
			break
		}
		if t.kind == generalToken {
			kind = general
		}
	}
	switch kind {
	case date:
		return compileDate(tokens)
	case number:
		n, ok := compileNumber(tokens)
		return section{kind: number, number: n}, ok
	}
	s := section{kind: general}
	into := &s.prefix
	for _, t := range tokens {
		switch t.kind {
		case generalToken:
			into = &s.suffix
		case literalToken, symbolToken:
			*into += t.text
		default:
			return section{}, false
		}
	}
	return s, true
}

// append writes a number; not ok is a date out of range.
func (s *section) append(dst, raw []byte, x float64, date1904 bool) ([]byte, bool) {
	switch s.kind {
	case date:
		return s.appendDate(dst, x, date1904)
	case number:
		return s.number.append(dst, raw, x), true
	}
	if x < 0 {
		dst = append(dst, '-')
		raw, x = bytes.TrimPrefix(raw, []byte("-")), -x
	}
	dst = append(dst, s.prefix...)
	dst = appendGeneral(dst, raw, x)
	return append(dst, s.suffix...), true
}

// section is the one for x, and whether a minus is still to be written.
func (f *format) section(x float64) (s *section, signed bool) {
	switch {
	case f.conditional:
		for i := range f.sections {
			if s = &f.sections[i]; s.when.holds(x) {
				return s, true
			}
		}
		return s, true
	case x < 0 && len(f.sections) > 1:
		return &f.sections[1], false
	case x == 0 && len(f.sections) > 2:
		return &f.sections[2], true
	}
	return &f.sections[0], true
}

func (c condition) holds(x float64) bool {
	switch c.operator {
	case "<":
		return x < c.value
	case "<=":
		return x <= c.value
	case ">":
		return x > c.value
	case ">=":
		return x >= c.value
	case "=":
		return x == c.value
	case "<>":
		return x != c.value
	}
	return true
}
