package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docbatch/jobs"
	"docbatch/pipeline/agent/demo"
)

// TestLeftovers has documents that wait from a run that a budget ended, and are gone or others in the next: nothing is sent for what
// was there before.
func TestLeftovers(t *testing.T) {
	takesLong(t)
	const rows, asked = 400, 100
	j, dir := &journal{}, t.TempDir()
	base := startAgent(t, demo.Options{Journal: j})
	input := writeRows(t, rows, 200)
	run := func(want int, flags ...string) {
		t.Helper()
		before := len(j.entries(t))
		code, out := exitOf(t, process(dir, append(runArgs(input, base, "--key", "id", "--workers", "8"), flags...)...))
		if sent := len(j.entries(t)) - before; sent != want {
			t.Errorf("run %q sent %d requests, want %d (exit %d)\n%s", flags, sent, want, code, out)
		}
	}
	run(asked, "--max-requests", "100")
	all, err := os.ReadFile(input)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(all), "\n")
	rewrite := func(text string) {
		t.Helper()
		if err := os.WriteFile(input, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rewrite(strings.Join(lines[:1+asked-20], ""))
	run(0)
	if got, want := countsIn(t, filepath.Join(dir, defaultState)), (jobs.Counts{Done: asked - 20, Gone: rows - asked + 20}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	rewrite(string(all))
	run(50, "--max-requests", "50")
	edited := strings.Join(lines[:1], "")
	for i, line := range lines[1 : 1+rows] {
		if i >= asked+50 {
			line = strings.Replace(line, "goods", "wares", 1)
		}
		edited += line
	}
	rewrite(edited)
	run(rows - asked - 50)
	run(0)
}

// TestRedoIsOfItsQuestion asks again with one prompt; the answers to the other stay what they are.
func TestRedoIsOfItsQuestion(t *testing.T) {
	takesLong(t)
	n := newNightly(t, 30, demo.Options{})
	n.run(30, "--prompt", "One.")
	n.run(30, "--prompt", "Two.", "--redo", "all")
	n.run(30, "--prompt", "Two.", "--redo", "all")
	n.run(0, "--prompt", "One.")
	if p := n.plan("--prompt", "One.", "--redo", "0000[0-4]*"); p.Requests != 5 || p.Unchanged != 25 {
		t.Errorf("plan: %+v, want 5 requests, and 25 unchanged", p)
	}
	args := append(runArgs(n.inbox, n.base), "--prompt", "Two.", "--redo", "all", "--max-requests", "10")
	if code, out := exitOf(t, process(n.dir, args...)); code != exitQuota {
		t.Fatalf("exit %d, want %d\n%s", code, exitQuota, out)
	}
	n.run(0, "--prompt", "One.")
	n.run(0, "--prompt", "Two.") // both answers to it were paid for; the older one counts again
	n.run(0, "--prompt", "One.")
	n.run(30, "--prompt", "One.", "--redo", "all")
	n.run(0, "--prompt", "One.")
}

// TestEqualRefusals has one document fifty times that the agent refuses: it is asked once, and does not pass for fifty mistakes.
func TestEqualRefusals(t *testing.T) {
	takesLong(t)
	n := newNightly(t, 70, demo.Options{FaultsFor: faultsFor(t, "BADDOC", "422")})
	for i := range 50 {
		n.write(documentName(i), "BADDOC. All the same.\n")
	}
	if p := n.plan(); p.Requests != 21 {
		t.Errorf("plan: %+v, want 21 requests", p)
	}
	code, out := exitOf(t, process(n.dir, runArgs(n.inbox, n.base, "--workers", "4")...))
	if got, want := countsIn(t, filepath.Join(n.dir, defaultState)), (jobs.Counts{Done: 20, Failed: 50}); code != exitDocuments || got != want {
		t.Errorf("exit %d, %+v, want %d, %+v\n%s", code, got, exitDocuments, want, out)
	}
	if sent := len(n.journal.entries(t)); sent > 21+4 { // the first ones may be on their way together
		t.Errorf("%d requests were sent, want 21", sent)
	}
}
