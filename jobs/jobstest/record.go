package jobstest

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"docbatch/jobs"
	"docbatch/pipeline"
)

var recordTests = []test{
	{"records come back as they were put in", testRecords},
	{"equal requests may have had different answers", func(s *suite) {
		s.list(question, refs("a", "b"))
		l := s.join()
		items := s.wantClaim(l, 2, "a", "b")
		a, b := done(items[0], "one"), done(items[1], "two")
		b.Record.Request = a.Record.Request
		s.finish(l, a)
		s.finish(l, b)
		s.wantRecords("a done one", "b done two")
	}},
	{"counts add up", testCounts},
	{"what is gone keeps its record and its place", func(s *suite) {
		s.list(question, refs("a", "b", "c"))
		s.finishAll()
		s.list(question, refs("a", "c", "d"))
		s.wantRecords("a done answer to a v1", "c done answer to c v1", "d pending")
		var got []string
		for rec, err := range s.store.AllRecords(s.Context()) {
			s.must(err)
			line := rec.ID + " " + rec.Answer
			if !rec.Gone.IsZero() {
				line += " gone"
			}
			got = append(got, line)
		}
		if want := []string{"a answer to a v1", "b answer to b v1 gone", "c answer to c v1", "d "}; !slices.Equal(got, want) {
			s.Errorf("all records: got %q, want %q", got, want)
		}
	}},
	{"records can be left early", func(s *suite) {
		s.list(question, numbered(10))
		for range 20 {
			for _, err := range s.store.Records(s.Context()) {
				s.must(err)
				break
			}
		}
		s.finishAll()
		s.wantCounts(jobs.Counts{Done: 10})
	}},
	{"readers see whole outcomes while others write", testReaders},
	{"a context that has ended changes nothing", testCanceled},
}

func testRecords(s *suite) {
	s.list(question, refs("answered", "cached", "cut", "failed", "bare"))
	l := s.join()
	items := s.claim(l, 5)
	started := time.UnixMilli(1_799_999_999_123).UTC()
	base := pipeline.Record{
		Request: hash("r"), Model: "m-1", Tokens: pipeline.Tokens{Prompt: 12, Completion: 34},
		Started: started, Duration: 1234 * time.Millisecond, Tries: 3,
	}
	want := []pipeline.Record{base, base, base, base, {}}
	want[0].State, want[0].Answer = pipeline.Done, "Grüße\x00 \"é\"\r\n"
	want[1].State, want[1].Answer, want[1].Cached, want[1].Tries = pipeline.Done, want[0].Answer, true, 0
	want[2].State, want[2].Answer, want[2].Request = pipeline.Truncated, "cut o", hash("cut")
	want[2].Err = &pipeline.Error{Class: pipeline.Refused, Kind: pipeline.KindTruncated}
	want[3].State, want[3].Request = pipeline.Failed, hash("refused")
	want[3].Err = &pipeline.Error{Class: pipeline.Refused, Kind: pipeline.KindRequest, Status: 400}
	want[4].State = pipeline.Done
	messages := []string{"", "", "the answer was cut", "the service refused: \"x\"", ""}
	var outcomes []jobs.Outcome
	for i := range want {
		want[i].Ref = items[i].Ref
		rec := want[i]
		rec.Attempts = []pipeline.Attempt{{Started: started, Duration: time.Second, Status: 200}}
		if rec.Err != nil {
			e := *rec.Err
			e.Err = errorText(messages[i])
			rec.Err = &e
		}
		outcomes = append(outcomes, jobs.Outcome{Num: items[i].Num, Record: &rec})
	}
	s.finish(l, outcomes...)

	for i, got := range s.records() {
		if got.Err != nil {
			if got.Err.Error() != messages[i] {
				s.Errorf("error of %s: got %q, want %q", got.ID, got.Err, messages[i])
			}
			got.Err.Err = nil
		}
		if want[i].Started.IsZero() != got.Started.IsZero() || !got.Started.Equal(want[i].Started) {
			s.Errorf("start of %s: got %v, want %v", got.ID, got.Started, want[i].Started)
		}
		got.Started = want[i].Started
		if !reflect.DeepEqual(got, want[i]) {
			s.Errorf("record of %s:\n got %+v\nwant %+v", want[i].ID, got, want[i])
		}
	}
}

type errorText string

func (e errorText) Error() string { return string(e) }

func testCounts(s *suite) {
	s.list(question, append(numbered(20), broken(ref("x"), "unreadable")))
	l := s.join()
	items := s.claim(l, 12)
	for i, it := range items[:9] {
		switch i % 3 {
		case 0:
			s.finish(l, done(it, "yes"))
		case 1:
			s.finish(l, failed(it))
		case 2:
			s.finish(l, released(it))
		}
	}
	want := jobs.Counts{Pending: 11, Claimed: 3, Done: 3, Failed: 4}
	s.wantCounts(want)
	byState := map[pipeline.State]int{}
	for _, rec := range s.records() {
		byState[rec.State]++
	}
	for state, n := range map[pipeline.State]int{
		pipeline.Pending: want.Pending, pipeline.Claimed: want.Claimed, pipeline.Done: want.Done, pipeline.Failed: want.Failed,
	} {
		if byState[state] != n {
			s.Errorf("records of state %s: got %d, want %d", state, byState[state], n)
		}
	}
}

func testReaders(s *suite) {
	const n = 200
	s.list(question, numbered(n))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for done := 0; done < n; {
				c, err := s.store.Counts(s.Context())
				if err != nil || c.Total() != n || c.Done < done {
					s.Errorf("counts: got %+v, error %v, want %d in all and at least %d done", c, err, n, done)
					return
				}
				done = c.Done
				seen := 0
				for rec, err := range s.store.Records(s.Context()) {
					if err != nil || (rec.State == pipeline.Done) != (rec.Answer != "") {
						s.Errorf("record of %s: state %s, answer %q, error %v", rec.ID, rec.State, rec.Answer, err)
						return
					}
					seen++
				}
				if seen != n {
					s.Errorf("records: got %d, want %d", seen, n)
					return
				}
			}
		})
	}
	l := s.join()
	for _, it := range s.claim(l, n) {
		s.finish(l, done(it, "yes"))
	}
	wg.Wait()
}

func testCanceled(s *suite) {
	s.list(question, refs("a", "b"))
	l := s.join()
	a := s.wantClaim(l, 1, "a")[0]
	listing := s.begin(question)
	ctx, cancel := context.WithCancel(s.Context())
	cancel()

	_, err := s.store.List(ctx, question)
	s.wantCanceled("List", err)
	_, err = s.store.Join(ctx)
	s.wantCanceled("Join", err)
	_, err = listing.Add(ctx, refs("c"))
	s.wantCanceled("Add", err)
	_, err = listing.End(ctx)
	s.wantCanceled("End", err)
	_, err = l.Claim(ctx, 1)
	s.wantCanceled("Claim", err)
	_, err = l.Finish(ctx, []jobs.Outcome{done(a, "x")})
	s.wantCanceled("Finish", err)
	s.wantCanceled("Extend", l.Extend(ctx))
	s.wantCanceled("Release", l.Release(ctx))
	_, err = s.store.Counts(ctx)
	s.wantCanceled("Counts", err)
	for _, err = range s.store.Records(ctx) {
		s.wantCanceled("Records", err)
	}

	s.wantCounts(jobs.Counts{Pending: 1, Claimed: 1})
	s.finish(l, done(a, "yes"))
}
