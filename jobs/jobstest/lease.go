package jobstest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"docbatch/jobs"
	"docbatch/pipeline"
)

var leaseTests = []test{
	{"owners are never used again", func(s *suite) {
		seen := map[int64]bool{}
		for range 5 {
			l := s.join()
			if seen[l.Owner()] {
				s.Errorf("owner %d joined twice", l.Owner())
			}
			seen[l.Owner()] = true
			s.must(l.Release(s.Context()))
		}
	}},
	{"claims come in item order", func(s *suite) {
		s.list(question, refs("c", "a", "b", "d"))
		l, other := s.join(), s.join()
		s.wantClaim(l, 0)
		s.wantClaim(l, 2, "c", "a")
		s.wantClaim(other, 1, "b")
		s.wantClaim(l, 5, "d")
		s.wantClaim(other, 5)
		s.wantCounts(jobs.Counts{Claimed: 4})
	}},
	{"a document comes in its place among what is pending", func(s *suite) {
		s.list(question, refs("a", "b", "c"))
		l := s.join()
		a := s.wantClaim(l, 1, "a")[0]
		s.finish(l, released(a))
		s.wantClaim(l, 2, "a", "b")
	}},
	{"what is taken by name is what waits", testTake},
	{"an item knows why it waits", testReasons},
	{"no item goes to two owners", testRace},
	{"an outcome of what is not held is refused", testFence},
	{"an item that was never there is lost", func(s *suite) {
		l := s.join()
		if lost := s.finishLost(l, done(jobs.Item{Num: 999, Ref: ref("a")}, "x")); !slices.Equal(lost, []int64{999}) {
			s.Errorf("lost: got %d, want 999", lost)
		}
	}},
	{"nothing to finish", func(s *suite) { s.finish(s.join()) }},
	{"a lease that expired gives up its items", testExpiry},
	{"a lease that is extended holds its items", func(s *suite) {
		s.list(question, refs("a"))
		l := s.join()
		a := s.wantClaim(l, 1, "a")[0]
		for range 4 {
			s.clock.advance(jobs.DefaultLease / 2)
			s.must(l.Extend(s.Context()))
			s.wantClaim(s.join(), 1)
		}
		s.finish(l, done(a, "yes"))
	}},
	{"release gives back what is held", testRelease},
	{"a released item costs nothing but its attempts", testReleased},
	{"a batch has outcomes of every kind", func(s *suite) {
		s.list(question, refs("a", "b", "c", "d"))
		l := s.join()
		items := s.wantClaim(l, 4, "a", "b", "c", "d")
		cut := done(items[2], "cut of")
		cut.Record.State = pipeline.Truncated
		cut.Record.Err = pipeline.Errorf(pipeline.Refused, pipeline.KindTruncated, "too long")
		s.finish(l, done(items[0], "yes"), failed(items[1]), cut, released(items[3]))
		s.wantCounts(jobs.Counts{Done: 1, Failed: 1, Truncated: 1, Pending: 1})
		s.wantRecords("a done yes", "b failed filtered", "c truncated cut of too long", "d pending")
	}},
	{"what is no outcome is refused whole", testNoOutcome},
}

func testRace(s *suite) {
	const items, owners = 300, 8
	s.list(question, numbered(items))
	var (
		mu    sync.Mutex
		taken = map[int64]int64{} // item to owner
		wg    sync.WaitGroup
	)
	for range owners {
		l := s.join()
		wg.Go(func() {
			for {
				claimed, err := l.Claim(s.Context(), 7)
				if err != nil {
					s.Errorf("claim: %v", err)
					return
				}
				if len(claimed) == 0 {
					return
				}
				var outcomes []jobs.Outcome
				mu.Lock()
				for _, it := range claimed {
					if first, ok := taken[it.Num]; ok {
						s.Errorf("item %d: owner %d has it, and so has %d", it.Num, l.Owner(), first)
					}
					taken[it.Num] = l.Owner()
					outcomes = append(outcomes, done(it, fmt.Sprint("by ", l.Owner())))
				}
				mu.Unlock()
				if lost, err := l.Finish(s.Context(), outcomes); err != nil || len(lost) > 0 {
					s.Errorf("finish: lost %d, error %v", lost, err)
				}
			}
		})
	}
	wg.Wait()
	s.wantCounts(jobs.Counts{Done: items})
	if len(taken) != items {
		s.Errorf("claimed items: got %d, want %d", len(taken), items)
	}
}

func testFence(s *suite) {
	s.list(question, refs("a", "b", "c", "d"))
	old, now := s.join(), s.join()
	held := s.wantClaim(old, 3, "a", "b", "c")
	s.finish(old, done(held[1], "b's answer"))
	s.clock.advance(jobs.DefaultLease / 2)
	s.must(now.Extend(s.Context()))
	s.clock.advance(jobs.DefaultLease/2 + time.Second)
	a := s.wantClaim(now, 1, "a")[0]
	d := jobs.Item{Ref: ref("d"), Num: held[2].Num + 1}

	lost := s.finishLost(old, done(held[0], "too late"), done(held[1], "again"), done(held[2], "in time"), done(d, "never held"))
	slices.Sort(lost)
	if want := []int64{held[0].Num, held[1].Num}; len(lost) < 3 || !slices.Equal(lost[:2], want) {
		s.Errorf("lost: got %d, want %d and what was not held", lost, want)
	}
	s.finish(now, done(a, "a's answer"))
	recs := s.records()
	for i, want := range []string{"a's answer", "b's answer"} {
		if recs[i].Answer != want {
			s.Errorf("answer of %s: got %q, want %q", recs[i].ID, recs[i].Answer, want)
		}
	}
	if recs[3].State != pipeline.Pending {
		s.Errorf("state of d: got %s, want %s", recs[3].State, pipeline.Pending)
	}
}

