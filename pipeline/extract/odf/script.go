package odf

import (
	"strings"
	"unicode/utf8"
)

// The characters that Unicode has above and below the line.
var (
	superscripts = pairs("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
	subscripts   = pairs("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
)

func pairs(from, to string) map[rune]rune {
	m, written := map[rune]rune{}, []rune(to)
	for i, c := range []rune(from) {
		m[c] = written[i]
	}
	return m
}

// scriptOf reads a position of text: "super 58%", "sub 58%", or how far it is raised: "-33% 58%" (OpenDocument 1.3 part 3, 20.384).
func scriptOf(position string) map[rune]rune {
	first, _, _ := strings.Cut(strings.TrimSpace(position), " ")
	switch {
	case first == "super":
		return superscripts
	case first == "sub" || strings.HasPrefix(first, "-"):
		return subscripts
	case strings.Trim(first, "0%.") != "":
		return superscripts
	}
	return nil
}

// rescript writes par[start:] above or below the line, if all of it can be: x², but 1st.
func rescript(par []byte, start int, script map[rune]rune) []byte {
	const longest = 20
	if len(par)-start > longest {
		return par
	}
	out := make([]byte, 0, longest)
	for _, c := range string(par[start:]) {
		written, ok := script[c]
		if !ok {
			return par
		}
		out = utf8.AppendRune(out, written)
	}
	return append(par[:start], out...)
}
