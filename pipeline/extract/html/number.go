package html

import (
	"strconv"
	"strings"
)

// parseNumber reads the number of an item or a span; what is no small whole number is none.
func parseNumber(text string) (n int, ok bool) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	return n, err == nil && n >= 0 && n < 1_000_000
}

// formatNumber writes the number of an item as the list's type says: "1", "a", "A", "i" or "I".
func formatNumber(n int, kind string) string {
	text := ""
	switch kind {
	case "a", "A":
		text = letters(n)
	case "i", "I":
		text = roman(n)
	}
	switch {
	case text == "":
		return strconv.Itoa(n)
	case kind == "A" || kind == "I":
		return strings.ToUpper(text)
	}
	return text
}

// letters counts a, b, ... z, aa, ab, ...; "" for 0.
func letters(n int) string {
	text := ""
	for ; n > 0; n = (n - 1) / 26 {
		text = string(rune('a'+(n-1)%26)) + text
	}
	return text
}

// roman is "" for what Roman numbers do not reach.
func roman(n int) string {
	if n >= 4000 {
		return ""
	}
	text := ""
	for _, digit := range []struct {
		value int
		text  string
	}{{1000, "m"}, {900, "cm"}, {500, "d"}, {400, "cd"}, {100, "c"}, {90, "xc"}, {50, "l"}, {40, "xl"}, {10, "x"}, {9, "ix"}, {5, "v"}, {4, "iv"}, {1, "i"}} {
		for ; n >= digit.value; n -= digit.value {
			text += digit.text
		}
	}
	return text
}
