package main

import (
	"context"
	"runtime"
	"slices"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// ahead is how many documents are prepared beside those that are asked about: while calls wait for the agent, the cores read on, and
// when a call ends the next document is there. It is one for four workers, and two a core at most: one that is being read and one that lies
// ready. With less than four workers there are none: whoever wants one document after the other gets that. Rows need no reading.
func (q *question) ahead(workers int) int {
	if !q.hasFiles() {
		return 0
	}
	return min(2*runtime.GOMAXPROCS(0), workers/4)
}

// hasFiles reports whether there are documents that are files.
func (q *question) hasFiles() bool {
	return slices.ContainsFunc(q.sources, func(src pipeline.Source) bool { return src.Columns() == nil })
}

// prepare reads a document and gets its text, a few documents at a time: only of those the bytes are in memory.
type prepare struct {
	read, extract pipeline.Step
	gate          chan struct{}
}

var _ pipeline.Step = (*prepare)(nil)

// mostRead is how many documents' bytes are in memory at once, at least: reading may wait for a file server where cores do not help.
const mostRead = 4

func newPrepare(read, extract pipeline.Step) *prepare {
	return &prepare{read: read, extract: extract, gate: make(chan struct{}, max(mostRead, 2*runtime.GOMAXPROCS(0)))}
}

// enter waits until there is room for one document more.
func (p *prepare) enter(ctx context.Context) error {
	defer jobs.Stage(ctx, "")()
	select {
	case p.gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-pipeline.Stopping(ctx):
		return pipeline.ErrStopping
	}
}

// Name is that of its first part; the other one is told while it lasts.
func (p *prepare) Name() string { return p.read.Name() }

// Do reads the document and gets its text.
func (p *prepare) Do(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
	if doc.Fields == nil {
		if err := p.enter(ctx); err != nil {
			return err
		}
		defer func() { <-p.gate }()
	}
	if err := p.read.Do(ctx, doc, rec); err != nil {
		return err
	}
	defer jobs.Stage(ctx, p.extract.Name())()
	return p.extract.Do(ctx, doc, rec)
}
