package prompt

import (
	"errors"
	"slices"
	"text/template"
	"text/template/parse"
	"unicode/utf8"
)

// mainTemplate is the name that the whole of a source has in text/template; no {{define}} would choose it.
const mainTemplate = "(main)"

// A program is a template that was checked.
type program struct {
	source
	trees       map[string]*parse.Tree // shared by all renderers, never changed
	columns     []string               // those that are named in it
	metaKeys    []string               // the keys of .Meta that are named in it
	usesFields  bool
	appendsText bool // it names nothing of what the document says
}

// compile parses and checks src. The document's text is not to be had in a system prompt.
func compile(src source, columns []string, system bool) (*program, error) {
	if blank(src.text) {
		return nil, errors.New(src.name + ": the prompt is empty")
	}
	if at := invalidByte(src.text); at >= 0 {
		return nil, src.errorf(at, "this is not UTF-8; save the file with that encoding")
	}
	trees, err := parseTrees(src.text)
	if err != nil {
		return nil, explainSyntax(src, err, columns)
	}
	c := &checker{source: src, trees: trees, known: columns, system: system, called: map[call]bool{}}
	c.check()
	if len(c.problems) > 0 {
		return nil, c.err()
	}
	for _, tree := range trees {
		instrument(tree.Root)
	}
	slices.Sort(c.columns)
	slices.Sort(c.metaKeys)
	return &program{
		source:      src,
		trees:       trees,
		columns:     slices.Compact(c.columns),
		metaKeys:    slices.Compact(c.metaKeys),
		usesFields:  c.usesFields,
		appendsText: !system && !c.usesText && !c.usesFields,
	}, nil
}

// invalidByte is the offset of the first byte that is not UTF-8; -1 where there is none.
func invalidByte(s string) int {
	for i, r := range s {
		if _, size := utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
			return i
		}
	}
	return -1
}

// parseTrees parses without looking at the names of functions: the check does that, and knows where they stand.
func parseTrees(s string) (map[string]*parse.Tree, error) {
	trees := map[string]*parse.Tree{}
	tree := parse.New(mainTemplate)
	tree.Mode = parse.SkipFuncCheck
	_, err := tree.Parse(s, "", "", trees)
	return trees, err
}

// instrument makes every action that prints end in printFunc, in the manner of html/template's escapers.
func instrument(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 {
				n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{
					NodeType: parse.NodeCommand,
					Pos:      n.Pos,
					Args:     []parse.Node{parse.NewIdentifier(printFunc).SetPos(n.Pos)},
				})
			}
		case *parse.IfNode:
			instrument(n.List)
			instrument(n.ElseList)
		case *parse.WithNode:
			instrument(n.List)
			instrument(n.ElseList)
		case *parse.RangeNode:
			instrument(n.List)
			instrument(n.ElseList)
		}
	}
}

// template makes an executable template with functions of its own.
func (p *program) template(funcs template.FuncMap) *template.Template {
	t := template.New(mainTemplate).Funcs(funcs).Option("missingkey=error")
	for name, tree := range p.trees {
		// Only a redefinition of a template that is executing can fail.
		template.Must(t.AddParseTree(name, tree))
	}
	return t
}
