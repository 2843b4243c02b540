package main

import (
	"context"
	"runtime"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// ahead is how many documents are prepared beside those that are asked about: while calls wait for the agent, the cores read on, and
// when a call ends the next document is there. As many are being read as there are cores, and as many lie ready. Rows need no reading.
func (q *question) ahead() int {
	for _, src := range q.sources {
		if src.Columns() == nil {
			return 2 * runtime.GOMAXPROCS(0)
		}
	}
	return 0
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

// Name is that of its first part; the other one is told while it lasts.
func (p *prepare) Name() string { return p.read.Name() }

// Do reads the document and gets its text.
func (p *prepare) Do(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
	if doc.Fields == nil {
		select {
		case p.gate <- struct{}{}:
			defer func() { <-p.gate }()
		case <-ctx.Done():
			return ctx.Err()
		case <-pipeline.Stopping(ctx):
			return pipeline.ErrStopping
		}
	}
	if err := p.read.Do(ctx, doc, rec); err != nil {
		return err
	}
	defer jobs.Stage(ctx, p.extract.Name())()
	return p.extract.Do(ctx, doc, rec)
}
