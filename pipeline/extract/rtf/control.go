package rtf

import (
	"fmt"
	"strings"

	"docbatch/pipeline/extract/content"
)

// symbol takes a control symbol.
func (r *reader) symbol(name string) {
	switch name {
	case "\r", "\n":
		r.endLine()
	default:
		if text, ok := characters[name]; ok {
			r.write(text)
		}
	}
}

// word takes a control word.
func (r *reader) word(t token) {
	g, star := r.top(), r.star
	r.star = false
	switch g.dest {
	case out:
		return
	case info:
		r.infoWord(t)
		return
	case fonts:
		r.fontWord(t, star)
		return
	}
	if d, ok := destinations[t.name]; ok {
		r.enter(d)
		return
	}
	if name, ok := asides[t.name]; ok {
		r.enterAside(name)
		return
	}
	switch sign, ok := terms[t.name]; {
	case ok && !r.html:
		r.write(sign)
		at := len(*r.buffer())
		g.ends = func() { r.endTerm(at) }
	case t.name == "atnauthor":
		g.key = t.name
		r.named[g.key] = ""
	case star && t.name != "cs", strings.HasPrefix(t.name, "m") && strings.HasSuffix(t.name, "Pr"): // the latter are the properties of a formula
		g.dest = out
	case characters[t.name] != "":
		r.write(characters[t.name])
	case t.name == "u":
		r.unicode(t.value)
	default:
		r.charWord(t)
	}
}

// enter sets where the text of the group goes.
func (r *reader) enter(d dest) {
	g := r.top()
	g.dest = d
	switch {
	case d == markup && !r.html, d == item && r.html:
		g.dest = out
	case d == item:
		at := len(*r.buffer())
		g.ends = func() { r.endItem(at) }
	}
}

// enterAside begins a text of its own.
func (r *reader) enterAside(name string) {
	g := r.top()
	if r.html || g.deleted || g.hidden || len(r.asides) == maxAsides {
		g.dest = out
		return
	}
	*g = group{font: g.font, uc: g.uc, ends: func() { r.endAside(r.named["atnauthor"]) }}
	r.openAside(name)
}

// charWord takes what changes the text that follows.
func (r *reader) charWord(t token) {
	g := r.top()
	on := !t.given || t.value != 0
	switch t.name {
	case "ftnalt":
		r.rename("footnote", "endnote")
	case "f":
		g.font = t.value
	case "plain":
		g.font, g.hidden = r.deffont, false
	case "uc":
		g.uc = max(t.value, 0)
	case "v":
		g.hidden = on
	case "deleted":
		g.deleted = on
	case "htmlrtf":
		g.copied = on
	case "ansicpg", "cpg":
		if t.value > 0 {
			r.page = t.value
		}
	case "mac":
		r.page = 10000
	case "pc":
		r.page = 437
	case "pca":
		r.page = 850
	case "deff":
		r.deffont, g.font = t.value, t.value
	default:
		r.paragraphWord(t)
	}
}

// paragraphWord takes what changes or ends a paragraph or a cell.
func (r *reader) paragraphWord(t token) {
	g := r.top()
	switch t.name {
	case "par", "sect", "page", "column":
		r.endLine()
	case "pard":
		g.inTable, g.heading, g.indent = false, 0, 0
	case "outlinelevel":
		g.heading = 0
		if t.value >= 0 && t.value < 9 {
			g.heading = t.value + 1
		}
	case "ilvl":
		g.indent = min(max(t.value, 0), 8)
	case "intbl":
		g.inTable = true
	case "trowd", "cell", "row", "nestcell", "nestrow":
		if !r.html && g.dest == body {
			r.tableWord(t.name)
		}
	}
}

// endLine ends a paragraph, or a line of the HTML that is wanted.
func (r *reader) endLine() {
	g := r.top()
	switch {
	case r.html:
		r.write("\n")
	case g.dest == body && !g.deleted:
		r.endParagraph(g)
	}
}

// fontWord takes a control word of the font table.
func (r *reader) fontWord(t token, star bool) {
	f, ok := r.fonts[r.defined]
	switch {
	case star, destinations[t.name] == out:
		r.top().dest = out
		return
	case t.name == "f":
		r.defined = t.value
		f, ok = font{}, len(r.fonts) < maxFonts
	case t.name == "fcharset":
		f.page = charsets[t.value]
	case t.name == "cpg":
		f.page = max(t.value, 0)
	}
	if ok {
		r.fonts[r.defined] = f
	}
}

// infoKeys are the control words of what the document says of itself.
var infoKeys = map[string]string{
	"title": content.MetaTitle, "author": content.MetaAuthor, "subject": content.MetaSubject, "keywords": content.MetaKeywords,
	"creatim": content.MetaCreated, "revtim": content.MetaModified,
}

// timeWords are those of a time, in the order of reader.times.
var timeWords = []string{"yr", "mo", "dy", "hr", "min", "sec"}

// infoWord takes a control word of what the document says of itself.
func (r *reader) infoWord(t token) {
	g := r.top()
	if key, ok := infoKeys[t.name]; ok {
		g.key = key
		r.named[key] = ""
		r.times[key] = new([6]int)
		return
	}
	for i, name := range timeWords {
		if at := r.times[g.key]; name == t.name && at != nil {
			at[i] = t.value
			return
		}
	}
	if t.name == "u" && g.key != "" {
		r.unicode(t.value)
	} else if text := characters[t.name]; text != "" {
		r.write(text)
	}
}

// describe gives the content what the document says of itself.
func (r *reader) describe() {
	for _, key := range infoKeys {
		r.content.SetMeta(key, r.named[key])
		at := r.times[key]
		switch {
		case at == nil || at[0] < 1 || at[0] > 9999 || at[1] < 1 || at[1] > 12 || at[2] < 1 || at[2] > 31:
		case at[3]+at[4]+at[5] == 0:
			r.content.SetMeta(key, fmt.Sprintf("%04d-%02d-%02d", at[0], at[1], at[2]))
		default:
			r.content.SetMeta(key, fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d", at[0], at[1], at[2], at[3]%24, at[4]%60, at[5]%60))
		}
	}
}
