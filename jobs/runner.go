package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"docbatch/pipeline"
)

// A Runner works a job once: it lists the sources into the queue and, at the same time, has workers take items through the
// steps. One Runner makes one run.
type Runner struct {
	Queue    Queue // takes the listing
	Lease    Lease // on the same queue; Run releases it
	Sources  []pipeline.Source
	Steps    []pipeline.Step // applied in order; their errors decide by class what becomes of the document
	Question string          // fingerprint of what is asked: see Queue.List
	Workers  int             // documents worked on at once; at least 1
	Grace    time.Duration   // how long documents in flight may take after a stop; 0 means DefaultGrace
	Log      *slog.Logger    // never document text, prompts or keys; nil: silent

	// Stored, if not nil, is called with each outcome after it is stored, from one goroutine.
	Stored func(pipeline.Record)

	progress progress
}

// DefaultGrace is how long documents in flight may take after a stop. systemd kills 90 s after its SIGTERM.
const DefaultGrace = time.Minute

// ErrInterrupted is why a run ended that was told to stop.
var ErrInterrupted = errors.New("interrupted")

// run is the state of one Run.
type run struct {
	*Runner
	items    chan Item    // claimed, on their way to a worker
	outcomes chan Outcome // from the workers, on their way to the queue
	wake     chan struct{}
	trial    trial

	stopping chan struct{} // closed when no new document may be started
	stopOnce sync.Once
	cause    error // why; set before stopping is closed
}

// Run works until every document has an outcome, and returns nil then, whatever the outcomes are. It returns early when
// stop is closed (ErrInterrupted), or when a failure is fatal for all documents: that error. Then no new document is
// started, those in flight get Grace, and what is not finished is pending again. When ctx ends, nothing is waited for but
// the store.
func (r *Runner) Run(ctx context.Context, stop <-chan struct{}) error {
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	w := &run{
		Runner:   r,
		items:    make(chan Item, r.workers()),
		outcomes: make(chan Outcome, 2*r.workers()),
		wake:     make(chan struct{}, 1),
		stopping: make(chan struct{}),
	}
	w.trial.pass = func(o Outcome) { w.outcomes <- o }
	err := w.run(ctx, stop)
	// What is still held was not started or not finished. The store must hear of it even if ctx has ended.
	return errors.Join(err, r.Lease.Release(context.WithoutCancel(ctx)))
}

func (r *Runner) workers() int { return max(1, r.Workers) }

func (r *Runner) grace() time.Duration {
	if r.Grace <= 0 {
		return DefaultGrace
	}
	return r.Grace
}

// run starts all goroutines of the run and waits for all of them.
func (w *run) run(ctx context.Context, stop <-chan struct{}) error {
	hard, cancel := context.WithCancel(pipeline.WithStopping(ctx, w.stopping))
	defer cancel()

	// What keeps the run company ends with it.
	var company errgroup.Group
	over := make(chan struct{})
	company.Go(func() error { w.watch(hard, stop, over, cancel); return nil })
	company.Go(func() error { w.extend(hard, over); return nil })
	var finisher errgroup.Group
	finisher.Go(func() error { w.finish(hard); return nil })

	var g errgroup.Group
	g.Go(func() error { return w.list(hard) })
	g.Go(func() error { w.dispatch(hard); return nil })
	for range w.workers() {
		g.Go(func() error { w.work(hard); return nil })
	}
	listErr := g.Wait()
	w.trial.end()
	close(w.outcomes)
	finisher.Wait()
	close(over)
	company.Wait()

	select {
	case <-w.stopping:
		return w.cause
	default:
		return listErr
	}
}

// stop ends the run gently, for the first cause that is given.
func (w *run) stop(cause error) {
	w.stopOnce.Do(func() {
		w.cause = cause
		close(w.stopping)
		w.Log.Info("stopping", "cause", cause)
	})
}

// watch turns the signal from outside into a stop, and ends the grace time of what is in flight after a stop.
func (w *run) watch(ctx context.Context, stop <-chan struct{}, over <-chan struct{}, cancel context.CancelFunc) {
	select {
	case <-stop:
		w.stop(ErrInterrupted)
	case <-ctx.Done():
		w.stop(errors.Join(ErrInterrupted, ctx.Err()))
	case <-w.stopping:
	case <-over:
		return
	}
	grace := time.NewTimer(w.grace())
	defer grace.Stop()
	select {
	case <-grace.C:
		w.Log.Warn("the grace time is over, giving up what is in flight", "grace", w.grace())
		cancel()
	case <-ctx.Done():
	case <-over:
	}
}

