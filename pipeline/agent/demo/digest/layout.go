package digest

import "strings"

// A kind is what a unit of a document looks like.
type kind uint8

const (
	prose   kind = iota // running text, over one or more lines
	heading             // a line that stands by itself, or a Markdown heading
	field               // "name: value"
	entry               // an entry of a list
	line                // a line of a log, a table or a quotation
)

// A unit is a stretch of text that no sentence crosses.
type unit struct {
	start, end int // of the text; for a field, of its value
	key        string
	kind       kind
	paragraph  int
}

// layout cuts text into units. Lines of running text are joined; everything that looks like a line of its own is one.
func (r *reading) layout() {
	full := fullLine(r.text)
	last := -1      // index of the unit that the line before belongs to; -1 after a blank line or a rule
	joined := false // the next line of running text belongs to it
	paragraph := 0
	inBlock := false
	for pos := 0; pos < len(r.text); {
		end := lineEnd(r.text, pos)
		u := classify(r.text, pos, end, !joined || last >= 0 && r.units[last].kind == field)
		pos = end + 1
		switch {
		case u.start == u.end:
			last, inBlock, joined = -1, false, false
			continue
		case isRule(r.text[u.start:u.end]):
			r.underline(last)
			last, joined = -1, false
			continue
		}
		if !inBlock {
			inBlock = true
			paragraph++
		}
		if u.kind == prose && joined {
			r.units[last].end = u.end
		} else {
			u.paragraph = paragraph
			r.units = append(r.units, u)
			last = len(r.units) - 1
		}
		k := r.units[last].kind
		joined = k != heading && k != line && u.end-u.start+1+firstWordLen(r.text, pos) >= full
	}
	r.counts.Paragraphs = paragraph
	r.standalone()
}

// lineEnd is where the line at pos ends.
func lineEnd(text string, pos int) int {
	if i := strings.IndexByte(text[pos:], '\n'); i >= 0 {
		return pos + i
	}
	return len(text)
}

const (
	shortLine = 44 // bytes; running text is wrapped later than that, an address or a greeting ends before
	longLine  = 255
)

// fullLine is the length from which a line was broken for want of room, so that the next one belongs to it: three quarters
// of what is usual for lines that another one follows.
func fullLine(text string) int {
	var count [longLine + 1]int
	total, before := 0, 0
	for pos := 0; pos < len(text); {
		end := lineEnd(text, pos)
		n := end - pos
		if n > 1 && before >= shortLine {
			count[min(before, longLine)]++
			total++
		}
		before, pos = n, end+1
	}
	seen := 0
	for n := range count {
		if seen += count[n]; 2*seen > total {
			return max(shortLine, n*3/4)
		}
	}
	return shortLine
}

// firstWordLen is the length of the word that the line at pos begins with.
func firstWordLen(text string, pos int) int {
	n := 0
	for pos+n < len(text) && n < shortLine && text[pos+n] != '\n' && !isBlank(text[pos+n]) {
		n++
	}
	return n
}

// underline makes a short line that a rule follows a heading, as in Markdown and in typed letters.
func (r *reading) underline(open int) {
	if open >= 0 && r.units[open].kind == prose && r.units[open].end-r.units[open].start <= maxHeading {
		r.units[open].kind = heading
	}
}

const maxHeading = 100 // bytes of a line that can be a heading

// standalone makes short paragraphs of one line without an end of sentence headings.
func (r *reading) standalone() {
	for i := range r.units {
		u := &r.units[i]
		if u.kind != prose || u.end-u.start > maxHeading {
			continue
		}
		if i > 0 && r.units[i-1].paragraph == u.paragraph || i+1 < len(r.units) && r.units[i+1].paragraph == u.paragraph {
			continue
		}
		if !strings.ContainsAny(r.text[u.end-1:u.end], ".!?,;:") && !endsWide(r.text[u.start:u.end]) {
			u.kind = heading
		}
	}
}

// classify looks at the line text[start:end]. An empty unit is a blank line. Only a line that starts something can be a field.
func classify(text string, start, end int, first bool) unit {
	for start < end && isBlank(text[start]) {
		start++
	}
	for end > start && isBlank(text[end-1]) {
		end--
	}
	u := unit{start: start, end: end}
	if start == end {
		return u
	}
	s := text[start:end]
	switch c := s[0]; {
	case c == '#':
		if n := len(s) - len(strings.TrimLeft(s, "# \t")); n > 0 && n < len(s) && isBlank(s[n-1]) {
			u.kind, u.start = heading, start+n
		}
	case c == '>' || c == '|' || strings.Count(s, "\t") > 1:
		u.kind = line
	case c == '[' || isDigit(c) && isStamp(s):
		u.kind = line
	default:
		if n := bullet(s); n > 0 {
			u.kind, u.start = entry, start+n
		} else if n := fieldKey(s); n > 0 && first {
			u.kind, u.key, u.start = field, strings.TrimRight(s[:n], " "), start+n+1
			for isBlank(text[u.start]) {
				u.start++
			}
		}
	}
	return u
}

// bullet gives the length of the mark that begins an entry of a list; 0 where there is none.
func bullet(s string) int {
	for _, mark := range []string{"- ", "* ", "+ ", "• ", "– "} {
		if strings.HasPrefix(s, mark) && len(s) > len(mark) {
			return len(mark)
		}
	}
	i := 0
	for i < len(s) && i < 3 && isDigit(s[i]) {
		i++
	}
	if i > 0 && i+2 < len(s) && (s[i] == '.' || s[i] == ')') && s[i+1] == ' ' && monthAt(s, i+2) == "" {
		return i + 2
	}
	return 0
}

// fieldKey gives the length of the name in "name: value"; 0 where s is not a field. A name is at most three words.
func fieldKey(s string) int {
	words := 1
	for i := 0; i < len(s) && i <= 40; i++ {
		switch c := s[i]; {
		case c == ':':
			if i > 0 && i+2 < len(s) && isBlank(s[i+1]) && !isDigit(s[0]) {
				return i
			}
			return 0
		case c == ' ':
			if words++; words > 3 {
				return 0
			}
		case c == '.' || c == ',' || c == '"' || c == ';' || c == '?' || c == '!':
			return 0
		}
	}
	return 0
}

// isStamp reports whether s begins with a date or a time, as the lines of a log do.
func isStamp(s string) bool {
	digits, marks := 0, 0
	for i := 0; i < len(s) && i < 10; i++ {
		switch c := s[i]; {
		case isDigit(c):
			digits++
		case c == '-' || c == ':' || c == '/':
			marks++
		default:
			return digits >= 4 && marks >= 1
		}
	}
	return digits >= 4 && marks >= 1
}

// isRule reports whether a line is a mere ornament.
func isRule(s string) bool {
	for i := 0; i < len(s); i++ {
		if strings.IndexByte("-=_*~.#+ ", s[i]) < 0 {
			return false
		}
	}
	return true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
