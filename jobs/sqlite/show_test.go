package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// truncatedOf and failedWith are outcomes after a request was sent.
func truncatedOf(it jobs.Item) jobs.Outcome {
	o := doneWith(it, answerFor(it))
	o.Record.State = pipeline.Truncated
	o.Record.Err = pipeline.Errorf(pipeline.Refused, pipeline.KindTruncated, "cut")
	return o
}

func failedWith(it jobs.Item, kind, message string) jobs.Outcome {
	return jobs.Outcome{Num: it.Num, Record: &pipeline.Record{
		Ref: it.Ref, State: pipeline.Failed, Err: pipeline.Errorf(pipeline.Refused, kind, "%s", message), Request: requestOf(it),
	}}
}

// mixed makes a store with one document of each fate: answered, truncated, two filtered, one unreadable, one waiting.
func mixed(t *testing.T) (*Store, jobs.Lease) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	refs := rows(6)
	refs[4].Err = pipeline.Errorf(pipeline.Invalid, pipeline.KindDamaged, "3 columns instead of 4")
	refs[4].Fields = nil
	list(t, s, refs)
	l := join(t, s)
	items, err := l.Claim(t.Context(), 4)
	must(t, err)
	must(t, work(t.Context(), s, l, items[0]))
	must(t, s.PutAnswer(t.Context(), requestOf(items[1]), 0, answerFor(items[1])))
	must(t, s.PutAnswer(t.Context(), requestOf(items[2]), 0, answerFor(items[2])))
	_, err = l.Finish(t.Context(), []jobs.Outcome{
		truncatedOf(items[1]), failedWith(items[2], pipeline.KindFilter, "filtered"), failedWith(items[3], pipeline.KindFilter, "filtered"),
	})
	must(t, err)
	return s, l
}

func TestFailures(t *testing.T) {
	s, _ := mixed(t)
	for name, tt := range map[string]struct {
		read func(context.Context) ([]Failure, error)
		want []Failure
	}{
		"failed": {s.Failures, []Failure{
			{Class: pipeline.Refused, Kind: pipeline.KindFilter, Message: "filtered", Count: 2, Example: "tickets.csv row 4"},
			{Class: pipeline.Invalid, Kind: pipeline.KindDamaged, Message: "3 columns instead of 4", Count: 1, Example: "tickets.csv row 6"},
		}},
		"truncated": {s.Truncations, []Failure{
			{Class: pipeline.Refused, Kind: pipeline.KindTruncated, Message: "cut", Count: 1, Example: "tickets.csv row 3"},
		}},
	} {
		got, err := tt.read(t.Context())
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", name, got, err, tt.want)
		}
		for _, f := range got {
			if found, err := s.Find(t.Context(), f.Example); len(found) != 1 || err != nil {
				t.Errorf("find the example %q: got %d, %v, want 1", f.Example, len(found), err)
			}
		}
	}
}

func TestRetry(t *testing.T) {
	s, l := mixed(t)
	n, err := s.Retry(t.Context(), "tickets.csv:4")
	if n != 1 || err != nil {
		t.Fatalf("retry one: got %d, error %v, want 1", n, err)
	}
	if n, err := s.Retry(t.Context(), "3", "no such"); err == nil || n != 0 {
		t.Errorf("retry of what is not there: got %d and no error", n)
	}
	if n, err = s.Retry(t.Context(), "2"); n != 0 || err != nil {
		t.Errorf("retry of what is done: got %d, error %v, want 0", n, err)
	}
	n, err = s.Retry(t.Context())
	if n != 2 || err != nil {
		t.Fatalf("retry: got %d, error %v, want 2", n, err)
	}
	got, err := s.Counts(t.Context())
	if want := (jobs.Counts{Pending: 4, Done: 1, Failed: 1}); err != nil || got != want {
		t.Errorf("counts: got %+v, error %v, want %+v", got, err, want)
	}

	// What was answered for them does not count for them.
	items, err := l.Claim(t.Context(), 10)
	must(t, err)
	for _, it := range items {
		if a, err := s.Answer(t.Context(), requestOf(it), it.After); err != nil || a != nil {
			t.Errorf("answer of %s: got %v, error %v, want none", it.ID, a, err)
		}
		must(t, work(t.Context(), s, l, it))
	}
	if n, err := s.Retry(t.Context()); n != 0 || err != nil {
		t.Errorf("retry when all is well: got %d, error %v, want 0", n, err)
	}
}

