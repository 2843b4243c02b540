package prompt

import (
	"fmt"
	"sort"
	"strings"
	"unicode"

	"docbatch/pipeline/guess"
)

// explainSyntax gives an error of the parser, which knows only the line, its column, and says what to do.
func explainSyntax(src source, err error, columns []string) error {
	all := actions(src.text)
	i := sort.Search(len(all), func(i int) bool {
		_, err := parseTrees(src.text[:all[i].end])
		return err != nil && !unfinished(err)
	})
	if i == len(all) {
		return explainUnclosed(src, all)
	}
	bad := all[i]
	message := strings.TrimPrefix(err.Error(), "template: "+mainTemplate+":")
	if _, after, ok := strings.Cut(message, ": "); ok {
		message = after
	}
	message = strings.TrimPrefix(message, "template: ")
	message, _, _ = strings.Cut(message, " in action started at ")
	message = strings.ReplaceAll(message, mainTemplate+":", "line ")
	return src.errorf(bad.start, "%s; %s", message, advice(message, src.text[bad.start:bad.end], columns))
}

// unfinished reports whether all that err complains of is that the template ends too early.
func unfinished(err error) bool { return strings.HasSuffix(err.Error(), ": unexpected EOF") }

// explainUnclosed names the innermost block that is not closed.
func explainUnclosed(src source, all []action) error {
	var open []action
	for _, a := range all {
		switch a.word {
		case "if", "range", "with", "block", "define":
			open = append(open, a)
		case "end":
			open = open[:max(0, len(open)-1)]
		}
	}
	if len(open) == 0 {
		return src.errorf(len(src.text), "{{end}} is missing")
	}
	last := open[len(open)-1]
	return src.errorf(last.start, "this {{%s}} is not closed; put {{end}} where it ends", last.word)
}

// advice says what to do about a message of the parser.
func advice(message, action string, columns []string) string {
	for _, a := range []struct{ sign, advice string }{
		{"unclosed action", "close it with }}"},
		{"U+007D '}'", "close it with }}"},
		{"unclosed comment", "close it with */}}"},
		{"comment ends before", "a comment is the whole of {{/* ... */}}"},
		{"unclosed left paren", "close the parenthesis before }}"},
		{"unexpected right paren", "there is no parenthesis to close"},
		{"unterminated quoted string", "close the quotation mark on the same line"},
		{"character constant", `write texts in double quotation marks: {{field "Invoice No"}}`},
		{"unexpected {{end}}", "no {{if}}, {{range}} or {{with}} is open here"},
		{"unexpected {{else}}", "no {{if}}, {{range}} or {{with}} is open here"},
		{"expected end; found", "only one {{else}} is possible, the last"},
		{"missing value", "say what is meant, for example {{.Text}}"},
		{"undefined variable", "set it before: {{$x := .Name}}"},
		{"multiple definition", "give each {{define}} its own name"},
		{"outside {{range}}", "it leaves a {{range}}"},
	} {
		if strings.Contains(message, a.sign) {
			return a.advice
		}
	}
	if _, name, ok := strings.Cut(action, ".Fields."); ok {
		name = strings.TrimSpace(strings.TrimRight(name, "}"))
		if near := guess.Nearest(name, columns); near != "" {
			name = near
		}
		return fmt.Sprintf("a column whose name is not one word is written {{field %q}}", name)
	}
	return "between {{ and }} stands a name such as .Text or a function such as trim .Text; to print braces as they are, write {{`{{`}}"
}

// An action is what stands between braces, with them.
type action struct {
	start, end int
	word       string // its first word, for a block
}

// actions finds the actions of a template as the lexer of text/template does, which does not give their places away. An
// action that is not closed ends with the template.
func actions(s string) []action {
	var all []action
	for at := 0; ; {
		i := strings.Index(s[at:], "{{")
		if i < 0 {
			return all
		}
		start := at + i
		at = actionEnd(s, start+len("{{"))
		inside := strings.TrimLeft(strings.TrimPrefix(s[start+len("{{"):at], "- "), " \t\r\n")
		word := inside[:len(inside)-len(strings.TrimLeftFunc(inside, unicode.IsLetter))]
		all = append(all, action{start: start, end: at, word: word})
	}
}

// actionEnd is the offset after the braces that close the action whose inside begins at i.
func actionEnd(s string, i int) int {
	if comment := strings.TrimPrefix(s[i:], "- "); strings.HasPrefix(comment, "/*") {
		end := strings.Index(s[i:], "*/")
		if end < 0 {
			return len(s)
		}
		i += end
	}
	for i < len(s) {
		switch c := s[i]; {
		case strings.HasPrefix(s[i:], "}}"):
			return i + len("}}")
		case c == '"' || c == '\'' || c == '`':
			i = quoteEnd(s, i+1, c)
		default:
			i++
		}
	}
	return len(s)
}

// quoteEnd is the offset after the quotation that begins at i; one that is not closed ends with its line.
func quoteEnd(s string, i int, quote byte) int {
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote:
			return i + 1
		case c == '\\' && quote != '`':
			i++
		case c == '\n' && quote != '`':
			return i
		}
	}
	return len(s)
}
