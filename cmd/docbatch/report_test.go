package main

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/jobstest"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

func TestBar(t *testing.T) {
	for name, tt := range map[string]struct {
		standing standing
		columns  int
		want     string
	}{
		"nothing yet": {standing{}, 100, "[                        ] 0/0+ documents"},
		"half way": {standing{Listed: true, Found: 1200, Finished: 600, Rate: 12.5, ETASeconds: 48}, 100,
			"[============            ] 600/1,200 documents, 12.5/s, about 48s left"},
		"failures": {standing{Listed: true, Found: 2, Finished: 2, Failed: 2}, 100, "[========================] 2/2 documents, 2 failed"},
		"a pause": {standing{Found: 9, Rate: 3, WaitingMS: 12000, WaitingFor: "the agent asked for a pause"}, 100,
			"[                        ] 0/9+ documents, waiting 12s: the agent asked for a pause"},
		"a sample": {standing{Listed: true, Found: 1000, Finished: 505, Answered: 4, Failed: 1, AtMost: 20}, 100,
			"[======                  ] 5/20 of 1,000 documents, 1 failed"},
		"less than the limit": {standing{Listed: true, Found: 10, Finished: 8, Answered: 1, AtMost: 20}, 100,
			"[========                ] 1/3 of 10 documents"},
		"cut to fit": {standing{Listed: true, Found: 2}, 20, "[     ] 0/2 documents"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.standing.bar(tt.columns); got != tt.want[:min(len(tt.want), tt.columns-1)] {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		s       string
		columns int
		want    string
	}{
		{"letter.txt", 6, "letter"},
		{"請求書.txt", 5, "請求"},
		{"e\u0301te\u0301", 3, "e\u0301te\u0301"},
		{"a\x1b[2Jb\nc", 80, "a[2Jb c"},
		{"", 3, ""},
	} {
		if got := fit(tt.s, tt.columns); got != tt.want {
			t.Errorf("fit(%q, %d) = %q, want %q", tt.s, tt.columns, got, tt.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	evil := "a\x1b]0;title\a\r\u202e\u0085\x7f\tb\nc"
	if got, want := printable(evil), "a]0;title\tb\nc"; got != want {
		t.Errorf("printable(%q) = %q, want %q", evil, got, want)
	}
	if got := oneLine("one\n two   three "+strings.Repeat("x", 100), 12); got != "one two thr…" {
		t.Errorf("oneLine gave %q", got)
	}
}

// TestWaitsAreToldOnce looks every 200 ms, as the reporter does, at pauses that begin and end at these seconds.
func TestWaitsAreToldOnce(t *testing.T) {
	type wait struct{ begin, end float64 }
	for name, tt := range map[string]struct {
		waits []wait
		told  []float64 // when
		total time.Duration
	}{
		"none":              {nil, nil, 0},
		"a short one":       {[]wait{{1, 2}}, nil, time.Second},
		"as long as told":   {[]wait{{1, 3}}, []float64{1}, 2 * time.Second},
		"a long one":        {[]wait{{1, 90}}, []float64{1}, 89 * time.Second},
		"lengthened much":   {[]wait{{1, 10}, {5, 90}}, []float64{1, 5}, 89 * time.Second},
		"one of many":       {[]wait{{1, 4}, {6, 9}, {12, 15}, {40, 43}}, []float64{1, 40}, 12 * time.Second},
		"a long one of two": {[]wait{{1, 4}, {6, 60}}, []float64{1, 6}, 57 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var w waits
			var told []float64
			start := time.Now()
			for tick := range 500 {
				at := float64(tick) / 5
				var pause agent.Pause
				for _, p := range tt.waits {
					if at >= p.begin && at < p.end {
						pause.For = max(pause.For, time.Duration((p.end-at)*float64(time.Second)))
					}
				}
				if w.note(start.Add(time.Duration(tick)*redraw), pause) {
					told = append(told, at)
				}
			}
			if !slices.Equal(told, tt.told) || w.total.Round(time.Millisecond) != tt.total {
				t.Errorf("told at %v, waited %v; want %v, %v", told, w.total, tt.told, tt.total)
			}
		})
	}
}

// slow is a source of one document, and the step that is at it for five minutes.
type slow struct{ pipeline.Source }

func (slow) Name() string { return "ask" }
func (slow) List(context.Context) iter.Seq2[pipeline.Ref, error] {
	return func(yield func(pipeline.Ref, error) bool) {
		yield(pipeline.Ref{Source: "inbox", ID: "a.txt", Name: "letters/a\x1b[2J.txt", Stamp: "1"}, nil)
	}
}
func (slow) Do(ctx context.Context, _ *pipeline.Document, _ *pipeline.Record) error {
	defer jobs.Stage(ctx, "waiting for the agent")()
	return pipeline.Sleep(ctx, 5*time.Minute)
}

// TestWatchdog names the document that hangs: once, and again when the time has doubled.
func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		lease, err := q.Join(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var said syncBuffer
		run := &jobRun{env: env{stderr: &said}, options: &runOptions{}, job: &job{slug: "analyst", state: "docbatch.db"},
			pace: agent.NewPace(nil, agent.NewMeter(), agent.Limits{})}
		run.runner = &jobs.Runner{Queue: q, Lease: lease, Sources: []pipeline.Source{slow{}}, Steps: []pipeline.Step{slow{}}}
		report := newReporter(run)
		report.start()
		if err := run.runner.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		report.stop()
		for _, after := range []string{"1m0s", "2m0s", "4m0s"} {
			if want := "docbatch: still working on letters/a[2J.txt after " + after + " (ask: waiting for the agent)\n"; strings.Count(said.String(), want) != 1 {
				t.Errorf("want once %q in\n%s", want, said.String())
			}
		}
		if got := strings.Count(said.String(), "still working"); got != 3 {
			t.Errorf("named %d times, want 3\n%s", got, said.String())
		}
	})
}

// A syncBuffer is a strings.Builder for several goroutines.
type syncBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
