package prompt

import (
	"fmt"
	"strings"
	"testing"

	"docbatch/pipeline"
)

func TestParseErrors(t *testing.T) {
	columns := []string{"invoice_no", "Invoice No", "city", "e-mail"}
	const theColumns = `(the columns are: "invoice_no", "Invoice No", "city", "e-mail")`
	const theNames = `the names are: .Text, .Fields, .Name, .ID, .Path, .Source, .Row, .Meta`
	for _, tt := range []struct{ name, prompt, want string }{
		{"column misspelt", "a\nb\nfor {{.Fields.invoce_no}}", `p.txt:3:14: there is no column "invoce_no"; did you mean "invoice_no"? ` + theColumns},
		{"column by field", `é {{field "Invoce No"}}`, `p.txt:1:11: there is no column "Invoce No"; did you mean "Invoice No"? ` + theColumns},
		{"column by piped field", `{{"town" | field}} {{field "town"}}`, `p.txt:1:28: there is no column "town"; the columns are: "invoice_no", "Invoice No", "city", "e-mail"`},
		{"column by index", `{{index .Fields "ctiy"}}`, `p.txt:1:17: there is no column "ctiy"; did you mean "city"? ` + theColumns},
		{"column in with", `{{with .Fields}}{{.ctiy}}{{end}}`, `p.txt:1:19: there is no column "ctiy"; did you mean "city"? ` + theColumns},
		{"column of a variable", `{{$f := .Fields}}{{$f.ctiy}}`, `p.txt:1:22: there is no column "ctiy"; did you mean "city"? ` + theColumns},
		{"column of the root variable", `{{range .Fields}}{{$.Fields.ctiy}}{{end}}`, `p.txt:1:28: there is no column "ctiy"; did you mean "city"? ` + theColumns},
		{"column in a template", `{{template "x" .Fields}}{{define "x"}}{{.ctiy}}{{end}}`, `p.txt:1:41: there is no column "ctiy"; did you mean "city"? ` + theColumns},
		{"column in a branch not taken", `{{if false}}{{else}}{{.Fields.ctiy}}{{end}}`, `p.txt:1:30: there is no column "ctiy"; did you mean "city"? ` + theColumns},
		{"column in a condition", `{{if eq .Fields.ctiy "Rome"}}x{{end}}`, `p.txt:1:16: there is no column "ctiy"; did you mean "city"? ` + theColumns},
		{"column in parentheses", `{{(.Fields).ctiy}}`, `p.txt:1:12: there is no column "ctiy"; did you mean "city"? ` + theColumns},
		{"column with a space", `{{.Fields.Invoice No}}`, `p.txt:1:10: a column whose name is not one word is written {{field "Invoice No"}}`},
		{"column with a dash", `{{.Fields.e-mail}}`, `p.txt:1:1: bad character U+002D '-'; a column whose name is not one word is written {{field "e-mail"}}`},
		{"column without Fields", `{{.city}}`, `p.txt:1:3: there is no ".city"; did you mean {{.Fields.city}}? (` + theNames + `)`},
		{"column without dot", `{{city}}`, `p.txt:1:3: there is no function "city"; did you mean {{.Fields.city}}? (with its dot)`},
		{"name misspelt", `{{.Txt}}`, `p.txt:1:3: there is no ".Txt"; did you mean {{.Text}}? (` + theNames + `)`},
		{"name unknown", `{{.Quux}}`, `p.txt:1:3: there is no ".Quux"; ` + theNames},
		{"name without dot", `{{ text }}`, `p.txt:1:4: there is no function "text"; did you mean {{.Text}}? (with its dot)`},
		{"name below a value", `{{.Name.First}}`, `p.txt:1:8: there is nothing named "First" in a single value`},
		{"name with a value after it", `{{.Name 3}}`, `p.txt:1:3: .Name is not a function and takes nothing`},
		{"function misspelt", `{{uper .Name}}`, `p.txt:1:3: there is no function "uper"; did you mean "upper"? (an example: {{upper .Name}})`},
		{"function unknown", `{{today}}`, `p.txt:1:3: there is no function "today"; the functions are: and, default, eq, field, ge, gt, index, join, json, le, len, lines, lower, lt, ne, not, or, printf, raw, trim, truncate, upper`},
		{"function of text/template left out", `{{call .Name}}`, `p.txt:1:3: there is no function "call"; the functions are: and, `},
		{"function of our own", `{{_print .Text}}`, `p.txt:1:3: there is no function "_print"; did you mean "printf"? `},
		{"function with too little", `{{.Text | truncate}}`, `p.txt:1:11: 1 is the wrong number of values for truncate; an example: {{truncate 2000 .Text}}`},
		{"function with too much", `{{raw .Text 1}}`, `p.txt:1:3: 2 is the wrong number of values for raw; an example: {{raw .Text}}`},
		{"function with the wrong value", "\n\n {{truncate \"a\" .Text}}", `p.txt:3:13: expected integer; found "a"`},
		{"function with a map", `{{trim .Fields}}`, `p.txt:1:3: trim takes one value, such as {{trim .Text}}`},
		{"function with everything", `{{. | json}}`, `p.txt:1:7: json takes no whole document; an example: {{json .Name}}`},
		{"single quotes, one letter", `{{field 'x'}}`, `p.txt:1:9: write texts in double quotation marks: "x"`},
		{"single quotes", `{{field 'Invoice No'}}`, `p.txt:1:1: malformed character constant: 'Invoice No'; write texts in double quotation marks: {{field "Invoice No"}}`},
		{"format from the document", `{{printf .Text}}`, `p.txt:1:3: printf wants its format written out, as in {{printf "%05d" .Row}}`},
		{"everything printed", `{{.}}`, `p.txt:1:3: this prints no single value; name one, such as {{.Text}}`},
		{"all columns printed", `{{.Fields}}`, `p.txt:1:3: this is more than one value; name one, such as {{.Fields.city}}, or print all with {{json .Fields}}`},
		{"range over a number", `{{range 1000000000000}}x{{end}}`, `p.txt:1:9: range goes over .Fields or .Meta, and this is neither`},
		{"range over a computed number", `{{range or .Row 1000000000000}}x{{end}}`, `p.txt:1:9: range goes over .Fields or .Meta, and this is neither`},
		{"template not there", `{{template "haed" .}}{{define "head"}}x{{end}}`, `p.txt:1:12: there is no {{define "haed"}}; did you mean "head"? (define it, or leave the call out)`},
		{"template without a value", `{{template "x"}}{{define "x"}}{{.Text}}{{end}}`, `p.txt:1:33: there is no ".Text" here: the template is called without a value; call it as {{template "name" .}}`},
		{"template calls itself", `{{define "x"}}{{template "x" .}}{{end}}`, `p.txt:1:26: template "x" calls itself`},
		{"template called twice", `{{define "x"}}{{.Quux}}{{end}}{{template "x" .}}{{template "x" .}}`, `p.txt:1:17: there is no ".Quux"; ` + theNames},
		{"template never called", `{{define "x"}}{{quux .a}}{{end}}{{.Text}}`, `p.txt:1:17: there is no function "quux"; the functions are: and, `},
		{"column shortened, without Fields", `{{.Invoice}}`, `p.txt:1:3: there is no ".Invoice"; did you mean {{.Fields.invoice_no}}? (` + theNames + `)`},
		{"column not a name, without dot", `{{email}}`, `p.txt:1:3: there is no function "email"; did you mean {{field "e-mail"}}? (with its dot)`},
		{"variable of another kind", `{{$x := .Name}}{{$x = .Row}}{{$x.a}}`, `p.txt:1:33: there is nothing named "a" in a single value`},
		{"function below a function", `{{(upper .Name).x}} {{upper trim}}`, `p.txt:1:16: there is nothing named "x" in a single value` + "\n" + `p.txt:1:29: 0 is the wrong number of values for trim; an example: {{trim .Text}}`},
		{"join of a map", `{{join "," .Name .Fields}}`, `p.txt:1:3: join takes one value, such as {{join ", " .Source .Name}}`},
		{"map behind a condition", `{{or .Fields .Name}}`, `p.txt:1:3: this is more than one value: print one of them, or {{json .Fields}}`},
		{"template defined twice", `{{define "x"}}a{{end}}{{define "x"}}b{{end}}`, `p.txt:1:38: multiple definition of template "x"; give each {{define}} its own name`},
		{"if not closed", "x\n{{/* {{if}} */}}{{if .Text}}{{with .Name}}{{end}}", `p.txt:2:17: this {{if}} is not closed; put {{end}} where it ends`},
		{"trimming with not closed", "{{if .Text}}{{end}} {{- with `}}` }}", `p.txt:1:21: this {{with}} is not closed; put {{end}} where it ends`},
		{"action not closed", "x {{.Text", `p.txt:1:3: unclosed action; close it with }}`},
		{"action closed by half", "{{.Text}} {{.Text}", `p.txt:1:11: bad character U+007D '}'; close it with }}`},
		{"comment not closed", "{{/* x", `p.txt:1:1: unclosed comment; close it with */}}`},
		{"quotation not closed", "{{.Text}}{{\"a\nb\"}}{{.Name}}", `p.txt:1:10: unterminated quoted string; close the quotation mark on the same line`},
		{"end without if", "{{.Text}} {{end}} {{.Text}}", `p.txt:1:11: unexpected {{end}}; no {{if}}, {{range}} or {{with}} is open here`},
		{"else without if", "{{.Text}} {{else}}", `p.txt:1:11: unexpected {{else}}; no {{if}}, {{range}} or {{with}} is open here`},
		{"nothing in it", "{{}}", `p.txt:1:1: missing value for command; say what is meant, for example {{.Text}}`},
		{"variable not set", "{{$x}}", `p.txt:1:1: undefined variable "$x"; set it before: {{$x := .Name}}`},
		{"another language's syntax", "{{.Text}}{{#if x}}", "p.txt:1:10: unexpected \"#\" in command; between {{ and }} stands a name such as .Text or a function such as trim .Text; to print braces as they are, write {{`{{`}}"},
		{"fails on an empty document", "{{index .Text 0}}", `p.txt:1:3: reflect: string index out of range (for a document without text and values)`},
		{"prints nothing", "{{if .Text}}{{end}}", `p.txt: nothing is printed for this document`},
		{"not UTF-8", "caf\xe9", `p.txt:1:4: this is not UTF-8; save the file with that encoding`},
		{"blank", " \n", `p.txt: the prompt is empty`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(Options{Prompt: tt.prompt, PromptName: "p.txt", Columns: columns})
			got := fmt.Sprint(err)
			if got != tt.want && !(strings.HasSuffix(tt.want, " ") && strings.HasPrefix(got, tt.want)) {
				t.Errorf("Parse(%q):\n got %s\nwant %s", tt.prompt, got, tt.want)
			}
		})
	}
}

