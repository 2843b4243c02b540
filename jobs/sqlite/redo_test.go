package sqlite

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// workAll answers all that is pending, each document from the store where its request is there, and returns the owner.
func workAll(t *testing.T, s *Store) int64 {
	t.Helper()
	l := join(t, s)
	for items := claimAll(t, l); len(items) > 0; items = claimAll(t, l) {
		var outcomes []jobs.Outcome
		for _, it := range items {
			o := doneWith(it, answerFor(it))
			stored, err := s.Answer(t.Context(), requestOf(it), it.After)
			must(t, err)
			if o.Record.Cached = stored != nil; stored == nil {
				must(t, s.PutAnswer(t.Context(), requestOf(it), it.After, answerFor(it)))
			}
			outcomes = append(outcomes, o)
		}
		_, err := l.Finish(t.Context(), outcomes)
		must(t, err)
	}
	must(t, l.Release(t.Context()))
	return l.Owner()
}

func claimAll(t *testing.T, l jobs.Lease) []jobs.Item {
	t.Helper()
	items, err := l.Claim(t.Context(), 1000)
	must(t, err)
	return items
}

func TestRedo(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	refs := rows(1200) // more than a page
	list(t, s, refs)
	workAll(t, s)
	n, err := s.Redo(t.Context(), "question", func(_, id string, _ pipeline.State) bool { return strings.HasSuffix(id, "7") })
	must(t, err)
	if n != 120 {
		t.Errorf("redo: got %d documents, want 120", n)
	}
	if n, err = s.Redo(t.Context(), "question", func(string, string, pipeline.State) bool { return true }); n != 1200 || err != nil {
		t.Errorf("redo of all: got %d (%v), want 1200: what waits for its second outcome too", n, err)
	}
	again := workAll(t, s)
	got, err := s.Worked(t.Context(), again)
	must(t, err)
	if want := []Share{{Reason: jobs.Again, State: pipeline.Done, Count: 1200}}; !reflect.DeepEqual(got, want) {
		t.Errorf("worked: got %+v, want %+v: nothing from the store", got, want)
	}
}

func TestWorked(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	refs := rows(5)
	list(t, s, refs)
	workAll(t, s)
	refs[0].Stamp += "changed"
	refs[3].Stamp += "touched"
	refs[1].Fields = append([]pipeline.Field(nil), refs[2].Fields...) // equal to another from now on
	refs[1].Stamp += "changed"
	list(t, s, refs)
	l := join(t, s)
	items, err := l.Claim(t.Context(), 10)
	must(t, err)
	if len(items) != 3 {
		t.Fatalf("claimed %d items, want 3", len(items))
	}
	must(t, work(t.Context(), s, l, items[0]))
	equal := doneWith(items[1], answerFor(items[1]))
	equal.Record.Request, equal.Record.Cached = requestOf(jobs.Item{Ref: refs[2]}), true
	touched := doneWith(items[2], answerFor(items[2]))
	touched.Record.Request, touched.Record.Cached = requestOf(jobs.Item{Ref: rows(5)[3]}), true
	_, err = l.Finish(t.Context(), []jobs.Outcome{equal, touched})
	must(t, err)
	got, err := s.Worked(t.Context(), l.Owner())
	must(t, err)
	want := []Share{
		{Reason: jobs.Changed, State: pipeline.Done, Count: 1},
		{Reason: jobs.Changed, State: pipeline.Done, Cached: true, Duplicate: true, Count: 1},
		{Reason: jobs.Changed, State: pipeline.Done, Cached: true, Before: true, Count: 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("worked:\n got %+v\nwant %+v", got, want)
	}
}

func TestProgress(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	l := join(t, s)
	must(t, s.SaveProgress(t.Context(), l.Owner(), map[string]int{"finished": 7}))
	runs, err := s.Runs(t.Context(), 1)
	must(t, err)
	var got map[string]int
	must(t, json.Unmarshal(runs[0].Progress, &got))
	if got["finished"] != 7 || runs[0].ProgressAt.IsZero() || !runs[0].Ended.IsZero() {
		t.Errorf("run: got %+v, want progress 7 at some time, not ended", runs[0])
	}
}
