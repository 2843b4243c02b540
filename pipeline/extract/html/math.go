package html

// A formula is MathML that is being read. It becomes a line such as "{a+b}/{2}" or "10^6": what stands above or beside what must not get lost.
type formula []operator

// An operator is an element of a formula that is open.
type operator struct {
	name     string
	children int
}

// maxFormula bounds operators within operators.
const maxFormula = 100

// between are the signs between the children of an operator.
var between = map[string][]string{
	"mfrac": {"/"}, "msup": {"^"}, "msub": {"_"}, "msubsup": {"_", "^"},
	"mover": {"^"}, "munder": {"_"}, "munderover": {"_", "^"}, "mroot": {","}, "mtr": {" ", " ", " ", " "}, "mtable": {"; ", "; ", "; ", "; "},
}

// groups are the operators that hold several things as one, and what stands before them.
var groups = map[string]string{"mrow": "", "msqrt": "√", "mroot": "√"}

// open takes the start of an element and gives the sign before it.
func (f *formula) open(name string) string {
	sign := ""
	if n := len(*f); n > 0 {
		parent := &(*f)[n-1]
		signs := between[parent.name]
		if at := parent.children - 1; at >= 0 && at < len(signs) {
			sign = signs[at]
		}
		parent.children++
		if before, ok := groups[name]; ok && (len(signs) > 0 || before != "") {
			sign += before + "{"
		}
	}
	if len(*f) < maxFormula {
		*f = append(*f, operator{name: name})
	}
	return sign
}

// close takes the end of an element and gives the sign after it.
func (f *formula) close(name string) string {
	n := len(*f) - 1
	if n < 0 || (*f)[n].name != name {
		return ""
	}
	*f = (*f)[:n]
	if before, ok := groups[name]; ok && n > 0 && (before != "" || len(between[(*f)[n-1].name]) > 0) {
		return "}"
	}
	return ""
}
