package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"docbatch/pipeline"
)

// Batches of refs grow from the first size to the last, so that the first document is asked about at once and a million
// rows cost few transactions. Every patience, what is there goes as it is: a listing over a network may be slow.
const (
	firstBatch = 64
	lastBatch  = 1024
	patience   = 100 * time.Millisecond

	// maxBatchBytes bounds the fields of a batch; there are two of them.
	maxBatchBytes = 8 << 20
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
	close(w.begun)
	broken := w.addSources(ctx, listing)
	if w.stopped() || ctx.Err() != nil {
		return broken
	}
	if broken == nil {
		gone, err := listing.End(ctx)
		if err != nil {
			w.broken(ctx, err)
			return nil
		}
		w.progress.gone(gone)
	}
	w.open.Add(-1)
	return broken
}

// addSources lists the sources, one after the other. The error is theirs; one of the queue stops the run.
func (w *run) addSources(ctx context.Context, listing Listing) (broken error) {
	b := &batch{run: w, listing: listing, size: firstBatch, full: make(chan []pipeline.Ref), spare: make(chan []pipeline.Ref, 2)}
	b.spare <- nil
	over := make(chan struct{})
	var flow, pour sync.WaitGroup
	flow.Go(func() { b.flow(ctx, over) })
	pour.Go(func() { b.pour(ctx) })
	for _, src := range w.Sources {
		if err := b.addAll(ctx, src); err != nil {
			broken = errors.Join(broken, err)
		}
	}
	close(over)
	flow.Wait()
	b.flush(ctx)
	close(b.full)
	pour.Wait()
	return broken
}

// A batch collects refs for one Add, while the queue compares those before.
type batch struct {
	*run
	listing Listing

	mu    sync.Mutex
	refs  []pipeline.Ref
	bytes int // of their fields
	size  int

	full  chan []pipeline.Ref // refs on their way to the queue
	spare chan []pipeline.Ref // where those are collected that come next
}

// flow sees that no ref waits for the next one, until over is closed.
func (b *batch) flow(ctx context.Context, over <-chan struct{}) {
	tick := time.NewTicker(patience)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.flush(ctx)
		case <-ctx.Done():
			return
		case <-over:
			return
		}
	}
}

// addAll lists one source. The error is that of the source.
func (b *batch) addAll(ctx context.Context, src pipeline.Source) error {
	n := 0
	for ref, err := range src.List(ctx) {
		if b.stopped() {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", src.Name(), err)
		}
		b.add(ctx, ref)
		n++
	}
	if n == 0 {
		b.progress.empty(src.Name())
	}
	return nil
}

func (b *batch) add(ctx context.Context, ref pipeline.Ref) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sample != nil {
		b.sample.add(ref)
	}
	for _, f := range ref.Fields {
		b.bytes += len(f.Value)
	}
	if b.refs = append(b.refs, ref); len(b.refs) >= b.size || b.bytes >= maxBatchBytes {
		b.hand(ctx)
	}
}

func (b *batch) flush(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.refs) > 0 {
		b.hand(ctx)
	}
}

// hand gives the refs to pour, once that has done with those before. b.mu is held.
func (b *batch) hand(ctx context.Context) {
	select {
	case b.full <- b.refs:
		b.refs = <-b.spare
	case <-b.stopping:
		b.refs = b.refs[:0]
	case <-ctx.Done():
		b.refs = b.refs[:0]
	}
	b.bytes = 0
	b.size = min(2*b.size, lastBatch)
}

// pour adds refs to the queue; an error stops the run.
func (b *batch) pour(ctx context.Context) {
	for refs := range b.full {
		tally, err := b.listing.Add(ctx, refs)
		clear(refs) // a row may be large
		b.spare <- refs[:0]
		if err != nil {
			b.broken(ctx, err)
			continue
		}
		b.progress.add(tally)
		b.poke()
	}
}
