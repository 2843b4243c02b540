package prompt

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
	"unicode"

	"docbatch/pipeline/guess"
)

// function checks a call: that there is such a function, how many values it gets, and what it gets.
func (c *checker) function(n *parse.IdentifierNode, args []parse.Node, dot, before kind) kind {
	s, ok := signatures[n.Ident]
	if !ok {
		c.unknownFunction(n)
		return anything
	}
	var kinds []kind
	for _, arg := range args {
		kinds = append(kinds, c.argument(arg, dot))
	}
	if before != absent {
		kinds = append(kinds, before)
	}
	if len(kinds) < s.min || len(kinds) > s.max {
		c.problem(int(n.Pos), "%d is the wrong number of values for %s; an example: %s", len(kinds), n.Ident, s.usage)
	}
	if slices.Contains(kinds, document) {
		c.problem(int(n.Pos), "%s takes no whole document; an example: %s", n.Ident, s.usage)
	}
	c.special(n, args, kinds)
	switch n.Ident {
	case "and", "or", "default":
		if slices.ContainsFunc(kinds, func(k kind) bool { return k != value }) {
			return anything
		}
	}
	return value
}

func (c *checker) argument(n parse.Node, dot kind) kind {
	if n, ok := n.(*parse.NumberNode); ok && strings.HasPrefix(n.Text, "'") {
		c.problem(int(n.Pos), "write texts in double quotation marks: %q", strings.Trim(n.Text, "'"))
	}
	return c.operand(n, dot)
}

// special checks what only one function needs.
func (c *checker) special(n *parse.IdentifierNode, args []parse.Node, kinds []kind) {
	switch n.Ident {
	case "field":
		c.usesFields = true
		if len(args) == 1 {
			c.literalColumn(args[0])
		}
	case "index":
		if len(args) == 2 && kinds[0] == fields {
			c.literalColumn(args[1])
		}
	case "printf":
		// A format that comes from a document could ask for a million spaces a hundred times.
		if len(args) == 0 || args[0].Type() != parse.NodeString {
			c.problem(int(n.Pos), "printf wants its format written out, as in %s", signatures[n.Ident].usage)
		}
	}
}

func (c *checker) literalColumn(n parse.Node) {
	if s, ok := n.(*parse.StringNode); ok {
		c.column(s.Text, int(s.Pos))
	}
}

func (c *checker) unknownFunction(n *parse.IdentifierNode) {
	name, names := n.Ident, slices.Sorted(maps.Keys(signatures))
	near, more := c.guessData(name), "with its dot"
	if near == "" {
		more = list("the functions", names)
	}
	if f := guess.Nearest(name, names); near == "" && f != "" {
		near, more = quote(f), "an example: "+signatures[f].usage
	}
	c.problem(int(n.Pos), "there is no function %q%s", name, suggest(near, more))
}

// columnAction is the action that prints a column.
func columnAction(name string) string {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return "{{field " + strconv.Quote(name) + "}}"
		}
	}
	return "{{.Fields." + name + "}}"
}

// quote is s in quotation marks, and "" for "".
func quote(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}

// maxShown is how much of a name a list shows, in characters.
const maxShown = 60

// quoteAll quotes names that a file may have made long.
func quoteAll(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = strconv.Quote(truncate(name, maxShown))
	}
	return all
}
