package prompt

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template/parse"

	"docbatch/pipeline/guess"
)

// A kind is what the check knows of a value.
type kind int

const (
	anything kind = iota // not known: nothing is checked
	absent               // there is no value: the first command of a pipe gets none from before
	nothing              // dot in a template that is called without a value
	document             // the data, all of it
	fields               // .Fields
	meta                 // .Meta
	value                // a text or a number
)

// dataKinds are the names in a document's data, in the order in which a message lists them.
var dataKinds = []struct {
	name string
	kind kind
}{
	{"Text", value}, {"Fields", fields}, {"Name", value}, {"ID", value}, {"Path", value}, {"Source", value}, {"Row", value}, {"Meta", meta},
}

// maxProblems bounds how many problems of one template are told.
const maxProblems = 10

type problem struct {
	at      int // offset in bytes
	message string
}

// A call is a template and what it is called with.
type call struct {
	name string
	dot  kind
}

type variable struct {
	name string
	kind kind
}

// A checker walks over the parse trees of one source, as an execution would, but into every branch.
type checker struct {
	source
	trees  map[string]*parse.Tree
	known  []string // the columns that there are
	system bool     // the document's text is not to be had

	vars   []variable
	called map[call]bool // finished or going on
	stack  []string      // the templates that are being walked

	problems   []problem
	columns    []string
	metaKeys   []string
	usesText   bool
	usesFields bool
}

func (c *checker) check() {
	c.call(mainTemplate, document, 0)
	for name := range c.trees {
		if !c.reached(name) {
			c.call(name, anything, 0)
		}
	}
}

func (c *checker) reached(name string) bool {
	for call := range c.called {
		if call.name == name {
			return true
		}
	}
	return false
}

// err is all problems as one error, in the order of the source.
func (c *checker) err() error {
	slices.SortFunc(c.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.message, b.message))
	})
	found := slices.Compact(c.problems)
	var errs []error
	for _, p := range found[:min(len(found), maxProblems)] {
		errs = append(errs, c.errorf(p.at, "%s", p.message))
	}
	if more := len(found) - maxProblems; more > 0 {
		errs = append(errs, fmt.Errorf("%s: and %d more", c.name, more))
	}
	return errors.Join(errs...)
}

func (c *checker) problem(at int, format string, args ...any) {
	c.problems = append(c.problems, problem{at, fmt.Sprintf(format, args...)})
}

// call walks over a template with a value; at is where it is called.
func (c *checker) call(name string, dot kind, at int) {
	tree, ok := c.trees[name]
	if !ok {
		var names []string
		for name := range c.trees {
			names = append(names, name)
		}
		c.problem(at, "there is no {{define %q}}%s", name, suggest(quote(guess.Nearest(name, names)), "define it, or leave the call out"))
		return
	}
	if slices.Contains(c.stack, name) {
		c.problem(at, "template %q calls itself", name)
		return
	}
	if c.called[call{name, dot}] {
		return
	}
	c.called[call{name, dot}] = true
	c.stack = append(c.stack, name)
	outer := c.vars
	c.vars = []variable{{"$", dot}}
	c.list(tree.Root, dot)
	c.vars = outer
	c.stack = c.stack[:len(c.stack)-1]
}

func (c *checker) list(l *parse.ListNode, dot kind) {
	if l == nil {
		return
	}
	for _, node := range l.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			c.action(n, dot)
		case *parse.IfNode:
			c.branch(&n.BranchNode, dot, func(kind) kind { return dot })
		case *parse.WithNode:
			c.branch(&n.BranchNode, dot, func(k kind) kind { return k })
		case *parse.RangeNode:
			c.branch(&n.BranchNode, dot, element)
		case *parse.TemplateNode:
			arg := nothing
			if n.Pipe != nil {
				arg = c.pipe(n.Pipe, dot)
			}
			c.call(n.Name, arg, int(n.Pos))
		}
	}
}

func (c *checker) action(n *parse.ActionNode, dot kind) {
	k := c.pipe(n.Pipe, dot)
	if len(n.Pipe.Decl) > 0 {
		return
	}
	switch k {
	case document, nothing:
		c.problem(int(n.Pipe.Pos), "this prints no single value; name one, such as {{.Text}}")
	case fields, meta:
		c.problem(int(n.Pipe.Pos), "this is more than one value; name one, such as {{.Fields.city}}, or print all with {{json .Fields}}")
	}
}

// element is the kind of what a range goes over.
func element(k kind) kind {
	if k == fields || k == meta {
		return value
	}
	return anything
}

// branch walks over an if, a with or a range; inside tells what dot is inside, from the kind of its value.
func (c *checker) branch(n *parse.BranchNode, dot kind, inside func(kind) kind) {
	mark := len(c.vars)
	over := c.pipe(n.Pipe, dot)
	k := inside(over)
	if n.NodeType == parse.NodeRange {
		// Over a number it would go as often as that says.
		if over == value || over == document {
			c.problem(int(n.Pipe.Pos), "range goes over .Fields or .Meta, and this is neither")
		}
		for i := range n.Pipe.Decl {
			c.set(n.Pipe.Decl[i].Ident[0], k)
		}
	}
	c.list(n.List, k)
	c.list(n.ElseList, dot)
	c.vars = c.vars[:mark]
}

