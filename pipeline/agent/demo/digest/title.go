package digest

import "strings"

// subjectKeys are the names of the line that says what a mail, a letter or a ticket is about.
var subjectKeys = set(`subject title topic re betreff titel thema objet sujet titre concerne asunto título titulo oggetto titolo assunto onderwerp`)

const titleUnits = 40 // units looked at for a title

// title finds what the document calls itself: a subject line, the line or two that it begins with, a heading; else it is
// the first sentence. A letter begins with an address, which is longer, and has no other title than these.
func (r *reading) title() string {
	first := r.units[:min(len(r.units), titleUnits)]
	if len(first) == 0 {
		return ""
	}
	for _, u := range first {
		if u.kind == field && subjectKeys[strings.ToLower(lastWord(u.key))] {
			return r.text[u.start:u.end]
		}
	}
	if u := first[0]; u.kind != line && u.end-u.start <= maxHeading && (len(first) < 3 || first[2].paragraph != u.paragraph) {
		return r.lineOf(u)
	}
	for _, u := range first[:min(len(first), titleUnits/2)] {
		if u.kind == heading && names(r.text[u.start:u.end]) {
			return r.text[u.start:u.end]
		}
	}
	if first[0].kind == field || len(r.sentences) == 0 {
		return r.lineOf(first[0])
	}
	return r.text[r.sentences[0].start:r.sentences[0].end]
}

// lineOf is the text of a unit, with the name of a field before it.
func (r *reading) lineOf(u unit) string {
	if u.kind == field {
		return u.key + ": " + r.text[u.start:u.end]
	}
	return r.text[u.start:u.end]
}

// names reports whether a heading says more than a place and a date.
func names(s string) bool {
	words, dated := 0, false
	for pos := 0; ; {
		t, ok := next(s, pos, len(s))
		if !ok {
			return words > 2 || words > 0 && !dated
		}
		pos = t.end
		switch w := strings.ToLower(s[t.start:t.end]); {
		case t.number || months[w]:
			dated = true
		case len(w) > 2 || t.wide:
			words++
		}
	}
}
