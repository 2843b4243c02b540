package pack

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strings"

	"docbatch/pipeline/extract/content"
)

// A Node is an element or a run of text, as Decoder.Children gives it.
type Node struct {
	Name string // "w:p": the short name of the namespace, whatever prefix the document gave it, and the local name; "" for text
	Text string // of text

	attrs []xml.Attr // Name.Local is the name as in Name
}

// Attr is the value of an attribute, named as Node.Name is: "w:val", or "val" where it is in no namespace. It is "" for one that is not
// there.
func (n *Node) Attr(name string) string {
	value, _ := n.Lookup(name)
	return value
}

// Lookup is Attr for whom it matters whether the attribute is there.
func (n *Node) Lookup(name string) (value string, ok bool) {
	for i := range n.attrs {
		if n.attrs[i].Name.Local == name {
			return n.attrs[i].Value, true
		}
	}
	return "", false
}

// A Decoder reads XML as a stream. It is forgiving: an end tag that fits nothing is dropped, one that is missing is added. It expands no
// entities but the five of XML and those by number, and refuses a document that declares some. It holds one text or tag at a time.
type Decoder struct {
	raw   *xml.Decoder
	in    *input
	name  string // of the part; "" where there is none
	depth int    // the bound on len(open)
	scope scope
	open  []xml.Name // the elements around what was read last, named as in the document
	err   error
}

// NewDecoder makes a Decoder of XML that is no part of an archive. Its encoding is that of the byte order mark, else the declared one, else
// it is guessed. The bounds on depth and on text (of one token) hold.
func NewDecoder(data []byte, b *content.Bounds) *Decoder {
	return newDecoder(bytes.NewReader(data), "it", b)
}

func newDecoder(r io.Reader, name string, b *content.Bounds) *Decoder {
	d := &Decoder{name: name, scope: newScope(), depth: b.Depth, in: newInput(r, name, b.Text)}
	d.raw = xml.NewDecoder(d.in)
	d.raw.Strict = false
	d.raw.CharsetReader = func(_ string, text io.Reader) (io.Reader, error) { return text, nil } // newInput has seen to it
	return d
}

// Children calls f for each element and each text directly within the element that f's caller was given last, at first within the
// document. f may call Children or Text in its turn for what is within node; what it leaves unread is skipped. The first error of f ends
// it and is returned; so are content.TooLarge for what goes over a bound, and ErrDamaged where the document breaks off.
func (d *Decoder) Children(f func(node *Node) error) error {
	for depth := len(d.open); ; {
		node, err := d.next(depth)
		if node == nil || err != nil {
			return err
		}
		if err := f(node); err != nil {
			return err
		}
	}
}

// Text gives the text within the element that was given last and within the elements in it.
func (d *Decoder) Text() (string, error) {
	var text strings.Builder
	var collect func(node *Node) error
	collect = func(node *Node) error {
		text.WriteString(node.Text)
		if node.Name == "" {
			return nil
		}
		return d.Children(collect)
	}
	err := d.Children(collect)
	return text.String(), err
}

// next reads up to the next child of the element at depth, over what is deeper; it gives nil at that element's end.
func (d *Decoder) next(depth int) (*Node, error) {
	for len(d.open) >= depth {
		switch token := d.token().(type) {
		case nil:
			if d.err == io.EOF {
				return nil, nil
			}
			return nil, d.err
		case xml.StartElement:
			if len(d.open) == depth+1 {
				return d.scope.node(token), nil
			}
		case xml.CharData:
			if len(d.open) == depth {
				return &Node{Text: string(token)}, nil
			}
		}
	}
	return nil, nil
}

// token reads a token and keeps account of the elements; nil sets d.err.
func (d *Decoder) token() xml.Token {
	if d.err != nil {
		return nil
	}
	token, err := d.raw.RawToken()
	if err != nil {
		d.err = d.why(err)
		return nil
	}
	_, isText := token.(xml.CharData)
	d.in.begin(isText)
	switch token := token.(type) {
	case xml.StartElement:
		if len(d.open) >= d.depth {
			d.err = content.TooLarge("%s nests elements deeper than %d (the bound on depth)", d.name, d.depth)
			return nil
		}
		d.open = append(d.open, token.Name)
		d.scope.enter(len(d.open), token.Attr)
	case xml.EndElement:
		d.end(token.Name)
	case xml.Directive:
		if bytes.Contains(token, []byte("<!ENTITY")) {
			d.err = content.TooLarge("%s declares entities of its own (the bound on XML entities is 0)", d.name)
			return nil
		}
	}
	return token
}

// end closes the innermost element of that name, and those within it.
func (d *Decoder) end(name xml.Name) {
	for i, open := range slices.Backward(d.open) {
		if open == name {
			d.open = d.open[:i]
			d.scope.leave(i)
			return
		}
	}
}

// why turns the error of the XML reader into what a reader is told.
func (d *Decoder) why(err error) error {
	switch {
	case d.in.err != nil && d.in.err != io.EOF:
		return d.in.err
	case err != io.EOF:
		return content.Damaged("%s: %w: %v", d.name, ErrDamaged, err)
	case len(d.open) > 0:
		return content.Damaged("%s: %w: it breaks off", d.name, ErrDamaged)
	}
	return io.EOF
}

// Walk calls visit with the elements of a part in the order of the document. What is within an element is visited too, unless visit reports
// that it has read it. Errors are visit's, and those of XML.
func (a *Archive) Walk(part string, visit func(d *Decoder, n *Node) (read bool, err error)) error {
	d, err := a.XML(part)
	if err != nil {
		return err
	}
	var each func(n *Node) error
	each = func(n *Node) error {
		if n.Name == "" {
			return nil
		}
		if read, err := visit(d, n); read || err != nil {
			return err
		}
		return d.Children(each)
	}
	return d.Children(each)
}