func TestParseErrorsTogether(t *testing.T) {
	_, err := Parse(Options{
		Prompt: "{{.Fields.b}} {{lt .Row}}\n{{.Fields.a}}",
		System: "You read {{.Text}}.\n{{.Fields.c}}",
	})
	want := `--prompt:1:10: there is no column "b"; a CSV or XLSX file has columns, and none is among the inputs: what a file says is {{.Text}}
--prompt:1:17: 1 is the wrong number of values for lt; an example: {{if lt .Row 100}}
--prompt:2:10: there is no column "a"; a CSV or XLSX file has columns, and none is among the inputs: what a file says is {{.Text}}
--system:1:12: the document's text has no place in a system prompt; put {{.Text}} into the prompt
--system:2:10: there is no column "c"; a CSV or XLSX file has columns, and none is among the inputs: what a file says is {{.Text}}`
	if got := fmt.Sprint(err); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	_, err = Parse(Options{Prompt: strings.Repeat("{{.Quux}}", 25)})
	if got := strings.Count(fmt.Sprint(err), "\n") + 1; got != maxProblems+1 {
		t.Errorf("25 problems: got %d lines, want %d", got, maxProblems+1)
	}
	if got, want := fmt.Sprint(err), "--prompt: and 15 more"; !strings.HasSuffix(got, want) {
		t.Errorf("25 problems: got %s, want %s at its end", got, want)
	}
}

