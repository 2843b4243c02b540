package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docbatch/jobs"
	"docbatch/pipeline/agent/demo"
)

// A nightly is a job that is run again and again, and what its agent was asked.
type nightly struct {
	*testing.T
	inbox   string
	dir     string
	journal *journal
	base    string
}

func newNightly(t *testing.T, documents int, o demo.Options) *nightly {
	n := &nightly{T: t, inbox: writeDocuments(t, documents), dir: t.TempDir(), journal: &journal{}}
	o.Journal = n.journal
	n.base = startAgent(t, o)
	return n
}

// run runs the job; it must send so many requests, and end with exit 0.
func (n *nightly) run(requests int, flags ...string) {
	n.Helper()
	before := len(n.journal.entries(n.T))
	args := append(runArgs(n.inbox, n.base, "--workers", "8", "-o", "out.csv"), flags...)
	if code, out := exitOf(n.T, process(n.dir, args...)); code != exitOK {
		n.Fatalf("run %q: exit %d, want 0\n%s", flags, code, out)
	}
	if got := len(n.journal.entries(n.T)) - before; got != requests {
		n.Errorf("run %q sent %d requests, want %d", flags, got, requests)
	}
}

// plan asks what a run would do; nothing may be sent.
func (n *nightly) plan(flags ...string) (p plan) {
	n.Helper()
	before := len(n.journal.entries(n.T))
	args := append(runArgs(n.inbox, n.base, "--json"), flags...)
	args[0] = "plan"
	out, err := process(n.dir, args...).Output()
	if err != nil {
		n.Fatalf("plan: %v\n%s", err, out)
	}
	if err := json.Unmarshal(out, &p); err != nil {
		n.Fatal(err)
	}
	if got := len(n.journal.entries(n.T)) - before; got != 0 {
		n.Errorf("the plan sent %d requests", got)
	}
	return p
}

func (n *nightly) write(name, text string) {
	n.Helper()
	if err := os.WriteFile(filepath.Join(n.inbox, name), []byte(text), 0o644); err != nil {
		n.Fatal(err)
	}
}

// eachOf does something to documents from i on, ten of them.
func (n *nightly) eachOf(i int, do func(path string) error) {
	n.Helper()
	for at := i; at < i+10; at++ {
		if err := do(filepath.Join(n.inbox, documentName(at))); err != nil {
			n.Fatal(err)
		}
	}
}

// TestNight is a folder that changes a little from one night to the next.
func TestNight(t *testing.T) {
	documents := 1000
	if testing.Short() {
		documents = 100
	}
	n := newNightly(t, documents, demo.Options{})
	n.run(documents)
	n.eachOf(0, func(path string) error {
		return os.WriteFile(path, []byte("Changed "+path+". It is another document now.\n"), 0o644)
	})
	n.eachOf(20, func(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) })
	n.eachOf(40, func(path string) error { return os.Rename(path, path+".moved.txt") })
	n.eachOf(60, os.Remove)
	for i := range 10 {
		n.write(fmt.Sprintf("new-%d.txt", i), fmt.Sprintf("A new document, number %d. It came today.\n", i))
	}

	p := n.plan()
	want := plan{Documents: documents, Requests: 20, Unchanged: documents - 40, Gone: 20}
	want.Send.New, want.Send.Changed, want.Stored.Touched, want.Stored.Moved = 10, 10, 10, 10
	if p.Documents != want.Documents || p.Requests != want.Requests || p.Send != want.Send || p.Stored != want.Stored ||
		p.Unchanged != want.Unchanged || p.Gone != want.Gone || p.Unreadable+p.FailedBefore+p.TooLong+p.Left != 0 {
		t.Errorf("plan:\n got %+v\nwant %+v", p, want)
	}
	n.run(20)
	n.run(0)
	if got := countsIn(t, filepath.Join(n.dir, "docbatch.db")); got != (jobs.Counts{Done: documents, Gone: 20}) {
		t.Errorf("counts %+v, want all answered and 20 gone", got)
	}
	if rows := readCSV(t, filepath.Join(n.dir, "out.csv")); len(rows) != documents {
		t.Errorf("the output has %d documents, want %d: what is gone is left out", len(rows), documents)
	}
	n.run(0, "--gone", "keep")
	gone := 0
	for _, row := range readCSV(t, filepath.Join(n.dir, "out.csv")) {
		if row["state"] == "gone" && row["answer"] != "" {
			gone++
		}
	}
	if gone != 20 {
		t.Errorf("with --gone keep %d documents are marked gone with their answer, want 20", gone)
	}
}

