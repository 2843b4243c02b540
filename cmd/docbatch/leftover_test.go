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
