package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
)

// The grammar of the text format, version 0.0.4, and nothing that it also allows.
var (
	helpLine   = regexp.MustCompile(`^# HELP ([a-z_]+) ([A-Z][^\\\n]*\.)$`)
	typeLine   = regexp.MustCompile(`^# TYPE ([a-z_]+) gauge$`)
	sampleLine = regexp.MustCompile(`^([a-z_]+)\{(.+)\} (\S+)$`)
	labelPair  = regexp.MustCompile(`^([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)`)
)

// parseMetrics reads the text format strictly: each family once, with HELP and TYPE before its samples, and no sample twice.
func parseMetrics(t *testing.T, text string) map[string]float64 {
	t.Helper()
	samples, families := map[string]float64{}, map[string]bool{}
	family, typed := "", false
	if !strings.HasSuffix(text, "\n") {
		t.Errorf("the last line does not end: %q", text)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := helpLine.FindStringSubmatch(line); m != nil {
			if families[m[1]] {
				t.Errorf("family %s is there twice", m[1])
			}
			family, typed, families[m[1]] = m[1], false, true
			continue
		}
		if m := typeLine.FindStringSubmatch(line); m != nil && m[1] == family && !typed {
			typed = true
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil || m[1] != family || !typed {
			t.Errorf("not the format, or out of its family: %q", line)
			continue
		}
		wantLabels(t, m[2])
		value, err := strconv.ParseFloat(m[3], 64)
		if _, twice := samples[m[1]+"{"+m[2]+"}"]; err != nil || twice || math.IsNaN(value) {
			t.Errorf("no number, or a sample that is there twice: %q", line)
		}
		samples[m[1]+"{"+m[2]+"}"] = value
	}
	return samples
}

func wantLabels(t *testing.T, labels string) {
	t.Helper()
	for seen := map[string]bool{}; labels != ""; {
		m := labelPair.FindStringSubmatch(labels)
		if m == nil || seen[m[1]] {
			t.Errorf("not labels: %q", labels)
			return
		}
		seen[m[1]] = true
		labels = labels[len(m[0]):]
	}
}

func readMetrics(t *testing.T, path string) map[string]float64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parseMetrics(t, string(b))
}

func TestMetricsText(t *testing.T) {
	cost := 0.125
	at := time.UnixMilli(1_767_225_600_250)
	f := figures{
		going: true, started: at, elapsed: 90 * time.Second, requests: 12, tokens: pipeline.Tokens{Prompt: 1000, Completion: 200}, cost: &cost,
		inFlight: 1, past: pastRuns{ended: at.Add(-time.Hour), code: 3, succeeded: at.Add(-24 * time.Hour)},
		known: true, counts: jobs.Counts{Done: 5, Truncated: 1, Failed: 3, Claimed: 2, Pending: 4, Gone: 6},
		causes: []sqlite.Failure{{Class: "transient", Kind: "server", Status: 500, Count: 1}, {Class: "invalid", Kind: "format", Count: 1},
			{Class: "transient", Kind: "server", Status: 503, Count: 1}},
	}
	job := "night\"ly \\ \n\xff{}"
	label := `job="night\"ly \\ \n` + "\ufffd" + `{}"`
	want := map[string]float64{
		"docbatch_run_running{" + label + "}":                              1,
		"docbatch_run_start_timestamp_seconds{" + label + "}":              1767225600.25,
		"docbatch_run_duration_seconds{" + label + "}":                     90,
		"docbatch_run_requests{" + label + "}":                             12,
		"docbatch_run_tokens{" + label + `,kind="prompt"}`:                 1000,
		"docbatch_run_tokens{" + label + `,kind="completion"}`:             200,
		"docbatch_run_cost{" + label + "}":                                 0.125,
		"docbatch_run_end_timestamp_seconds{" + label + "}":                1767222000.25,
		"docbatch_run_exit_code{" + label + "}":                            3,
		"docbatch_run_success_timestamp_seconds{" + label + "}":            1767139200.25,
		"docbatch_documents{" + label + `,state="answered"}`:               5,
		"docbatch_documents{" + label + `,state="truncated"}`:              1,
		"docbatch_documents{" + label + `,state="failed"}`:                 3,
		"docbatch_documents{" + label + `,state="in_flight"}`:              1,
		"docbatch_documents{" + label + `,state="waiting"}`:                5,
		"docbatch_documents{" + label + `,state="gone"}`:                   6,
		"docbatch_failures{" + label + `,class="invalid",kind="format"}`:   1,
		"docbatch_failures{" + label + `,class="transient",kind="server"}`: 2,
	}
	got := parseMetrics(t, string(f.text(job)))
	for sample, value := range want {
		if v, ok := got[sample]; !ok || v != value {
			t.Errorf("%s is %v, %t; want %v", sample, v, ok, value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d samples, want %d: %v", len(got), len(want), got)
	}
}

// TestMetricsTextOfNothing is a job that has no state yet, and no prices.
func TestMetricsTextOfNothing(t *testing.T) {
	got := parseMetrics(t, string(figures{}.text("night")))
	for _, sample := range []string{"docbatch_run_success_timestamp_seconds", "docbatch_run_end_timestamp_seconds", "docbatch_run_running"} {
		if v, ok := got[sample+`{job="night"}`]; !ok || v != 0 {
			t.Errorf("%s is %v, %t; want 0", sample, v, ok)
		}
	}
	for sample := range got {
		for _, unknown := range []string{"docbatch_run_exit_code", "docbatch_run_cost", "docbatch_documents", "docbatch_failures"} {
			if strings.HasPrefix(sample, unknown) {
				t.Errorf("%s is told and not known", sample)
			}
		}
	}
}

// TestMetricsAreKept writes the file at once and then every 30 s, and tells once that it can't.
func TestMetricsAreKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "job.prom")
	synctest.Test(t, func(t *testing.T) {
		m, told, requests := newMetrics(path, "night"), 0, 0
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			m.keep(ctx, func(context.Context) (figures, error) {
				if requests++; requests == 3 || requests == 4 {
					return figures{}, errors.New("the state is busy")
				}
				return figures{requests: requests}, nil
			}, func(string, ...any) { told++ })
		}()
		for _, want := range []float64{1, 2, 2, 2, 5} {
			synctest.Wait()
			if got := readMetrics(t, path)[`docbatch_run_requests{job="night"}`]; got != want {
				t.Errorf("%v requests, want %v", got, want)
			}
			time.Sleep(metricsEvery)
		}
		cancel()
		<-ended
		if told != 1 {
			t.Errorf("told %d times that it failed, want once", told)
		}
	})
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left beside it: %v, %v", entries, err)
	}
}

