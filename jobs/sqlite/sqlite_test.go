package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/jobstest"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

func TestStore(t *testing.T) {
	jobstest.Test(t, func(t *testing.T, now func() time.Time) jobstest.Store {
		return open(t, filepath.Join(t.TempDir(), "state.db"), Options{Now: now})
	})
}

// open opens a store for a test, which closes it at its end, and checks then that the file is sound.
func open(t testing.TB, path string, opts Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := Check(context.Background(), path); err != nil {
			t.Errorf("check: %v", err)
		}
	})
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rows gives n rows of a table of tickets.
func rows(n int) []pipeline.Ref {
	refs := make([]pipeline.Ref, n)
	for i := range refs {
		refs[i] = pipeline.Ref{
			Source: "tickets.csv", ID: fmt.Sprint(i + 2), Name: fmt.Sprintf("tickets.csv row %d", i+2), Row: i + 2, Stamp: fmt.Sprintf("%016x", i*7919),
			Fields: []pipeline.Field{
				{Name: "number", Value: fmt.Sprintf("T-%07d", i)},
				{Name: "subject", Value: "The printer on the second floor is on fire again"},
				{Name: "body", Value: "Since this morning it smokes, and nobody dares to go near it. Please send someone who is <brave> & quick."},
				{Name: "opened", Value: "2026-11-23"},
			},
		}
	}
	return refs
}

func list(t testing.TB, s *Store, refs []pipeline.Ref) (tally jobs.Tally, gone int) {
	t.Helper()
	l, err := s.List(t.Context(), "question")
	must(t, err)
	for batch := range slices.Chunk(refs, 1000) {
		one, err := l.Add(t.Context(), batch)
		must(t, err)
		tally.Pending, tally.Rested, tally.Failed = tally.Pending+one.Pending, tally.Rested+one.Rested, tally.Failed+one.Failed
	}
	gone, err = l.End(t.Context())
	must(t, err)
	return tally, gone
}

func join(t testing.TB, s *Store) jobs.Lease {
	t.Helper()
	l, err := s.Join(t.Context())
	must(t, err)
	return l
}

func requestOf(it jobs.Item) string {
	sum := sha256.Sum256([]byte(it.ID))
	return hex.EncodeToString(sum[:])
}

func answerFor(it jobs.Item) *agent.Answer {
	return &agent.Answer{Text: "answer to " + it.ID, Model: "m", FinishReason: "stop", Tokens: pipeline.Tokens{Prompt: 3, Completion: 4}}
}

func doneWith(it jobs.Item, a *agent.Answer) jobs.Outcome {
	return jobs.Outcome{Num: it.Num, Record: &pipeline.Record{
		Ref: it.Ref, State: pipeline.Done, Answer: a.Text, Request: requestOf(it), Model: a.Model, Tokens: a.Tokens, Tries: 1,
		Started: time.UnixMilli(1_800_000_000_000), Duration: time.Second,
		Attempts: []pipeline.Attempt{{Started: time.UnixMilli(1_800_000_000_000), Duration: time.Second, Status: 200}},
	}}
}

// work answers an item as a run does: the answer first.
func work(ctx context.Context, s *Store, l jobs.Lease, it jobs.Item) error {
	a := answerFor(it)
	if err := s.PutAnswer(ctx, requestOf(it), 0, a); err != nil {
		return err
	}
	lost, err := l.Finish(ctx, []jobs.Outcome{doneWith(it, a)})
	if err == nil && len(lost) > 0 {
		err = fmt.Errorf("lost item %d", it.Num)
	}
	return err
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?#%41 ü.db")
	s, err := Open(t.Context(), path, Options{Command: "docbatch run"})
	must(t, err)
	list(t, s, rows(10))
	l := join(t, s)
	items, err := l.Claim(t.Context(), 5)
	must(t, err)
	must(t, work(t.Context(), s, l, items[0]))
	must(t, s.EndRun(t.Context(), l.Owner(), 130, map[string]int{"done": 1}))
	must(t, s.Close())

	s = open(t, path, Options{})
	got, err := s.Counts(t.Context())
	if want := (jobs.Counts{Pending: 9, Done: 1}); err != nil || got != want {
		t.Errorf("counts after reopening: got %+v, error %v, want %+v", got, err, want)
	}
	next := join(t, s)
	if next.Owner() <= l.Owner() {
		t.Errorf("owner: got %d, want one after %d", next.Owner(), l.Owner())
	}
	runs, err := s.Runs(t.Context(), 0)
	must(t, err)
	if len(runs) != 2 || !runs[0].Alive || runs[1].Alive || runs[1].Exit != 130 || string(runs[1].Summary) != `{"done":1}` || runs[1].PID != os.Getpid() {
		t.Errorf("runs: got %+v", runs)
	}
	if err := s.EndRun(t.Context(), 99, 0, nil); err == nil {
		t.Error("end of a run that never was: got no error")
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("state file: got %v, error %v, want mode 600", info.Mode(), err)
	}
}

