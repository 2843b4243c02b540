package jobstest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"docbatch/jobs"
	"docbatch/pipeline"
)

var listingTests = []test{
	{"a listing of nothing", func(s *suite) {
		tally, gone := s.list(question, nil)
		s.wantTally(tally, jobs.Tally{})
		if gone != 0 {
			s.Errorf("gone: got %d, want 0", gone)
		}
		s.wantCounts(jobs.Counts{})
		s.wantRecords()
	}},
	{"new documents are pending in order", func(s *suite) {
		tally, _ := s.list(question, refs("b", "a", "c"))
		s.wantTally(tally, jobs.Tally{Pending: 3})
		s.wantCounts(jobs.Counts{Pending: 3})
		s.wantRecords("b pending", "a pending", "c pending")
	}},
	{"batches follow each other", testBatches},
	{"refs survive", testRefsSurvive},
	{"the same ID in two sources is two documents", func(s *suite) {
		other := ref("a")
		other.Source = "out"
		s.list(question, []pipeline.Ref{ref("a"), other})
		s.finishAll()
		tally, _ := s.list(question, []pipeline.Ref{ref("a"), other})
		s.wantTally(tally, jobs.Tally{Rested: 2})
	}},
	{"a second listing rests", func(s *suite) {
		s.list(question, refs("a", "b", "c"))
		s.finishAll()
		tally, gone := s.list(question, refs("a", "b", "c"))
		s.wantTally(tally, jobs.Tally{Rested: 3})
		if gone != 0 {
			s.Errorf("gone: got %d, want 0", gone)
		}
		s.wantClaim(s.join(), 10)
	}},
	{"a second listing leaves what waits or is held", func(s *suite) {
		s.list(question, refs("a", "b"))
		l := s.join()
		a := s.wantClaim(l, 1, "a")[0]
		tally, _ := s.list(question, refs("a", "b"))
		s.wantTally(tally, jobs.Tally{Pending: 2})
		s.finish(l, done(a, "yes"))
		s.wantRecords("a done yes", "b pending")
	}},
	{"a changed document becomes pending", testChanged},
	{"a changed question makes all pending", func(s *suite) {
		s.list(question, refs("a", "b"))
		s.finishAll()
		tally, _ := s.list("another question", refs("a", "b"))
		s.wantTally(tally, jobs.Tally{Pending: 2})
		s.wantClaim(s.join(), 10, "a", "b")
	}},
	{"only what a listing has seen is claimed while it goes on", func(s *suite) {
		s.list(question, refs("gone", "a", "b", "c"))
		listing := s.begin("another question")
		l := s.join()
		s.wantClaim(l, 10)
		s.wantTally(s.add(listing, refs("a", "b", "new")), jobs.Tally{Pending: 3})
		s.wantClaim(l, 1, "a")
		s.wantClaim(l, 10, "b", "new")
		s.wantClaim(l, 10)
		if items, err := l.Take(s.Context(), refs("gone", "c")); len(items) > 0 || err != nil {
			s.Errorf("take: got %q (%v), want none", ids(items), err)
		}
		s.add(listing, refs("c"))
		s.wantClaim(l, 10, "c")
		_, err := listing.End(s.Context())
		s.must(err)
		s.wantClaim(l, 10)
		s.wantCounts(jobs.Counts{Claimed: 4, Gone: 1})
	}},
	{"after a listing everything is claimed", func(s *suite) {
		s.list(question, refs("a", "b"))
		s.list(question, refs("b", "a"))
		s.wantClaim(s.join(), 10, "b", "a")
	}},
	{"a document that changes while it is held", testChangedWhileHeld},
	{"a failed document rests until it changes", func(s *suite) {
		s.list(question, refs("a"))
		l := s.join()
		s.finish(l, failed(s.wantClaim(l, 1, "a")[0]))
		tally, _ := s.list(question, refs("a"))
		s.wantTally(tally, jobs.Tally{Rested: 1})
		s.wantCounts(jobs.Counts{Failed: 1})
		s.list(question, []pipeline.Ref{changed(ref("a"), "v2")})
		s.wantRecords("a pending")
	}},
	{"item order follows the newest listing", testOrder},
	{"gone and back again", testGone},
	{"a listing that is not ended makes nothing gone", func(s *suite) {
		s.list(question, refs("a", "b", "c"))
		s.add(s.begin(question), refs("c"))
		s.wantCounts(jobs.Counts{Pending: 3})
	}},
	{"a document that can't be had fails and recovers", testBroken},
	{"a document listed twice is an error", testTwice},
	{"a renamed or shifted row rests under its new name", func(s *suite) {
		r := ref("k1")
		r.Name, r.Row = "t.csv row 2", 2
		s.list(question, []pipeline.Ref{r})
		s.finishAll()
		r.Name, r.Row = "t.csv row 3", 3
		tally, _ := s.list(question, []pipeline.Ref{r})
		s.wantTally(tally, jobs.Tally{Rested: 1})
		if got := s.records()[0]; got.Name != r.Name || got.Row != r.Row {
			s.Errorf("record: got %q row %d, want %q row %d", got.Name, got.Row, r.Name, r.Row)
		}
	}},
}

