package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"docbatch/pipeline"
)

// Batches of refs grow from the first size to the last, so that the first document is asked about at once and a million
// rows cost few transactions. One that waited for longer than patience goes as it is: a listing over a network may be slow.
const (
	firstBatch = 64
	lastBatch  = 1024
	patience   = 100 * time.Millisecond
)

// list brings the queue in line with the sources. An error of one source does not keep the others from being listed, but
// then the listing is not whole, so nothing is gone.
func (w *run) list(ctx context.Context) error {
	defer w.listed()
	listing, err := w.Queue.List(ctx, w.Question)
	if err != nil {
		w.broken(ctx, err)
		return nil
	}
	b := &batch{run: w, listing: listing, size: firstBatch, since: time.Now()}
	var broken error
	for _, src := range w.Sources {
		if err := b.addAll(ctx, src); err != nil {
			broken = errors.Join(broken, err)
		}
	}
	if err := b.flush(ctx); err != nil {
		w.broken(ctx, err)
		return broken
	}
	if broken != nil || w.stopped() {
		return broken
	}
	gone, err := listing.End(ctx)
	if err != nil {
		w.broken(ctx, err)
		return nil
	}
	w.progress.gone(gone)
	return nil
}

// A batch collects refs for one Add.
type batch struct {
	*run
	listing Listing
	refs    []pipeline.Ref
	size    int
	since   time.Time
}

// addAll lists one source. The error is that of the source; one of the queue stops the run.
func (b *batch) addAll(ctx context.Context, src pipeline.Source) error {
	for ref, err := range src.List(ctx) {
		if b.stopped() {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", src.Name(), err)
		}
		b.refs = append(b.refs, ref)
		if len(b.refs) < b.size && time.Since(b.since) < patience {
			continue
		}
		if err := b.flush(ctx); err != nil {
			b.broken(ctx, err)
			return nil
		}
	}
	return nil
}

func (b *batch) flush(ctx context.Context) error {
	b.since = time.Now()
	if len(b.refs) == 0 {
		return nil
	}
	tally, err := b.listing.Add(ctx, b.refs)
	if err != nil {
		return err
	}
	b.progress.add(tally)
	b.refs = b.refs[:0]
	b.size = min(2*b.size, lastBatch)
	b.since = time.Now()
	b.poke()
	return nil
}
