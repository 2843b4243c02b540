package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/jobstest"
	"docbatch/pipeline"
)

// list is a source of n rows; slow says how long each takes to be listed.
type list struct {
	n    int
	slow time.Duration
	err  error // ends the listing
	bad  int   // this row can't be had
}

func (l *list) Name() string      { return "list" }
func (l *list) Columns() []string { return nil }
func (l *list) Close() error      { return nil }
func (l *list) Open(context.Context, pipeline.Ref) (*pipeline.Document, error) {
	return nil, errors.New("rows are not opened")
}

func (l *list) List(context.Context) iter.Seq2[pipeline.Ref, error] {
	return func(yield func(pipeline.Ref, error) bool) {
		for i := 1; i <= l.n; i++ {
			time.Sleep(l.slow)
			ref := pipeline.Ref{Source: "list", ID: fmt.Sprint(i), Name: fmt.Sprint("row ", i), Stamp: "1", Row: i}
			if i == l.bad {
				ref.Err = pipeline.Errorf(pipeline.Invalid, pipeline.KindDamaged, "row %d is ragged", i)
			}
			if !yield(ref, nil) {
				return
			}
		}
		if l.err != nil {
			yield(pipeline.Ref{}, l.err)
		}
	}
}

// stepFunc is a step that is a function.
type stepFunc func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error

func (stepFunc) Name() string { return "test" }
func (f stepFunc) Do(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
	return f(ctx, doc, rec)
}

// answer is a step that takes a while and answers.
func answer(d time.Duration) stepFunc {
	return func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		rec.Answer, rec.Tries = "answer to "+doc.ID, 1
		return nil
	}
}

// setup makes a runner on a queue in memory.
func setup(t *testing.T, q *jobstest.Mem, src pipeline.Source, step stepFunc) *jobs.Runner {
	t.Helper()
	lease, err := q.Join(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &jobs.Runner{Queue: q, Lease: lease, Sources: []pipeline.Source{src}, Steps: []pipeline.Step{step}, Question: "q", Workers: 4}
}

func wantCounts(t *testing.T, q *jobstest.Mem, want jobs.Counts) {
	t.Helper()
	got, err := q.Counts(t.Context())
	if err != nil || got != want {
		t.Errorf("counts %+v (%v), want %+v", got, err, want)
	}
}

func TestRunAnswersEveryDocument(t *testing.T) {
	q := jobstest.NewMem()
	var stored atomic.Int64
	r := setup(t, q, &list{n: 5000, bad: 7}, answer(0))
	r.Stored = func(pipeline.Record) { stored.Add(1) }
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, q, jobs.Counts{Done: 4999, Failed: 1})
	for rec, err := range q.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.State == pipeline.Done && rec.Answer != "answer to "+rec.ID {
			t.Errorf("document %s has %q", rec.ID, rec.Answer)
		}
	}
	if stored.Load() != 4999 {
		t.Errorf("told of %d outcomes, want 4999", stored.Load())
	}
	p := r.Progress()
	if !p.Listed || p.Found != 5000 || p.Finished() != 5000 || p.InFlight != 0 || p.Requests != 4999 {
		t.Errorf("progress %+v", p)
	}
}

func TestSecondRunHasNothingToDo(t *testing.T) {
	q := jobstest.NewMem()
	var asked atomic.Int64
	count := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
		asked.Add(1)
		return answer(0)(ctx, doc, rec)
	}
	for range 2 {
		if err := setup(t, q, &list{n: 300}, count).Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() != 300 {
		t.Errorf("asked %d times in two runs over 300 documents", asked.Load())
	}
}

func TestWorkBeginsWhileListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		started := time.Now()
		var first atomic.Int64
		step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
			first.CompareAndSwap(0, int64(time.Since(started))+1)
			return answer(0)(ctx, doc, rec)
		}
		// A listing of 1,000 s, ten documents a second.
		if err := setup(t, q, &list{n: 10000, slow: 100 * time.Millisecond}, step).Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := time.Duration(first.Load()); got > time.Second {
			t.Errorf("the first document was begun %v after the start, want within 1 s", got)
		}
		wantCounts(t, q, jobs.Counts{Done: 10000})
	})
}

