package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
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
	Grace    time.Duration   // how long documents in flight may take after a signal or a failure; 0 means DefaultGrace
	Log      *slog.Logger    // never document text, prompts or keys; nil: silent

	// CallTimeout is how long one call of a step may take: after a budget, a deadline or a threshold, documents in flight have so
	// much more than Grace, so that only what hangs elsewhere is given up. 0: as long as they take.
	CallTimeout time.Duration

	// Sample, if not 0, is how many documents the run works on, at most: always the same ones, as long as they are there. It works
	// on none before all are listed. Limit, if not 0, is how many it works on, at most, in item order.
	Sample int
	Limit  int

	Deadline      time.Time  // no new document is started from then on, by the wall clock; zero: no deadline
	FailThreshold *Threshold // how many documents may fail until the run stops; nil: all

	// Stored, if not nil, is called with each outcome after it is stored, from one goroutine.
	Stored func(pipeline.Record)

	progress progress
}

// DefaultGrace is the Grace of a Runner that names none. systemd kills 90 s after its SIGTERM.
const DefaultGrace = time.Minute

// leaveAfter is how long a step may take to notice that ctx has ended. What takes longer hangs where nothing can interrupt it,
// such as in a read from a file server that is gone, and is left behind.
const leaveAfter = time.Second

// ErrInterrupted is why a run ended that was told to stop.
var ErrInterrupted = errors.New("interrupted")

// run is the state of one Run.
type run struct {
	*Runner
	items    chan Item     // claimed, on their way to a worker
	outcomes chan Outcome  // from the workers, on their way to the queue
	closed   chan struct{} // closed when no more outcomes are taken
	begun    chan struct{} // closed when the listing has begun: until then nobody knows what is still there
	wake     chan struct{}
	trial    trial
	score    score
	sample   *sample      // nil where all documents are worked on
	open     atomic.Int64 // what the run still has to do: list, claim all, and each item that was claimed

	stopping chan struct{} // closed when no new document may be started
	stopOnce sync.Once
	cause    error // why; set before stopping is closed
}

// Run works until every document has an outcome, or each of the part that Sample and Limit choose, and returns nil then, whatever the
// outcomes are. It returns early when stop is closed (ErrInterrupted), when the deadline comes, when too many documents failed, or
// when a failure is fatal for all documents: that error. Then no new document is started, and what is not finished is pending
// again. Those in flight get Grace; after a budget, the deadline or the threshold they are let finish, until stop is closed. A stop
// that leaves nothing undone is none. When ctx ends, nothing is waited for but the store. A step or a source that still does not
// return then is left behind, and what it may yet say is not heard.
func (r *Runner) Run(ctx context.Context, stop <-chan struct{}) error {
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	w := &run{
		Runner:   r,
		items:    make(chan Item, r.workers()),
		outcomes: make(chan Outcome, 2*r.workers()),
		closed:   make(chan struct{}),
		begun:    make(chan struct{}),
		wake:     make(chan struct{}, 1),
		stopping: make(chan struct{}),
	}
	w.trial.pass = w.pass
	if r.Sample > 0 {
		w.sample = &sample{most: r.Sample}
	}
	w.open.Store(2)
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

// run starts all goroutines of the run, and waits for all of them but what is left behind.
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

	listErr := w.await(hard, w.start(hard))
	w.trial.end()
	close(w.closed)
	finisher.Wait()
	close(over)
	company.Wait()

	if w.stopped() && w.open.Load() > 0 {
		return w.cause
	}
	return listErr
}

// start lists and works. The channel gives the error of the listing when both are done.
func (w *run) start(ctx context.Context) <-chan error {
	var g errgroup.Group
	g.Go(func() error { return w.list(ctx) })
	g.Go(func() error { w.dispatch(ctx); return nil })
	for range w.workers() {
		g.Go(func() error { w.work(ctx); return nil })
	}
	done := make(chan error, 1)
	go func() { done <- g.Wait() }()
	return done
}

// await waits until all is done, or for leaveAfter once ctx has ended.
func (w *run) await(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	w.stop(interrupted(ctx))
	patience := time.NewTimer(leaveAfter)
	defer patience.Stop()
	select {
	case err := <-done:
		return err
	case <-patience.C:
		w.Log.Warn("left behind what can't be interrupted", "documents", w.Progress().InFlight)
		return nil
	}
}

// interrupted is why a run ends whose ctx has ended.
func interrupted(ctx context.Context) error { return errors.Join(ErrInterrupted, ctx.Err()) }

// stop ends the run gently, for the first cause that is given.
func (w *run) stop(cause error) {
	w.stopOnce.Do(func() {
		w.cause = cause
		close(w.stopping)
		w.Log.Info("stopping", "cause", cause)
	})
}

