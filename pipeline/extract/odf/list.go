package odf

import (
	"strconv"
	"strings"

	"docbatch/pipeline/extract/pack"
)

const (
	levels   = 10      // of a list style
	maxLists = 1 << 14 // that later ones may continue
)

// A listStyle says how the items of a list are numbered (OpenDocument 1.3 part 3, 16.30).
type listStyle struct{ levels [levels]levelStyle }

type levelStyle struct {
	numbered bool
	format   string // "1", "a", "A", "i", "I"; "" for none
	prefix   string
	suffix   string
	start    int
	display  int  // levels shown: 2 for "1.1"
	doubled  bool // after z comes aa, bb
}

func readListStyle(d *pack.Decoder) (*listStyle, error) {
	list := &listStyle{}
	err := d.Children(func(n *pack.Node) error {
		level := number(n.Attr("text:level"), 0)
		if level < 1 || level > levels {
			return nil
		}
		list.levels[level-1] = levelStyle{
			numbered: n.Name == "text:list-level-style-number" || n.Name == "text:outline-level-style",
			format:   n.Attr("style:num-format"),
			prefix:   n.Attr("style:num-prefix"),
			suffix:   n.Attr("style:num-suffix"),
			start:    number(n.Attr("text:start-value"), 1),
			display:  max(number(n.Attr("text:display-levels"), 1), 1),
			doubled:  n.Attr("style:num-letter-sync") == "true",
		}
		return nil
	})
	return list, err
}

// A counter counts the items of a list, by level.
type counter struct {
	n     [levels]int
	begun [levels]bool
}

// step counts on at a level from 1, or from start where that is not negative.
func (c *counter) step(style *listStyle, level, start int) {
	i := level - 1
	switch {
	case start >= 0:
		c.n[i] = start
	case c.begun[i]:
		c.n[i]++
	default:
		c.n[i] = style.levels[i].start
	}
	c.begun[i] = true
	clear(c.begun[level:])
	for outer := range i { // an item that begins with an inner list counts
		if !c.begun[outer] {
			c.n[outer], c.begun[outer] = style.levels[outer].start, true
		}
	}
}

// label is the number of the last item as it is written; "" where the style has none.
func (c *counter) label(style *listStyle, level int) string {
	st := style.levels[level-1]
	if !st.numbered || st.format == "" {
		return strings.TrimSpace(st.prefix + st.suffix)
	}
	var numbers []string
	for i := max(level-st.display, 0); i < level; i++ {
		if of := style.levels[i]; of.numbered && of.format != "" {
			numbers = append(numbers, of.write(c.n[i]))
		}
	}
	return strings.TrimSpace(st.prefix + strings.Join(numbers, ".") + st.suffix)
}

// write writes a number (OpenDocument 1.3 part 3, 19.506); in formats of other scripts with the digits of Europe.
func (l levelStyle) write(n int) string {
	switch l.format {
	case "a":
		return letters(n, l.doubled)
	case "A":
		return strings.ToUpper(letters(n, l.doubled))
	case "i":
		return strings.ToLower(roman(n))
	case "I":
		return roman(n)
	}
	return strconv.Itoa(n)
}

func letters(n int, doubled bool) string {
	if n < 1 || n > 1<<16 {
		return strconv.Itoa(n)
	}
	if times := (n-1)/26 + 1; doubled && times <= 16 {
		return strings.Repeat(string(rune('a'+(n-1)%26)), times)
	}
	text := ""
	for ; n > 0; n = (n - 1) / 26 {
		text = string(rune('a'+(n-1)%26)) + text
	}
	return text
}

func roman(n int) string {
	if n < 1 || n > 3999 {
		return strconv.Itoa(n)
	}
	text := ""
	for _, digit := range []struct {
		value int
		text  string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for ; n >= digit.value; n -= digit.value {
			text += digit.text
		}
	}
	return text
}

