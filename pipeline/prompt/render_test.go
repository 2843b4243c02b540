package prompt

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// mustParse parses a prompt that is right.
func mustParse(t testing.TB, o Options) *Prompt {
	t.Helper()
	p, err := Parse(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// row is a document with columns.
func row() *pipeline.Document {
	return &pipeline.Document{
		Ref: pipeline.Ref{
			Source: "tickets", ID: "T-17", Name: "tickets.csv row 18", Row: 18,
			Fields: []pipeline.Field{{Name: "Invoice No", Value: "2024-7"}, {Name: "city", Value: " Rome "}, {Name: "note", Value: ""}},
		},
		Path: "in/tickets.csv",
		Text: "one\ntwo\nthree\n",
		Meta: map[string]string{"title": "Ticket"},
	}
}

func TestRender(t *testing.T) {
	columns := []string{"Invoice No", "city", "note", "elsewhere"}
	for _, tt := range []struct{ name, prompt, want string }{
		{"names", "{{.Name}}|{{.ID}}|{{.Path}}|{{.Source}}|{{.Row}}{{if .Text}}{{end}}", "tickets.csv row 18|T-17|in/tickets.csv|tickets|18"},
		{"columns", `{{field "Invoice No"}}|{{.Fields.city}}|{{index .Fields "note"}}|{{.Fields.note}}`, "2024-7| Rome ||"},
		{"column of another source", `[{{.Fields.elsewhere}}{{field "elsewhere"}}{{"elsewhere" | field}}]`, "[]"},
		{"columns in json", `{{json .Fields}}`, `{"Invoice No":"2024-7","city":" Rome ","note":""}`},
		{"columns in a range", `{{range $k, $v := .Fields}}{{$k}}={{$v}};{{end}}`, "Invoice No=2024-7;city= Rome ;note=;"},
		{"meta", "{{.Meta.title}}|{{.Meta.author}}{{if .Text}}{{end}}", "Ticket|"},
		{"trim, upper, lower", `{{.Fields.city | trim | upper}} {{lower .Name}} {{upper .Row}}`, "ROME tickets.csv row 18 18"},
		{"truncate", `{{truncate 3 .Name}} {{truncate 0 .Source}} {{truncate 7 .Source}}{{if .Text}}{{end}}`, "tic […]  […] tickets"},
		{"truncate by characters", `{{truncate 2 "äöü"}}{{if .Text}}{{end}}`, "äö […]"},
		{"lines", `{{raw .Text | lines 2}}|{{lines 0 .Name}}|{{lines -1 .Name}}|{{lines 9 .Name}}`, "one\ntwo|||tickets.csv row 18"},
		{"default", `{{.Fields.note | default "none"}} {{.Fields.city | default "none" | trim}}`, "none Rome"},
		{"join", `{{join ", " .Fields.note "x" .Row .Fields.city}}`, "x, 18,  Rome "},
		{"json", `{{json .Name}} {{json "<\"é\">"}} {{json .Row}}{{if .Text}}{{end}}`, `"tickets.csv row 18" "<\"é\">" 18`},
		{"printf", `{{printf "%05d %q" .Row .ID}}{{if .Text}}{{end}}`, `00018 "T-17"`},
		{"conditions", `{{if and .Text (gt .Row 5)}}a{{else}}b{{end}}{{if eq .Text "one\ntwo\nthree\n"}}c{{end}}{{if lt (len .Text) 20}}d{{end}}`, "acd"},
		{"with, range, define", `{{define "x"}}<{{.}}>{{end}}{{with .Fields}}{{template "x" .city}}{{end}}{{range .Meta}}{{.}}{{end}}`, "< Rome >Ticket"},
		{"variable", `{{$c := .Fields.city}}{{$c = "Oslo"}}{{$c}}`, "Oslo"},
		{"variable changed in a branch", `{{$c := .Name}}{{if .Row}}{{$c = .Fields}}{{end}}{{if .Row}}{{$c.city}}{{end}}{{.Row}}`, " Rome 18"},
		{"raw", "[{{raw .Text}}]", "[one\ntwo\nthree\n]"},
		{"braces in a column are no template", `{{.Fields.city | printf "{{.Text}}%s"}}`, "{{.Text}} Rome "},
		{"Windows line ends", "\ufeffa\r\n{{.Fields.city}}\r\n", "a\n Rome \n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := mustParse(t, Options{Prompt: tt.prompt, Columns: columns})
			got, err := p.Render(row())
			if err != nil {
				t.Fatal(err)
			}
			if want := (agent.Message{Role: "user", Content: tt.want}); len(got) != 1 || got[0] != want {
				t.Errorf("Render of %q:\n got %q\nwant %q", tt.prompt, got, want)
			}
		})
	}
}

func TestRenderSystem(t *testing.T) {
	p := mustParse(t, Options{Prompt: "{{raw .Text}}", System: "{{if .Row}}You read rows of {{.Source}}.{{end}}"})
	got, err := p.Render(row())
	if err != nil {
		t.Fatal(err)
	}
	want := []agent.Message{{Role: "system", Content: "You read rows of tickets."}, {Role: "user", Content: "one\ntwo\nthree\n"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got, err = p.Render(&pipeline.Document{Text: "x"})
	if err != nil || len(got) != 1 || got[0].Role != "user" {
		t.Errorf("with a blank system message: got %q, %v, want one user message", got, err)
	}
}

func TestRenderErrors(t *testing.T) {
	for _, tt := range []struct {
		name, prompt string
		doc          *pipeline.Document
		want         string
	}{
		{"column named by a value", "x\n{{if .Row}}{{field .Source}}{{end}}", row(), `p.txt:2:14: this document has no column "tickets"`},
		{"name behind a condition", "{{if eq .ID `T-17`}}{{(or .Fields .Meta).town}}{{end}}x", row(), `p.txt:1:27: this document has no column "town"`},
		{"in a defined template", "{{define `x`}}\n {{field .}}{{end}}x{{with .Source}}{{template `x` .}}{{end}}", row(), `p.txt:2:4: this document has no column "tickets"`},
		{"blank", "{{with .Fields.x}}{{.}}{{end}}", row(), "p.txt: nothing is printed for this document"},
		{"too long", "{{.Text}}", &pipeline.Document{Text: strings.Repeat("x", maxMessageBytes+1)}, "p.txt:1:3: the message grows over 64 MiB"},
		{"too long in pieces", "{{raw .Text}}{{raw .Text}}", &pipeline.Document{Text: strings.Repeat("x", maxMessageBytes/2+1)}, "p.txt:1:16: the message grows over 64 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := mustParse(t, Options{Prompt: tt.prompt, PromptName: "p.txt", Columns: []string{"x", "source"}})
			_, err := p.Render(tt.doc)
			e, ok := errors.AsType[*pipeline.Error](err)
			if !ok || e.Class != pipeline.Invalid || e.Kind != pipeline.KindPrompt || e.Error() != tt.want {
				t.Errorf("got %#v (%v), want Invalid, prompt, %s", err, err, tt.want)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	base := Options{Prompt: "Sum up.", System: "Be brief."}
	same := mustParse(t, base).Fingerprint()
	if len(same) != 64 {
		t.Errorf("got %q, want 64 hex digits", same)
	}
	for _, tt := range []struct {
		name  string
		o     Options
		equal bool
	}{
		{"the same", base, true},
		{"other names and columns", Options{Prompt: base.Prompt, PromptName: "p.txt", System: base.System, SystemName: "s.txt", Columns: []string{"a"}}, true},
		{"with a byte order mark", Options{Prompt: "\ufeffSum up.", System: base.System}, true},
		{"another prompt", Options{Prompt: "Sum up!", System: base.System}, false},
		{"another system prompt", Options{Prompt: base.Prompt, System: "Be long."}, false},
		{"no system prompt", Options{Prompt: base.Prompt}, false},
		{"the default", Options{}, false},
		{"split elsewhere", Options{Prompt: "Sum up.Be", System: " brief."}, false},
	} {
		if got := mustParse(t, tt.o).Fingerprint() == same; got != tt.equal {
			t.Errorf("%s: equal is %t, want %t", tt.name, got, tt.equal)
		}
	}
	if mustParse(t, Options{}).Fingerprint() != mustParse(t, Options{Prompt: Default}).Fingerprint() {
		t.Error("no prompt and Default have different fingerprints")
	}
}

// A renderer goes from document to document: nothing of one may show in the next, whatever goroutine it serves.
func TestRenderKeepsNothing(t *testing.T) {
	p := mustParse(t, Options{Prompt: "{{.Text}}\n{{json .Fields}} {{json .Meta}} {{.Fields.a}}", Columns: []string{"a", "b"}})
	documents := make([]*pipeline.Document, 50)
	want := make([]string, len(documents))
	for i := range documents {
		documents[i] = &pipeline.Document{Text: strings.Repeat(fmt.Sprint(i), i)}
		if i%2 == 0 {
			documents[i].Fields = []pipeline.Field{{Name: "b", Value: fmt.Sprint(i)}}
			documents[i].Meta = map[string]string{fmt.Sprint(i): "x"}
		}
		want[i] = content(t, mustParse(t, Options{Prompt: p.user.text, Columns: p.columns}), documents[i])
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, doc := range documents {
				messages, err := p.Render(doc)
				if err != nil {
					t.Error(err)
				} else if messages[0].Content != want[i] {
					t.Errorf("document %d: got %q, want %q", i, messages[0].Content, want[i])
				}
			}
		})
	}
	wg.Wait()
}

// content is the user message for doc.
func content(t testing.TB, p *Prompt, doc *pipeline.Document) string {
	t.Helper()
	messages, err := p.Render(doc)
	if err != nil {
		t.Fatal(err)
	}
	return messages[len(messages)-1].Content
}