// A name can be read from a table with many columns, and one that is a mistake can be long.
func TestParseErrorsStayShort(t *testing.T) {
	var columns []string
	for i := range 1000 {
		columns = append(columns, fmt.Sprintf("%c%d", 'a'+i%26, i))
	}
	columns[3] = strings.Repeat("x", 10000)
	_, err := Parse(Options{Prompt: "{{.Fields." + strings.Repeat("y", 50) + "}}", Columns: columns})
	got := fmt.Sprint(err)
	if len(got) > 500 {
		t.Errorf("got %d bytes: %s", len(got), got)
	}
	if want := fmt.Sprintf(`"y%d" and %d more`, maxListed-1, 1000-maxListed); !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want %s at its end", got, want)
	}
}

func TestUsesFields(t *testing.T) {
	for _, tt := range []struct {
		prompt, system string
		want           bool
	}{
		{"", "", false},
		{"{{.Text}} {{.Name}}", "You.", false},
		{"{{.Fields.a}}", "", true},
		{"{{if .Text}}{{field `a`}}{{end}}x", "", true},
		{"{{.Text}}", "{{json .Fields}}", true},
		{"{{.Text}}{{define `x`}}{{.Fields.a}}{{end}}", "", false},
	} {
		if got := mustParse(t, Options{Prompt: tt.prompt, System: tt.system, Columns: []string{"a"}}).UsesFields(); got != tt.want {
			t.Errorf("prompt %q, system %q: got %t, want %t", tt.prompt, tt.system, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		Default,
		`{{range $k, $v := .Fields}}{{$k}}: {{$v | trim}}{{else}}{{break}}{{end}}`,
		`{{with .Meta}}{{.title}}{{end}} {{- /* c */ -}} {{printf "%q" .Text | raw}}`,
		`{{define "a"}}{{.}}{{end}}{{template "a" .Name}}{{block "b" .}}{{.Row}}{{end}}`,
		`{{if and (eq .Source "x") (gt (len .Text) 5)}}{{truncate 5 .Text}}{{else if .ID}}{{end}}`,
		`{{field "a"}}{{index .Fields "b"}}{{.Fields.a | default "x" | join "," 1}}{{json .Meta}}`,
		"{{`", `{{'`, `{{"\`, `{{- /*`, "{{end}}", "{{.Fields.", "{{if}}", "\xff{{",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// Templates that call templates can be made to print for ever, by their author.
		if len(s) > 200 || strings.Count(s, "range") > 2 {
			t.Skip()
		}
		p, err := Parse(Options{Prompt: s, PromptName: "p.txt", Columns: []string{"a", "b"}})
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if strings.HasPrefix(line, "p.txt:") && !strings.Contains(line, mainTemplate) {
					return
				}
			}
			t.Fatalf("Parse(%q): %v: it does not say where", s, err)
		}
		_, err = p.Render(&pipeline.Document{Text: "text"})
		if err != nil && pipeline.ClassOf(err) != pipeline.Invalid {
			t.Errorf("Render of %q: class %s: %v", s, pipeline.ClassOf(err), err)
		}
	})
}