func (c *checker) pipe(p *parse.PipeNode, dot kind) kind {
	k := absent
	for _, cmd := range p.Cmds {
		k = c.command(cmd, dot, k)
	}
	for _, v := range p.Decl {
		switch name := v.Ident[0]; {
		case !p.IsAssign:
			c.vars = append(c.vars, variable{name, k})
		case c.variable(name) != k: // which of both it is at last depends on the branches taken
			c.set(name, anything)
		}
	}
	return k
}

// set changes the kind of the innermost variable of a name.
func (c *checker) set(name string, k kind) {
	for i := range slices.Backward(c.vars) {
		if c.vars[i].name == name {
			c.vars[i].kind = k
			return
		}
	}
}

// variable is the kind of the innermost variable of a name.
func (c *checker) variable(name string) kind {
	for _, v := range slices.Backward(c.vars) {
		if v.name == name {
			return v.kind
		}
	}
	return anything
}

// command walks over one command of a pipe; before is what the one before it gives.
func (c *checker) command(cmd *parse.CommandNode, dot, before kind) kind {
	first, args := cmd.Args[0], cmd.Args[1:]
	if name, ok := first.(*parse.IdentifierNode); ok {
		return c.function(name, args, dot, before)
	}
	if len(args) == 0 && before == absent {
		return c.operand(first, dot)
	}
	if f, ok := first.(*parse.FieldNode); ok && len(f.Ident) == 2 && f.Ident[0] == "Fields" {
		name := f.Ident[1]
		for _, arg := range args {
			name += " " + arg.String()
		}
		c.problem(place(f, f.Ident, 1), "a column whose name is not one word is written {{field %q}}", cmp.Or(guess.Nearest(name, c.known), name))
		return value
	}
	c.problem(int(first.Position()), "%s is not a function and takes nothing", first)
	return anything
}

func (c *checker) operand(node parse.Node, dot kind) kind {
	switch n := node.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return c.chain(dot, n, n.Ident, 0)
	case *parse.VariableNode:
		return c.chain(c.variable(n.Ident[0]), n, n.Ident[1:], 0)
	case *parse.ChainNode:
		return c.chain(c.operand(n.Node, dot), n, n.Field, 0)
	case *parse.PipeNode:
		return c.pipe(n, dot)
	case *parse.IdentifierNode:
		return c.function(n, nil, dot, absent)
	default:
		return value
	}
}

// chain follows names from a value.
func (c *checker) chain(k kind, n parse.Node, names []string, i int) kind {
	if i == len(names) {
		return k
	}
	return c.chain(c.member(k, names[i], place(n, names, i)), n, names, i+1)
}

// member is what a name leads to in a value.
func (c *checker) member(k kind, name string, at int) kind {
	switch k {
	case document:
		return c.dataName(name, at)
	case fields:
		c.column(name, at)
		return value
	case meta:
		c.metaKeys = append(c.metaKeys, name)
		return value
	case value:
		c.problem(at, "there is nothing named %q in a single value", name)
	case nothing:
		c.problem(at, "there is no %q here: the template is called without a value; call it as {{template \"name\" .}}", "."+name)
	}
	return anything
}

func (c *checker) dataName(name string, at int) kind {
	for _, d := range dataKinds {
		if d.name != name {
			continue
		}
		if name == "Text" {
			c.usesText = true
			if c.system {
				c.problem(at, "the document's text has no place in a system prompt; put {{.Text}} into the prompt")
			}
		}
		c.usesFields = c.usesFields || name == "Fields"
		return d.kind
	}
	c.problem(at, "there is no %q%s", "."+name, suggest(c.guessData(name), list("the names", dataNames("."))))
	return anything
}

func dataNames(prefix string) []string {
	var names []string
	for _, d := range dataKinds {
		names = append(names, prefix+d.name)
	}
	return names
}

// guessData is what someone meant who wrote a name without or behind a dot: a name of the data, or a column.
func (c *checker) guessData(name string) string {
	if slices.Contains(c.known, name) {
		return columnAction(name)
	}
	if near := guess.Nearest(name, dataNames("")); near != "" {
		return "{{." + near + "}}"
	}
	if near := guess.Nearest(name, c.known); near != "" {
		return columnAction(near)
	}
	return ""
}

// column notes that a column is named, and checks that there is one.
func (c *checker) column(name string, at int) {
	c.usesFields = true
	c.columns = append(c.columns, name)
	switch {
	case slices.Contains(c.known, name):
	case len(c.known) == 0:
		c.problem(at, "there is no column %q; a CSV or XLSX file has columns, and none is among the inputs: what a file says is {{.Text}}", name)
	default:
		near := guess.Nearest(name, c.known)
		c.problem(at, "there is no column %q%s", name, suggest(quote(near), list("the columns", quoteAll(c.known))))
	}
}

// place is where the n-th name of a chain such as .Fields.city stands: text/template gives the place of the second, or of the
// only one.
func place(n parse.Node, names []string, i int) int {
	at := int(n.Position())
	if _, ok := n.(*parse.FieldNode); ok && len(names) > 1 {
		at -= len(".") + len(names[0])
	}
	for _, name := range names[:i] {
		at += len(".") + len(name)
	}
	return at
}
