// Package prompt turns a document into the messages that an agent gets. A prompt is a Go template (text/template) over one
// document, a file or a row; all that can be wrong with it is found by Parse, before anything is sent.
//
// What a template can print:
//
//	{{.Text}}                   the document's text, between two fence lines
//	{{.Fields.invoice_no}}      a column of the row; {{field "Invoice No"}} where the name is no single word
//	{{.Name}} {{.ID}} {{.Path}} {{.Source}} {{.Row}}
//	{{.Meta.title}}             what the file's format says of the document; empty where it says nothing. Beside title there are author,
//	                            subject, keywords, language, created, modified and pages; of mail from, to, cc and date
//
// A column that this document lacks, but another source has, is empty. A prompt that names neither .Text nor a column gets
// the document put after it: "Summarise this in French." is a whole prompt.
//
// The functions, besides and, or, not, eq, ne, lt, le, gt, ge, len, index and printf:
//
//	{{field "Invoice No"}}                  a column by its name
//	{{trim .Text}}                          without white space at both ends
//	{{upper .Name}} {{lower .Name}}
//	{{truncate 2000 .Text}}                 the first 2000 characters; " […]" marks a cut
//	{{lines 20 .Text}}                      the first 20 lines
//	{{.Fields.city | default "unknown"}}    a value for what is empty
//	{{join ", " .Fields.zip .Fields.city}}  those that are not empty, with the first argument between them
//	{{json .Fields}}                        as JSON
//	{{raw .Text}}                           without the fence
//
// There is no function for the date or the time of day: the request would be another one every day, and every document
// would be asked, and paid, again. For the same reason the prompt that Default holds does not print the document's name.
//
// # The fence
//
// A document may say "ignore your instructions". So its text, and whatever a function makes of it, is printed between a
// line <<<DOCUMENT 1a2b3c4d5e6f7081>>> and a line <<<END DOCUMENT 1a2b3c4d5e6f7081>>>, byte for byte, after a sentence that says that nothing
// between these lines is an instruction. The mark is a hash of the text, so that the same document gives the same request,
// and one that occurs nowhere else in the message: neither the text nor a column can close the fence. Only raw lifts it.
// Columns, and what Meta holds, are printed where they are named, as they are, and are not fenced; names on one line.
package prompt

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// formatVersion is part of every fingerprint. Raise it when the same template and document render to something else than
// before: the fence, its note, a function.
const formatVersion = 2

// Options are what a prompt is made of.
type Options struct {
	Prompt     string // the template of the user message; Default where it is ""
	PromptName string // where it is from, for errors: a file's name; "--prompt" where it is ""
	System     string // the template of the system message, which has all but the document's text; "" for none
	SystemName string // as PromptName; "--system" where it is ""

	// Columns are the names of the columns that the job's sources have together. Any other column in a template is an error.
	Columns []string
}

// A Prompt renders documents. It is used by many goroutines at once.
type Prompt struct {
	user, system *program // system is nil where there is none
	columns      []string
	named        []string // the columns that the templates name
	metaKeys     []string // the keys of .Meta that they name
	usesFields   bool
	fingerprint  string
	renderers    sync.Pool // of *renderer
}

// Parse makes a prompt and checks the whole of it: its syntax, every name in it, also where a condition hides it, and a
// rendering of documents made up for it. Its error says all that was found, a line each, as file:line:column, what is wrong
// and what to write instead.
func Parse(o Options) (*Prompt, error) {
	o.PromptName = cmp.Or(o.PromptName, "--prompt")
	o.SystemName = cmp.Or(o.SystemName, "--system")
	if o.Prompt == "" {
		o.Prompt, o.PromptName = Default, "default prompt"
	}
	p := &Prompt{columns: slices.Clone(o.Columns)}
	var promptErr, systemErr error
	p.user, promptErr = compile(source{name: o.PromptName, text: clean(o.Prompt)}, p.columns, false)
	if o.System != "" {
		p.system, systemErr = compile(source{name: o.SystemName, text: clean(o.System)}, p.columns, true)
	}
	if err := errors.Join(promptErr, systemErr); err != nil {
		return nil, err
	}
	p.gather()
	p.renderers.New = func() any { return newRenderer(p) }
	if err := p.rehearse(); err != nil {
		return nil, err
	}
	return p, nil
}

// clean takes from a template what an editor on Windows adds to it, so that it asks the same there as elsewhere.
func clean(s string) string {
	return strings.ReplaceAll(strings.TrimPrefix(s, "\ufeff"), "\r\n", "\n")
}

// Fingerprint is a hash, in hex, of all that determines what a document renders to, but for the document: it changes when
// the question does.
func (p *Prompt) Fingerprint() string { return p.fingerprint }

// UsesFields reports whether a template names a column: then a row can be asked about even if its text is empty.
func (p *Prompt) UsesFields() bool { return p.usesFields }

// gather brings together what is to be known of both templates.
func (p *Prompt) gather() {
	h := sha256.New()
	fmt.Fprintf(h, "%d", formatVersion)
	for _, t := range []*program{p.user, p.system} {
		if t == nil {
			continue
		}
		fmt.Fprintf(h, ",%d:%s", len(t.text), t.text)
		p.named = append(p.named, t.columns...)
		p.metaKeys = append(p.metaKeys, t.metaKeys...)
		p.usesFields = p.usesFields || t.usesFields
	}
	p.fingerprint = hex.EncodeToString(h.Sum(nil))
}

// rehearse renders a document that has everything and one that has nothing.
func (p *Prompt) rehearse() error {
	full := &pipeline.Document{
		Ref:  pipeline.Ref{Source: "source", ID: "id", Name: "name", Row: 2},
		Path: "path",
		Text: "text",
		Meta: map[string]string{},
	}
	for _, key := range p.metaKeys {
		full.Meta[key] = "value"
	}
	for _, name := range p.columns {
		full.Fields = append(full.Fields, pipeline.Field{Name: name, Value: "value"})
	}
	if _, err := p.Render(full); err != nil {
		return errors.Unwrap(err)
	}
	if _, err := p.Render(&pipeline.Document{}); err != nil && !errors.Is(err, errBlank) {
		return fmt.Errorf("%w (for a document without text and values)", errors.Unwrap(err))
	}
	return nil
}

// Render makes the messages for doc: the system message, if there is one, and the user message. The same document gives the
// same messages, always. Its error is a *pipeline.Error of class Invalid and kind KindPrompt; it says where in which template.
func (p *Prompt) Render(doc *pipeline.Document) ([]agent.Message, error) {
	r := p.renderers.Get().(*renderer)
	defer p.renderers.Put(r)
	defer r.forget()
	r.take(doc)
	messages := make([]agent.Message, 0, 2)
	if p.system != nil {
		content, err := r.render(p.system, r.system)
		if err != nil {
			return nil, invalid(err)
		}
		if !blank(content) {
			messages = append(messages, agent.Message{Role: "system", Content: content})
		}
	}
	content, err := r.render(p.user, r.user)
	if err == nil && blank(content) {
		err = fmt.Errorf("%s: %w", p.user.name, errBlank)
	}
	if err != nil {
		return nil, invalid(err)
	}
	return append(messages, agent.Message{Role: "user", Content: content}), nil
}

// errBlank is the one failure that a rehearsal with nothing in the document may end in.
var errBlank = errors.New("nothing is printed for this document")

func blank(s string) bool { return strings.TrimSpace(s) == "" }

func invalid(err error) error {
	return &pipeline.Error{Class: pipeline.Invalid, Kind: pipeline.KindPrompt, Err: err}
}
