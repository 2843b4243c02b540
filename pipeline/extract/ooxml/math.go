package ooxml

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"docbatch/pipeline/extract/pack"
)

// A formula is an equation (OMML, ISO/IEC 29500-1, 22.1) as it is written on one line: "(a+b)/2", "x^2", "√(x+1)".
type formula struct {
	x      *pack.Decoder
	text   []byte
	script int // where in text the last index or power ends; a letter behind it would seem to be of it: "x^2 y"
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

// apart sets what follows apart from the letter or digit before it.
func (f *formula) apart() {
	if last, _ := utf8.DecodeLastRune(f.text); unicode.IsLetter(last) || unicode.IsDigit(last) {
		f.add(" ")
	}
}

func (f *formula) children() error { return f.x.Children(f.element) }

// element writes one element of a formula.
func (f *formula) element(n *pack.Node) error {
	switch n.Name {
	case "m:t", "w:t":
		text, err := f.x.Text()
		if first, _ := utf8.DecodeRuneInString(text); f.script == len(f.text) && (unicode.IsLetter(first) || unicode.IsDigit(first)) {
			f.apart()
		}
		f.add(text)
		return err
	case "m:f":
		return f.fraction()
	case "m:sSup", "m:sSub", "m:sSubSup", "m:sPre", "m:limLow", "m:limUpp":
		return f.parts(map[string]string{"m:sub": "_", "m:sup": "^", "m:lim": "_"})
	case "m:rad":
		return f.radical()
	case "m:nary":
		return f.operator()
	case "m:d":
		return f.delimited()
	case "m:m", "m:eqArr":
		return f.rows(n.Name)
	case "m:func":
		f.apart()
		return f.parts(map[string]string{"m:fName": "!"})
	case "m:acc":
		return f.marked("m:accPr", "m:chr", map[string]string{"": "\u0302"})
	case "m:bar":
		return f.marked("m:barPr", "m:pos", map[string]string{"": "\u0332", "bot": "\u0332", "top": "\u0305"})
	case "m:groupChr", "m:oMath", "m:oMathPara", "m:e", "m:r", "m:box", "m:borderBox", "m:phant", "m:num", "m:den", "m:sub", "m:sup", "m:lim",
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
		case n.Name == "m:e" && signs["m:sup"] != "":
			return f.base()
		case !ok:
			return f.element(n)
		case sign == "!": // the name of a function
			err := f.children()
			f.add(" ")
			return err
		}
		f.add(sign)
		err := f.group()
		f.script = len(f.text)
		return err
	})
}

// fraction writes an m:f: "a/b". One without a bar, such as a binomial coefficient, is "n¦k".
func (f *formula) fraction() error {
	if f.script == len(f.text) {
		f.apart()
	}
	bar, kind := "/", ""
	return f.x.Children(func(n *pack.Node) error {
		switch n.Name {
		case "m:fPr":
			err := f.property("m:type", &kind)
			if kind == "noBar" {
				bar = "¦"
			}
			return err
		case "m:num":
			return f.group()
		case "m:den":
			f.add(bar)
			return f.group()
		}
		return nil
	})
}

// marked writes an element with a mark over or under it: "x̄". The mark is a combining character, by itself or by the value that the property
// has for it in names; "" is that of an element without the property.
func (f *formula) marked(properties, name string, names map[string]string) error {
	if f.script == len(f.text) {
		f.apart()
	}
	value := ""
	return f.x.Children(func(n *pack.Node) error {
		if n.Name == properties {
			return f.property(name, &value)
		}
		if n.Name != "m:e" {
			return nil
		}
		err := f.group()
		mark, ok := names[value]
		if r, size := utf8.DecodeRuneInString(value); !ok && size == len(value) && unicode.Is(unicode.Mn, r) {
			mark = value
		}
		f.add(mark)
		return err
	})
}

// group writes the children of an element in parentheses, unless they are one number or word, or have some.
func (f *formula) group() error {
	start := len(f.text)
	f.script = -1
	err := f.children()
	if inner := string(f.text[start:]); !isSimple(inner) && !isEnclosed(inner) {
		f.text = f.text[:start]
		f.add("(" + inner + ")")
	}
	return err
}

// base writes what an index or a power is of, in parentheses where it would seem to be of the last piece alone. A parenthesis by itself may
// be such a base, too.
func (f *formula) base() error {
	start := len(f.text)
	err := f.children()
	if inner := string(f.text[start:]); strings.ContainsAny(inner, "/¦+-−=^√") && !isEnclosed(inner) {
		bare := strings.TrimLeft(inner, " ")
		f.text = f.text[:start]
		f.add(inner[:len(inner)-len(bare)] + "(" + bare + ")")
	}
	return err
}

func isSimple(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && r != '.' && r != '′'
	})
}

// isEnclosed reports whether the parenthesis that text begins with is closed at its end.
func isEnclosed(text string) bool {
	depth := 0
	for i, r := range text {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return i == len(text)-1 && text != ""
		}
	}
	return false
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

// rows writes a matrix or lines one below the other: "[a, b; c, d]". One line is no more than that.
func (f *formula) rows(name string) error {
	start, count := len(f.text), 0
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
	if count == 1 && name == "m:eqArr" && start < len(f.text) {
		f.text = slices.Delete(f.text, start, start+1)
		return err
	}
	f.add("]")
	return err
}
