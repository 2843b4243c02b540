package numfmt

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// lastDay is the serial number after 9999-12-31, the last day of Excel.
const lastDay = 2958466

// A datePart is a piece of a date format: a literal, or what of the date is written.
type datePart struct {
	code string // "yyyy", "mm", "minutes" …; "" for a literal
	text string // a literal; of a fraction of a second, its zeros
}

// compileDate reads a section with dates or times. An m is minutes behind hours and before seconds, months elsewhere.
func compileDate(tokens []token) (section, bool) {
	s := section{kind: date}
	last := -1 // index of the last part that is of a date
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		switch {
		case t.kind == dateToken:
			s.date = append(s.date, datePart{code: t.text})
			s.settle(last, len(s.date)-1)
			last = len(s.date) - 1
		case t.text == "." && i+1 < len(tokens) && tokens[i+1].kind == digitsToken && last >= 0 && isSeconds(s.date[last].code):
			zeros := tokens[i+1].text
			if strings.Trim(zeros, "0") != "" || len(zeros) > 3 {
				return section{}, false
			}
			s.date = append(s.date, datePart{code: "fraction", text: zeros})
			s.rounded = max(s.rounded, len(zeros))
			i++
		case t.kind == literalToken || t.kind == symbolToken:
			s.date = append(s.date, datePart{text: t.text})
		default:
			return section{}, false
		}
	}
	return s, true
}

// settle makes an m at one of two neighbouring parts minutes where the other one says so.
func (s *section) settle(before, at int) {
	if before < 0 {
		return
	}
	a, b := &s.date[before], &s.date[at]
	if isMonth(b.code) && isHours(a.code) {
		b.code = minutes(b.code)
	}
	if isMonth(a.code) && isSeconds(b.code) {
		a.code = minutes(a.code)
	}
}

func isMonth(code string) bool   { return code == "m" || code == "mm" }
func isHours(code string) bool   { return strings.Trim(code, "[h]") == "" && code != "" }
func isSeconds(code string) bool { return strings.Trim(code, "[s]") == "" && code != "" }
func minutes(code string) string { return strings.Repeat("n", len(code)) }

// A moment is a serial date taken apart.
type moment struct {
	year, month, day int
	weekday          time.Weekday
	seconds          int64 // since day 0
	fraction         int64 // of a second, in its last digit shown
	half             bool  // hours are written from 1 to 12
}

// appendDate writes the serial number of a date; not ok is one out of range.
func (s *section) appendDate(dst []byte, serial float64, date1904 bool) ([]byte, bool) {
	if !(serial >= 0 && serial < lastDay) {
		return dst, false
	}
	m := newMoment(serial, s.rounded, date1904)
	for _, p := range s.date {
		m.half = m.half || p.code == "am/pm" || p.code == "a/p"
	}
	for _, p := range s.date {
		dst = m.append(dst, p)
	}
	return dst, true
}

// newMoment takes a serial number apart, rounded to a number of digits of a second. Day 60 of 1900 is a 29th of February that there
// was not, and day 0 the 0th of January, as in Lotus 1-2-3 and so in Excel.
func newMoment(serial float64, digits int, date1904 bool) moment {
	unit := int64(math.Pow10(digits))
	total := int64(math.Round(serial * 86400 * float64(unit)))
	m := moment{seconds: total / unit, fraction: total % unit}
	day := int(m.seconds / 86400)
	start := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case date1904:
		start = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case day < 60:
		start = start.AddDate(0, 0, 1)
	}
	t := start.AddDate(0, 0, day)
	m.year, m.month, m.day, m.weekday = t.Year(), int(t.Month()), t.Day(), t.Weekday()
	if !date1904 && day == 60 {
		m.month, m.day = 2, 29
	}
	if !date1904 && day == 0 {
		m.year, m.month, m.day = 1900, 1, 0
	}
	return m
}

// append writes one part of the date.
func (m *moment) append(dst []byte, p datePart) []byte {
	switch p.code {
	case "":
		return append(dst, p.text...)
	case "am/pm", "a/p":
		return append(dst, m.noon(p.code)...)
	case "fraction":
		dst = append(dst, '.')
		return appendPadded(dst, m.fraction, len(p.text))
	case "mmm", "mmmm", "mmmmm", "ddd", "dddd":
		return append(dst, m.word(p.code)...)
	case "y", "yy":
		return appendPadded(dst, int64(m.year%100), 2)
	}
	if strings.HasPrefix(p.code, "[") {
		return appendPadded(dst, m.elapsed(p.code[1]), len(p.code)-2)
	}
	return appendPadded(dst, m.value(p.code[0]), min(len(p.code), 4))
}

func (m *moment) value(unit byte) int64 {
	switch unit {
	case 'y':
		return int64(m.year)
	case 'm':
		return int64(m.month)
	case 'd':
		return int64(m.day)
	case 'h':
		hour := m.seconds / 3600 % 24
		if m.half {
			return (hour+11)%12 + 1
		}
		return hour
	case 'n':
		return m.seconds / 60 % 60
	}
	return m.seconds % 60
}

// elapsed is the whole time in a unit, beyond a day.
func (m *moment) elapsed(unit byte) int64 {
	switch unit {
	case 'h':
		return m.seconds / 3600
	case 'm':
		return m.seconds / 60
	}
	return m.seconds
}

func (m *moment) noon(code string) string {
	word := "AM"
	if m.seconds/3600%24 >= 12 {
		word = "PM"
	}
	if code == "a/p" {
		return word[:1]
	}
	return word
}

// word is the English name of the month or the day.
func (m *moment) word(code string) string {
	name := m.weekday.String()
	if code[0] == 'm' {
		name = time.Month(m.month).String()
	}
	switch len(code) {
	case 3:
		return name[:3]
	case 5:
		return name[:1]
	}
	return name
}

// appendPadded writes n with at least width digits.
func appendPadded(dst []byte, n int64, width int) []byte {
	for p := int64(10); width > 1; width-- {
		if n < p {
			dst = append(dst, '0')
		}
		p *= 10
	}
	return strconv.AppendInt(dst, n, 10)
}
