package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
)

// TestLookout counts when a run begins or ends, and otherwise only when it is time to: counting takes long in a large job.
func TestLookout(t *testing.T) {
	state := filepath.Join(t.TempDir(), defaultState)
	l := &lookout{state: state}
	if seen, err := l.look(t.Context()); seen != nil || err != nil {
		t.Fatalf("before there is a file: got %v, %v", seen, err)
	}
	store, err := sqlite.Open(t.Context(), state, sqlite.Options{})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	defer store.Close()
	listed := 0
	list := func(documents int) {
		t.Helper()
		listing, err := store.List(t.Context(), "question")
		must(err)
		var refs []pipeline.Ref
		for i := range documents {
			refs = append(refs, pipeline.Ref{Source: "inbox", ID: fmt.Sprint(i), Stamp: "1"})
		}
		_, err = listing.Add(t.Context(), refs)
		must(err)
		_, err = listing.End(t.Context())
		must(err)
		listed = documents
	}
	wantCounted := func(when string, documents int, goesOn bool) {
		t.Helper()
		seen, err := l.look(t.Context())
		must(err)
		if got := seen.counts.Total(); got != documents || seen.goesOn() != goesOn {
			t.Errorf("%s: it knows of %d documents and a run goes on: %v; want %d, %v (there are %d)", when, got, seen.goesOn(), documents, goesOn, listed)
		}
		l.due = time.Now().Add(time.Hour)
	}
	list(1)
	wantCounted("at first", 1, false)
	list(2)
	wantCounted("before the first run", 1, false)
	lease, err := store.Join(t.Context())
	must(err)
	wantCounted("when a run began", 2, true)
	list(3)
	wantCounted("while it goes on", 2, true)
	must(store.EndRun(t.Context(), lease.Owner(), exitOK, summary{}))
	wantCounted("when it ended", 3, false)
	list(4)
	wantCounted("when nothing goes on", 3, false)
	l.due = time.Time{}
	wantCounted("when it is time to", 4, false)
	lease, err = store.Join(t.Context())
	must(err)
	must(store.EndRun(t.Context(), lease.Owner(), exitOK, summary{}))
	list(5)
	wantCounted("after a run too short to be seen", 5, false)
}

// TestInFlight is a run of two workers that claimed all that waits: what it works on is in flight, the rest waits, everywhere.
func TestInFlight(t *testing.T) {
	o := &overview{counts: jobs.Counts{Done: 3, Claimed: 7, Pending: 5}}
	for name, tt := range map[string]struct {
		life              life
		working           int
		inFlight, waiting int
	}{
		"goes on":                    {goesOn, 2, 2, 10},
		"silent":                     {silent, 2, 2, 10},
		"killed":                     {killed, 2, 0, 12},
		"ended":                      {ended, 2, 0, 12},
		"said that it works on more": {goesOn, 20, 12, 0},
	} {
		o.newest = &runView{life: tt.life, standing: standing{InFlight: tt.working}}
		fields := o.json()
		if fields["in_flight"] != tt.inFlight || fields["waiting"] != tt.waiting {
			t.Errorf("%s: got %v in flight and %v waiting, want %d and %d", name, fields["in_flight"], fields["waiting"], tt.inFlight, tt.waiting)
		}
		if stands := o.newest.stands(); tt.inFlight == 0 && stands.InFlight != 0 {
			t.Errorf("%s: its last words have %d in flight", name, stands.InFlight)
		}
	}
}

// TestStateOfClaimed is a document that a run holds: it waits, unless the run names it as the one it works on.
func TestStateOfClaimed(t *testing.T) {
	held := &sqlite.Entry{Item: jobs.Item{Ref: pipeline.Ref{Name: "a.txt"}, Reason: jobs.New}, State: pipeline.Claimed}
	for name, tt := range map[string]struct {
		life   life
		oldest string
		want   string
	}{
		"works on it":      {goesOn, "a.txt", "in flight: it is new"},
		"works on another": {goesOn, "b.txt", "waiting: it is new"},
		"works on none":    {goesOn, "", "waiting: it is new"},
		"was killed":       {killed, "a.txt", "waiting: it is new"},
	} {
		h := &runView{life: tt.life, standing: standing{Oldest: tt.oldest}}
		if got := stateLine(held, h.worksOn(held)); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// TestNoNulls looks at the JSON of a job in which there is nothing to list: a list of nothing is no null.
func TestNoNulls(t *testing.T) {
	inbox, state := writeDocuments(t, 1), filepath.Join(t.TempDir(), defaultState)
	for _, tt := range []struct{ args, lists string }{
		{"run --demo --json " + inbox, "outputs reasons"},
		{"run --demo --json " + inbox, "outputs reasons"}, // nothing is to be done
		{"status --json", "failures truncations outputs reasons"},
		{"runs --json", "outputs reasons"},
		{"show --json " + documentName(0), "fields attempts history"},
	} {
		wantNoNulls(t, strings.Fields(tt.args+" --state "+state), strings.Fields(tt.lists))
	}
}

func wantNoNulls(t *testing.T, args, lists []string) {
	t.Helper()
	code, out, stderr := command(t, nil, args...)
	if code != exitOK {
		t.Fatalf("%s: exit %d\n%s", args[0], code, stderr)
	}
	for _, list := range lists {
		if !strings.Contains(out, `"`+list+`":`) || strings.Contains(out, `"`+list+`":null`) {
			t.Errorf("%s: want %s, and no null, in\n%s", args[0], list, out)
		}
	}
}

func TestSentence(t *testing.T) {
	s := summary{Counts: jobs.Counts{Done: 12_345, Truncated: 1_000, Failed: 2_000, Pending: 3_000, Gone: 9_000}, GoneNow: 4_000, Requests: 5_000, Cached: 6_000,
		Tokens: pipeline.Tokens{Prompt: 7_000}}
	const want = "18,345 documents: 12,345 answered, 1,000 truncated, 2,000 failed, 3,000 waiting; this run: 5,000 requests, 7,000 tokens, " +
		"6,000 answered from the store, 4,000 gone from the inputs, 0s"
	if got := s.sentence(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
