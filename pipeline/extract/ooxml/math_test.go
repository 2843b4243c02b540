package ooxml

import "testing"

func TestMath(t *testing.T) {
	r := func(text string) string { return "<m:r><m:t>" + text + "</m:t></m:r>" }
	in := func(name, inner string) string { return "<m:" + name + ">" + inner + "</m:" + name + ">" }
	for _, test := range []struct{ name, math, want string }{
		{"text", r("a") + r("+") + r("b"), "a+b"},
		{"fraction", in("f", in("num", r("a+b"))+in("den", r("2"))), "(a+b)/2"},
		{"power and index", in("sSup", in("e", r("x"))+in("sup", r("2"))) + in("sSub", in("e", r("y"))+in("sub", r("i,j"))), "x^2y_(i,j)"},
		{"both", in("sSubSup", in("e", r("x"))+in("sub", r("1"))+in("sup", r("2"))), "x_1^2"},
		{"root", in("rad", in("deg", "")+in("e", r("x+1"))), "√(x+1)"},
		{"third root", in("rad", in("deg", r("3"))+in("e", r("x"))), "3√x"},
		{"sum", in("nary", `<m:naryPr><m:chr m:val="∑"/></m:naryPr>`+in("sub", r("i=1"))+in("sup", r("n"))+in("e", r("i"))), "∑_(i=1)^n i"},
		{"integral without limits", in("nary", `<m:naryPr/>`+in("sub", "")+in("sup", "")+in("e", r("x"))), "∫ x"},
		{"parentheses", in("d", in("e", r("a"))+in("e", r("b"))), "(a|b)"},
		{"brackets", in("d", `<m:dPr><m:begChr m:val="["/><m:endChr m:val=""/><m:sepChr m:val=";"/></m:dPr>`+in("e", r("a"))+in("e", r("b"))), "[a;b"},
		{"matrix", in("m", in("mr", in("e", r("a"))+" "+in("e", r("b")))+in("mr", in("e", r("c"))+in("e", r("d")))), "[a, b; c, d]"},
		{"lines", in("eqArr", in("e", r("a=1"))+in("e", r("b=2"))), "[a=1; b=2]"},
		{"function", in("func", in("fName", r("sin"))+in("e", r("x"))), "sin x"},
		{"limit", in("limLow", in("e", r("lim"))+in("lim", r("n→∞"))), "lim_(n→∞)"},
		{"accent", in("acc", `<m:accPr><m:chr m:val="^"/></m:accPr>`+in("e", r("x"))), "x"},
		{"nothing", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, ReadDOCX, docx("<w:p><m:oMath>"+test.math+"</m:oMath></w:p>"), test.want)
		})
	}
}
