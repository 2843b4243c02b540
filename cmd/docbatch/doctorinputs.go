package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
	"docbatch/pipeline/prompt"
	"docbatch/sources"
	"docbatch/sources/pathname"
)

// How much of each input is looked at.
const (
	lookFor     = 10 * time.Second
	countMost   = 100_000 // documents that are counted
	readMost    = 100     // documents that are read
	exampleMost = 3       // documents that are named
)

// inputs opens the inputs; nil where they can't be. Then each one that is at fault is named, not only the first.
func (d *doctor) inputs(ctx context.Context) *question {
	if len(d.job.inputs) == 0 {
		d.fail("input", "", errNoInputs)
		return nil
	}
	srcs, err := sources.OpenAll(ctx, d.job.inputs)
	if err == nil {
		q := &question{sources: srcs}
		q.extract, q.end = d.job.extraction.step()
		return q
	}
	const next = "Check the inputs and their settings (docbatch run --help)."
	before := len(d.findings)
	for _, spec := range d.job.inputs {
		src, err := sources.Open(ctx, spec)
		if err != nil {
			d.fail("input", next, withExit(exitUsage, err, next))
			continue
		}
		_ = src.Close() // nothing was read that could be lost
	}
	if len(d.findings) == before { // each is sound, but not beside the others
		d.fail("input", next, withExit(exitUsage, err, next))
	}
	return nil
}

// documents counts the documents of each input, reads some, and renders one.
func (d *doctor) documents(ctx context.Context, q *question) {
	read := sources.NewRead(q.sources)
	var first []pipeline.Document
	for _, src := range q.sources {
		t := &survey{steps: []pipeline.Step{newPrepare(read, q.extract)}}
		t.count(ctx, src)
		d.input(src, t)
		first = append(first, t.first...)
	}
	d.prompt(q.prompt, first)
}

// A survey is what was seen of one input.
type survey struct {
	steps []pipeline.Step // what is done to a document before it is asked about

	documents int
	bounded   bool // there may be more
	read      int
	faulty    int                 // that can't be listed or read
	examples  []string            // of them
	first     []pipeline.Document // the first that can be read; none where there is none
	err       error               // why the listing ended early
}

// count lists the documents of src, as far as the bounds go, and reads the first of them. The time is looked at between two of them: what is
// told of one that was begun is true, and the first PDF ever may take it all, while its library is compiled.
func (t *survey) count(ctx context.Context, src pipeline.Source) {
	looking, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	for ref, err := range src.List(looking) {
		t.bounded = looking.Err() != nil || t.documents == countMost
		if t.bounded {
			return
		}
		if err != nil {
			t.err = err
			return
		}
		t.documents++
		if err := t.try(ctx, ref); err != nil {
			t.faulty++
			if len(t.examples) < exampleMost {
				t.examples = append(t.examples, err.Error())
			}
		}
	}
}

// try reads the document of ref, if it is one of the first.
func (t *survey) try(ctx context.Context, ref pipeline.Ref) error {
	if ref.Err != nil {
		return ref.Err
	}
	if t.read == readMost {
		return nil
	}
	t.read++
	doc := pipeline.Document{Ref: ref}
	for _, step := range t.steps {
		if err := step.Do(ctx, &doc, &pipeline.Record{Ref: ref}); err != nil {
			if ctx.Err() != nil {
				return nil // doctor was interrupted
			}
			return err
		}
	}
	if t.first == nil {
		t.first = []pipeline.Document{doc}
	}
	return nil
}

// input tells what was seen of one input.
func (d *doctor) input(src pipeline.Source, t *survey) {
	found := src.Name() + ": "
	if t.bounded {
		found += "at least "
	}
	found += plural(t.documents, "document")
	if columns := src.Columns(); columns != nil {
		found += d.rows(src.Name(), columns)
	}
	switch {
	case t.err != nil:
		d.fail("input", "Mend the input. Nothing that is finished is asked again.", fmt.Errorf("%s, and then: %w", found, t.err))
	case t.faulty > 0:
		d.warn("input", "Mend them, or leave them out (--exclude). A run marks them failed, goes on, and ends with exit 3.",
			"%s; %d can't be sent (the first %d were read): %s", found, t.faulty, t.read, strings.Join(t.examples, "; "))
	case t.documents == 0:
		d.warn("input", "Check the path, and --include and --exclude if they are used.", "%s", found)
	case t.read == t.documents && !t.bounded:
		d.ok("input", "%s; all can be read", found)
	default:
		d.ok("input", "%s; the first %d can be read", found, t.read)
	}
}

// rows is what is to be said of a table called name.
func (d *doctor) rows(name string, columns []string) string {
	for _, spec := range d.job.inputs {
		if spec.Key != "" && strings.HasSuffix("/"+pathname.Display(absolute(spec.Path)), "/"+name) {
			return fmt.Sprintf(", key column %s, columns %s", spec.Key, oneLine(strings.Join(columns, ", "), lineWidth))
		}
	}
	return ", no key column, columns " + oneLine(strings.Join(columns, ", "), lineWidth)
}

// prompt renders the prompt for the first document of each input.
func (d *doctor) prompt(p *prompt.Prompt, first []pipeline.Document) {
	name := d.job.promptName
	if name == "" {
		name = "the default prompt"
	}
	if len(first) == 0 {
		d.ok("prompt", "%s is sound; there is no document to try it with", name)
	}
	for i := range first {
		doc := &first[i]
		messages, err := p.Render(doc)
		if err != nil {
			d.warn("prompt", "Change the prompt so that it prints something for each document; those for which it does not fail.", "%v", err)
			continue
		}
		tokens := agent.NewMeter().Estimate(&agent.Request{Agent: d.job.slug, Messages: messages}).Prompt
		d.ok("prompt", "%s with %s makes about %s", name, doc.Name, plural(tokens, "token"))
		if printed := placesPrinted(p, doc); len(printed) > 0 {
			d.warn("prompt", "Leave that out where the answer does not need it.",
				"it prints %s of %s: where that changes, as when it is renamed or moved, it is asked and paid again", strings.Join(printed, ", "), doc.Name)
		}
	}
}

// placesPrinted are the names in a template of what changes when a document is moved, as far as they change what is asked.
func placesPrinted(p *prompt.Prompt, doc *pipeline.Document) (printed []string) {
	for _, place := range []struct {
		name string
		move func(*pipeline.Document)
	}{
		{"{{.Name}}", func(d *pipeline.Document) { d.Name += "x" }},
		{"{{.Path}}", func(d *pipeline.Document) { d.Path += "x" }},
		{"{{.Source}}", func(d *pipeline.Document) { d.Source += "x" }},
		{"{{.Row}}", func(d *pipeline.Document) { d.Row++ }},
		{"{{.ID}}", func(d *pipeline.Document) {
			if d.Row == 0 || d.ID == strconv.Itoa(d.Row) { // another row's key is another document
				d.ID += "x"
			}
		}},
	} {
		moved := *doc
		place.move(&moved)
		was, _ := p.Render(doc) // it could be rendered
		is, err := p.Render(&moved)
		if err != nil || !slices.Equal(was, is) {
			printed = append(printed, place.name)
		}
	}
	return printed
}