func TestClasses(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want jobs.Counts
	}{
		"transient":         {pipeline.Errorf(pipeline.Transient, pipeline.KindServer, "502"), jobs.Counts{Done: 99, Failed: 1}},
		"invalid":           {pipeline.Errorf(pipeline.Invalid, pipeline.KindUnsupported, "no text"), jobs.Counts{Done: 99, Failed: 1}},
		"refused":           {pipeline.Errorf(pipeline.Refused, pipeline.KindTooLong, "too long"), jobs.Counts{Done: 99, Failed: 1}},
		"nobody classed it": {errors.New("what?"), jobs.Counts{Done: 99, Failed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			q := jobstest.NewMem()
			step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
				if doc.ID == "50" {
					return tt.err
				}
				return answer(0)(ctx, doc, rec)
			}
			if err := setup(t, q, &list{n: 100}, step).Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			wantCounts(t, q, tt.want)
		})
	}
}

func TestPanicCostsOneDocument(t *testing.T) {
	q := jobstest.NewMem()
	step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
		if doc.ID == "3" {
			panic("boom")
		}
		return answer(0)(ctx, doc, rec)
	}
	if err := setup(t, q, &list{n: 10}, step).Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, q, jobs.Counts{Done: 9, Failed: 1})
	for rec := range q.Records(t.Context()) {
		if rec.ID == "3" && (rec.Err.Class != pipeline.Internal || !strings.Contains(rec.Err.Error(), "boom") || !strings.Contains(rec.Err.Error(), "runner_test.go")) {
			t.Errorf("error %v, want an internal one with the panic and its stack", rec.Err)
		}
	}
}

func TestFatalStopsTheRun(t *testing.T) {
	q := jobstest.NewMem()
	var asked atomic.Int64
	refusedKey := pipeline.Errorf(pipeline.Fatal, pipeline.KindKey, "the key was refused")
	step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
		if asked.Add(1) > 20 {
			return refusedKey
		}
		return answer(0)(ctx, doc, rec)
	}
	err := setup(t, q, &list{n: 1000}, step).Run(t.Context(), nil)
	if !errors.Is(err, refusedKey) {
		t.Fatalf("err %v, want that of the key", err)
	}
	if got := asked.Load(); got > 20+4 {
		t.Errorf("%d requests after the refusal, want at most one a worker", got-20)
	}
	counts, _ := q.Counts(t.Context())
	if counts.Failed != 0 || counts.Done != 20 || counts.Claimed != 0 {
		t.Errorf("counts %+v, want 20 done, none failed, the rest pending", counts)
	}
	if err := setup(t, q, &list{n: 1000}, answer(0)).Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, q, jobs.Counts{Done: 1000})
}

func TestFirstRefusalsAlikeStopTheRun(t *testing.T) {
	refuse := func(context.Context, *pipeline.Document, *pipeline.Record) error {
		return &pipeline.Error{Class: pipeline.Refused, Kind: pipeline.KindRequest, Status: 400, Err: errors.New("unknown parameter")}
	}
	t.Run("many", func(t *testing.T) {
		q := jobstest.NewMem()
		err := setup(t, q, &list{n: 1000}, refuse).Run(t.Context(), nil)
		if pipeline.ClassOf(err) != pipeline.Fatal || !strings.Contains(err.Error(), "unknown parameter") {
			t.Errorf("err %v, want a fatal one with the service's words", err)
		}
		wantCounts(t, q, withoutFailed(t, q))
	})
	t.Run("few are documents that failed", func(t *testing.T) {
		q := jobstest.NewMem()
		if err := setup(t, q, &list{n: 5}, refuse).Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, q, jobs.Counts{Failed: 5})
	})
	t.Run("an answer acquits", func(t *testing.T) {
		q := jobstest.NewMem()
		step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
			if doc.Row <= 200 && doc.Row != 5 {
				return refuse(ctx, doc, rec)
			}
			return answer(0)(ctx, doc, rec)
		}
		if err := setup(t, q, &list{n: 300}, step).Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, q, jobs.Counts{Done: 101, Failed: 199})
	})
}

