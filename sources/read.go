package sources

import (
	"context"

	"docbatch/pipeline"
)

// NewRead makes the read step, which opens a record's document with the source that listed it. The names of srcs must differ; they
// stay open, and are closed by who opened them.
func NewRead(srcs []pipeline.Source) pipeline.Step {
	r := make(reader, len(srcs))
	for _, src := range srcs {
		r[src.Name()] = src
	}
	return r
}

// A reader is the read step: the sources by name.
type reader map[string]pipeline.Source

// Name is "read".
func (r reader) Name() string { return "read" }

// Do puts the document of rec.Ref in doc.
func (r reader) Do(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
	src, ok := r[rec.Ref.Source]
	if !ok {
		return pipeline.Errorf(pipeline.Invalid, pipeline.KindRead, "read %s: the job has no input called %q", rec.Ref.ID, rec.Ref.Source)
	}
	opened, err := src.Open(ctx, rec.Ref)
	if err != nil {
		return err
	}
	after := doc.After // it says something of the work on the document, and is not the source's to know
	*doc = *opened
	doc.After = after
	return nil
}
