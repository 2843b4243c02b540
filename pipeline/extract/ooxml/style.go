package ooxml

import (
	"strconv"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A style is what matters of a style of w:styles: whether its paragraphs are headings or items of a list, and whether it hides.
type style struct {
	name     string
	basedOn  string
	outline  int // of a heading, from 1; 0: not said; bodyText
	list     listRef
	hidden   bool
	resolved bool
}

// A listRef says which list a paragraph belongs to and how deep.
type listRef struct {
	id       string // w:numId; "" where nothing is said, "0" for no list
	level    int    // from 0
	hasLevel bool
}

const (
	// bodyText is the outline level of a paragraph that is said to be no heading.
	bodyText = 10
	// maxBasedOn is how far a style's ancestors are followed; Word allows eleven.
	maxBasedOn = 16
	// maxDefinitions bounds the styles, the lists and the notes of a document, each; they are held in memory.
	maxDefinitions = 100_000
)

// styles are the styles of a document by their id.
type styles map[string]*style

func (c *container) readStyles(part string) (styles, error) {
	all := styles{}
	err := c.read(part, func(x *pack.Decoder, _ *pack.Node) error {
		return x.Children(func(n *pack.Node) error {
			if n.Name != "w:style" {
				return nil
			}
			if len(all) >= maxDefinitions {
				return content.TooLarge("it holds more than %d styles (the bound on styles)", maxDefinitions)
			}
			s := &style{}
			all[n.Attr("w:styleId")] = s
			return s.read(x)
		})
	})
	return all, err
}

func (s *style) read(x *pack.Decoder) error {
	return x.Children(func(n *pack.Node) error {
		switch n.Name {
		case "w:name":
			s.name = n.Attr("w:val")
		case "w:basedOn":
			s.basedOn = n.Attr("w:val")
		case "w:rPr":
			return x.Children(func(n *pack.Node) error {
				if n.Name == "w:vanish" {
					s.hidden = isOn(n)
				}
				return nil
			})
		case "w:pPr":
			return x.Children(func(n *pack.Node) error {
				switch n.Name {
				case "w:outlineLvl":
					s.outline = outline(n)
				case "w:numPr":
					return s.list.read(x)
				}
				return nil
			})
		}
		return nil
	})
}

// read reads a w:numPr.
func (r *listRef) read(x *pack.Decoder) error {
	return x.Children(func(n *pack.Node) error {
		switch n.Name {
		case "w:numId":
			r.id = n.Attr("w:val")
		case "w:ilvl":
			r.level, r.hasLevel = clamp(n.Attr("w:val"), 0, maxLevels-1), true
		}
		return nil
	})
}

// outline reads a w:outlineLvl: 0 to 8 are headings, 9 is body text.
func outline(n *pack.Node) int { return clamp(n.Attr("w:val"), 0, bodyText-1) + 1 }

// isOn reads a property that is on or off (ST_OnOff): on where nothing is said.
func isOn(n *pack.Node) bool {
	switch n.Attr("w:val") {
	case "0", "false", "off":
		return false
	}
	return true
}

// clamp reads a number, within limits; what is none is the lower.
func clamp(text string, low, high int) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return low
	}
	return max(low, min(n, high))
}

// find gives a style with all that it inherits. A style that is not defined may still have the id of a heading.
func (all styles) find(id string) *style {
	s := all[id]
	if s == nil {
		s = &style{name: id}
		if id != "" && len(all) < maxDefinitions {
			all[id] = s
		}
	}
	if s.resolved {
		return s
	}
	s.resolved = true // before its ancestors are looked at: they may lead back to it
	if s.outline == 0 {
		s.outline = headingLevel(s.name)
	}
	for up, n := all[s.basedOn], 0; up != nil && n < maxBasedOn; up, n = all[up.basedOn], n+1 {
		s.inherit(up)
	}
	return s
}

func (s *style) inherit(from *style) {
	if s.outline == 0 {
		s.outline = from.outline
		if s.outline == 0 {
			s.outline = headingLevel(from.name)
		}
	}
	if s.list.id == "" {
		s.list.id = from.list.id
	}
	if !s.list.hasLevel {
		s.list.level, s.list.hasLevel = from.list.level, from.list.hasLevel
	}
	s.hidden = s.hidden || from.hidden
}

// headingLevel is the level of a heading by the name that Word gives its styles in every language; 0 for another.
func headingLevel(name string) int {
	name = strings.ToLower(name)
	if name == "title" {
		return 1
	}
	level, ok := strings.CutPrefix(name, "heading")
	level = strings.TrimPrefix(level, " ")
	if !ok || len(level) != 1 || level < "1" || level > "9" {
		return 0
	}
	return int(level[0] - '0')
}