func TestFind(t *testing.T) {
	s, l := mixed(t)
	_, err := s.Retry(t.Context(), "3")
	must(t, err)
	items, err := l.Claim(t.Context(), 1)
	must(t, err)
	must(t, work(t.Context(), s, l, items[0]))

	for _, id := range []string{"3", "tickets.csv:3"} {
		got, err := s.Find(t.Context(), id)
		must(t, err)
		if len(got) != 1 {
			t.Fatalf("find %s: got %d entries, want 1", id, len(got))
		}
		e := got[0]
		if e.Name != "tickets.csv row 3" || e.State != pipeline.Done || len(e.Fields) != 4 || !e.Gone.IsZero() {
			t.Errorf("entry: got %+v", e)
		}
		if len(e.History) != 2 || e.History[0].Record.State != pipeline.Truncated || e.History[0].Record.Err.Kind != pipeline.KindTruncated ||
			e.History[1].Record.State != pipeline.Done || e.History[1].Record.Answer != "answer to 3" || e.History[1].Run != l.Owner() {
			t.Errorf("history: got %+v", e.History)
		}
		if len(e.Sent) != 2 || e.Sent[1].Status != 200 || e.Sent[1].Run != l.Owner() || e.Sent[1].Started.IsZero() {
			t.Errorf("sent: got %+v", e.Sent)
		}
	}
	for _, id := range []string{"", "none", "tickets.csv:", "other:3", "tickets.csv:33"} {
		if got, err := s.Find(t.Context(), id); len(got) != 0 || err != nil {
			t.Errorf("find %q: got %+v, error %v, want nothing", id, got, err)
		}
	}

	if got, err := s.Find(t.Context(), "7"); len(got) != 1 || err != nil || got[0].State != pipeline.Pending || got[0].Reason != jobs.New {
		t.Errorf("find what waits: got %+v, error %v, want it to be new", got, err)
	}

	other := rows(1)[0]
	other.Source, other.ID = "other", "3"
	list(t, s, []pipeline.Ref{other})
	got, err := s.Find(t.Context(), "3")
	if len(got) != 2 || err != nil || got[0].Gone.IsZero() && got[1].Gone.IsZero() {
		t.Errorf("find in two sources: got %+v, error %v, want two, one of them gone", got, err)
	}
}

// TestFindByName has rows whose IDs say nothing to a person, as where they have no key, and a file.
func TestFindByName(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	refs := rows(3)
	for i := range refs {
		refs[i].ID = "#" + refs[i].Stamp
	}
	refs = append(refs, pipeline.Ref{Source: "inbox", ID: "sub/a.txt", Name: "a.txt", Stamp: "1"})
	list(t, s, refs)
	for what, want := range map[string]string{
		"tickets.csv row 3": refs[1].ID, "3": refs[1].ID, "a.txt": "sub/a.txt", refs[2].ID: refs[2].ID, "inbox:sub/a.txt": "sub/a.txt",
		"0": "", "03": "", "row 3": "", "tickets.csv": "",
	} {
		got, err := s.Find(t.Context(), what)
		must(t, err)
		if want == "" && len(got) != 0 || want != "" && (len(got) != 1 || got[0].ID != want) {
			t.Errorf("find %q: got %+v, want %q", what, got, want)
		}
	}

	moved := slices.Clone(refs[:1])
	moved[0].Row, moved[0].Name = 3, "tickets.csv row 3"
	list(t, s, moved)
	if got, err := s.Find(t.Context(), "3"); len(got) != 1 || err != nil || got[0].ID != refs[0].ID {
		t.Errorf("find a row that took the place of one that is gone: got %+v, error %v, want %s", got, err, refs[0].ID)
	}
}

// TestFindBounds has more documents of one name than a person can be told.
func TestFindBounds(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	var refs []pipeline.Ref
	for i := range MostFound + 20 {
		refs = append(refs, pipeline.Ref{Source: "mail", ID: fmt.Sprintf("%d/body.txt", i), Name: "body.txt", Stamp: "1"})
	}
	list(t, s, refs)
	if got, err := s.Find(t.Context(), "body.txt"); len(got) != MostFound || err != nil {
		t.Errorf("got %d documents, error %v, want %d", len(got), err, MostFound)
	}
}
