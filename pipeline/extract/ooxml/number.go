package ooxml

import (
	"strconv"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

const (
	// maxLevels is how deep a list goes (ISO/IEC 29500-1, 17.9).
	maxLevels = 9
	// maxMark bounds what is printed before each item of a list, in bytes.
	maxMark = 256
)

// A level is how the items of one level of a list are marked.
type level struct {
	start   int    // 0 where nothing is said
	format  string // of the number: "decimal", "bullet"; see formatNumber
	text    string // "%1.%2)": the numbers of levels and what is around them
	restart int    // after an item of this level or one above, from 1; 0: never; -1: of any level above
	legal   bool   // all numbers in digits
	style   string // the paragraphs of this style are items of this level
}

// A definition is a w:abstractNum: how a list is marked, and where its counting is. The lists made from one definition count on.
type definition struct {
	levels  [maxLevels]level
	link    string // the style of lists that defines it in its place
	count   [maxLevels]int
	started [maxLevels]bool
}

// A list is a w:num: a use of a definition, with changes.
type list struct {
	definition string
	changed    [maxLevels]*level
	restart    [maxLevels]int // from which number the list begins anew; -1: it counts on
	begun      bool
}

// numbering is the lists of a document.
type numbering struct {
	definitions map[string]*definition
	lists       map[string]*list
	byStyle     map[string]string // the definition that a style of lists stands for
}

func (c *container) readNumbering(part string) (*numbering, error) {
	all := &numbering{map[string]*definition{}, map[string]*list{}, map[string]string{}}
	err := c.read(part, func(x *pack.Decoder, _ *pack.Node) error {
		return x.Children(func(n *pack.Node) error {
			if len(all.definitions)+len(all.lists) >= maxDefinitions/10 {
				return content.TooLarge("it holds more than %d lists (the bound on lists)", maxDefinitions/10)
			}
			switch n.Name {
			case "w:abstractNum":
				return all.readDefinition(x, n.Attr("w:abstractNumId"))
			case "w:num":
				return all.readList(x, n.Attr("w:numId"))
			}
			return nil
		})
	})
	return all, err
}

func (all *numbering) readDefinition(x *pack.Decoder, id string) error {
	d := &definition{}
	for i := range d.levels {
		d.levels[i].restart = -1
	}
	all.definitions[id] = d
	return x.Children(func(n *pack.Node) error {
		switch n.Name {
		case "w:lvl":
			return d.levels[levelOf(n)].read(x)
		case "w:numStyleLink":
			d.link = n.Attr("w:val")
		case "w:styleLink":
			all.byStyle[n.Attr("w:val")] = id
		}
		return nil
	})
}

func (all *numbering) readList(x *pack.Decoder, id string) error {
	l := &list{}
	for i := range l.restart {
		l.restart[i] = -1
	}
	all.lists[id] = l
	return x.Children(func(n *pack.Node) error {
		switch n.Name {
		case "w:abstractNumId":
			l.definition = n.Attr("w:val")
		case "w:lvlOverride":
			return l.readOverride(x, levelOf(n))
		}
		return nil
	})
}

func (l *list) readOverride(x *pack.Decoder, at int) error {
	return x.Children(func(n *pack.Node) error {
		switch n.Name {
		case "w:startOverride":
			l.restart[at] = number(n)
		case "w:lvl":
			l.changed[at] = &level{restart: -1}
			return l.changed[at].read(x)
		}
		return nil
	})
}

func (l *level) read(x *pack.Decoder) error {
	return x.Children(func(n *pack.Node) error {
		switch n.Name {
		case "w:start":
			l.start = number(n)
		case "w:numFmt":
			l.format = n.Attr("w:val")
		case "w:lvlText":
			if text := n.Attr("w:val"); len(text) <= maxMark {
				l.text = text
			}
		case "w:lvlRestart":
			l.restart = number(n)
		case "w:isLgl":
			l.legal = isOn(n)
		case "w:pStyle":
			l.style = n.Attr("w:val")
		case "mc:AlternateContent": // holds a numFmt that older programs do not know
			return x.Children(func(n *pack.Node) error {
				if n.Name != "mc:Fallback" {
					return nil
				}
				return l.read(x)
			})
		}
		return nil
	})
}

func levelOf(n *pack.Node) int { return clamp(n.Attr("w:ilvl"), 0, maxLevels-1) }

func number(n *pack.Node) int { return clamp(n.Attr("w:val"), 0, 1<<30) }

// next counts an item of a list and gives its mark: "-" of a bullet, "2.1)", "" where the list shows none. style is that of the paragraph:
// it says the level where nothing else does.
func (all *numbering) next(ref listRef, style string) (mark string, depth int) {
	l := all.lists[ref.id]
	if l == nil {
		return "", 0
	}
	d := all.definition(l)
	if d == nil {
		return "", 0
	}
	at := ref.level
	if !ref.hasLevel {
		at = d.levelOfStyle(style)
	}
	d.advance(l, at)
	return d.mark(l, at), at
}

// definition follows the link of a definition that a style of lists stands for.
func (all *numbering) definition(l *list) *definition {
	d := all.definitions[l.definition]
	if d != nil && d.link != "" {
		if linked := all.definitions[all.byStyle[d.link]]; linked != nil {
			return linked
		}
	}
	return d
}

func (d *definition) levelOfStyle(style string) int {
	for i := range d.levels {
		if style != "" && d.levels[i].style == style {
			return i
		}
	}
	return 0
}

func (d *definition) level(l *list, at int) *level {
	if l.changed[at] != nil {
		return l.changed[at]
	}
	return &d.levels[at]
}

// advance counts an item: its level goes on, those below begin again, and those above have begun.
func (d *definition) advance(l *list, at int) {
	if !l.begun {
		l.begun = true
		for i, start := range l.restart {
			if start >= 0 {
				d.started[i] = false
			}
		}
	}
	if d.started[at] {
		d.count[at]++
	}
	for i := range at + 1 {
		if !d.started[i] {
			d.count[i], d.started[i] = d.start(l, i), true
		}
	}
	for below := at + 1; below < maxLevels; below++ {
		if r := d.level(l, below).restart; r < 0 || at < r {
			d.started[below] = false
		}
	}
}

func (d *definition) start(l *list, at int) int {
	if l.restart[at] >= 0 {
		return l.restart[at]
	}
	return d.level(l, at).start
}

// mark writes the mark of the item that was counted last.
func (d *definition) mark(l *list, at int) string {
	this := d.level(l, at)
	if this.format == "bullet" {
		return "-"
	}
	var b strings.Builder
	for i := 0; i < len(this.text); i++ {
		if this.text[i] != '%' || i+1 == len(this.text) || this.text[i+1] < '1' || this.text[i+1] > '9' {
			b.WriteByte(this.text[i])
			continue
		}
		i++
		b.WriteString(d.number(l, int(this.text[i]-'1'), this.legal))
	}
	return strings.TrimSpace(b.String())
}

// number writes the number that a level has come to; a level with a bullet has none.
func (d *definition) number(l *list, at int, legal bool) string {
	switch format := d.level(l, at).format; {
	case format == "none", format == "bullet":
		return ""
	case legal:
		return strconv.Itoa(d.count[at])
	default:
		return formatNumber(d.count[at], format)
	}
}
