package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	// seen gives a run that began an hour ago, by when it was seen last.
	seen := func(host string, last time.Duration) sqlite.Run {
		return sqlite.Run{Host: host, Started: ago(time.Hour), ProgressAt: ago(last), Alive: true, Progress: []byte(`{"rate":2,"eta_s":30}`)}
	}
	with := func(r sqlite.Run, progress string) sqlite.Run {
		r.Progress = []byte(progress)
		return r
	}
	released := func(r sqlite.Run) sqlite.Run {
		r.Alive = false
		return r
	}
	final := func(exit int, summary string) sqlite.Run {
		return sqlite.Run{Host: here, Started: ago(time.Hour), Ended: ago(time.Minute), Exit: exit, Summary: []byte(summary)}
	}
	const ending, redo, long = `{"ending":true}`, `{"redo":true}`, 40 * time.Second
	for name, tt := range map[string]struct {
		run  sqlite.Run
		free bool // nobody here holds the state file
		want life
		says string
	}{
		"works":                            {seen(here, time.Second), false, goesOn, "Run 3 goes on: "},
		"has just begun":                   {sqlite.Run{Host: here, Started: ago(time.Second), Alive: true}, false, goesOn, ", sign of life 1s ago"},
		"begins while one looks":           {sqlite.Run{Host: here, Started: ago(time.Second), Alive: true}, true, goesOn, ", sign of life 1s ago"},
		"waits":                            {seen(here, aliveEvery), false, goesOn, "Run 3 goes on: "},
		"works on another machine":         {seen("another", aliveEvery), true, goesOn, "on another"},
		"on a machine whose clock is fast": {seen("another", -time.Minute), true, goesOn, ", sign of life 0s ago"},
		"killed here":                      {seen(here, 3*time.Second), true, killed, "Run 3 was killed: "},
		"killed here, and the clock was set back":                   {seen(here, -time.Hour), true, killed, "Run 3 was killed: "},
		"killed before its first word":                              {sqlite.Run{Host: here, Started: ago(3 * time.Second), Alive: true}, true, killed, "without a word"},
		"killed here a day ago, and another process has its number": {sqlite.Run{Host: here, PID: os.Getpid(), Started: ago(25 * time.Hour), ProgressAt: ago(24 * time.Hour), Alive: true}, true, killed, "Run 3 was killed: "},
		"killed elsewhere, and the file was opened since":           {released(seen("another", long)), true, killed, "The same command goes on"},
		"killed, and another holds the file":                        {released(seen(here, long)), false, killed, "Run 3 was killed: "},
		"killed after it put documents back":                        {with(seen(here, long), redo), true, killed, "The same command without --redo goes on"},
		"writes its outputs":                                        {with(released(seen(here, aliveEvery)), ending), false, goesOn, "Run 3 goes on: "},
		"stuck while it writes its outputs":                         {with(released(seen("another", long)), ending), true, silent, "no sign of life"},
		"silent here":                                               {seen(here, long), false, silent, "no sign of life for 40s: it was killed, or it hangs, or its machine sleeps"},
		"silent elsewhere":                                          {seen("another", long), true, silent, "the same command goes on"},
		"silent after it put documents back":                        {with(seen(here, long), redo), false, silent, "the same command without --redo goes on"},
		"went well":                                                 {final(exitOK, ""), true, ended, "(59m0s), exit 0: all went well."},
		"failed documents":                                          {final(exitDocuments, ""), true, ended, "exit 3: some documents failed or were truncated."},
		"stopped early":                                             {final(exitQuota, `{"error":"the budget is used up","next":"Raise it."}`), true, ended, "exit 5: the budget is used up.\nRaise it."},
		"of another version":                                        {final(99, `{"error":{}}`), true, ended, "exit 99: it does not say why."},
	} {
		t.Run(name, func(t *testing.T) {
			tt.run.Num = 3
			got := viewOf(tt.run)
			got.watch(noon, tt.free)
			if got.life != tt.want || !strings.Contains(got.sentence(), tt.says) {
				t.Errorf("got %s: %s\nwant %s: %s", got.life, got.sentence(), tt.want, tt.says)
			}
			if stands := got.stands(); got.life != goesOn && (stands.Rate != 0 || stands.ETASeconds != 0) {
				t.Errorf("it says how fast it is: %s", stands.words())
			}
		})
	}
}

// TestIsFree looks at state files that somebody holds, or nobody.
func TestIsFree(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.db")
	if !isFree(state) {
		t.Error("a file that is not there is held")
	}
	store, err := sqlite.Open(t.Context(), state, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if isFree(state) {
		t.Error("a file that is held is free")
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if !isFree(state) {
		t.Error("a file that nobody holds any more is held")
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
	h.watch(now, false)
	var out strings.Builder
	stands := h.stands()
	stands.writeLines(&out)
	for _, want := range []string{"waiting 7s: the agent asked for a pause\n", "still working on a.txt after 1m5s "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	if got, want := h.took(), time.Minute; got != want {
		t.Errorf("it took %v, want %v", got, want)
	}
}
