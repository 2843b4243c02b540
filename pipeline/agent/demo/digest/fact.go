package digest

import (
	"strings"
	"unicode/utf8"
)

// months are the names of the months in the languages that are known here, and their usual short forms.
var months = set(`january february march april may june july august september october november december
 jan feb mar apr jun jul aug sep sept oct nov dec
 janvier février mars avril mai juin juillet août septembre octobre novembre décembre
 januar jänner februar märz juni juli oktober dezember
 enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
 gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre
 janeiro fevereiro março maio junho julho setembro outubro novembro dezembro
 januari februari maart mei augustus`)

// currencies are the words that make a number beside them an amount.
var currencies = set(`eur euro euros usd dollar dollars gbp pound pounds chf franken francs franc jpy yen sek nok dkk pln brl reais cad aud`)

// currencySigns are the signs that do.
const currencySigns = "€$£¥₹₽₺₩"

// count counts a number as a date, an amount or neither. after is where the date of which it is a part ends, so that
// "3 March 2026" is one date and no number.
func (r *reading) count(t token) (after int) {
	s := r.text[t.start:t.end]
	if isDate(s) {
		r.counts.Dates++
		return t.end
	}
	if end := monthBehind(r.text, t.end); end > 0 && len(s) <= 4 {
		r.counts.Dates++
		return yearBehind(r.text, end)
	}
	if r.isAmount(t) {
		r.counts.Amounts++
	} else {
		r.counts.Numbers++
	}
	return t.end
}

// countMonth counts the date that a month's name begins: "March 3, 2026". Its end is where the text goes on.
func (r *reading) countMonth(t token) (after int) {
	if t.end+1 >= len(r.text) || !isBlank(r.text[t.end]) || !isDigit(r.text[t.end+1]) {
		return t.end
	}
	number := numberToken(r.text, t.end+1, min(len(r.text), t.end+12))
	if number.end-number.start > 4 {
		return t.end
	}
	r.counts.Dates++
	return yearBehind(r.text, number.end)
}

// isDate reports whether s is a date in digits: two equal marks between numbers that can be a year, a month and a day.
func isDate(s string) bool {
	if len(s) < 6 || len(s) > 10 {
		return false
	}
	var lens [3]int
	var mark byte
	part := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if isDigit(c) {
			lens[part]++
			continue
		}
		if part == 2 || c != '-' && c != '/' && c != '.' || mark != 0 && c != mark {
			return false
		}
		mark = c
		part++
	}
	short := func(n int) bool { return n == 1 || n == 2 }
	return part == 2 && short(lens[1]) && (short(lens[0]) && (lens[2] == 2 || lens[2] == 4) || lens[0] == 4 && short(lens[2]))
}

// monthBehind gives the end of the month's name that follows a day: "3 March", "3. März", "3 de marzo"; 0 where none does.
func monthBehind(text string, pos int) int {
	if pos < len(text) && text[pos] == '.' {
		pos++
	}
	w := wordAt(text, pos)
	if w == "" || !isBlank(text[pos]) && text[pos] != '\n' {
		return 0
	}
	switch w {
	case "de", "of", "di":
		pos += 1 + len(w)
		w = wordAt(text, pos)
	}
	if w != "" && months[strings.ToLower(w)] {
		return pos + 1 + len(w)
	}
	return 0
}

// yearBehind skips the year that may follow at pos: ", 2026", " de 2026".
func yearBehind(text string, pos int) int {
	i := pos
	for i < len(text) && i < pos+2 && (text[i] == ',' || text[i] == '.' || text[i] == '\n' || isBlank(text[i])) {
		i++
	}
	for _, of := range []string{"de ", "del "} {
		if strings.HasPrefix(text[i:], of) {
			i += len(of)
			break
		}
	}
	digits := i
	for digits < len(text) && digits < i+5 && isDigit(text[digits]) {
		digits++
	}
	if digits-i != 4 {
		return pos
	}
	return digits
}

// monthAt is the month's name at text[pos]; "" where there is none.
func monthAt(text string, pos int) string {
	if w := wordAt(text, pos); months[strings.ToLower(w)] {
		return w
	}
	return ""
}

// isAmount reports whether a currency stands before or behind a number.
func (r *reading) isAmount(t token) bool {
	before := strings.TrimRight(r.text[max(0, t.start-12):t.start], " \u00a0\u202f")
	if c, _ := utf8.DecodeLastRuneInString(before); strings.ContainsRune(currencySigns, c) {
		return true
	}
	if w := lastWord(before); len(w) >= 3 && len(w) <= 7 && currencies[strings.ToLower(w)] {
		return true
	}
	behind := strings.TrimLeft(r.text[t.end:min(len(r.text), t.end+12)], " \u00a0\u202f.-–")
	if c, _ := utf8.DecodeRuneInString(behind); c != utf8.RuneError && strings.ContainsRune(currencySigns, c) {
		return true
	}
	w := wordAt(behind, 0)
	return len(w) >= 3 && currencies[strings.ToLower(w)]
}
