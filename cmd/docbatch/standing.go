package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"docbatch/jobs"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// standing is where a run stands: what it stores about once a second for those who watch it, and the status event of --json.
type standing struct {
	Found     int                         `json:"found"`  // documents, as far as is known
	Listed    bool                        `json:"listed"` // all are known
	Finished  int                         `json:"finished"`
	Answered  int                         `json:"answered"` // in this run, truncated ones included, as in its summary
	Truncated int                         `json:"truncated"`
	Failed    int                         `json:"failed"`
	Cached    int                         `json:"cached"`
	InFlight  int                         `json:"in_flight"`
	AtMost    int                         `json:"at_most,omitempty"` // documents that this run works on; 0: all
	Redo      bool                        `json:"redo,omitempty"`    // it began by putting documents back
	Reasons   map[jobs.Reason]jobs.Worked `json:"reasons,omitempty"`

	Requests  int             `json:"requests"`
	Ambiguous int             `json:"ambiguous"`
	Tokens    pipeline.Tokens `json:"tokens"`
	Cost      *float64        `json:"cost,omitempty"` // where prices are set

	Rate        float64    `json:"rate"` // documents a second in the last minute; 0 where it is not known yet
	ETASeconds  int        `json:"eta_s"`
	WaitingMS   int64      `json:"waiting_ms"`
	WaitingFor  string     `json:"waiting_for"`
	Oldest      string     `json:"oldest"` // the document that is at one thing for the longest time
	OldestStage string     `json:"oldest_stage"`
	OldestMS    int64      `json:"oldest_ms"`
	Limits      bounds     `json:"limits"`
	Deadline    *time.Time `json:"deadline,omitempty"`
	Ending      bool       `json:"ending"` // the work is over; the outputs are being written
}

// bounds are the limits in force; 0 is one that is not known.
type bounds struct {
	Workers  int     `json:"workers"`
	InFlight int     `json:"in_flight"`
	RPM      float64 `json:"rpm"`   // what is used of it
	Found    bool    `json:"found"` // nobody told RPM: it was found
	TPM      float64 `json:"tpm"`
}

// most is how many documents the run works on at most; 0: all.
func (p *partFlags) most() int {
	if p.sample > 0 && p.limit > 0 {
		return min(p.sample, p.limit)
	}
	return max(p.sample, p.limit)
}

// standing is where the run stands at now.
func (r *reporter) standing(now time.Time, p jobs.Progress, pause agent.Pause) standing {
	j := r.run.job
	s := standing{
		Found: known(p), Listed: p.Listed, Finished: p.Finished(),
		Answered: p.Done + p.Truncated, Truncated: p.Truncated, Failed: p.Failed, Cached: p.Cached, InFlight: p.InFlight,
		AtMost: r.run.options.most(), Redo: len(r.run.options.redo) > 0, Reasons: p.Reasons,
		Requests: p.Requests, Ambiguous: p.Ambiguous, Tokens: p.Tokens, Cost: r.cost(),
		Rate: r.pace.sample(now, p), WaitingMS: pause.For.Milliseconds(), WaitingFor: pause.Why,
		Oldest: p.Oldest.Name, OldestStage: p.Oldest.Stage, OldestMS: p.Oldest.For.Milliseconds(),
		Limits: bounds{Workers: j.workers, InFlight: j.pace.InFlight, TPM: j.pace.Tokens},
		Ending: r.ending.Load(),
	}
	s.Limits.RPM, s.Limits.Found = r.run.pace.Rate()
	if at := r.run.runner.Deadline; !at.IsZero() {
		s.Deadline = &at
	}
	s.ETASeconds = s.left()
	return s
}

// known is how many documents there are, as far as is known: one may be finished a moment before it is counted as listed.
func known(p jobs.Progress) int { return max(p.Found, p.Finished()) }

// cost is what the run cost so far; nil where no prices are set.
func (r *reporter) cost() *float64 {
	price := r.run.job.price
	if price == (agent.Price{}) {
		return nil
	}
	cost := price.Of(r.run.budget.Spent().Tokens)
	return &cost
}

