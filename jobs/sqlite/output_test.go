package sqlite

import (
	"path/filepath"
	"testing"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// TestOutputs goes through all that changes what an output shows, and what does not.
func TestOutputs(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	refs := rows(30)
	list(t, s, refs)
	workAll(t, s)
	ctx := t.Context()
	note := func() {
		t.Helper()
		must(t, s.BeginOutput(ctx, "out.csv", "all"))
		must(t, s.EndOutput(ctx, "out.csv", "1"))
	}
	holds := func(how, stamp string) bool {
		t.Helper()
		ok, err := s.OutputHolds(ctx, "out.csv", how, stamp)
		must(t, err)
		return ok
	}
	note()
	if !holds("all", "1") || holds("some", "1") || holds("all", "2") || holds("all", "") {
		t.Error("an output holds the records that is another one, or does not after it was written")
	}
	var held []jobs.Item
	l := join(t, s)
	for _, tt := range []struct {
		name  string
		do    func()
		holds bool
	}{
		{"nothing new", func() { list(t, s, refs) }, true},
		{"a run without work", func() {
			workAll(t, s)
			must(t, s.EndRun(ctx, l.Owner(), 0, "fine"))
			must(t, s.SaveProgress(ctx, l.Owner(), "fine"))
			must(t, s.SavePaceState(ctx, "service", []byte("{}")))
		}, true},
		{"a changed row", func() { refs[3].Stamp += "x"; list(t, s, refs) }, false},
		{"an answer", func() { workAll(t, s) }, false},
		{"a row that moved", func() { refs[4].Row, refs[4].Name = 400, "moved"; list(t, s, refs) }, false},
		{"another order", func() { refs[5], refs[6] = refs[6], refs[5]; list(t, s, refs) }, false},
		{"a row that is gone", func() { refs = refs[1:]; list(t, s, refs) }, false},
		{"another question", func() {
			listing, err := s.List(ctx, "another")
			must(t, err)
			_, err = listing.Add(ctx, refs)
			must(t, err)
		}, false},
		{"an answer from the store", func() {
			var err error
			held, err = l.Claim(ctx, 1)
			must(t, err)
			note()
			_, err = l.Finish(ctx, []jobs.Outcome{doneWith(held[0], answerFor(held[0]))})
			must(t, err)
		}, false},
		{"the rest", func() { workAll(t, s) }, false},
		{"asked again", func() {
			_, err := s.Redo(ctx, "another", func(_, id string, _ pipeline.State) bool { return id == refs[7].ID })
			must(t, err)
		}, false},
		{"a change while it was written", func() {
			must(t, s.BeginOutput(ctx, "out.csv", "all"))
			workAll(t, s)
			must(t, s.EndOutput(ctx, "out.csv", "1"))
		}, false},
	} {
		note()
		if tt.do(); holds("all", "1") != tt.holds {
			t.Errorf("after %s: the output holds the records: got %t, want %t", tt.name, !tt.holds, tt.holds)
		}
	}
}
