package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
)

// life is what a run is doing, as far as that can be seen from outside.
type life string

const (
	goesOn life = "going on"
	silent life = "silent" // it may hang, or its machine sleep; or it was killed, elsewhere
	killed life = "killed"
	ended  life = "ended"
)

// silentAfter is how long a run may give no sign of life: three of them are missing then.
const silentAfter = 3*aliveEvery + 2*time.Second

// runView is a run as it is told: what it stored of itself while it went on, and when it ended.
type runView struct {
	sqlite.Run
	life     life
	silence  time.Duration // since its last sign of life; 0 where it does not go on
	summary  summary       // where it has ended
	standing standing      // the last that it said, see stands; zero where it said nothing
}

// viewOf is a run as it is stored: one that has not ended is taken for killed, until it is watched.
func viewOf(r sqlite.Run) runView {
	h := runView{Run: r, life: ended}
	if r.Ended.IsZero() {
		h.life = killed
	}
	// What another version wrote may not fit; then less is told.
	_ = json.Unmarshal(r.Summary, &h.summary)
	_ = json.Unmarshal(r.Progress, &h.standing)
	return h
}

// watch looks what the newest run, the only one that may go on, is doing now. free: just before it was read, nobody held the state
// file on this machine.
func (h *runView) watch(now time.Time, free bool) {
	if h.life == ended {
		return
	}
	since := now.Sub(h.seen()) // less than 0 where a clock was set back
	if host, err := os.Hostname(); err == nil && host == h.Host && free && since.Abs() > 2*keepEvery {
		return
	}
	silence := max(0, since)
	if silence > silentAfter && !h.Alive && !h.standing.Ending { // a run that writes its outputs has given its lease back
		return
	}
	h.life, h.silence = goesOn, silence
	if silence > silentAfter {
		h.life = silent
	}
}

// isFree reports whether certainly nobody on this machine holds the state file.
func isFree(state string) bool {
	holder, err := sqlite.Holder(state)
	return err == nil && holder == ""
}

// stands is where the run stands, as far as that can be told now: how fast it is, and what it waits for, only where it goes on.
func (h *runView) stands() standing {
	s := h.standing
	if h.life == goesOn {
		s.age(h.silence)
		return s
	}
	if h.life != silent {
		s.InFlight = 0
	}
	return s.lasting()
}

// worksOn reports whether the document is known to be in flight: a run names one of them.
func (h *runView) worksOn(d *sqlite.Entry) bool {
	return h.life == goesOn && d.State == pipeline.Claimed && d.Name == h.standing.Oldest
}

// mayGoOn reports whether the run goes on, as far as can be seen.
func (h *runView) mayGoOn() bool { return h.life == goesOn || h.life == silent }

// seen is when the run gave its last sign of life.
func (h *runView) seen() time.Time {
	if h.ProgressAt.After(h.Started) {
		return h.ProgressAt
	}
	return h.Started
}

// took is how long the run took, so far where it may go on.
func (h *runView) took() time.Duration {
	if h.life == ended {
		return h.Ended.Sub(h.Started)
	}
	return h.seen().Sub(h.Started) + h.silence
}

// effort is what the run did, and what that cost.
func (h *runView) effort() effort {
	if s := &h.summary; h.life == ended {
		return effort{answered: s.Answered, failed: s.Fails, requests: s.Requests, tokens: s.Tokens.Total(), worked: s.Reasons, cost: s.Cost}
	}
	s := &h.standing
	return effort{answered: s.Answered, failed: s.Failed, requests: s.Requests, tokens: s.Tokens.Total(), worked: s.Reasons, cost: s.Cost}
}

// sentence says in a line, or a few, what the run is doing.
func (h *runView) sentence() string {
	words := h.lifeWords()
	if h.standing.Redo && h.life != ended { // the summary knows it
		words = withoutRedo.Replace(words)
	}
	return words
}

func (h *runView) lifeWords() string {
	switch took := roughly(h.took()); h.life {
	case goesOn:
		return fmt.Sprintf("Run %d goes on: since %s (%s), sign of life %s ago, pid %d on %s.", h.Num, localTime(h.Started), took, roughly(h.silence), h.PID, h.Host)
	case silent:
		return fmt.Sprintf("Run %d has given no sign of life for %s: it was killed, or it hangs, or its machine sleeps (since %s, pid %d on %s).\nIf it was killed, the same command goes on where it stood.",
			h.Num, roughly(h.silence), localTime(h.Started), h.PID, h.Host)
	case killed:
		return fmt.Sprintf("Run %d was killed: %s to about %s (%s), without a word. The same command goes on where it stood.",
			h.Num, localTime(h.Started), localTime(h.seen()), took)
	default:
		return fmt.Sprintf("Run %d ended: %s to %s (%s), exit %d: %s.%s", h.Num, localTime(h.Started), localTime(h.Ended), took, h.Exit,
			strings.TrimSuffix(withoutRepeats(cmp.Or(h.summary.Error, exitWords[h.Exit], "it does not say why")), "."), onNextLine(h.summary.Next))
	}
}

// exitWords say what an exit code means where a run stored no error.
var exitWords = map[int]string{
	exitOK:        "all went well",
	exitDocuments: "some documents failed or were truncated",
}

func onNextLine(s string) string {
	if s == "" {
		return ""
	}
	return "\n" + s
}

// roughly is a duration for people, to the second where it is longer than one.
func roughly(d time.Duration) string {
	if d < time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
