package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline/agent/demo"
)

// newestIn is what the newest run of a state file is doing; nil before the first.
func newestIn(t *testing.T, state string) *runView {
	t.Helper()
	r, err := sqlite.OpenReader(t.Context(), state)
	if err != nil {
		return nil // it is being made
	}
	defer r.Close()
	h, err := readNewest(t.Context(), r, state)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// waitFor waits until something is so, which other processes make so.
func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// startWatch watches a job from before its first run on.
func startWatch(t *testing.T, dir string, args ...string) (cmd *exec.Cmd, out *syncBuffer) {
	t.Helper()
	out = &syncBuffer{}
	cmd = process(dir, append([]string{"status", "--watch"}, args...)...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// TestWatchedAndKilled is a run that is watched from before it begins, killed, and finished by another one.
func TestWatchedAndKilled(t *testing.T) {
	const documents = 24
	inbox, dir := writeDocuments(t, documents), t.TempDir()
	state := filepath.Join(dir, defaultState)
	run := process(dir, append(runArgs(inbox, startAgent(t, demo.Options{Latency: 400 * time.Millisecond})), "--workers", "2", "--price-input", "1", "--price-output", "1")...)
	watch, watched := startWatch(t, dir)
	waitFor(t, "the watching begins", func() bool { return strings.Contains(watched.String(), "no state file docbatch.db yet") })
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the run says where it stands", func() bool {
		h := newestIn(t, state)
		return h != nil && h.standing.Answered >= 2
	})

	code, out := exitOf(t, process(dir, "status", "--json"))
	var seen struct {
		Documents int `json:"documents"`
		InFlight  int `json:"in_flight"`
		LastRun   struct {
			Life     life     `json:"life"`
			PID      int      `json:"pid"`
			Progress standing `json:"progress"`
		} `json:"last_run"`
	}
	if err := json.Unmarshal([]byte(out), &seen); err != nil || code != exitOK {
		t.Fatalf("status --json: exit %d, %v\n%s", code, err, out)
	}
	stands := seen.LastRun.Progress
	if seen.Documents != documents || seen.InFlight != 2 || seen.LastRun.Life != goesOn || seen.LastRun.PID != run.Process.Pid || stands.Found != documents ||
		stands.Cost == nil || *stands.Cost <= 0 || stands.Limits.Workers != 2 || stands.Requests < 2 || !strings.HasPrefix(stands.OldestStage, "ask") {
		t.Errorf("while the run goes on: %+v\n%s", seen, out)
	}
	if _, out := exitOf(t, process(dir, "status")); !strings.Contains(out, "Run 1 goes on: since") || !strings.Contains(out, "         2  in flight") {
		t.Errorf("while the run goes on:\n%s", out)
	}
	if _, out := exitOf(t, process(dir, "runs")); !strings.Contains(out, "going on: ") {
		t.Errorf("while the run goes on:\n%s", out)
	}

	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	if err := watch.Wait(); err != nil || !strings.Contains(watched.String(), "Run 1 goes on") || !strings.Contains(watched.String(), "Run 1 was killed") {
		t.Errorf("the watching: %v\n%s", err, watched.String())
	}
	for command, says := range map[string]string{"status": "Run 1 was killed", "runs": "killed: last seen"} {
		if _, out := exitOf(t, process(dir, command)); !strings.Contains(out, says) || strings.Contains(out, "in flight") {
			t.Errorf("%s after the kill: want %q in\n%s", command, says, out)
		}
	}
	if _, out := exitOf(t, process(dir, "show", documentName(documents-1))); !strings.Contains(out, "waiting: it is new") {
		t.Errorf("a document that waits:\n%s", out)
	}

	watch, watched = startWatch(t, dir, "--json")
	waitFor(t, "the watching begins again", func() bool { return strings.Contains(watched.String(), `"life":"killed"`) })
	if code, out := exitOf(t, process(dir, runArgs(inbox, startAgent(t, demo.Options{}))...)); code != exitOK {
		t.Fatalf("the run after it: exit %d\n%s", code, out)
	}
	if err := watch.Wait(); err != nil || !strings.Contains(watched.String(), `"life":"ended"`) {
		t.Errorf("the watching: %v\n%s", err, watched.String())
	}
	_, out = exitOf(t, process(dir, "runs"))
	if lines := strings.Split(out, "\n"); len(lines) < 4 || !strings.HasPrefix(lines[1], "  2  ") || strings.Count(out, "killed: last seen") != 1 {
		t.Errorf("at the end: want two runs, the older one killed, in\n%s", out)
	}
}
