package main

import (
	"strings"
	"testing"
	"time"

	"docbatch/jobs"
	"docbatch/pipeline/agent"
)

func TestBarLine(t *testing.T) {
	for name, tt := range map[string]struct {
		progress jobs.Progress
		rate     float64
		pause    agent.Pause
		columns  int
		want     string
	}{
		"nothing yet": {jobs.Progress{}, 0, agent.Pause{}, 100, "[                        ] 0/0+ documents"},
		"half way":    {jobs.Progress{Listed: true, Found: 1200, Rested: 100, Done: 500}, 12.5, agent.Pause{}, 100, "[============            ] 600/1,200 documents, 12.5/s, about 48s left"},
		"failures":    {jobs.Progress{Listed: true, Found: 2, Failed: 2}, 0, agent.Pause{}, 100, "[========================] 2/2 documents, 2 failed"},
		"a pause":     {jobs.Progress{Found: 9}, 3, agent.Pause{For: 12 * time.Second, Why: "the agent asked for a pause"}, 100, "[                        ] 0/9+ documents, waiting 12s: the agent asked for a pause"},
		"cut to fit":  {jobs.Progress{Listed: true, Found: 2}, 0, agent.Pause{}, 20, "[     ] 0/2 documents"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := barLine(tt.progress, tt.rate, tt.pause, tt.columns); got != tt.want[:min(len(tt.want), tt.columns-1)] {
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