func testExpiry(s *suite) {
	s.list(question, refs("a", "b", "c"))
	dead, alive := s.join(), s.join()
	s.wantClaim(dead, 2, "a", "b")
	s.clock.advance(jobs.DefaultLease - time.Second)
	s.must(alive.Extend(s.Context()))
	s.wantClaim(alive, 1, "c")
	s.wantClaim(alive, 1)
	s.clock.advance(2 * time.Second)
	s.wantClaim(alive, 3, "a", "b")
	s.wantCounts(jobs.Counts{Claimed: 3})
}

func testRelease(s *suite) {
	s.list(question, refs("a", "b"))
	l, other := s.join(), s.join()
	a := s.wantClaim(l, 1, "a")[0]
	s.wantClaim(other, 1, "b")
	s.must(l.Release(s.Context()))
	s.wantCounts(jobs.Counts{Pending: 1, Claimed: 1})
	if lost := s.finishLost(l, done(a, "after")); !slices.Equal(lost, []int64{a.Num}) {
		s.Errorf("finish after release: lost %d, want %d", lost, a.Num)
	}
	if _, err := l.Claim(s.Context(), 1); err == nil {
		s.Error("claim after release: got no error")
	}
	if err := l.Extend(s.Context()); err == nil {
		s.Error("extend after release: got no error")
	}
	s.wantClaim(other, 2, "a")
}

func testReleased(s *suite) {
	s.list(question, refs("a"))
	s.finishAll()
	s.list(question, []pipeline.Ref{changed(ref("a"), "v2")})
	l := s.join()
	wantAttempts := func(want int) jobs.Item {
		s.Helper()
		it := s.wantClaim(l, 1, "a")[0]
		if it.Attempts != want {
			s.Fatalf("attempts: got %d, want %d", it.Attempts, want)
		}
		return it
	}
	attempt := func(c pipeline.Class) pipeline.Attempt {
		return pipeline.Attempt{Started: s.clock.Now(), Status: 500, Class: c, Message: "no"}
	}
	s.finish(l, released(wantAttempts(0)))
	s.finish(l, released(wantAttempts(0), attempt(pipeline.Throttled), attempt(pipeline.Fatal), attempt(pipeline.Refused)))
	s.finish(l, released(wantAttempts(0), attempt(pipeline.Transient), attempt(pipeline.Throttled), attempt(pipeline.Transient)))
	s.finish(l, released(wantAttempts(2), attempt(pipeline.Transient)))
	s.wantRecords("a pending")
	s.wantCounts(jobs.Counts{Pending: 1})
	s.list(question, []pipeline.Ref{changed(ref("a"), "v2")})
	s.finish(l, released(wantAttempts(3)))
	s.list(question, []pipeline.Ref{changed(ref("a"), "v3")})
	wantAttempts(0)
}

func testNoOutcome(s *suite) {
	s.list(question, refs("a", "b"))
	l := s.join()
	items := s.wantClaim(l, 2, "a", "b")
	bad := map[string]func(r *pipeline.Record){
		"no state":                func(r *pipeline.Record) { r.State = "" },
		"claimed":                 func(r *pipeline.Record) { r.State = pipeline.Claimed },
		"failed without a reason": func(r *pipeline.Record) { r.State = pipeline.Failed },
		"done with an error":      func(r *pipeline.Record) { r.Err = pipeline.Errorf(pipeline.Internal, "", "x") },
	}
	for name, spoil := range bad {
		o := done(items[1], "x")
		spoil(o.Record)
		if _, err := l.Finish(s.Context(), []jobs.Outcome{done(items[0], "y"), o}); err == nil {
			s.Errorf("%s: got no error", name)
		}
	}
	s.wantCounts(jobs.Counts{Claimed: 2})
}

func testTake(s *suite) {
	s.list(question, refs("a", "b", "c", "d", "e"))
	l := s.join()
	s.finish(l, done(s.wantClaim(l, 1, "a")[0], "yes"))
	s.wantClaim(s.join(), 1, "b")
	take := func(want []string, names ...string) {
		s.Helper()
		items, err := l.Take(s.Context(), refs(names...))
		s.must(err)
		if got := ids(items); !slices.Equal(got, want) {
			s.Errorf("take %q: got %q, want %q", names, got, want)
		}
	}
	take([]string{"d", "c"}, "d", "a", "b", "c", "unknown") // answered, held by another, never there
	take(nil, "d")
	take(nil)
	s.list(question, refs("a", "b", "c", "d"))
	take(nil, "e") // gone
	s.wantCounts(jobs.Counts{Done: 1, Claimed: 3, Gone: 1})
}

func testReasons(s *suite) {
	want := func(reasons ...string) []jobs.Item {
		s.Helper()
		l := s.join()
		var got []string
		items := s.claim(l, 10)
		for _, it := range items {
			got = append(got, it.ID+" "+string(it.Reason))
		}
		if !slices.Equal(got, reasons) {
			s.Errorf("claimed for: got %q, want %q", got, reasons)
		}
		s.must(l.Release(s.Context()))
		return items
	}
	s.list(question, refs("a", "b", "c"))
	want("a new", "b new", "c new")
	s.list("another", refs("a", "b", "c"))
	want("a new", "b new", "c new") // nobody answered the first question
	s.finishAll()
	v2 := changed(ref("a"), "v2")
	s.list("another", []pipeline.Ref{v2, ref("b"), ref("d")})
	want("a changed", "d new")
	s.list(question, []pipeline.Ref{v2, ref("b"), ref("d")})
	want("a changed", "b question", "d new")
	s.finishAll()
	s.list(question, []pipeline.Ref{v2, ref("b"), ref("d"), ref("c")})
	want("c question") // it is back, and was answered for another question
}