// TestFirstRefusalsOfTheDocumentsOwn are refusals that say what is wrong with the document: however many, they are outcomes.
func TestFirstRefusalsOfTheDocumentsOwn(t *testing.T) {
	for _, kind := range []string{pipeline.KindTooLong, pipeline.KindFilter} {
		q := jobstest.NewMem()
		step := func(context.Context, *pipeline.Document, *pipeline.Record) error {
			return &pipeline.Error{Class: pipeline.Refused, Kind: kind, Status: 400, Err: errors.New("not this one")}
		}
		if err := setup(t, q, &list{n: 100}, step).Run(t.Context(), nil); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		wantCounts(t, q, jobs.Counts{Failed: 100})
	}
}

// withoutFailed are the counts as they should be after a run that marked nothing.
func withoutFailed(t *testing.T, q *jobstest.Mem) jobs.Counts {
	t.Helper()
	c, err := q.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return jobs.Counts{Pending: c.Total()}
}

func TestFirstSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		stop := make(chan struct{})
		time.AfterFunc(25*time.Second, func() { close(stop) })
		started := time.Now()
		err := setup(t, q, &list{n: 100}, answer(10*time.Second)).Run(t.Context(), stop)
		if !errors.Is(err, jobs.ErrInterrupted) {
			t.Errorf("err %v, want ErrInterrupted", err)
		}
		// 4 workers: 8 are done, 4 in flight are waited for.
		if got := time.Since(started); got != 30*time.Second {
			t.Errorf("took %v, want 30 s: the calls in flight end", got)
		}
		wantCounts(t, q, jobs.Counts{Done: 12, Pending: 88})
	})
}

func TestGraceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		stop := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(stop) })
		r := setup(t, q, &list{n: 100}, answer(time.Hour))
		r.Grace = 5 * time.Second
		started := time.Now()
		if err := r.Run(t.Context(), stop); !errors.Is(err, jobs.ErrInterrupted) {
			t.Errorf("err %v, want ErrInterrupted", err)
		}
		if got := time.Since(started); got != 6*time.Second {
			t.Errorf("took %v, want 1 s and 5 s of grace", got)
		}
		wantCounts(t, q, jobs.Counts{Pending: 100})
	})
}

func TestSecondSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		ctx, cancel := context.WithCancel(t.Context())
		stop := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(stop) })
		time.AfterFunc(2*time.Second, cancel)
		started := time.Now()
		if err := setup(t, q, &list{n: 100}, answer(time.Hour)).Run(ctx, stop); !errors.Is(err, jobs.ErrInterrupted) {
			t.Errorf("err %v, want ErrInterrupted", err)
		}
		if got := time.Since(started); got != 2*time.Second {
			t.Errorf("took %v, want 2 s", got)
		}
		wantCounts(t, q, jobs.Counts{Pending: 100})
	})
}

func TestSourceThatBreaks(t *testing.T) {
	q := jobstest.NewMem()
	if err := setup(t, q, &list{n: 50}, answer(0)).Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk is gone")
	err := setup(t, q, &list{n: 10, err: broken}, answer(0)).Run(t.Context(), nil)
	if !errors.Is(err, broken) {
		t.Errorf("err %v, want that of the source", err)
	}
	wantCounts(t, q, jobs.Counts{Done: 50}) // what was not listed is not gone
}

// failing is a lease that can't store outcomes.
type failing struct {
	jobs.Lease
	err error
}

func (f failing) Finish(context.Context, []jobs.Outcome) ([]int64, error) { return nil, f.err }