// Numbering is what the numbers of a document's lists depend on beyond the list itself.
type numbering struct {
	byID     map[string]*counter
	byStyle  map[string]*counter
	headings counter
}

func newNumbering() numbering {
	return numbering{byID: map[string]*counter{}, byStyle: map[string]*counter{}}
}

// counter is the one of a list that begins: a new one, unless the list goes on with another's.
func (n *numbering) counter(list *pack.Node, style string) *counter {
	c := &counter{}
	if before := n.byID[list.Attr("text:continue-list")]; before != nil {
		c = before
	} else if before := n.byStyle[style]; before != nil && list.Attr("text:continue-numbering") == "true" {
		c = before
	}
	if id := list.Attr("xml:id"); id != "" && len(n.byID) < maxLists {
		n.byID[id] = c
	}
	if len(n.byStyle) < maxLists {
		n.byStyle[style] = c
	}
	return c
}

// heading counts a heading and gives its number.
func (n *numbering) heading(outline *listStyle, level int, h *pack.Node) string {
	if level < 1 || level > levels {
		return ""
	}
	start := -1
	if h.Attr("text:restart-numbering") == "true" {
		start = number(h.Attr("text:start-value"), 1)
	}
	n.headings.step(outline, level, start)
	return n.headings.label(outline, level)
}

// An item is a list item that is being read.
type item struct {
	counter  *counter
	style    string
	level    int
	start    int // -1: the next number
	labelled bool
}

// list reads a list (OpenDocument 1.3 part 3, 5.3.1).
func (r *reader) list(d *pack.Decoder, n *pack.Node) error {
	inner := item{style: n.Attr("text:style-name"), level: 1}
	if around := len(r.items); around > 0 {
		outer := r.items[around-1]
		inner.level, inner.counter = min(outer.level+1, levels), outer.counter
		if inner.style == "" {
			inner.style = outer.style
		}
	} else {
		inner.counter = r.numbers.counter(n, inner.style)
	}
	return d.Children(func(n *pack.Node) error {
		if n.Name != "text:list-item" && n.Name != "text:list-header" {
			return nil
		}
		it := inner
		it.start = number(n.Attr("text:start-value"), -1)
		it.labelled = n.Name == "text:list-header"
		return r.item(d, &it)
	})
}

func (r *reader) item(d *pack.Decoder, it *item) error {
	r.items = append(r.items, it)
	err := r.blocks(d)
	r.items = r.items[:len(r.items)-1]
	return err
}

// numberedParagraph reads a paragraph that is an item of a list without being within one.
func (r *reader) numberedParagraph(d *pack.Decoder, n *pack.Node) error {
	id, style := n.Attr("text:list-id"), n.Attr("text:style-name")
	c := r.numbers.byID[id]
	if c == nil {
		c = &counter{}
		if id != "" && len(r.numbers.byID) < maxLists {
			r.numbers.byID[id] = c
		}
	}
	level := min(max(number(n.Attr("text:level"), 1), 1), levels)
	return r.item(d, &item{counter: c, style: style, level: level, start: number(n.Attr("text:start-value"), -1)})
}

// label is what comes before a paragraph of that style in a list, and how far it is indented. Only the first paragraph of an item has one:
// its number, or a dash.
func (r *reader) label(style string) (label, indent string) {
	if len(r.items) == 0 {
		return "", ""
	}
	it := r.items[len(r.items)-1]
	indent = strings.Repeat("  ", it.level-1)
	if it.labelled {
		return "", indent + "  "
	}
	it.labelled = true
	list := r.styles.lists[it.style]
	if list == nil {
		list = r.styles.listOf(style)
	}
	if list == nil {
		return "-", indent
	}
	it.counter.step(list, it.level, it.start)
	st := list.levels[it.level-1]
	switch label = it.counter.label(list, it.level); {
	case !st.numbered:
		label = "-"
	case st.prefix+st.suffix == "" && label != "":
		label += "."
	}
	return label, indent
}
