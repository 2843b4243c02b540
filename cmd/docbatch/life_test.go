package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline/agent"
)

// TestLife is what is seen of a run from outside, at noon.
func TestLife(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	here, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	for name, tt := range map[string]struct {
		run    sqlite.Run
		older  bool // a newer run began
		exists bool // a process of its number
		want   life
		says   string
	}{
		"works":                                {sqlite.Run{Host: here, Started: ago(time.Hour), ProgressAt: ago(time.Second)}, false, true, goesOn, "Run 3 goes on: "},
		"has just begun":                       {sqlite.Run{Host: here, Started: ago(time.Second)}, false, true, goesOn, ", sign of life 1s ago"},
		"waits":                                {sqlite.Run{Host: here, Started: ago(time.Hour), ProgressAt: ago(aliveEvery)}, false, true, goesOn, "Run 3 goes on: "},
		"works on another machine":             {sqlite.Run{Host: "another", Started: ago(time.Hour), ProgressAt: ago(aliveEvery)}, false, false, goesOn, "on another"},
		"on a machine whose clock is fast":     {sqlite.Run{Host: "another", Started: ago(time.Hour), ProgressAt: ago(-time.Minute)}, false, false, goesOn, ", sign of life 0s ago"},
		"in a container with this host's name": {sqlite.Run{Host: here, Started: ago(time.Hour), ProgressAt: ago(time.Second)}, false, false, goesOn, "Run 3 goes on: "},
		"killed here":                          {sqlite.Run{Host: here, Started: ago(time.Hour), ProgressAt: ago(3 * time.Second)}, false, false, killed, "Run 3 was killed: "},
		"killed before its first word":         {sqlite.Run{Host: here, Started: ago(3 * time.Second)}, false, false, killed, "without a word"},
		"a later one began":                    {sqlite.Run{Host: "another", Started: ago(time.Hour), ProgressAt: ago(time.Second)}, true, true, killed, "Run 3 was killed: "},
		"silent here":                          {sqlite.Run{Host: here, Started: ago(time.Hour), ProgressAt: ago(40 * time.Second)}, false, true, silent, "no sign of life for 40s: it was killed, or it hangs, or its machine sleeps"},
		"silent elsewhere":                     {sqlite.Run{Host: "another", Started: ago(time.Hour), ProgressAt: ago(40 * time.Second)}, false, false, silent, "the same command goes on"},
		"went well":                            {sqlite.Run{Host: here, Started: ago(time.Hour), Ended: ago(time.Minute)}, false, false, ended, "(59m0s), exit 0: all went well."},
		"failed documents":                     {sqlite.Run{Host: here, Started: ago(time.Hour), Ended: noon, Exit: exitDocuments}, false, false, ended, "exit 3: some documents failed or were truncated."},
		"stopped early": {sqlite.Run{Host: here, Started: ago(time.Hour), Ended: noon, Exit: exitQuota, Summary: []byte(`{"error":"the budget is used up","next":"Raise it."}`)},
			false, false, ended, "exit 5: the budget is used up.\nRaise it."},
		"of another version": {sqlite.Run{Host: here, Started: ago(time.Hour), Ended: noon, Exit: 99, Summary: []byte(`{"error":{}}`)}, false, false, ended, "exit 99: it does not say why."},
	} {
		t.Run(name, func(t *testing.T) {
			tt.run.Num = 3
			got := viewOf(tt.run)
			if !tt.older {
				got.watch(noon, func(int) bool { return !tt.exists })
			}
			if got.life != tt.want || !strings.Contains(got.sentence(), tt.says) {
				t.Errorf("got %s: %s\nwant %s: %s", got.life, got.sentence(), tt.want, tt.says)
			}
		})
	}
}

func TestProcessGone(t *testing.T) {
	if processGone(os.Getpid()) {
		t.Error("this process is gone")
	}
	cmd := process(t.TempDir(), "version")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if !processGone(cmd.Process.Pid) {
		t.Error("a process that has ended is not gone")
	}
}

// TestSignsOfLife is a run in which nothing happens but that a wait goes on, then something, with a store that fails once.
func TestSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reporter{run: &jobRun{options: &runOptions{}, job: &job{}, runner: &jobs.Runner{}, pace: agent.NewPace(nil, agent.NewMeter(), agent.Limits{})}}
		var saved []time.Duration
		began, tries := time.Now(), 0
		signs := r.signs(func(standing) error {
			if tries++; tries == 1 {
				return errors.New("disk full")
			}
			saved = append(saved, time.Since(began))
			return nil
		})
		for second := range 25 {
			if second == 15 {
				r.ending.Store(true) // a change
			}
			_ = signs()
			time.Sleep(time.Second)
		}
		want := fmt.Sprint([]time.Duration{1 * time.Second, 11 * time.Second, 15 * time.Second})
		if got := fmt.Sprint(saved); got != want {
			t.Errorf("saved after %v, want %v", got, want)
		}
	})
}

func TestLeft(t *testing.T) {
	for name, tt := range map[string]struct {
		standing standing
		want     int
	}{
		"no rate yet":         {standing{Listed: true, Found: 100}, 0},
		"still listing":       {standing{Found: 100, Rate: 10}, 0},
		"half way":            {standing{Listed: true, Found: 100, Finished: 50, Rate: 10}, 5},
		"the last one":        {standing{Listed: true, Found: 100, Finished: 99, Rate: 10}, 1},
		"none left":           {standing{Listed: true, Found: 100, Finished: 100, Rate: 10}, 0},
		"a part of them":      {standing{Listed: true, Found: 1000, Finished: 10, Answered: 9, Failed: 1, AtMost: 20, Rate: 1}, 10},
		"a part, and listing": {standing{Found: 1000, Finished: 10, Answered: 10, AtMost: 20, Rate: 1}, 10},
	} {
		if got := tt.standing.left(); got != tt.want {
			t.Errorf("%s: got %d s, want %d", name, got, tt.want)
		}
	}
}

// TestWaitsMeanwhile is a wait of 12 s that was told 5 s ago.
func TestWaitsMeanwhile(t *testing.T) {
	now := time.Now()
	h := viewOf(sqlite.Run{Num: 1, Host: "another", Started: now.Add(-time.Minute), ProgressAt: now.Add(-5 * time.Second),
		Progress: []byte(`{"waiting_ms":12000,"waiting_for":"the agent asked for a pause","oldest":"a.txt","oldest_ms":60000}`)})
	h.watch(now, processGone)
	var out strings.Builder
	h.standing.writeLines(&out)
	for _, want := range []string{"waiting 7s: the agent asked for a pause\n", "still working on a.txt after 1m5s "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	if got, want := h.took(), time.Minute; got != want {
		t.Errorf("it took %v, want %v", got, want)
	}
}