func TestStoreThatFails(t *testing.T) {
	q := jobstest.NewMem()
	full := pipeline.Errorf(pipeline.Fatal, pipeline.KindState, "disk full")
	r := setup(t, q, &list{n: 10000}, answer(0))
	r.Lease = failing{r.Lease, full}
	if err := r.Run(t.Context(), nil); !errors.Is(err, full) {
		t.Errorf("err %v, want that of the store", err)
	}
	counts, _ := q.Counts(t.Context())
	if counts.Done+counts.Failed+counts.Claimed != 0 {
		t.Errorf("counts %+v, want all pending", counts)
	}
}

func TestLeaseIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		var mu sync.Mutex
		asked := map[string]int{}
		step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
			mu.Lock()
			asked[doc.ID]++
			mu.Unlock()
			return answer(10*time.Minute)(ctx, doc, rec)
		}
		// Two runners on one queue, each holding its items far longer than a lease lasts.
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := setup(t, q, &list{n: 8}, step).Run(t.Context(), nil); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		for id, n := range asked {
			if n != 1 {
				t.Errorf("document %s was asked about %d times", id, n)
			}
		}
		wantCounts(t, q, jobs.Counts{Done: 8})
	})
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		r := setup(t, q, &list{n: 100}, answer(10*time.Second))
		started := time.Now()
		r.Deadline = started.Add(25 * time.Second).In(time.FixedZone("CET", 3600))
		err := r.Run(t.Context(), nil)
		if e := pipeline.AsError(err); e.Class != pipeline.Fatal || e.Kind != pipeline.KindBudget || !strings.Contains(err.Error(), "it is 01:00 CET: the deadline") {
			t.Errorf("err %v, want a fatal one of kind budget with the time and its zone", err)
		}
		// 4 workers: 8 are done, 4 in flight are waited for.
		if got := time.Since(started); got != 30*time.Second {
			t.Errorf("took %v, want 30 s: the calls in flight end", got)
		}
		wantCounts(t, q, jobs.Counts{Done: 12, Pending: 88})
	})
}

func TestFailThreshold(t *testing.T) {
	// Every fifth document fails, every tenth is truncated: from the 20th on 30 %.
	step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
		switch {
		case doc.Row%5 == 0 && doc.Row%10 != 0, doc.Row%10 == 3:
			return pipeline.Errorf(pipeline.Refused, pipeline.KindTooLong, "too long")
		case doc.Row%10 == 0:
			rec.State, rec.Err = pipeline.Truncated, pipeline.Errorf(pipeline.Refused, pipeline.KindTruncated, "cut")
		}
		return nil
	}
	for name, tt := range map[string]struct {
		threshold *jobs.Threshold
		failed    int // and truncated; -1: all 60 of them, and no error
		says      string
	}{
		"none":                 {nil, -1, ""},
		"a share that is met":  {&jobs.Threshold{Share: 0.35}, -1, ""},
		"a share":              {&jobs.Threshold{Share: 0.1}, 6, "6 of 20 documents of this run failed or were truncated: more than 10% (--fail-threshold)"},
		"a number":             {&jobs.Threshold{Count: 4}, 5, "more than 4 (--fail-threshold)"},
		"none at all":          {&jobs.Threshold{}, 1, "1 of 3 documents"},
		"a number that is met": {&jobs.Threshold{Count: 60}, -1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			q := jobstest.NewMem()
			r := setup(t, q, &list{n: 200}, step)
			r.Workers, r.FailThreshold = 1, tt.threshold
			err := r.Run(t.Context(), nil)
			counts, _ := q.Counts(t.Context())
			if tt.failed < 0 {
				if err != nil || counts.Done != 140 {
					t.Errorf("err %v, counts %+v, want 140 done", err, counts)
				}
				return
			}
			if e := pipeline.AsError(err); e.Kind != pipeline.KindThreshold || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("err %v, want one of kind threshold with %q", err, tt.says)
			}
			// What was on its way when the threshold was passed has an outcome too.
			if got := counts.Failed + counts.Truncated; got < tt.failed || counts.Pending == 0 {
				t.Errorf("counts %+v, want %d failures that keep their outcome, and the rest pending", counts, tt.failed)
			}
		})
	}
}