func testBatches(s *suite) {
	all := numbered(2500)
	for round, want := range []jobs.Tally{{Pending: 1000}, {Rested: 1000}} {
		l := s.begin(question)
		for batch := range slices.Chunk(all[:2000], 1000) {
			s.wantTally(s.add(l, batch), want)
		}
		if round == 0 {
			s.finishAll()
		}
	}
	l := s.begin(question)
	var total jobs.Tally
	for batch := range slices.Chunk(all, 333) {
		t := s.add(l, batch)
		total.Pending, total.Rested = total.Pending+t.Pending, total.Rested+t.Rested
	}
	s.wantTally(total, jobs.Tally{Pending: 500, Rested: 2000})
	s.wantCounts(jobs.Counts{Pending: 500, Done: 2000})
	var got []string
	for _, rec := range s.records() {
		got = append(got, rec.ID)
	}
	for i, r := range all {
		if got[i] != r.ID {
			s.Fatalf("record %d: got %s, want %s", i, got[i], r.ID)
		}
	}
}

func testRefsSurvive(s *suite) {
	want := []pipeline.Ref{
		{Source: "tickets.csv", ID: "17", Name: "tickets.csv row 17", Stamp: "\"sum\"", Row: 17, Fields: []pipeline.Field{
			{Name: "Betreff", Value: "Größe <b> & 'Preis' \"€\""}, {Name: "empty", Value: ""}, {Name: "lines", Value: "a\r\nb\x00c\u2028"},
		}},
		{Source: "tickets.csv", ID: "18", Name: "tickets.csv row 18", Row: 18, Fields: []pipeline.Field{{Name: "other", Value: "1"}}},
		{Source: "inbox", ID: "ä/b c?#%.txt", Name: "b c.txt", Stamp: "12 2026"},
		{Source: "", ID: "", Name: ""},
	}
	s.list(question, want)
	items := s.claim(s.join(), 10)
	if len(items) != len(want) {
		s.Fatalf("claim: got %d items, want %d", len(items), len(want))
	}
	for i, rec := range s.records() {
		if !reflect.DeepEqual(items[i].Ref, want[i]) {
			s.Errorf("item %d: got %+v, want %+v", i, items[i].Ref, want[i])
		}
		if !reflect.DeepEqual(rec, pipeline.Record{Ref: want[i], State: pipeline.Claimed}) {
			s.Errorf("record %d: got %+v, want that of %+v", i, rec, want[i])
		}
	}
}

func testChanged(s *suite) {
	s.list(question, refs("a", "b"))
	s.finishAll()
	tally, _ := s.list(question, []pipeline.Ref{ref("a"), changed(ref("b"), "v2")})
	s.wantTally(tally, jobs.Tally{Pending: 1, Rested: 1})
	s.wantCounts(jobs.Counts{Pending: 1, Done: 1})
	s.wantRecords("a done answer to a v1", "b pending")

	l := s.join()
	it := s.wantClaim(l, 10, "b")[0]
	if it.Stamp != "v2" {
		s.Errorf("stamp of the claimed item: got %q, want %q", it.Stamp, "v2")
	}
	s.finish(l, done(it, "new"))
	s.wantRecords("a done answer to a v1", "b done new")
}

// The holder's outcome is one of the document as it was. Even where the same owner took the item again it must not be taken
// for an outcome of the document as it is.
func testChangedWhileHeld(s *suite) {
	s.list(question, refs("a"))
	l := s.join()
	old := s.wantClaim(l, 1, "a")[0]
	tally, _ := s.list(question, []pipeline.Ref{changed(ref("a"), "v2")})
	s.wantTally(tally, jobs.Tally{Pending: 1})
	now := s.wantClaim(l, 1, "a")[0]
	if lost := s.finishLost(l, done(old, "old")); !slices.Equal(lost, []int64{old.Num}) {
		s.Errorf("finish of the old version: lost %d, want %d", lost, old.Num)
	}
	s.wantRecords("a claimed")
	s.finish(l, done(now, "new"))
	s.wantRecords("a done new")
}

