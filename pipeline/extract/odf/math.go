package odf

import (
	"strings"

	"docbatch/pipeline/extract/pack"
)

// math reads a formula (MathML 3) as one line: "(a + b)/2".
func (r *reader) math(d *pack.Decoder) error {
	text, err := r.captured(func() error { return r.mathChildren(d) })
	r.line(strings.Join(strings.Fields(text), " "))
	r.formula = true
	return err
}

func (r *reader) mathChildren(d *pack.Decoder) error {
	return d.Children(func(n *pack.Node) error { return r.mathNode(d, n) })
}

func (r *reader) mathNode(d *pack.Decoder, n *pack.Node) error {
	switch n.Name {
	case "":
		return r.add(n.Text)
	case "math:annotation", "math:annotation-xml":
		return nil
	case "math:mo":
		text, err := d.Text()
		if text = strings.TrimSpace(text); strings.ContainsAny(text, "()[]{}|,") {
			r.par = append(r.par, text...)
		} else {
			r.par = append(r.par, " "+text+" "...)
		}
		if err == nil {
			err = r.spend(len(text) + 2)
		}
		return err
	case "math:mfrac":
		return r.mathWith(d, "(", ")/(", ")")
	case "math:msup":
		return r.mathWith(d, "", "^(", ")")
	case "math:msub":
		return r.mathWith(d, "", "_(", ")")
	case "math:msubsup":
		return r.mathWith(d, "", "_(", ")^(", ")")
	case "math:msqrt":
		return r.mathWith(d, "sqrt(", "", "", ")")
	case "math:mroot":
		return r.mathWith(d, "root(", ", ", ")")
	case "math:munder", "math:mover", "math:munderover", "math:mtr", "math:mtable":
		return r.mathWith(d, " ", " ", " ", " ")
	}
	return r.mathChildren(d)
}

// mathWith reads the children of an element with marks before, between and after them; the last mark is the one after.
func (r *reader) mathWith(d *pack.Decoder, marks ...string) error {
	i := 0
	err := d.Children(func(n *pack.Node) error {
		if n.Name == "" {
			return nil
		}
		r.par = append(r.par, marks[min(i, len(marks)-2)]...)
		i++
		if err := r.spend(2); err != nil {
			return err
		}
		return r.mathNode(d, n)
	})
	r.par = append(r.par, marks[len(marks)-1]...)
	return err
}