// age makes of where the run stood that long ago where it stands, as far as only time has passed.
func (s *standing) age(by time.Duration) {
	s.WaitingMS = max(0, s.WaitingMS-by.Milliseconds())
	if s.OldestMS > 0 {
		s.OldestMS += by.Milliseconds()
	}
}

// lasting is what stays so while only time passes.
func (s standing) lasting() standing {
	s.Rate, s.ETASeconds, s.WaitingMS, s.OldestMS = 0, 0, 0, 0
	return s
}

// left is how many seconds the rest takes at that rate; 0 where that is not known.
func (s *standing) left() int {
	rest := s.Found - s.Finished
	if s.AtMost > 0 {
		rest = min(rest, s.AtMost-s.Answered-s.Failed)
	} else if !s.Listed {
		return 0
	}
	if s.Rate <= 0 || rest <= 0 {
		return 0
	}
	return max(1, int(float64(rest)/s.Rate+0.5))
}

// part is how many documents this run worked on, and how many it is to: those of the job, or the part that --sample and --limit leave.
func (s *standing) part() (finished, all int, words string) {
	if s.AtMost == 0 {
		return s.Finished, s.Found, s.found()
	}
	finished = s.Answered + s.Failed
	all = min(s.AtMost, s.Found-s.Finished+finished)
	return finished, all, grouped(all) + " of " + s.found()
}

// found is how many documents there are, in words; more, while they are still being listed.
func (s *standing) found() string {
	if !s.Listed {
		return grouped(s.Found) + "+ documents"
	}
	return plural(s.Found, "document")
}

// words is where the run stands, for people.
func (s *standing) words() string {
	var b strings.Builder
	finished, _, of := s.part()
	fmt.Fprintf(&b, "%s of %s finished", grouped(finished), of)
	s.writeDetails(&b)
	return b.String()
}

func (s *standing) writeDetails(b *strings.Builder) {
	if s.Failed > 0 {
		fmt.Fprintf(b, ", %s failed", grouped(s.Failed))
	}
	if s.WaitingMS > 0 {
		fmt.Fprintf(b, ", %s", s.waiting())
		return
	}
	if s.Rate > 0 {
		fmt.Fprintf(b, ", %.1f/s", s.Rate)
	}
	if s.ETASeconds > 0 {
		fmt.Fprintf(b, ", about %v left", s.eta())
	}
	if on := s.onOldest(); on > interval {
		fmt.Fprintf(b, ", %v on %s", on.Round(time.Second), oneLine(s.Oldest, 40))
	}
}

// waiting says how long all wait yet, and why.
func (s *standing) waiting() string {
	return fmt.Sprintf("waiting %v: %s", s.wait().Round(time.Second), s.WaitingFor)
}

// bar is where the run stands, as a bar of fewer than so many columns.
func (s *standing) bar(columns int) string {
	cells := min(24, columns/4) // what it says matters more
	done := 0
	finished, all, of := s.part()
	if all > 0 {
		done = min(cells, cells*finished/all)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[%s%s] %s/%s", strings.Repeat("=", done), strings.Repeat(" ", cells-done), grouped(finished), of)
	s.writeDetails(&b)
	return fit(b.String(), columns-1)
}

// eta, wait and onOldest are what the JSON has as numbers.
func (s *standing) eta() time.Duration      { return time.Duration(s.ETASeconds) * time.Second }
func (s *standing) wait() time.Duration     { return time.Duration(s.WaitingMS) * time.Millisecond }
func (s *standing) onOldest() time.Duration { return time.Duration(s.OldestMS) * time.Millisecond }

// aliveEvery is how often a run gives a sign of life, even where nothing changes.
const aliveEvery = 10 * time.Second

// signs gives what keeps others told where the run stands: save is called with that if something has changed, or if it was not for
// long. That a wait goes on is no change.
func (r *reporter) signs(save func(standing) error) func() error {
	var last standing
	var saved time.Time
	return func() error {
		now := time.Now()
		s := r.standing(now, r.run.runner.Progress(), r.run.pace.Paused())
		lasting := s.lasting()
		if now.Sub(saved) < aliveEvery && reflect.DeepEqual(lasting, last) {
			return nil
		}
		if err := save(s); err != nil {
			return err
		}
		last, saved = lasting, now
		return nil
	}
}