// TestWhatCannotBeInterrupted is a step, and a listing, that never notice that their context has ended: the run leaves them behind.
func TestWhatCannotBeInterrupted(t *testing.T) {
	for name, grace := range map[string]bool{"second signal": false, "the end of the grace time": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := jobstest.NewMem()
				back := make(chan struct{})
				step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
					if doc.Row == 5 {
						<-back
					}
					return answer(time.Second)(ctx, doc, rec)
				}
				r := setup(t, q, &hanging{list{n: 20}, back}, step)
				ctx, cancel := context.WithCancel(t.Context())
				stop := make(chan struct{})
				time.AfterFunc(60*time.Second, func() { close(stop) })
				r.Grace = time.Hour
				if grace {
					r.Grace = 10 * time.Second
				} else {
					time.AfterFunc(70*time.Second, cancel)
				}
				started := time.Now()
				if err := r.Run(ctx, stop); !errors.Is(err, jobs.ErrInterrupted) {
					t.Errorf("err %v, want ErrInterrupted", err)
				}
				if got := time.Since(started); got > 72*time.Second {
					t.Errorf("took %v, want at most 2 s after it was told to end now", got)
				}
				wantCounts(t, q, jobs.Counts{Done: 19, Failed: 1, Pending: 1})
				close(back) // what was left behind comes to its end, and nothing of it
				synctest.Wait()
				wantCounts(t, q, jobs.Counts{Done: 19, Failed: 1, Pending: 1})
				cancel()
			})
		})
	}
}

// hanging is a list that never ends until back is closed.
type hanging struct {
	list
	back chan struct{}
}

func (h *hanging) List(ctx context.Context) iter.Seq2[pipeline.Ref, error] {
	return func(yield func(pipeline.Ref, error) bool) {
		for ref, err := range h.list.List(ctx) {
			if !yield(ref, err) {
				return
			}
		}
		yield(pipeline.Ref{Source: "list", ID: "last", Stamp: "1", Err: pipeline.Errorf(pipeline.Invalid, pipeline.KindDamaged, "ragged")}, nil)
		<-h.back
	}
}

func TestOverdue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		step := func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
			over := jobs.Stage(ctx, "") // its turn comes after ten minutes
			time.Sleep(10 * time.Minute)
			done := jobs.Stage(ctx, "waiting for the agent")
			time.Sleep(5 * time.Minute)
			done()
			over()
			return nil
		}
		r := setup(t, q, &list{n: 1}, step)
		var ended sync.WaitGroup
		ended.Go(func() {
			if err := r.Run(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
		var got []jobs.Working
		for range 16 * 60 {
			time.Sleep(time.Second)
			got = append(got, r.Overdue(time.Minute)...)
		}
		ended.Wait()
		want := []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute}
		if len(got) != len(want) {
			t.Fatalf("named %v, want one name after each of %v", got, want)
		}
		for i, w := range got {
			if w.Name != "row 1" || w.Stage != "test: waiting for the agent" || w.For.Round(10*time.Second) != want[i] {
				t.Errorf("named %+v, want row 1 waiting for the agent for %v", w, want[i])
			}
		}
	})
}

func TestProgressOfAttempts(t *testing.T) {
	q := jobstest.NewMem()
	step := func(_ context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
		rec.Tries = 4
		for _, kind := range []string{pipeline.KindTimeout, pipeline.KindInterrupted, pipeline.KindConnect, ""} {
			rec.Attempts = append(rec.Attempts, pipeline.Attempt{Kind: kind, Duration: time.Minute})
		}
		rec.Attempts[2].Class = pipeline.Transient
		return nil
	}
	r := setup(t, q, &list{n: 3}, step)
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if p := r.Progress(); p.Requests != 12 || p.Ambiguous != 6 || p.Usual != time.Minute || p.Oldest != (jobs.Working{}) {
		t.Errorf("progress %+v, want 12 requests, 6 of them ambiguous, an answer in a minute, and nothing in flight", p)
	}
}