func TestAnswers(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	it := jobs.Item{Ref: pipeline.Ref{ID: "a"}}
	got, err := s.Answer(t.Context(), requestOf(it), 0)
	if got != nil || err != nil {
		t.Errorf("answer that is not there: got %v, error %v", got, err)
	}
	want := answerFor(it)
	must(t, s.PutAnswer(t.Context(), requestOf(it), 0, want))
	must(t, s.PutAnswer(t.Context(), requestOf(it), 0, &agent.Answer{Text: "another"}))
	got, err = s.Answer(t.Context(), requestOf(it), 0)
	must(t, err)
	if *got != *want {
		t.Errorf("answer: got %+v, want %+v", got, want)
	}
	for _, request := range []string{"", "xyz", "abcd", requestOf(it) + "00"} {
		if err := s.PutAnswer(t.Context(), request, 0, want); err == nil {
			t.Errorf("request %q: got no error", request)
		}
		if _, err := s.Answer(t.Context(), request, 0); err == nil {
			t.Errorf("answer of request %q: got no error", request)
		}
	}
	if err := s.PutAnswer(t.Context(), requestOf(jobs.Item{}), 0, &agent.Answer{}); err == nil {
		t.Error("empty answer: got no error")
	}
}

func TestClaimBounded(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	refs := rows(5)
	for i := range refs {
		refs[i].Fields = []pipeline.Field{{Name: "body", Value: strings.Repeat("x", 3<<20)}}
	}
	refs[4].Fields[0].Value = strings.Repeat("y", 9<<20)
	list(t, s, refs)
	l := join(t, s)
	for _, want := range []int{2, 2, 1, 0} {
		items, err := l.Claim(t.Context(), 10)
		must(t, err)
		if len(items) != want {
			t.Errorf("claim of large rows: got %d items, want %d", len(items), want)
		}
	}
}

func TestColumns(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	field := func(names ...string) (fields []pipeline.Field) {
		for _, name := range names {
			fields = append(fields, pipeline.Field{Name: name, Value: "v"})
		}
		return fields
	}
	refs := []pipeline.Ref{
		{Source: "b", ID: "1", Fields: field("z", "a")}, {Source: "f", ID: "2"}, {Source: "c", ID: "3", Fields: field("a", "m", "z")},
		{Source: "d", ID: "4", Fields: field("only")},
	}
	for _, tt := range []struct {
		refs []pipeline.Ref
		want string
	}{{refs, "z a m only"}, {refs[2:3], "a m z"}, {refs[1:2], ""}, {nil, ""}} {
		list(t, s, tt.refs)
		got, err := s.Columns(t.Context(), false)
		must(t, err)
		if strings.Join(got, " ") != tt.want {
			t.Errorf("columns: got %q, want %q", got, tt.want)
		}
	}
}

// A document inserted among others must not move those: that would write every item behind it.
func TestInsertMovesNothing(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	refs := rows(3000)
	list(t, s, refs)
	before := positions(t, s)
	for i := range 20 {
		r := refs[0]
		r.ID = fmt.Sprint("new ", i)
		refs = slices.Insert(refs, i*150, r)
	}
	refs = slices.Delete(refs, 500, 600)
	if _, gone := list(t, s, refs); gone != 100 {
		t.Errorf("gone: got %d, want 100", gone)
	}
	moved := 0
	for num, pos := range positions(t, s) {
		if was, ok := before[num]; ok && was != pos {
			moved++
		}
	}
	if moved > 0 {
		t.Errorf("items moved: got %d, want none", moved)
	}
}

func positions(t *testing.T, s *Store) map[int64]int64 {
	got := map[int64]int64{}
	must(t, s.query(t.Context(), "read positions", `SELECT num, pos FROM items WHERE gone_at IS NULL`, nil, func(rows *sql.Rows) error {
		var num, pos int64
		err := rows.Scan(&num, &pos)
		got[num] = pos
		return err
	}))
	return got
}

// Listings of random changes must come out in the order of the documents, whatever was there before.
func TestListingsOfAnyOrder(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	rng := rand.New(rand.NewPCG(1, 2))
	all := rows(400)
	for round := range 25 {
		refs := slices.Clone(all[rng.IntN(50) : 50+rng.IntN(350)])
		for range rng.IntN(10) { // blocks change places
			i, j := rng.IntN(len(refs)), rng.IntN(len(refs))
			i, j = min(i, j), max(i, j)
			refs = append(slices.Clone(refs[j:]), slices.Concat(refs[i:j], refs[:i])...)
		}
		l, err := s.List(t.Context(), "question")
		must(t, err)
		for batch := range slices.Chunk(refs, 1+rng.IntN(60)) {
			_, err := l.Add(t.Context(), batch)
			must(t, err)
		}
		_, err = l.End(t.Context())
		must(t, err)
		i := 0
		for rec, err := range s.Records(t.Context()) {
			must(t, err)
			if i >= len(refs) || rec.ID != refs[i].ID {
				t.Fatalf("round %d: record %d is %s, which is not its place", round, i, rec.ID)
			}
			i++
		}
		if i != len(refs) {
			t.Fatalf("round %d: got %d records, want %d", round, i, len(refs))
		}
	}
}
