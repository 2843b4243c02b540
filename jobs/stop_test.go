package jobs_test

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/jobstest"
	"docbatch/pipeline"
)

// TestInFlightAfterAStop has calls of ten minutes in flight when the run stops after a second, with a grace time of five.
func TestInFlightAfterAStop(t *testing.T) {
	const call, grace = 10 * time.Minute, 5 * time.Second
	budget := pipeline.Errorf(pipeline.Fatal, pipeline.KindBudget, "the budget is used up")
	key := pipeline.Errorf(pipeline.Fatal, pipeline.KindKey, "the key was refused")
	for name, tt := range map[string]struct {
		first    error         // of row 1, after a second
		deadline bool          // after a second
		signal   time.Duration // when; 0: none
		timeout  time.Duration // CallTimeout
		want     time.Duration
		kind     string // of the error; "": ErrInterrupted
		counts   jobs.Counts
	}{
		"deadline":                {nil, true, 0, 0, call, pipeline.KindBudget, jobs.Counts{Done: 4, Pending: 16}},
		"budget":                  {budget, false, 0, 0, call, pipeline.KindBudget, jobs.Counts{Done: 3, Pending: 17}},
		"budget, then a signal":   {budget, false, time.Minute, 0, time.Minute + grace, pipeline.KindBudget, jobs.Counts{Pending: 20}},
		"deadline, then a signal": {nil, true, time.Minute, 0, time.Minute + grace, pipeline.KindBudget, jobs.Counts{Pending: 20}},
		"a time-out that is long": {budget, false, 0, call, call, pipeline.KindBudget, jobs.Counts{Done: 3, Pending: 17}},
		"one that is overrun":     {budget, false, 0, time.Minute, time.Second + time.Minute + grace, pipeline.KindBudget, jobs.Counts{Pending: 20}},
		"signal":                  {nil, false, time.Second, call, time.Second + grace, "", jobs.Counts{Pending: 20}},
		"another fatal cause":     {key, false, 0, call, time.Second + grace, pipeline.KindKey, jobs.Counts{Pending: 20}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := jobstest.NewMem()
				step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
					if doc.Row == 1 && tt.first != nil {
						return errors.Join(pipeline.Sleep(ctx, time.Second), tt.first)
					}
					return answer(call)(ctx, doc, rec)
				}
				r := setup(t, q, &list{n: 20}, step)
				r.Grace, r.CallTimeout = grace, tt.timeout
				started := time.Now()
				if tt.deadline {
					r.Deadline = started.Add(time.Second)
				}
				stop := make(chan struct{})
				if tt.signal > 0 {
					time.AfterFunc(tt.signal, func() { close(stop) })
				}
				err := r.Run(t.Context(), stop)
				if tt.kind == "" && !errors.Is(err, jobs.ErrInterrupted) || tt.kind != "" && pipeline.AsError(err).Kind != tt.kind {
					t.Errorf("err %v, want one of kind %q", err, tt.kind)
				}
				if got := time.Since(started); got != tt.want {
					t.Errorf("took %v, want %v", got, tt.want)
				}
				wantCounts(t, q, tt.counts)
			})
		})
	}
}

// TestInFlightAfterTheThreshold is a failure too many after a second: what is in flight by then has its ten minutes.
func TestInFlightAfterTheThreshold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
			if doc.Row == 1 {
				return errors.Join(pipeline.Sleep(ctx, time.Second), pipeline.Errorf(pipeline.Invalid, pipeline.KindUnsupported, "no text"))
			}
			return answer(10*time.Minute)(ctx, doc, rec)
		}
		r := setup(t, q, &list{n: 20}, step)
		r.Grace, r.FailThreshold = 5*time.Second, &jobs.Threshold{}
		if err := r.Run(t.Context(), nil); pipeline.AsError(err).Kind != pipeline.KindThreshold {
			t.Errorf("err %v, want one of kind threshold", err)
		}
		// The worker of row 1 may have begun another until the failure was stored.
		if counts, _ := q.Counts(t.Context()); counts.Failed != 1 || counts.Done < 3 || counts.Done > 4 || counts.Total() != 20 {
			t.Errorf("counts %+v, want one failed, and the three in flight done", counts)
		}
	})
}