// worked gives the IDs of the documents that have an answer.
func worked(t *testing.T, q *jobstest.Mem) []string {
	t.Helper()
	var ids []string
	for rec, err := range q.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.State == pipeline.Done {
			ids = append(ids, rec.ID)
		}
	}
	return ids
}

func TestSample(t *testing.T) {
	run := func(q *jobstest.Mem, n, most int) {
		t.Helper()
		r := setup(t, q, &list{n: n, bad: 3}, answer(0))
		r.Sample = most
		if err := r.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	q := jobstest.NewMem()
	run(q, 1000, 20)
	first := worked(t, q)
	if len(first) != 20 {
		t.Fatalf("answered %d documents, want 20", len(first))
	}
	run(q, 1000, 20)
	if again := worked(t, q); !slices.Equal(first, again) {
		t.Errorf("the same sample again: answered %q, want %q", again, first)
	}
	run(q, 1001, 30)
	larger := worked(t, q)
	missing := slices.DeleteFunc(slices.Clone(first), func(id string) bool { return slices.Contains(larger, id) })
	if len(larger) < 30 || len(larger) > 31 || len(missing) > 0 {
		t.Errorf("a larger sample: %d documents, want 30, those of the smaller one among them (lacks %q)", len(larger), missing)
	}
	half := 0
	for _, id := range larger {
		if n, _ := strconv.Atoi(id); n <= 500 {
			half++
		}
	}
	if half < 8 || half > 22 {
		t.Errorf("%d of %d are of the first half: not spread evenly", half, len(larger))
	}
	r := setup(t, q, &list{n: 1001, bad: 3}, answer(0))
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got, want := r.Progress().Done, 1000-len(larger); got != want {
		t.Errorf("the full run answered %d documents, want the %d others", got, want)
	}
	if got, want := r.Progress().Reasons[jobs.New], (jobs.Worked{Asked: 1000 - len(larger)}); got != want {
		t.Errorf("by reason: got %+v, want %+v", got, want)
	}
}

func TestSampleOfFew(t *testing.T) {
	q := jobstest.NewMem()
	r := setup(t, q, &list{n: 5}, answer(0))
	r.Sample = 20
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, q, jobs.Counts{Done: 5})
}

func TestLimit(t *testing.T) {
	q := jobstest.NewMem()
	for i, want := range []int{7, 14, 20, 20} {
		r := setup(t, q, &list{n: 20, slow: time.Millisecond}, answer(time.Millisecond))
		r.Limit = 7
		if err := r.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, q, jobs.Counts{Done: want, Pending: 20 - want})
		if got := worked(t, q); got[len(got)-1] != fmt.Sprint(want) {
			t.Errorf("run %d ended at document %s, want %d: the first that wait", i+1, got[len(got)-1], want)
		}
	}
}

func TestSampleWithinLimit(t *testing.T) {
	q := jobstest.NewMem()
	r := setup(t, q, &list{n: 100}, answer(0))
	r.Sample, r.Limit = 10, 4
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, q, jobs.Counts{Done: 4, Pending: 96})
}

// TestLostOutcomeIsCounted has a document change while the agent is asked about it: that request was sent too.
func TestLostOutcomeIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		src := &list{n: 1}
		var once sync.Once
		r := setup(t, q, src, func(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
			time.Sleep(time.Second) // all is listed
			once.Do(func() {
				listing, err := q.List(ctx, "q")
				for ref := range src.List(ctx) {
					ref.Stamp = "2"
					_, addErr := listing.Add(ctx, []pipeline.Ref{ref})
					err = errors.Join(err, addErr)
				}
				if err != nil {
					t.Error(err)
				}
			})
			rec.Answer, rec.Tries, rec.Tokens = "yes", 1, pipeline.Tokens{Prompt: 5}
			return nil
		})
		if err := r.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if p := r.Progress(); p.Done != 0 || p.Requests != 1 || p.Tokens.Prompt != 5 {
			t.Errorf("%d answered, %d requests, %d tokens, want the one that was sent, and no answer for what changed", p.Done, p.Requests, p.Tokens.Prompt)
		}
	})
}
