package jobs

import (
	"context"
)

// pass hands an outcome on to be stored. What is left behind speaks to nobody.
func (w *run) pass(o Outcome) {
	select {
	case w.outcomes <- o:
	case <-w.closed:
	}
}

// finish stores outcomes: what has come in the meantime goes into one transaction.
func (w *run) finish(ctx context.Context) {
	ctx = context.WithoutCancel(ctx) // an outcome that is there gets stored, whatever ends the run
	var batch []Outcome
	for {
		select {
		case o := <-w.outcomes:
			batch = drain(append(batch[:0], o), w.outcomes)
			w.store(ctx, batch)
		case <-w.closed:
			for batch = drain(batch[:0], w.outcomes); len(batch) > 0; batch = drain(batch[:0], w.outcomes) {
				w.store(ctx, batch)
			}
			return
		}
	}
}

// store stores a batch in one transaction.
func (w *run) store(ctx context.Context, batch []Outcome) {
	lost, err := w.Lease.Finish(ctx, batch)
	if err != nil {
		w.stop(err) // the items are still claimed, and become pending again
		w.progress.unstored(batch)
		return
	}
	w.stored(batch, lost)
}

// maxOutcomes bounds one transaction.
const maxOutcomes = 1024

// drain appends to batch what is waiting in c.
func drain(batch []Outcome, c <-chan Outcome) []Outcome {
	for len(batch) < maxOutcomes {
		select {
		case o := <-c:
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

// stored counts what was stored, and tells of it.
func (w *run) stored(batch []Outcome, lost []int64) {
	gone := make(map[int64]bool, len(lost))
	for _, num := range lost {
		gone[num] = true
		w.Log.Warn("another owner took over", "num", num)
	}
	for _, o := range batch {
		if gone[o.Num] || o.Record.State.Final() {
			w.open.Add(-1)
		}
		if gone[o.Num] {
			w.progress.lost(o.Record)
			continue
		}
		w.progress.finish(o)
		if err := w.score.count(o.Record.State, w.FailThreshold); err != nil {
			w.stop(err)
		}
		if w.Stored != nil && o.Record.State.Final() {
			w.Stored(*o.Record)
		}
	}
}