// TestStopAfterTheLastStart has four workers, answers that take ten seconds, and something that ends the run after five.
func TestStopAfterTheLastStart(t *testing.T) {
	broken := errors.New("the disk is gone")
	for name, tt := range map[string]struct {
		list     list
		deadline bool // or a signal
		want     error
		kind     string // in place of want
		counts   jobs.Counts
	}{
		"deadline":               {list{n: 4}, true, nil, "", jobs.Counts{Done: 4}},
		"signal":                 {list{n: 4}, false, nil, "", jobs.Counts{Done: 4}},
		"one can't be had":       {list{n: 5, bad: 2}, false, nil, "", jobs.Counts{Done: 4, Failed: 1}},
		"deadline, one is left":  {list{n: 5}, true, nil, pipeline.KindBudget, jobs.Counts{Done: 4, Pending: 1}},
		"signal, one is left":    {list{n: 5}, false, jobs.ErrInterrupted, "", jobs.Counts{Done: 4, Pending: 1}},
		"signal while it lists":  {list{n: 4, slow: 2 * time.Second}, false, jobs.ErrInterrupted, "", jobs.Counts{Done: 2}},
		"a source that broke":    {list{n: 4, err: broken}, false, broken, "", jobs.Counts{Done: 4}},
		"broken and one is left": {list{n: 5, err: broken}, false, jobs.ErrInterrupted, "", jobs.Counts{Done: 4, Pending: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := jobstest.NewMem()
				r := setup(t, q, &tt.list, answer(10*time.Second))
				stop := make(chan struct{})
				if tt.deadline {
					r.Deadline = time.Now().Add(5 * time.Second)
				} else {
					time.AfterFunc(5*time.Second, func() { close(stop) })
				}
				err := r.Run(t.Context(), stop)
				if tt.kind != "" && (err == nil || pipeline.AsError(err).Kind != tt.kind) || tt.kind == "" && !errors.Is(err, tt.want) {
					t.Errorf("err %v, want %v%s", err, tt.want, tt.kind)
				}
				wantCounts(t, q, tt.counts)
			})
		})
	}
}

// TestStopThatLosesAnOutcome is a store that fails with the last outcomes: a run that is not complete, whatever was answered.
func TestStopThatLosesAnOutcome(t *testing.T) {
	q := jobstest.NewMem()
	full := pipeline.Errorf(pipeline.Fatal, pipeline.KindState, "disk full")
	r := setup(t, q, &list{n: 1}, answer(0))
	r.Lease = failing{r.Lease, full}
	if err := r.Run(t.Context(), nil); !errors.Is(err, full) {
		t.Errorf("err %v, want that of the store", err)
	}
	wantCounts(t, q, jobs.Counts{Pending: 1})
}

// pausing is a list that rests for ten minutes before its last row.
type pausing struct{ list }

func (p *pausing) List(ctx context.Context) iter.Seq2[pipeline.Ref, error] {
	return func(yield func(pipeline.Ref, error) bool) {
		for ref, err := range p.list.List(ctx) {
			if ref.Row == p.n {
				time.Sleep(10 * time.Minute)
			}
			if !yield(ref, err) {
				return
			}
		}
	}
}

// TestListingThatPauses is a slow listing whose first refs come quickly: they do not wait for the next one.
func TestListingThatPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		var early atomic.Int64
		started := time.Now()
		step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
			if time.Since(started) < time.Second {
				early.Add(1)
			}
			return answer(0)(ctx, doc, rec)
		}
		if err := setup(t, q, &pausing{list{n: 11}}, step).Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := early.Load(); got != 10 {
			t.Errorf("%d documents were begun within a second, want the 10 that were listed by then", got)
		}
		wantCounts(t, q, jobs.Counts{Done: 11})
	})
}
