package odf

import "docbatch/pipeline/extract/pack"

// maxStyles bounds the styles that are kept; a text that was edited for years has some thousands.
const maxStyles = 1 << 16

// Styles are what the styles of a document say that its text depends on.
type styles struct {
	byName  map[styleName]style
	lists   map[string]*listStyle
	outline *listStyle
}

type styleName struct{ family, name string }

type style struct {
	parent string
	list   string
	hidden bool
	script map[rune]rune // superscripts or subscripts; nil for neither
}

func newStyles() styles {
	return styles{byName: map[styleName]style{}, lists: map[string]*listStyle{}, outline: &listStyle{}}
}

// read reads styles (OpenDocument 1.3 part 3, 16); those that come later take the place of those of the same name.
func (s *styles) read(d *pack.Decoder) error {
	return d.Children(func(n *pack.Node) error {
		switch n.Name {
		case "style:style":
			return s.readStyle(d, n)
		case "text:list-style":
			list, err := readListStyle(d)
			if len(s.lists) < maxStyles {
				s.lists[n.Attr("style:name")] = list
			}
			return err
		case "text:outline-style":
			var err error
			s.outline, err = readListStyle(d)
			return err
		}
		return nil
	})
}

func (s *styles) readStyle(d *pack.Decoder, n *pack.Node) error {
	name := styleName{n.Attr("style:family"), n.Attr("style:name")}
	st := style{parent: n.Attr("style:parent-style-name"), list: n.Attr("style:list-style-name")}
	err := d.Children(func(n *pack.Node) error {
		switch n.Name {
		case "style:text-properties":
			st.hidden = st.hidden || n.Attr("text:display") == "none"
			st.script = scriptOf(n.Attr("style:text-position"))
		case "style:table-properties":
			st.hidden = st.hidden || n.Attr("table:display") == "false"
		case "style:drawing-page-properties":
			st.hidden = st.hidden || n.Attr("presentation:visibility") == "hidden"
		}
		return nil
	})
	if len(s.byName) < maxStyles {
		s.byName[name] = st
	}
	return err
}

// chain calls f with a style and those that it is made from until f returns true.
func (s *styles) chain(family, name string, f func(name string, st style) bool) bool {
	const longest = 16
	for range longest {
		st, ok := s.byName[styleName{family, name}]
		if f(name, st) {
			return true
		}
		if !ok || st.parent == "" {
			return false
		}
		name = st.parent
	}
	return false
}

// hidden reports whether a style hides what is in it.
func (s *styles) hidden(family, name string) bool {
	return name != "" && s.chain(family, name, func(_ string, st style) bool { return st.hidden })
}

// isTitle reports whether a paragraph of that style is the document's title.
func (s *styles) isTitle(name string) bool {
	return name != "" && s.chain("paragraph", name, func(name string, _ style) bool { return name == "Title" })
}

// listOf is the list style that a paragraph of that style has in a list that has none.
func (s *styles) listOf(name string) *listStyle {
	var list *listStyle
	s.chain("paragraph", name, func(_ string, st style) bool {
		list = s.lists[st.list]
		return list != nil
	})
	return list
}

// script is what the digits of a piece of text of that style are written with; nil for themselves.
func (s *styles) script(name string) map[rune]rune {
	var script map[rune]rune
	if name != "" {
		s.chain("text", name, func(_ string, st style) bool {
			script = st.script
			return script != nil
		})
	}
	return script
}