// extend keeps the lease alive while the run goes on. Without it other owners may take what we hold, so the run stops.
func (w *run) extend(ctx context.Context, over <-chan struct{}) {
	tick := time.NewTicker(DefaultLease / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := w.Lease.Extend(ctx); err != nil && ctx.Err() == nil {
				w.stop(fmt.Errorf("keep the lease: %w", err))
				return
			}
		case <-over:
			return
		case <-ctx.Done():
			return
		}
	}
}

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
		w.stop(err)
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
		w.stop(err)
		return broken
	}
	if broken != nil || w.stopped() {
		return broken
	}
	gone, err := listing.End(ctx)
	if err != nil {
		w.stop(err)
		return nil
	}
	w.progress.gone(gone)
	return nil
}

// listed says that no more documents will come.
func (w *run) listed() {
	w.progress.listed()
	w.poke()
}

// poke wakes the dispatcher, now or when it next sleeps.
func (w *run) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *run) stopped() bool {
	select {
	case <-w.stopping:
		return true
	default:
		return false
	}
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
			b.stop(err)
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

// dispatch claims items and hands them to the workers, in item order.
func (w *run) dispatch(ctx context.Context) {
	defer close(w.items)
	for {
		whole := w.progress.isListed() // before the claim: what is listed after it must be claimed too
		batch, err := w.Lease.Claim(ctx, w.workers())
		if err != nil {
			w.stop(err)
			return
		}
		if len(batch) == 0 {
			if whole {
				return
			}
			select {
			case <-w.wake:
			case <-w.stopping:
				return
			}
			continue
		}
		for _, item := range batch {
			select {
			case w.items <- item:
			case <-w.stopping:
				return
			}
		}
	}
}

// work takes items until there are no more. After a stop it only empties the channel: those items are released at the end.
func (w *run) work(ctx context.Context) {
	for item := range w.items {
		if w.stopped() {
			continue
		}
		w.progress.begin(item)
		rec, err := w.process(ctx, item)
		w.progress.end(item)
		w.settle(ctx, item, rec, err)
	}
}

// process takes one document through the steps.
func (w *run) process(ctx context.Context, item Item) (*pipeline.Record, error) {
	rec := &pipeline.Record{Ref: item.Ref, State: pipeline.Done, Started: time.Now()}
	doc := &pipeline.Document{Ref: item.Ref}
	var err error
	for _, step := range w.Steps {
		if err = do(ctx, step, doc, rec); err != nil {
			break
		}
	}
	rec.Duration = time.Since(rec.Started)
	return rec, err
}

// settle decides what the outcome is, and hands it on.
func (w *run) settle(ctx context.Context, item Item, rec *pipeline.Record, err error) {
	// A failure while the run ends says nothing of the document: it is released.
	if err != nil && (ctx.Err() != nil || errors.Is(err, pipeline.ErrStopping)) {
		rec.State = pipeline.Pending
		w.outcomes <- Outcome{Num: item.Num, Record: rec}
		return
	}
	if err == nil {
		w.trial.answered(Outcome{Num: item.Num, Record: rec})
		return
	}
	e := pipeline.AsError(err)
	if e.Class == pipeline.Fatal {
		w.stop(err)
		rec.State = pipeline.Pending
		w.outcomes <- Outcome{Num: item.Num, Record: rec}
		return
	}
	w.Log.Info("failed", "doc", item.Name, "item", item.ID, "class", e.Class, "error", e)
	rec.State, rec.Err = pipeline.Failed, e
	if hopeless := w.trial.failed(Outcome{Num: item.Num, Record: rec}); hopeless != nil {
		w.stop(hopeless)
	}
}

// finish stores outcomes: what has come in the meantime goes into one transaction.
func (w *run) finish(ctx context.Context) {
	ctx = context.WithoutCancel(ctx) // an outcome that is there gets stored, whatever ends the run
	var batch []Outcome
	for o := range w.outcomes {
		batch = drain(append(batch[:0], o), w.outcomes)
		lost, err := w.Lease.Finish(ctx, batch)
		if err != nil {
			w.stop(err) // the items are still claimed, and become pending again
			continue
		}
		w.stored(batch, lost)
	}
}

// maxOutcomes bounds one transaction.
const maxOutcomes = 1024

// drain appends to batch what is waiting in c.
func drain(batch []Outcome, c <-chan Outcome) []Outcome {
	for len(batch) < maxOutcomes {
		select {
		case o, ok := <-c:
			if !ok {
				return batch
			}
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
		if gone[o.Num] {
			continue
		}
		w.progress.finish(o.Record)
		if w.Stored != nil && o.Record.State.Final() {
			w.Stored(*o.Record)
		}
	}
}
