package ooxml

import (
	"strconv"
	"strings"
)

// formatNumber writes a number in a format of ST_NumberFormat (ISO/IEC 29500-1, 17.18.59); in digits where the format is none that is known
// here.
func formatNumber(n int, format string) string {
	switch format {
	case "upperRoman":
		return roman(n)
	case "lowerRoman":
		return strings.ToLower(roman(n))
	case "upperLetter":
		return letters(n, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	case "lowerLetter":
		return letters(n, "abcdefghijklmnopqrstuvwxyz")
	case "russianUpper":
		return letters(n, "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯ")
	case "russianLower":
		return letters(n, "абвгдежзиклмнопрстуфхцчшщыэюя")
	case "ordinal":
		return strconv.Itoa(n) + ordinalEnding(n)
	case "decimalZero":
		if n < 10 {
			return "0" + strconv.Itoa(n)
		}
	case "numberInDash":
		return "- " + strconv.Itoa(n) + " -"
	case "decimalEnclosedCircle", "decimalEnclosedCircleChinese":
		if 1 <= n && n <= 20 {
			return string(rune('①' + n - 1))
		}
	case "chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting", "taiwaneseCountingThousand", "koreanCounting":
		return chinese(n)
	}
	return strconv.Itoa(n)
}

var romanDigits = []struct {
	value  int
	digits string
}{
	{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"},
	{1, "I"},
}

func roman(n int) string {
	if n < 1 || n > 3999 {
		return strconv.Itoa(n)
	}
	var b strings.Builder
	for _, d := range romanDigits {
		for ; n >= d.value; n -= d.value {
			b.WriteString(d.digits)
		}
	}
	return b.String()
}

// letters counts as Word does: a to z, then aa, bb to zz, then aaa.
func letters(n int, alphabet string) string {
	runes := []rune(alphabet)
	if n < 1 || n > 30*len(runes) {
		return strconv.Itoa(n)
	}
	return strings.Repeat(string(runes[(n-1)%len(runes)]), (n-1)/len(runes)+1)
}

func ordinalEnding(n int) string {
	if n%100/10 == 1 {
		return "th"
	}
	switch n % 10 {
	case 1:
		return "st"
	case 2:
		return "nd"
	case 3:
		return "rd"
	}
	return "th"
}

// chinese writes a number below 100 in words, as lists do; a larger one in digits.
func chinese(n int) string {
	digits := []string{"", "一", "二", "三", "四", "五", "六", "七", "八", "九"}
	switch {
	case n < 1 || n > 99:
		return strconv.Itoa(n)
	case n < 10:
		return digits[n]
	case n < 20:
		return "十" + digits[n-10]
	}
	return digits[n/10] + "十" + digits[n%10]
}
