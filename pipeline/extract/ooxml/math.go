package ooxml

import (
	"strings"
	"unicode"

	"docbatch/pipeline/extract/pack"
)

// A formula is an equation (OMML, ISO/IEC 29500-1, 22.1) as it is written on one line: "(a+b)/2", "x^2", "√(x+1)".
type formula struct {
	x    *pack.Decoder
	text []byte
}

// maxFormula bounds one formula, in bytes; what is longer is cut.
const maxFormula = 1 << 20

// math reads the m:oMath or m:oMathPara that was read last.
func math(x *pack.Decoder) (string, error) {
	f := &formula{x: x}
	err := f.children()
	return strings.TrimSpace(string(f.text)), err
}

func (f *formula) add(text string) {
	if len(f.text)+len(text) <= maxFormula {
		f.text = append(f.text, text...)
	}
}

func (f *formula) children() error { return f.x.Children(f.element) }

// element writes one element of a formula.
func (f *formula) element(n *pack.Node) error {
	switch n.Name {
	case "m:t", "w:t":
		text, err := f.x.Text()
		f.add(text)
		return err
	case "m:f":
		return f.parts(map[string]string{"m:num": "", "m:den": "/"})
	case "m:sSup", "m:sSub", "m:sSubSup", "m:sPre", "m:limLow", "m:limUpp":
		return f.parts(map[string]string{"m:sub": "_", "m:sup": "^", "m:lim": "_"})
	case "m:rad":
		return f.radical()
	case "m:nary":
		return f.operator()
	case "m:d":
		return f.delimited()
	case "m:m", "m:eqArr":
		return f.rows()
	case "m:func":
		return f.parts(map[string]string{"m:fName": "!"})
	case "m:acc", "m:bar", "m:groupChr", "m:oMath", "m:oMathPara", "m:e", "m:r", "m:box", "m:borderBox", "m:phant", "m:num", "m:den", "m:sub", "m:sup", "m:lim",
		"m:deg", "m:fName", "w:r", "w:ins", "w:moveTo", "w:sdt", "w:sdtContent", "w:smartTag", "w:hyperlink":
		return f.children()
	}
	return nil
}

// parts writes the children, those that signs names behind their sign and in parentheses where they need some.
func (f *formula) parts(signs map[string]string) error {
	return f.x.Children(func(n *pack.Node) error {
		sign, ok := signs[n.Name]
		switch {
		case !ok:
			return f.element(n)
		case sign == "!": // the name of a function
			err := f.children()
			f.add(" ")
			return err
		}
		f.add(sign)
		return f.group()
	})
}

// group writes the children of an element in parentheses, unless they are one number or word.
func (f *formula) group() error {
	start := len(f.text)
	err := f.children()
	if inner := string(f.text[start:]); !isSimple(inner) {
		f.text = f.text[:start]
		f.add("(" + inner + ")")
	}
	return err
}

func isSimple(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '′' })
}

// radical writes an m:rad: "√x", "∛"-like roots as "3√x".
func (f *formula) radical() error {
	return f.x.Children(func(n *pack.Node) error {
		if n.Name != "m:e" {
			return f.element(n)
		}
		f.add("√")
		return f.group()
	})
}

// operator writes an m:nary: "∑_(i=1)^n x". An integral is what it is where no sign is said.
func (f *formula) operator() error {
	sign := "∫"
	return f.x.Children(func(n *pack.Node) error {
		switch n.Name {
		case "m:naryPr":
			err := f.property("m:chr", &sign)
			f.add(sign)
			return err
		case "m:sub", "m:sup":
			return f.limit(n)
		case "m:e":
			f.add(" ")
		}
		return f.element(n)
	})
}

// limit writes what stands below or above an operator, unless it is nothing.
func (f *formula) limit(n *pack.Node) error {
	start := len(f.text)
	f.add(map[string]string{"m:sub": "_", "m:sup": "^"}[n.Name])
	begun := len(f.text)
	err := f.group()
	if len(f.text) == begun {
		f.text = f.text[:start]
	}
	return err
}

// property reads the value of one of the properties of an element.
func (f *formula) property(name string, value *string) error {
	return f.x.Children(func(n *pack.Node) error {
		if n.Name == name {
			*value = n.Attr("m:val")
		}
		return nil
	})
}

// delimited writes an m:d: what is in parentheses of any kind.
func (f *formula) delimited() error {
	begin, end, separator := "(", ")", "|"
	count := 0
	err := f.x.Children(func(n *pack.Node) error {
		switch n.Name {
		case "m:dPr":
			return f.x.Children(func(n *pack.Node) error {
				switch n.Name {
				case "m:begChr":
					begin = n.Attr("m:val")
				case "m:endChr":
					end = n.Attr("m:val")
				case "m:sepChr":
					separator = n.Attr("m:val")
				}
				return nil
			})
		case "m:e":
			if count++; count == 1 {
				f.add(begin)
			} else {
				f.add(separator)
			}
			return f.children()
		}
		return nil
	})
	if count > 0 {
		f.add(end)
	}
	return err
}

// rows writes a matrix or lines one below the other: "[a, b; c, d]".
func (f *formula) rows() error {
	count := 0
	f.add("[")
	err := f.x.Children(func(n *pack.Node) error {
		if n.Name != "m:mr" && n.Name != "m:e" {
			return nil
		}
		if count++; count > 1 {
			f.add("; ")
		}
		if n.Name == "m:e" {
			return f.children()
		}
		cells := 0
		return f.x.Children(func(n *pack.Node) error {
			if n.Name != "m:e" {
				return nil
			}
			if cells++; cells > 1 {
				f.add(", ")
			}
			return f.children()
		})
	})
	f.add("]")
	return err
}
