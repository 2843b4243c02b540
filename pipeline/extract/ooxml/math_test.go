package ooxml

import "testing"

func TestMath(t *testing.T) {
	r := func(text string) string { return "<m:r><m:t>" + text + "</m:t></m:r>" }
	in := func(name, inner string) string { return "<m:" + name + ">" + inner + "</m:" + name + ">" }
	for _, test := range []struct{ name, math, want string }{
		{"text", r("a") + r("+") + r("b"), "a+b"},
		{"fraction", in("f", in("num", r("a+b"))+in("den", r("2"))), "(a+b)/2"},
		{"fraction of parentheses, over lines", in("f", "\n"+in("fPr", "")+"\n"+in("num", r("(a+b)"))+"\n"+in("den", r("(a)(b)"))+"\n"), "(a+b)/((a)(b))"},
		{"power of a fraction", in("sSup", in("e", in("f", in("num", r("a"))+in("den", r("b"))))+in("sup", r("2"))), "(a/b)^2"},
		{"power of parentheses", in("sSup", in("e", in("d", in("e", r("a+b"))))+in("sup", r("2"))) + r("(c") + in("sSup", in("e", r(")"))+in("sup", r("2"))), "(a+b)^2(c)^2"},
		{"power and index", in("sSup", in("e", r("x"))+in("sup", r("2"))) + in("sSub", in("e", r("y"))+in("sub", r("i,j"))), "x^2 y_(i,j)"},
		{"both", in("sSubSup", in("e", r("x"))+in("sub", r("1"))+in("sup", r("2"))), "x_1^2"},
		{"what follows a power", in("sSup", in("e", r("x"))+in("sup", r("2"))) + in("f", in("num", r("n"))+in("den", r("2"))) + in("sSup", in("e", r("x"))+in("sup", r("a+b"))) + r("y"),
			"x^2 n/2x^(a+b)y"},
		{"fraction without a bar", in("d", in("e", in("f", `<m:fPr><m:type m:val="noBar"/></m:fPr>`+in("num", r("n"))+in("den", r("k"))))), "(n¦k)"},
		{"root", in("rad", in("deg", "")+in("e", r("x+1"))), "√(x+1)"},
		{"third root", in("rad", in("deg", r("3"))+in("e", r("x"))), "3√x"},
		{"sum", in("nary", `<m:naryPr><m:chr m:val="∑"/></m:naryPr>`+in("sub", r("i=1"))+in("sup", r("n"))+in("e", r("i"))), "∑_(i=1)^n i"},
		{"integral without limits", in("nary", `<m:naryPr/>`+in("sub", "")+in("sup", "")+in("e", r("x"))), "∫ x"},
		{"parentheses", in("d", in("e", r("a"))+in("e", r("b"))), "(a|b)"},
		{"brackets", in("d", `<m:dPr><m:begChr m:val="["/><m:endChr m:val=""/><m:sepChr m:val=";"/></m:dPr>`+in("e", r("a"))+in("e", r("b"))), "[a;b"},
		{"matrix", in("m", in("mr", in("e", r("a"))+" "+in("e", r("b")))+in("mr", in("e", r("c"))+in("e", r("d")))), "[a, b; c, d]"},
		{"lines", in("eqArr", in("e", r("a=1"))+in("e", r("b=2"))), "[a=1; b=2]"},
		{"one line", r("so ") + in("eqArr", in("e", r("a=1"))), "so a=1"},
		{"power behind a power", in("sSup", in("e", r("x"))+in("sup", r("2"))) + in("sSup", in("e", r("a+b"))+in("sup", r("2"))), "x^2 (a+b)^2"},
		{"function", in("func", in("fName", r("sin"))+in("e", r("x"))), "sin x"},
		{"function behind a letter", r("a") + in("func", in("fName", r("sin"))+in("e", r("x"))), "a sin x"},
		{"limit", in("limLow", in("e", r("lim"))+in("lim", r("n→∞"))), "lim_(n→∞)"},
		{"hat", in("acc", `<m:accPr/>`+in("e", r("x"))), "x\u0302"},
		{"accent", in("acc", `<m:accPr><m:chr m:val="&#x303;"/></m:accPr>`+in("e", r("x+y"))), "(x+y)\u0303"},
		{"accent over lines", in("acc", "\n"+in("e", r("x"))+"\n"), "x\u0302"},
		{"accent that is none", in("acc", `<m:accPr><m:chr m:val="^"/></m:accPr>`+in("e", r("x"))), "x"},
		{"bar", in("bar", `<m:barPr><m:pos m:val="top"/></m:barPr>`+in("e", r("x"))) + in("sSup", in("e", r("a"))+in("sup", r("2"))) + in("bar", in("e", r("y"))), "x\u0305a^2 y\u0332"},
		{"nothing", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, ReadDOCX, docx("<w:p><m:oMath>"+test.math+"</m:oMath></w:p>"), test.want)
		})
	}
}
