package main

import (
	"fmt"
	"golang.org/x/text/width"
	"strings"
	"time"
	"unicode"

	"docbatch/jobs"
	"docbatch/pipeline/agent"
)

// pace is how fast the run goes: documents a second, over the last minute.
type pace struct {
	times    []time.Time
	finished []int
}

const paceWindow = time.Minute

// sample notes where the run stands, once a second.
func (p *pace) sample(now time.Time, progress jobs.Progress) {
	n := len(p.times)
	if n > 0 && now.Sub(p.times[n-1]) < time.Second {
		return
	}
	p.times, p.finished = append(p.times, now), append(p.finished, progress.Done+progress.Truncated+progress.Failed)
	for len(p.times) > 2 && now.Sub(p.times[0]) > paceWindow {
		p.times, p.finished = p.times[1:], p.finished[1:]
	}
}

// now is the rate; 0 where it is not known yet.
func (p *pace) now() float64 {
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

// left is how long the rest takes at that rate; 0 where that is not known.
func left(p jobs.Progress, rate float64) time.Duration {
	rest := p.Found - p.Finished()
	if !p.Listed || rate <= 0 || rest <= 0 {
		return 0
	}
	return time.Duration(float64(rest) / rate * float64(time.Second)).Round(time.Second)
}

func statusOf(p jobs.Progress, rate float64, pause agent.Pause) map[string]any {
	return map[string]any{"oldest": p.Oldest.Name, "oldest_stage": p.Oldest.Stage, "oldest_ms": p.Oldest.For.Milliseconds(), "ambiguous": p.Ambiguous, "found": known(p), "listed": p.Listed, "finished": p.Finished(), "failed": p.Failed, "in_flight": p.InFlight,
		"requests": p.Requests, "rate": rate, "eta_s": int(left(p, rate).Seconds()), "waiting_ms": pause.For.Milliseconds(), "waiting_for": pause.Why}
}

// plainLine is where the run stands, in words.
func plainLine(p jobs.Progress, rate float64, pause agent.Pause) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s finished", grouped(p.Finished()), found(p))
	writeDetails(&b, p, rate, pause)
	return b.String()
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

// known is how many documents there are, as far as is known: those that wait from an earlier run are worked on before they are
// listed again.
func known(p jobs.Progress) int { return max(p.Found, p.Finished()) }

// found is how many documents there are; more, while they are still being listed.
func found(p jobs.Progress) string {
	if !p.Listed {
		return grouped(known(p)) + "+ documents"
	}
	return plural(known(p), "document")
}

func writeDetails(b *strings.Builder, p jobs.Progress, rate float64, pause agent.Pause) {
	if p.Failed > 0 {
		fmt.Fprintf(b, ", %s failed", grouped(p.Failed))
	}
	if pause.For > 0 {
		fmt.Fprintf(b, ", waiting %v: %s", pause.For.Round(time.Second), pause.Why)
		return
	}
	if rate > 0 {
		fmt.Fprintf(b, ", %.1f/s", rate)
	}
	if eta := left(p, rate); eta > 0 {
		fmt.Fprintf(b, ", about %v left", eta)
	}
	if p.Oldest.For > interval {
		fmt.Fprintf(b, ", %v on %s", p.Oldest.For.Round(time.Second), oneLine(p.Oldest.Name, 40))
	}
}

// barLine is where the run stands, as a bar of fewer than so many columns.
func barLine(p jobs.Progress, rate float64, pause agent.Pause, columns int) string {
	cells := min(24, columns/4) // what it says matters more
	done := 0
	if n := known(p); n > 0 {
		done = cells * p.Finished() / n
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[%s%s] %s/%s", strings.Repeat("=", done), strings.Repeat(" ", cells-done), grouped(p.Finished()), found(p))
	writeDetails(&b, p, rate, pause)
	return fit(b.String(), columns-1)
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