func testOrder(s *suite) {
	s.list(question, refs("a", "b", "c", "d"))
	s.finishAll()
	for _, order := range []string{"a b c d", "d a b c", "x a b c d", "a y z b c d", "d c b a", "a z c", "m n o a p z c q"} {
		s.list(question, refs(strings.Fields(order)...))
		var got []string
		for _, rec := range s.records() {
			got = append(got, rec.ID)
		}
		if g := strings.Join(got, " "); g != order {
			s.Fatalf("order: got %q, want %q", g, order)
		}
		s.finishAll()
	}

	// Many inserted at one place, again and again: there must always be room.
	all := refs("first", "last")
	for round := range 40 {
		all = slices.Insert(all, 1, ref(fmt.Sprintf("r%d", round)), ref(fmt.Sprintf("s%d", round)))
		s.list(question, all)
	}
	for i, rec := range s.records() {
		if rec.ID != all[i].ID {
			s.Fatalf("record %d: got %s, want %s", i, rec.ID, all[i].ID)
		}
	}
}

func testGone(s *suite) {
	s.list(question, refs("a", "b", "c"))
	l := s.join()
	a := s.wantClaim(l, 1, "a")[0]
	s.finish(l, done(a, "kept"))
	_, gone := s.list(question, refs("c"))
	if gone != 2 {
		s.Errorf("gone: got %d, want 2", gone)
	}
	s.wantCounts(jobs.Counts{Pending: 1, Gone: 2})
	s.wantRecords("c pending")
	if _, gone := s.list(question, refs("c")); gone != 0 {
		s.Errorf("gone again: got %d, want 0", gone)
	}
	s.wantClaim(l, 10, "c")

	tally, _ := s.list(question, refs("a", "b", "c"))
	s.wantTally(tally, jobs.Tally{Rested: 1, Pending: 2})
	s.wantRecords("a done kept", "b pending", "c claimed")
	if b := s.wantClaim(l, 10, "b")[0]; b.Num == a.Num {
		s.Errorf("item numbers: b has that of a, %d", a.Num)
	}
}

func testBroken(s *suite) {
	rs := []pipeline.Ref{broken(ref("a"), "permission denied"), ref("b")}
	tally, _ := s.list(question, rs)
	s.wantTally(tally, jobs.Tally{Failed: 1, Pending: 1})
	s.wantRecords("a failed permission denied", "b pending")
	if e := s.records()[0].Err; e == nil || e.Class != pipeline.Invalid || e.Kind != pipeline.KindRead {
		s.Errorf("error: got %+v, want class %s, kind %s", e, pipeline.Invalid, pipeline.KindRead)
	}
	s.wantClaim(s.join(), 10, "b")

	tally, _ = s.list(question, rs)
	s.wantTally(tally, jobs.Tally{Failed: 1, Pending: 1})
	tally, _ = s.list(question, []pipeline.Ref{broken(ref("a"), "input/output error"), ref("b")})
	s.wantTally(tally, jobs.Tally{Failed: 1, Pending: 1})
	s.wantRecords("a failed input/output error", "b claimed")

	// It can be had again, and its stamp is what it was.
	tally, _ = s.list(question, refs("a", "b"))
	s.wantTally(tally, jobs.Tally{Pending: 2})
	l := s.join()
	s.finish(l, done(s.wantClaim(l, 10, "a")[0], "yes"))
	s.wantRecords("a done yes", "b claimed")

	// A document that was answered and can't be had now.
	tally, _ = s.list(question, rs)
	s.wantTally(tally, jobs.Tally{Failed: 1, Pending: 1})
	s.wantRecords("a failed permission denied", "b claimed")
}

func testTwice(s *suite) {
	tests := []struct {
		name   string
		before []pipeline.Ref // finished in an earlier listing
		first  []pipeline.Ref
		second []pipeline.Ref
	}{
		{name: "new, in one batch", first: refs("n1", "n2", "n1")},
		{name: "new, in two batches", first: refs("m1", "m2"), second: refs("m1")},
		{name: "known, in one batch", before: refs("k1", "k2"), first: refs("k1", "k1")},
		{name: "known, in two batches", before: refs("l1", "l2"), first: refs("l1", "l2"), second: refs("l2")},
	}
	for _, tt := range tests {
		if tt.before != nil {
			s.list(question, tt.before)
			s.finishAll()
		}
		l := s.begin(question)
		_, err := l.Add(s.Context(), tt.first)
		if tt.second != nil {
			s.must(err)
			_, err = l.Add(s.Context(), tt.second)
		}
		if err == nil {
			s.Errorf("%s: got no error", tt.name)
		}
	}
}