// TestMetricsOnDiskThatHangs waits for the last write as long as it may, and for an earlier one that has not come back.
func TestMetricsOnDiskThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job.prom")
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(path, "night")
		m.turn <- struct{}{} // a write that hangs
		var said []string
		say := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
		put := func(ctx context.Context) { m.put(ctx, figures{}, nil, say) }

		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		put(cancelled)
		if len(said) != 0 {
			t.Errorf("said %q of a write that another one follows", said)
		}
		began := time.Now()
		bounded, cancel := context.WithTimeout(t.Context(), endBound)
		defer cancel()
		put(bounded)
		if took := time.Since(began); took != endBound || len(said) != 1 || !strings.Contains(said[0], errHangs.Error()) {
			t.Errorf("after %v said %q, want %v and that it hangs", took, said, endBound)
		}
		<-m.turn
		put(t.Context())
		readMetrics(t, path)
	})
}

// TestMetricsOfRuns is the file after a run that succeeded, one that failed, and one that could not begin.
func TestMetricsOfRuns(t *testing.T) {
	inbox, dir := writeDocuments(t, 3), t.TempDir()
	path := filepath.Join(dir, "job.prom")
	run := func(want int, args ...string) map[string]float64 {
		t.Helper()
		args = append([]string{"run", "--state", filepath.Join(dir, "job.db"), "--metrics", path}, args...)
		if code, _, stderr := command(t, nil, args...); code != want {
			t.Fatalf("exit %d, want %d\n%s", code, want, stderr)
		}
		return readMetrics(t, path)
	}
	part := run(exitOK, "--demo", inbox, "--limit", "1")
	if part[`docbatch_run_success_timestamp_seconds{job="job"}`] != 0 || part[`docbatch_run_end_timestamp_seconds{job="job"}`] == 0 {
		t.Errorf("after a run that left documents: %v; want no success", part)
	}
	first := run(exitOK, "--demo", inbox)
	const success, end, code = `docbatch_run_success_timestamp_seconds{job="job"}`, `docbatch_run_end_timestamp_seconds{job="job"}`, `docbatch_run_exit_code{job="job"}`
	if first[success] != first[end] || math.Abs(first[end]-seconds(time.Now())) > 60 || first[code] != 0 || first[`docbatch_run_requests{job="job"}`] != 2 ||
		first[`docbatch_documents{job="job",state="answered"}`] != 3 || first[`docbatch_run_running{job="job"}`] != 0 {
		t.Errorf("after the first run: %v", first)
	}
	writeFile(t, inbox, "scan.pdf", "%PDF-1.7")
	second := run(exitDocuments, "--demo", inbox)
	if math.Abs(second[success]-first[success]) > 1 || second[end] <= first[end] || second[code] != 3 ||
		second[`docbatch_failures{job="job",class="invalid",kind="damaged"}`] != 1 {
		t.Errorf("after the second run: %v, the first was %v", second, first)
	}
	again := run(exitDocuments, "--demo", inbox, "--limit", "1")
	if math.Abs(again[success]-first[success]) > 1 {
		t.Errorf("after a run of a part: %v, the first was %v", again, first)
	}
	third := run(exitUsage, "--demo", "nowhere")
	if third[success] != second[success] || third[end] <= second[end] || third[code] != 2 || third[`docbatch_documents{job="job",state="answered"}`] != 3 {
		t.Errorf("after the third run: %v, the second was %v", third, second)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v; want one that others can read", info.Mode(), err)
	}
}
