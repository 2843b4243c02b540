package prompt

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode"

	"docbatch/pipeline"
)

// maxKeptBytes is the size up to which a buffer is kept for the next document.
const maxKeptBytes = 1 << 20

// data is what a template is executed over; dataKinds names its fields for the check.
type data struct {
	Text   text
	Name   string
	ID     string
	Path   string
	Source string
	Row    int
	Meta   map[string]string
	Fields map[string]string
}

// A renderer renders one document at a time. It has templates of its own because some of their functions belong to the
// document; the parse trees are shared.
type renderer struct {
	prompt       *Prompt
	user, system *template.Template
	data         data
	out          buffer
}

func newRenderer(p *Prompt) *renderer {
	r := &renderer{prompt: p}
	r.data.Fields = map[string]string{}
	r.data.Meta = map[string]string{}
	funcs := implementations(r)
	r.user = p.user.template(funcs)
	if p.system != nil {
		r.system = p.system.template(funcs)
	}
	return r
}

// take makes doc the document to render.
func (r *renderer) take(doc *pipeline.Document) {
	d := &r.data
	d.Text = text(doc.Text)
	d.Name, d.ID, d.Path, d.Source, d.Row = oneLine(doc.Name), oneLine(doc.ID), oneLine(doc.Path), oneLine(doc.Source), doc.Row
	for _, key := range r.prompt.metaKeys {
		d.Meta[key] = ""
	}
	for key, value := range doc.Meta {
		d.Meta[key] = value
	}
	if !r.prompt.usesFields {
		return
	}
	// Only those that are named, so that {{json .Fields}} stays the same when another source brings a new column.
	for _, name := range r.prompt.named {
		d.Fields[name] = ""
	}
	for _, f := range doc.Fields {
		d.Fields[f.Name] = f.Value
	}
}

// oneLine is a name without line ends and other controls: who names a file does not begin a line of the prompt with it.
func oneLine(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, name)
}

// forget lets go of the document, and of a buffer that an unusual one made large.
func (r *renderer) forget() {
	clear(r.data.Fields)
	clear(r.data.Meta)
	r.data = data{Fields: r.data.Fields, Meta: r.data.Meta}
	r.out.reset("", 0)
	if cap(r.out.b) > maxKeptBytes {
		r.out.b = nil
	}
}

// render executes a template until its fence holds.
func (r *renderer) render(p *program, t *template.Template) (string, error) {
	for try := range maxMarks {
		r.out.reset(string(r.data.Text), try)
		if err := r.execute(p, t); err != nil {
			return "", p.explain(err)
		}
		if r.out.intact() {
			return string(r.out.b), nil
		}
	}
	return "", fmt.Errorf("%s: %w", p.name, errForged)
}

func (r *renderer) execute(p *program, t *template.Template) error {
	if err := t.Execute(&r.out, &r.data); err != nil {
		return err
	}
	if !p.appendsText {
		return nil
	}
	gap := "\n\n"
	if strings.HasSuffix(p.text, "\n") {
		gap = "\n"
	}
	if _, err := put(&r.out, gap); err != nil {
		return err
	}
	return r.out.fence(r.data.Text)
}

// print is what every action that prints ends in: it fences the document's text.
func (r *renderer) print(value any) (string, error) {
	switch v := value.(type) {
	case text:
		return "", r.out.fence(v)
	case string:
		_, err := put(&r.out, v)
		return "", err
	case map[string]string, *data:
		return "", errors.New("this is more than one value: print one of them, or {{json .Fields}}")
	default:
		return fmt.Sprint(v), nil
	}
}

// field is the function of that name.
func (r *renderer) field(name string) (string, error) {
	value, ok := r.data.Fields[name]
	if !ok && !slices.Contains(r.prompt.columns, name) {
		return "", fmt.Errorf("this document has no column %q", name)
	}
	return value, nil
}

// explain makes of an error of text/template one that says where in the user's own file, and not in ours, it happened.
func (p *program) explain(err error) error {
	exec, ok := errors.AsType[template.ExecError](err)
	if !ok {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	// It reads: template: NAME:LINE:COLUMN: executing "NAME" at <CONTEXT>: MESSAGE
	place, message, _ := strings.Cut(strings.TrimPrefix(exec.Error(), "template: "+mainTemplate+":"), ": executing ")
	line, column, _ := strings.Cut(place, ":")
	l, _ := strconv.Atoi(line)
	c, _ := strconv.Atoi(column)
	if cause := errors.Unwrap(exec.Err); cause != nil {
		return p.errorf(p.offset(l, c), "%w", cause)
	}
	if _, after, ok := strings.Cut(message, ">: "); ok {
		message = after
	}
	if name, ok := strings.CutPrefix(message, "map has no entry for key "); ok {
		message = "this document has no column " + name
	}
	return p.errorf(p.offset(l, c), "%s", message)
}
