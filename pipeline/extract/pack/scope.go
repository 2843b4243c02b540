package pack

import (
	"encoding/xml"
	"slices"
)

// A scope knows what the prefixes of a document stand for where it is read.
type scope struct {
	short    map[string]string   // by the document's prefix
	names    map[xml.Name]string // "w:p" by short name and local name: made once each
	bindings []binding           // those of the elements around, to be undone
}

// A binding is a prefix that an element declares, and what it stood for before.
type binding struct {
	depth    int
	prefix   string
	before   string
	declared bool // before
}

// maxNames bounds the names that are kept, so that a document of ever new ones takes no memory for them.
const maxNames = 4096

func newScope() scope {
	return scope{short: map[string]string{}, names: map[xml.Name]string{}}
}

// enter takes note of the namespaces that an element at depth declares.
func (s *scope) enter(depth int, attrs []xml.Attr) {
	for i := range attrs {
		switch name := attrs[i].Name; {
		case name.Space == "xmlns":
			s.bind(depth, name.Local, attrs[i].Value)
		case name.Space == "" && name.Local == "xmlns":
			s.bind(depth, "", attrs[i].Value)
		}
	}
}

func (s *scope) bind(depth int, prefix, uri string) {
	before, declared := s.short[prefix]
	s.bindings = append(s.bindings, binding{depth, prefix, before, declared})
	short, known := namespaces[uri]
	if !known {
		short = prefix
	}
	s.short[prefix] = short
}

// leave undoes what elements deeper than depth have declared.
func (s *scope) leave(depth int) {
	for i, b := range slices.Backward(s.bindings) {
		if b.depth <= depth {
			break
		}
		if b.declared {
			s.short[b.prefix] = b.before
		} else {
			delete(s.short, b.prefix)
		}
		s.bindings = s.bindings[:i]
	}
}

// node names an element and its attributes.
func (s *scope) node(start xml.StartElement) *Node {
	for i := range start.Attr {
		name := &start.Attr[i].Name
		if name.Space != "" {
			name.Local = s.name(*name)
		}
	}
	return &Node{Name: s.name(start.Name), attrs: start.Attr}
}

// name writes a name with the short name of its namespace; a prefix that nothing declares stays.
func (s *scope) name(name xml.Name) string {
	if short, ok := s.short[name.Space]; ok {
		name.Space = short
	}
	if name.Space == "" {
		return name.Local
	}
	full, ok := s.names[name]
	if !ok {
		full = name.Space + ":" + name.Local
		if len(s.names) < maxNames {
			s.names[name] = full
		}
	}
	return full
}
