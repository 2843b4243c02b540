package numfmt

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// maxPlaces bounds the places of a number format; Excel allows 30 after the point.
const maxPlaces = 100

// A numberFormat is a section for numbers: "#,##0.00 €".
type numberFormat struct {
	prefix, suffix   string
	places           bool // there are any: without, the section is a word
	minInt           int
	minFrac, maxFrac int
	grouped          bool // thousands, by commas
	shift            int  // powers of ten: 2 for a percentage, -3 for thousands left out
}

// compileNumber reads a section for numbers; not ok is one with text among its digits, or a fraction.
func compileNumber(tokens []token) (numberFormat, bool) {
	n := numberFormat{}
	const before, whole, fraction, after = 0, 1, 2, 3
	at, commas := before, 0
	for _, t := range tokens {
		switch {
		case t.kind == digitsToken && at == after, t.kind == symbolToken && t.text == "/":
			return n, false
		case t.kind == digitsToken && at == fraction:
			n.maxFrac += len(t.text)
			if i := strings.LastIndexByte(t.text, '0'); i >= 0 {
				n.minFrac = n.maxFrac - len(t.text) + i + 1
			}
		case t.kind == digitsToken:
			n.grouped = n.grouped || commas > 0
			at, commas, n.places = whole, 0, true
			n.minInt += strings.Count(t.text, "0")
		case t.kind == symbolToken && t.text == "." && at <= whole:
			at, n.places = fraction, true
		case t.kind == symbolToken && t.text == "," && (at == whole || at == fraction):
			commas++
		default:
			if at == whole || at == fraction {
				at = after
			}
			n.write(at == before, t.text)
		}
	}
	n.shift -= 3 * commas
	return n, n.minInt <= maxPlaces && n.maxFrac <= maxPlaces
}

// write adds a literal before or after the number.
func (n *numberFormat) write(before bool, text string) {
	if text == "%" {
		n.shift += 2
	}
	if before {
		n.prefix += text
	} else {
		n.suffix += text
	}
}

// append writes a number in the format. A minus goes before the prefix, as in Excel.
func (n *numberFormat) append(dst, raw []byte, x float64) []byte {
	if x < 0 {
		dst = append(dst, '-')
	}
	dst = append(dst, n.prefix...)
	if n.places {
		var room [32]byte
		d := newDecimal(room[:0], raw, x)
		if len(d.digits) > 0 {
			d.point += n.shift
		}
		dst = n.appendPlaces(dst, d.round(n.maxFrac))
	}
	return append(dst, n.suffix...)
}

func (n *numberFormat) appendPlaces(dst []byte, d decimal) []byte {
	for i := max(n.minInt, d.point); i > 0; i-- {
		dst = append(dst, d.digit(d.point-i))
		if n.grouped && i > 1 && i%3 == 1 {
			dst = append(dst, ',')
		}
	}
	places := max(n.minFrac, min(n.maxFrac, len(d.digits)-d.point))
	if places <= 0 {
		return dst
	}
	dst = append(dst, '.')
	for i := range places {
		dst = append(dst, d.digit(d.point+i))
	}
	return dst
}

// A decimal is a number without sign as Excel has it, of 15 digits: 0.digits times ten to the power of point.
type decimal struct {
	digits []byte // without zeros at the end
	point  int
}

// newDecimal takes the digits of a whole number as they are written, so that a long one stays exact, and else those of x.
func newDecimal(room, raw []byte, x float64) decimal {
	if raw = bytes.TrimPrefix(raw, []byte("-")); isWhole(raw) {
		return decimal{append(room, raw...), len(raw)}.trim()
	}
	s := strconv.AppendFloat(room, math.Abs(x), 'e', 14, 64)
	exponent, _ := strconv.Atoi(string(s[bytes.IndexByte(s, 'e')+1:]))
	s[1] = s[0] // d.dddd → dddddd
	return decimal{s[1:16], exponent + 1}.trim()
}

// isWhole reports whether raw is a whole number of up to 20 digits.
func isWhole(raw []byte) bool {
	if len(raw) == 0 || len(raw) > 20 || raw[0] == '0' && len(raw) > 1 {
		return false
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func (d decimal) trim() decimal {
	d.digits = bytes.TrimRight(d.digits, "0")
	if len(d.digits) == 0 {
		d.point = 0
	}
	return d
}

// digit is the digit at an index before or after those that there are, too.
func (d decimal) digit(i int) byte {
	if i < 0 || i >= len(d.digits) {
		return '0'
	}
	return d.digits[i]
}

// round rounds to places after the point, a half away from zero as people do.
func (d decimal) round(places int) decimal {
	keep := d.point + places
	if keep >= len(d.digits) {
		return d
	}
	if keep < 0 {
		return decimal{}
	}
	up := d.digits[keep] >= '5'
	d.digits = d.digits[:keep]
	for i := keep - 1; up && i >= 0; i-- {
		if up = d.digits[i] == '9'; up {
			d.digits[i] = '0'
		} else {
			d.digits[i]++
		}
	}
	if up {
		d.digits, d.point = append(d.digits[:0], '1'), d.point+1
	}
	return d.trim()
}

// appendGeneral writes a number without a format: whole ones in full, others with 15 digits and without the noise of binary
// fractions behind them.
func appendGeneral(dst, raw []byte, x float64) []byte {
	if isWhole(bytes.TrimPrefix(raw, []byte("-"))) {
		return append(dst, raw...)
	}
	if size := math.Abs(x); x != 0 && (size >= 1e21 || size < 1e-9) {
		return appendScientific(dst, x)
	}
	var room [32]byte
	d := newDecimal(room[:0], raw, x)
	if x < 0 && len(d.digits) > 0 {
		dst = append(dst, '-')
	}
	plain := numberFormat{minInt: 1, maxFrac: maxPlaces}
	return plain.appendPlaces(dst, d)
}

// appendScientific writes a very large or small number: 1.5E+300.
func appendScientific(dst []byte, x float64) []byte {
	s := strconv.FormatFloat(x, 'E', 14, 64)
	mantissa, exponent, _ := strings.Cut(s, "E")
	mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	return append(append(append(dst, mantissa...), 'E'), exponent...)
}