// TestPromptAndBack is a prompt that is changed, and changed back.
func TestPromptAndBack(t *testing.T) {
	takesLong(t)
	n := newNightly(t, 60, demo.Options{})
	answers := func() string {
		var all []string
		for _, row := range readCSV(t, filepath.Join(n.dir, "out.csv")) {
			all = append(all, row["id"]+row["answer"])
		}
		return strings.Join(all, "\n")
	}
	n.run(60, "--prompt", "One.")
	first := answers()
	if p := n.plan("--prompt", "Two."); p.Send.Question != 60 || p.Requests != 60 {
		t.Errorf("plan of another prompt: %+v, want 60 that are asked another question", p)
	}
	n.run(60, "--prompt", "Two.")
	if p := n.plan("--prompt", "One."); p.Stored.Before != 60 || p.Requests != 0 {
		t.Errorf("plan of the prompt before: %+v, want 60 from the store", p)
	}
	n.run(0, "--prompt", "One.")
	if answers() != first {
		t.Error("the old answers are not in the outputs again")
	}
	n.run(60, "--prompt", "One.", "--agent", "other")
	n.run(0, "--prompt", "One.")
}

// TestDuplicates is 100 equal documents among 1,000.
func TestDuplicates(t *testing.T) {
	takesLong(t)
	const documents, equal = 1000, 100
	n := newNightly(t, documents, demo.Options{Latency: time.Millisecond})
	for i := range equal {
		n.write(documentName(10*i), "All the same. Nothing else is known.\n")
	}
	send := documents - equal + 1
	for range 3 {
		if p := n.plan(); p.Requests != send || p.Send.New != send || p.Stored.Duplicate != equal-1 {
			t.Errorf("plan: %+v, want %d requests and %d duplicates", p, send, equal-1)
		}
	}
	n.run(send)
	if p := n.plan("--redo", "all"); p.Requests != send || p.Send.Again != send || p.Stored.Duplicate != equal-1 {
		t.Errorf("plan of asking all again: %+v, want %d requests and %d duplicates", p, send, equal-1)
	}
}

// TestSampleFirst works a part first; what comes after does not pay for it again.
func TestSampleFirst(t *testing.T) {
	takesLong(t)
	n := newNightly(t, 300, demo.Options{})
	if p := n.plan("--sample", "20"); p.Requests != 20 || p.Left != 280 {
		t.Errorf("plan of a sample: %+v, want 20 requests and 280 left", p)
	}
	n.run(20, "--sample", "20")
	if rows := readCSV(t, filepath.Join(n.dir, "out.csv")); len(rows) != 20 {
		t.Errorf("the output has %d documents, want the 20 of the sample", len(rows))
	}
	n.run(0, "--sample", "20")
	n.run(50, "--limit", "50")
	n.run(230)
	n.run(0)
}

// TestRedo asks again on purpose.
func TestRedo(t *testing.T) {
	takesLong(t)
	n := newNightly(t, 40, demo.Options{})
	n.run(40)
	if p := n.plan("--redo", "0000*"); p.Send.Again != 10 || p.Requests != 10 || p.Unchanged != 30 {
		t.Errorf("plan of --redo: %+v, want 10 asked again", p)
	}
	n.run(10, "--redo", "0000*")
	n.run(0, "--redo", "failed")
	n.run(40, "--redo", "all")
	n.run(0)
	if code, out := exitOf(t, process(n.dir, runArgs(n.inbox, n.base, "--redo", "nothing*")...)); code != exitUsage {
		t.Errorf("a glob of nothing: exit %d, want %d\n%s", code, exitUsage, out)
	}
}

// TestPlanIsRight compares a plan with what the agent counts and how long the run takes.
func TestPlanIsRight(t *testing.T) {
	takesLong(t)
	n := newNightly(t, 400, demo.Options{Latency: 20 * time.Millisecond})
	n.run(20, "--sample", "20")
	p := n.plan("--rpm", "3000")
	began := time.Now()
	n.run(380, "--rpm", "3000")
	took := time.Since(began).Seconds()
	counted := 0
	for _, e := range n.journal.entries(t)[20:] {
		counted += e.PromptTokens + e.AnswerTokens
	}
	if off := float64(p.Tokens.Total)/float64(counted) - 1; math.Abs(off) > 0.1 {
		t.Errorf("%d tokens were planned, and %d counted: %+.1f %%, want within 10 %%", p.Tokens.Total, counted, 100*off)
	}
	if p.Duration == nil || math.Abs(*p.Duration/took-1) > 0.15 {
		t.Errorf("the plan says %v s, it took %.1f s, want within 15 %%", p.Duration, took)
	}
}

func TestPlanInWords(t *testing.T) {
	n := newNightly(t, 3, demo.Options{})
	args := runArgs(n.inbox, n.base, "--prompt", "How urgent?")
	args[0] = "plan"
	out, err := process(n.dir, append(args, "--show", documentName(1))...).Output()
	if err != nil || !bytes.Contains(out, []byte("How urgent?")) || !bytes.Contains(out, []byte(marker(1))) {
		t.Errorf("plan --show: %v\n%s", err, out)
	}
	if entries := n.journal.entries(t); len(entries) != 0 {
		t.Errorf("%d requests were sent, want none", len(entries))
	}
}