// watch turns the signal from outside and the deadline into a stop, and ends the grace time of what is in flight after a stop.
func (w *run) watch(ctx context.Context, stop <-chan struct{}, over <-chan struct{}, cancel context.CancelFunc) {
	if !w.watchForStop(ctx, stop, over) || planned(w.cause) && !w.watchCalls(ctx, stop, over) {
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

// planned reports whether the run ends in a way that was asked for when it began: then nobody is in a hurry.
func planned(cause error) bool {
	kind := pipeline.AsError(cause).Kind
	return kind == pipeline.KindBudget || kind == pipeline.KindThreshold
}

// watchCalls lets the calls in flight finish. It returns true when the grace time begins, and false when the run is over.
func (w *run) watchCalls(ctx context.Context, stop <-chan struct{}, over <-chan struct{}) bool {
	var late <-chan time.Time
	if w.CallTimeout > 0 {
		late = time.After(w.CallTimeout)
	}
	select {
	case <-late:
		return true
	case <-stop:
		return true
	case <-ctx.Done():
		return false
	case <-over:
		return false
	}
}

// watchForStop returns true when the run is stopping, and false when it is over. It looks at the wall clock every second: a
// timer stands still while a laptop sleeps.
func (w *run) watchForStop(ctx context.Context, stop <-chan struct{}, over <-chan struct{}) bool {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		w.checkDeadline(time.Now())
		select {
		case <-tick.C:
		case <-stop:
			w.stop(ErrInterrupted)
		case <-ctx.Done():
			w.stop(interrupted(ctx))
		case <-w.stopping:
			return true
		case <-over:
			return false
		}
	}
}

// checkDeadline stops the run once its deadline has come, by the wall clock.
func (w *run) checkDeadline(now time.Time) {
	if w.Deadline.IsZero() || now.Round(0).Before(w.Deadline.Round(0)) {
		return
	}
	w.stop(pipeline.Errorf(pipeline.Fatal, pipeline.KindBudget, "it is %s: the deadline of this run (--stop-at, --stop-after)",
		now.In(w.Deadline.Location()).Format("15:04 MST")))
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

// broken stops the run because the queue failed; that it does where ctx has ended is no cause of its own.
func (w *run) broken(ctx context.Context, err error) {
	if ctx.Err() != nil {
		err = interrupted(ctx)
	}
	w.stop(err)
}

func (w *run) stopped() bool {
	select {
	case <-w.stopping:
		return true
	default:
		return false
	}
}

// dispatch claims items and hands them to the workers, in item order.
func (w *run) dispatch(ctx context.Context) {
	defer close(w.items)
	select {
	case <-w.begun:
	case <-w.stopping:
		return
	}
	left := math.MaxInt
	if w.Limit > 0 {
		left = w.Limit
	}
	for {
		whole := w.progress.isListed() // before the claim: what is listed after it must be claimed too
		batch, err := w.claim(ctx, min(left, w.workers()), whole)
		if err != nil {
			w.broken(ctx, err)
			return
		}
		left -= len(batch)
		w.open.Add(int64(len(batch)))
		if len(batch) == 0 && (whole || left == 0) {
			w.open.Add(-1)
			return
		}
		if !w.hand(batch) {
			return
		}
	}
}

// claim takes up to n items of those that the run works on.
func (w *run) claim(ctx context.Context, n int, whole bool) ([]Item, error) {
	switch {
	case n == 0, w.sample != nil && !whole:
		return nil, nil
	case w.sample == nil:
		return w.Lease.Claim(ctx, n)
	}
	for {
		refs := w.sample.next(n)
		if len(refs) == 0 {
			return nil, nil
		}
		if batch, err := w.Lease.Take(ctx, refs); len(batch) > 0 || err != nil {
			return batch, err
		}
	}
}

// hand gives items to the workers; where there are none it waits for more. It returns false when the run is stopping.
func (w *run) hand(batch []Item) bool {
	if len(batch) == 0 {
		select {
		case <-w.wake:
			return true
		case <-w.stopping:
			return false
		}
	}
	for _, item := range batch {
		select {
		case w.items <- item:
		case <-w.stopping:
			return false
		}
	}
	return true
}

// work takes items until there are no more. After a stop it only empties the channel: those items are released at the end.
func (w *run) work(ctx context.Context) {
	for item := range w.items {
		if w.stopped() {
			continue
		}
		d := w.progress.begin(item)
		rec, err := w.process(context.WithValue(ctx, documentKey{}, d), item, d)
		w.progress.end(d)
		w.settle(ctx, item, rec, err)
	}
}

// process takes one document through the steps.
func (w *run) process(ctx context.Context, item Item, d *document) (*pipeline.Record, error) {
	rec := &pipeline.Record{Ref: item.Ref, State: pipeline.Done, Started: time.Now()}
	doc := &pipeline.Document{Ref: item.Ref, After: item.After}
	var err error
	for _, step := range w.Steps {
		w.progress.enter(d, step.Name())
		if err = do(ctx, step, doc, rec); err != nil {
			break
		}
	}
	rec.Duration = time.Since(rec.Started)
	return rec, err
}

// settle decides what the outcome is, and hands it on.
func (w *run) settle(ctx context.Context, item Item, rec *pipeline.Record, err error) {
	o := Outcome{Num: item.Num, Reason: item.Reason, Record: rec}
	// A failure while the run ends says nothing of the document: it is released.
	if err != nil && (ctx.Err() != nil || errors.Is(err, pipeline.ErrStopping)) {
		rec.State = pipeline.Pending
		w.pass(o)
		return
	}
	if err == nil {
		w.trial.answered(o)
		return
	}
	e := pipeline.AsError(err)
	if e.Class == pipeline.Fatal {
		w.stop(err)
		rec.State = pipeline.Pending
		w.pass(o)
		return
	}
	w.Log.Info("failed", "doc", item.Name, "item", item.ID, "class", e.Class, "error", e)
	rec.State, rec.Err = pipeline.Failed, e
	if hopeless := w.trial.failed(o); hopeless != nil {
		w.stop(hopeless)
	}
}
