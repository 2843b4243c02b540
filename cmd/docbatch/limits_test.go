package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline/agent"
	"docbatch/pipeline/agent/demo"
)

func TestParseTime(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	now := time.Date(2026, 12, 31, 22, 30, 0, 0, zone)
	for text, want := range map[string]string{
		"":                     "0001-01-01T00:00:00Z",
		"23:15":                "2026-12-31T23:15:00+01:00",
		"06:00":                "2027-01-01T06:00:00+01:00",
		"6:00":                 "2027-01-01T06:00:00+01:00",
		"22:30":                "2027-01-01T22:30:00+01:00", // now is past
		"2026-12-31T21:31:00Z": "2026-12-31T21:31:00Z",
		"2026-12-31T21:30:00Z": "", // likewise
		"24:00":                "",
		"tomorrow":             "",
		"NaN":                  "",
	} {
		got, err := parseTime(text, now)
		if (err != nil) != (want == "") || err == nil && got.Format(time.RFC3339) != want {
			t.Errorf("parseTime(%q) = %v, %v; want %q", text, got, err, want)
		}
	}
}

func TestDeadlineIsTheEarlier(t *testing.T) {
	started := time.Date(2026, 12, 31, 22, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		after time.Duration
		at    time.Time
		want  time.Time
	}{
		"none":              {0, time.Time{}, time.Time{}},
		"after a time":      {time.Hour, time.Time{}, started.Add(time.Hour)},
		"at a time":         {0, started.Add(2 * time.Hour), started.Add(2 * time.Hour)},
		"after comes first": {time.Hour, started.Add(2 * time.Hour), started.Add(time.Hour)},
		"at comes first":    {3 * time.Hour, started.Add(2 * time.Hour), started.Add(2 * time.Hour)},
	} {
		if got := (&limits{stopAfter: tt.after, stopAt: tt.at}).deadline(started); !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestParseThreshold(t *testing.T) {
	for text, want := range map[string]*jobs.Threshold{
		"5%": {Share: 0.05}, "0.5 %": {Share: 0.005}, "100%": {Share: 1}, "0%": {}, "20": {Count: 20}, "0": {}, "": nil,
	} {
		got, err := parseThreshold(text)
		if err != nil || (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("parseThreshold(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"-1", "-1%", "101%", "NaN%", "5.5", "many", "%"} {
		if got, err := parseThreshold(text); err == nil {
			t.Errorf("parseThreshold(%q) = %v, want an error", text, got)
		}
	}
}

// TestInitHasEveryKey sees that the job file that init writes explains every key, and that none of its examples is refused.
func TestInitHasEveryKey(t *testing.T) {
	for _, key := range keysOf(reflect.TypeFor[jobFile]()) {
		_, key = splitKey(key)
		if !regexp.MustCompile(`(?m)(^|[ #{])` + key + `:`).MatchString(initJobFile) {
			t.Errorf("the job file of docbatch init does not have %s", key)
		}
	}
	limits := initJobFile[strings.Index(initJobFile, "limits:"):strings.Index(initJobFile, "# Everything docbatch knows")]
	path := filepath.Join(t.TempDir(), "docbatch.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(limits, "\n#  ", "\n  ")), 0o644); err != nil {
		t.Fatal(err)
	}
	jf, err := readJobFile(path)
	if err != nil || jf.Limits.MaxRequests != 500 || jf.Limits.StopAt != "06:00" || jf.Limits.FailThreshold != "5%" || jf.Limits.Repeats == nil {
		t.Errorf("limits %+v (%v), want every one set", jf, err)
	}
}

// TestFatalMidRun is promise P6 in the middle of a run: what no document can succeed with any more stops it within one request a
// worker, marks nothing, and the same command goes on once it is mended.
func TestFatalMidRun(t *testing.T) {
	const documents, workers, good = 120, 8, 40
	for name, tt := range map[string]struct {
		agent demo.Options
		exit  int
		says  string
	}{
		"out of quota": {demo.Options{Quota: good}, exitQuota, "Top up"},
		"key refused":  {demo.Options{RevokeAfter: good}, exitKey, keyVariable},
	} {
		t.Run(name, func(t *testing.T) {
			j := &journal{}
			tt.agent.Journal, tt.agent.Latency = j, 2*time.Millisecond
			inbox, dir := writeDocuments(t, documents), t.TempDir()
			args := runArgs(inbox, startAgent(t, tt.agent), "--workers", fmt.Sprint(workers), "-o", "out.csv")
			code, out := exitOf(t, process(dir, args...))
			if code != tt.exit || !strings.Contains(out, tt.says) || !strings.Contains(out, "the same command goes on") {
				t.Errorf("exit %d, want %d, and %q in\n%s", code, tt.exit, tt.says, out)
			}
			counts := countsIn(t, filepath.Join(dir, defaultState))
			if counts.Failed != 0 || counts.Claimed != 0 || counts.Total() != documents {
				t.Errorf("counts %+v, want none failed and none held", counts)
			}
			if got := len(j.entries(t)) - counts.Done; got > workers {
				t.Errorf("%d requests without an answer, want at most one a worker", got)
			}
			// At another address it is another question: all are asked again.
			args = runArgs(inbox, startAgent(t, demo.Options{}), "--workers", fmt.Sprint(workers), "-o", "out.csv")
			if code, out := exitOf(t, process(dir, args...)); code != exitOK {
				t.Errorf("once it is mended: exit %d\n%s", code, out)
			}
			wantOwnAnswers(t, filepath.Join(dir, "out.csv"), documents)
		})
	}
}

// TestFirstRefusals is a request that the service refuses whatever the document is: a mistake of ours, and no document's failure.
func TestFirstRefusals(t *testing.T) {
	j := &journal{}
	inbox, dir := writeDocuments(t, 100), t.TempDir()
	base := startAgent(t, demo.Options{Journal: j, FaultsFor: faultsFor(t, "mark", "422")})
	code, out := exitOf(t, process(dir, runArgs(inbox, base, "--workers", "4")...))
	if code != exitUsage || !strings.Contains(out, "the first 10 documents were all refused in the same way") {
		t.Errorf("exit %d, want 2\n%s", code, out)
	}
	if got := len(j.entries(t)); got > 10+4 {
		t.Errorf("%d requests, want 10 and at most one more a worker", got)
	}
	if counts := countsIn(t, filepath.Join(dir, defaultState)); counts != (jobs.Counts{Pending: 100}) {
		t.Errorf("counts %+v, want all waiting", counts)
	}
}

func faultsFor(t *testing.T, text, fault string) []demo.FaultFor {
	t.Helper()
	faults, err := demo.ParseFaultsFor(text + "=" + fault)
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

func runArgs(inbox, base string, more ...string) []string {
	return append([]string{"run", inbox, "--agent", "analyst", "--base-url", base}, more...)
}

// lastSummary is that of the last run.
func lastSummary(t *testing.T, dir string) (s summary) {
	t.Helper()
	r, err := sqlite.OpenReader(t.Context(), filepath.Join(dir, defaultState))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	runs, err := r.Runs(t.Context(), 1)
	if err != nil || len(runs) == 0 {
		t.Fatalf("runs %v (%v)", runs, err)
	}
	if err := json.Unmarshal(runs[0].Summary, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestBudgets are runs that end with their budget, and go on with another one until all is done.
func TestBudgets(t *testing.T) {
	const documents = 25
	for name, tt := range map[string]struct {
		flags    []string
		requests int // of the first run; 0: at least one, and not all
		says     string
	}{
		"requests": {[]string{"--max-requests", "10"}, 10, "the budget of 10 requests is used up (--max-requests)"},
		"tokens":   {[]string{"--max-tokens", "3000"}, 0, "(--max-tokens)"},
		"cost":     {[]string{"--max-cost", "0.01", "--price-input", "1", "--price-output", "20"}, 0, "(--max-cost)"},
	} {
		t.Run(name, func(t *testing.T) {
			j := &journal{}
			inbox, dir := writeDocuments(t, documents), t.TempDir()
			args := append(runArgs(inbox, startAgent(t, demo.Options{Journal: j}), "--workers", "4", "-o", "out.csv"), tt.flags...)
			code, out := exitOf(t, process(dir, args...))
			if code != exitQuota || !strings.Contains(out, tt.says) || !strings.Contains(out, "The same command goes on") {
				t.Fatalf("exit %d, want 5, and %q in\n%s", code, tt.says, out)
			}
			sent := len(j.entries(t))
			if tt.requests != 0 && sent != tt.requests || sent == 0 || sent >= documents {
				t.Errorf("%d requests were sent, want %d (0: some)", sent, tt.requests)
			}
			if s := lastSummary(t, dir); tt.flags[0] == "--max-cost" && (s.Cost == nil || *s.Cost <= 0.005 || *s.Cost > 0.01) {
				t.Errorf("summary %+v, want a cost near to 0.01 and not above", s)
			} else if s.Requests != sent || s.Done != sent || s.Failed != 0 {
				t.Errorf("summary %+v, want %d requests, all answered", s, sent)
			}
			for code == exitQuota {
				code, out = exitOf(t, process(dir, args...))
			}
			if got := len(j.entries(t)); code != exitOK || got != documents {
				t.Errorf("exit %d after %d requests, want 0 after %d\n%s", code, got, documents, out)
			}
			wantOwnAnswers(t, filepath.Join(dir, "out.csv"), documents)
		})
	}
}

// TestStopAfter is a deadline: the calls in flight end, and the same command goes on.
func TestStopAfter(t *testing.T) {
	const documents = 40
	j := &journal{}
	inbox, dir := writeDocuments(t, documents), t.TempDir()
	args := runArgs(inbox, startAgent(t, demo.Options{Latency: 250 * time.Millisecond, Journal: j}), "--workers", "4", "-o", "out.csv")
	code, out := exitOf(t, process(dir, append(args, "--stop-after", "1s")...))
	if code != exitQuota || !strings.Contains(out, "the deadline of this run (--stop-at, --stop-after)") || !strings.Contains(out, ", until ") {
		t.Errorf("exit %d, want 5\n%s", code, out)
	}
	asked := len(j.entries(t))
	if s := lastSummary(t, dir); s.Done != asked || asked == 0 || s.Pending != documents-asked {
		t.Errorf("summary %+v after %d requests, want all of them answered", s, asked)
	}
	if code, out := exitOf(t, process(dir, args...)); code != exitOK {
		t.Errorf("exit %d\n%s", code, out)
	}
	wantOwnAnswers(t, filepath.Join(dir, "out.csv"), documents)
}

// TestFailThresholdStops is a run that fails systematically.
func TestFailThresholdStops(t *testing.T) {
	j := &journal{}
	inbox, dir := writeDocuments(t, 200), t.TempDir()
	base := startAgent(t, demo.Options{Journal: j, Latency: time.Millisecond, FaultsFor: faultsFor(t, "5mark ", "too_long")}) // every tenth
	code, out := exitOf(t, process(dir, runArgs(inbox, base, "--workers", "2", "--fail-threshold", "5%")...))
	if code != exitDocuments || !strings.Contains(out, "more than 5% (--fail-threshold)") || !strings.Contains(out, "docbatch retry") {
		t.Errorf("exit %d, want 3\n%s", code, out)
	}
	if s := lastSummary(t, dir); s.Failed == 0 || s.Pending == 0 || s.Done == 0 {
		t.Errorf("summary %+v, want some failed, some done, and the rest waiting", s)
	}
	if code, out := exitOf(t, process(dir, runArgs(inbox, base, "--fail-threshold", "15%")...)); code != exitDocuments || strings.Contains(out, "stopped") {
		t.Errorf("exit %d, want 3 at the end of all\n%s", code, out)
	}
	if counts := countsIn(t, filepath.Join(dir, defaultState)); counts != (jobs.Counts{Done: 180, Failed: 20}) {
		t.Errorf("counts %+v, want 180 done and 20 failed", counts)
	}
}

// TestAmbiguous is an agent that never answers about one document: it is asked once more, and the requests are told apart.
func TestAmbiguous(t *testing.T) {
	j := &journal{}
	inbox, dir := writeDocuments(t, 10), t.TempDir()
	base := startAgent(t, demo.Options{Journal: j, FaultsFor: faultsFor(t, marker(3), "hang")})
	code, out := exitOf(t, process(dir, runArgs(inbox, base, "--timeout", "300ms")...))
	if code != exitDocuments || !strings.Contains(out, "2 requests ended without an answer after they were sent; they may have been billed") {
		t.Errorf("exit %d, want 3\n%s", code, out)
	}
	if s := lastSummary(t, dir); s.Ambiguous != 2 || s.Requests != 11 || s.Done != 9 {
		t.Errorf("summary %+v, want 2 of 11 requests ambiguous", s)
	}
}

// TestPaceOutlivesTheRun is promise P5: a run that follows another at once goes on with its minute.
func TestPaceOutlivesTheRun(t *testing.T) {
	const documents = 20
	j := &journal{}
	inbox, dir := writeDocuments(t, documents), t.TempDir()
	base := startAgent(t, demo.Options{Journal: j, RPM: 300})
	for range 10 {
		code, out := exitOf(t, process(dir, runArgs(inbox, base, "--rpm", "300", "--max-requests", "2")...))
		if code != exitQuota && code != exitOK {
			t.Fatalf("exit %d\n%s", code, out)
		}
	}
	entries := j.entries(t)
	if len(entries) != documents {
		t.Fatalf("%d requests, want %d", len(entries), documents)
	}
	// 20 requests at 300 a minute, however many runs send them: 19 gaps of 200 ms. A start within its slot may gain half of one.
	if took, least := entries[documents-1].Time.Sub(entries[0].Time), 19*200*time.Millisecond*9/10; took < least {
		t.Errorf("%d requests in %v, want at least %v", documents, took, least)
	}
	r, err := sqlite.OpenReader(t.Context(), filepath.Join(dir, defaultState))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	state, err := r.PaceState(t.Context(), base)
	if err != nil || agent.NewPace(nil, agent.NewMeter(), agent.Limits{}).Restore(state) != nil {
		t.Errorf("the state %s (%v) can't be restored", state, err)
	}
}
