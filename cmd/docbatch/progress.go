package main

import (
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/width"

	"docbatch/jobs"
	"docbatch/pipeline/agent"
)

// pace is how fast the run goes: documents a second, over the last minute.
type pace struct {
	mu       sync.Mutex
	times    []time.Time
	finished []int
}

const paceWindow = time.Minute

// sample notes where the run stands, once a second, and gives the rate; 0 where it is not known yet.
func (p *pace) sample(now time.Time, progress jobs.Progress) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.times)
	if n > 0 && now.Sub(p.times[n-1]) < time.Second {
		return p.rate()
	}
	p.times, p.finished = append(p.times, now), append(p.finished, progress.Done+progress.Truncated+progress.Failed)
	for len(p.times) > 2 && now.Sub(p.times[0]) > paceWindow {
		p.times, p.finished = p.times[1:], p.finished[1:]
	}
	return p.rate()
}

// rate is that of the samples. p.mu is held.
func (p *pace) rate() float64 {
	n := len(p.times)
	if n < 2 || p.times[n-1].Sub(p.times[0]) < rateAfter {
		return 0
	}
	return float64(p.finished[n-1]-p.finished[0]) / p.times[n-1].Sub(p.times[0]).Seconds()
}

// waits notes how long all wait for the agent's limits and pauses.
type waits struct {
	total time.Duration
	seen  time.Time // the last note
	until time.Time // the end of the wait that was told; zero while there is none
	told  time.Time
}

// note reports whether the pause is worth telling: it begins, or became much longer, and is neither short nor one of many.
func (w *waits) note(now time.Time, pause agent.Pause) bool {
	before := w.seen
	w.seen = now
	if pause.For <= 0 {
		w.until = time.Time{}
		return false
	}
	if !before.IsZero() {
		w.total += now.Sub(before)
	}
	end := now.Add(pause.For)
	if pause.For < longWait-redraw || !w.until.IsZero() && end.Before(w.until.Add(interval)) {
		return false
	}
	w.until = end
	if now.Sub(w.told) < interval && pause.For < interval {
		return false
	}
	w.told = now
	return true
}

// until says when the run will stop, with the time zone; "" where it has no deadline.
func until(deadline time.Time) string {
	if deadline.IsZero() {
		return ""
	}
	return ", until " + deadline.Format("2006-01-02 15:04 MST")
}

// deadlineJSON is a deadline for programs.
func deadlineJSON(deadline time.Time) any {
	if deadline.IsZero() {
		return nil
	}
	return deadline.Format(time.RFC3339)
}

// fit is printable s on one line, cut to so many columns of a terminal.
func fit(s string, columns int) string {
	s = strings.NewReplacer("\n", " ", "\t", " ").Replace(printable(s))
	for i, r := range s {
		if columns -= columnsOf(r); columns < 0 {
			return s[:i]
		}
	}
	return s
}

// columnsOf is how many columns a letter takes: two for most of East Asia's, none for a mark that combines with the one before.
func columnsOf(r rune) int {
	if unicode.Is(unicode.Mn, r) {
		return 0
	}
	if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}
