// Package jobstest holds what a queue is measured by: Test, the conformance suite that every implementation of jobs.Queue
// and jobs.Reader must pass, and Mem, a queue in memory for tests of what stands on one.
//
// It tests promises that callers rely on, not how a store keeps them: durability, locks and files are its own package's to test.
package jobstest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// Store is what the suite tests.
type Store interface {
	jobs.Queue
	jobs.Reader
}

// Test runs the suite. open makes an empty store whose clock is now and whose lease time is jobs.DefaultLease; what must
// be closed, it closes by t.Cleanup. now may be called by many goroutines.
func Test(t *testing.T, open func(t *testing.T, now func() time.Time) Store) {
	for _, group := range [][]test{listingTests, leaseTests, recordTests} {
		for _, tt := range group {
			t.Run(tt.name, func(t *testing.T) {
				s := &suite{T: t, clock: &clock{now: time.UnixMilli(1_800_000_000_000)}}
				s.store = open(t, s.clock.Now)
				tt.run(s)
			})
		}
	}
}

type test struct {
	name string
	run  func(s *suite)
}

// suite is one test's store, with words for what tests do to it. Each ends the test where the store returns an error.
type suite struct {
	*testing.T
	store Store
	clock *clock
}

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (s *suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// question is what is asked where a test does not say.
const question = "what is it"

// ref is a document of source "in" whose stamp is that of its first version.
func ref(id string) pipeline.Ref {
	return pipeline.Ref{Source: "in", ID: id, Name: id + ".txt", Stamp: "v1"}
}

func refs(ids ...string) []pipeline.Ref {
	var rs []pipeline.Ref
	for _, id := range ids {
		rs = append(rs, ref(id))
	}
	return rs
}

// changed is the same document in another version.
func changed(r pipeline.Ref, stamp string) pipeline.Ref {
	r.Stamp = stamp
	return r
}

// broken is the same document, but it can't be had.
func broken(r pipeline.Ref, cause string) pipeline.Ref {
	r.Err = pipeline.Errorf(pipeline.Invalid, pipeline.KindRead, "%s", cause)
	return r
}

// list makes a whole listing of rs and returns what it found, and how many are gone.
func (s *suite) list(question string, rs []pipeline.Ref) (jobs.Tally, int) {
	s.Helper()
	l := s.begin(question)
	tally := s.add(l, rs)
	gone, err := l.End(s.Context())
	s.must(err)
	return tally, gone
}

func (s *suite) begin(question string) jobs.Listing {
	s.Helper()
	l, err := s.store.List(s.Context(), question)
	s.must(err)
	return l
}

func (s *suite) add(l jobs.Listing, rs []pipeline.Ref) jobs.Tally {
	s.Helper()
	tally, err := l.Add(s.Context(), rs)
	s.must(err)
	return tally
}

func (s *suite) wantTally(got, want jobs.Tally) {
	s.Helper()
	if got != want {
		s.Errorf("tally: got %+v, want %+v", got, want)
	}
}

func (s *suite) join() jobs.Lease {
	s.Helper()
	l, err := s.store.Join(s.Context())
	s.must(err)
	return l
}

func (s *suite) claim(l jobs.Lease, n int) []jobs.Item {
	s.Helper()
	items, err := l.Claim(s.Context(), n)
	s.must(err)
	return items
}

// wantClaim claims n items and compares their IDs.
func (s *suite) wantClaim(l jobs.Lease, n int, want ...string) []jobs.Item {
	s.Helper()
	items := s.claim(l, n)
	if got := ids(items); !slices.Equal(got, want) {
		s.Fatalf("claim: got %q, want %q", got, want)
	}
	return items
}

func ids(items []jobs.Item) []string {
	var got []string
	for _, it := range items {
		got = append(got, it.ID)
	}
	return got
}

// finish stores outcomes that must all be the owner's.
func (s *suite) finish(l jobs.Lease, outcomes ...jobs.Outcome) {
	s.Helper()
	if lost := s.finishLost(l, outcomes...); len(lost) > 0 {
		s.Fatalf("finish: lost items %d, want none lost", lost)
	}
}

func (s *suite) finishLost(l jobs.Lease, outcomes ...jobs.Outcome) []int64 {
	s.Helper()
	lost, err := l.Finish(s.Context(), outcomes)
	s.must(err)
	return lost
}

// finishAll claims and answers everything that is pending.
func (s *suite) finishAll() {
	s.Helper()
	l := s.join()
	for items := s.claim(l, 1000); len(items) > 0; items = s.claim(l, 1000) {
		for _, it := range items {
			s.finish(l, done(it, "answer to "+it.ID+" "+it.Stamp))
		}
	}
	s.must(l.Release(s.Context()))
}

func done(it jobs.Item, answer string) jobs.Outcome {
	return jobs.Outcome{Num: it.Num, Reason: it.Reason, Record: &pipeline.Record{
		Ref: it.Ref, State: pipeline.Done, Answer: answer, Request: hash(it.ID + answer), Tries: 1,
	}}
}

func failed(it jobs.Item) jobs.Outcome {
	return jobs.Outcome{Num: it.Num, Record: &pipeline.Record{
		Ref: it.Ref, State: pipeline.Failed, Err: pipeline.Errorf(pipeline.Refused, pipeline.KindFilter, "filtered"),
	}}
}

func released(it jobs.Item, attempts ...pipeline.Attempt) jobs.Outcome {
	return jobs.Outcome{Num: it.Num, Record: &pipeline.Record{Ref: it.Ref, State: pipeline.Pending, Attempts: attempts}}
}

// hash is a request's hash as pipeline/agent makes it.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (s *suite) records() []pipeline.Record {
	s.Helper()
	var recs []pipeline.Record
	for rec, err := range s.store.Records(s.Context()) {
		s.must(err)
		recs = append(recs, rec)
	}
	return recs
}

// wantRecords compares all records with want, each written "id state answer".
func (s *suite) wantRecords(want ...string) {
	s.Helper()
	var got []string
	for _, rec := range s.records() {
		line := rec.ID + " " + string(rec.State)
		if rec.Answer != "" {
			line += " " + rec.Answer
		}
		if rec.Err != nil {
			line += " " + rec.Err.Error()
		}
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		s.Errorf("records:\n got %q\nwant %q", got, want)
	}
}

func (s *suite) wantCounts(want jobs.Counts) {
	s.Helper()
	got, err := s.store.Counts(s.Context())
	s.must(err)
	if got != want {
		s.Errorf("counts: got %+v, want %+v", got, want)
	}
}

// wantCanceled checks that err is that of a context that has ended.
func (s *suite) wantCanceled(what string, err error) {
	s.Helper()
	if !errors.Is(err, context.Canceled) {
		s.Errorf("%s with a context that has ended: got error %v, want %v", what, err, context.Canceled)
	}
}

// numbered gives n documents.
func numbered(n int) []pipeline.Ref {
	var rs []pipeline.Ref
	for i := range n {
		rs = append(rs, ref(fmt.Sprintf("%05d", i)))
	}
	return rs
}
