package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
)

// summary is how a run ended; it is stored with the run.
type summary struct {
	jobs.Counts
	Answered  int                         `json:"answered"`      // in this run
	Cached    int                         `json:"cached"`        // of them, from the store
	Fails     int                         `json:"failed_in_run"` // those that can't be listed included
	GoneNow   int                         `json:"gone_in_run"`   // found to be gone by this run
	Emptied   []emptied                   `json:"emptied"`       // inputs that had documents, and have none any more
	Reasons   map[jobs.Reason]jobs.Worked `json:"reasons"`       // the documents that were worked on in this run, by why
	Requests  int                         `json:"requests"`
	Ambiguous int                         `json:"ambiguous"` // of them, those without an answer that may have been billed
	Unstored  int                         `json:"unstored"`  // and those whose answer could not be stored
	Tokens    pipeline.Tokens             `json:"tokens"`
	Cost      *float64                    `json:"cost,omitempty"` // of this run, where prices are set
	Exit      int                         `json:"exit"`
	Error     string                      `json:"error,omitempty"`
	Next      string                      `json:"next,omitempty"` // what to do next
	Part      bool                        `json:"part"`           // documents were left on purpose
	ElapsedMS int64                       `json:"elapsed_ms"`
	WaitedMS  int64                       `json:"waited_ms"` // of that, for the agent's limits and pauses
	Outputs   []string                    `json:"outputs"`
	Written   bool                        `json:"outputs_written"`
	State     string                      `json:"state_file"`
}

// An emptied input has no document any more: it was emptied on purpose, or it is a share that is not mounted.
type emptied struct {
	Source string `json:"source"`
	Gone   int    `json:"gone"` // documents that it had before this run
}

// emptied finds the inputs that had documents before this run, and have none any more.
func (r *reporter) emptied(ctx context.Context, sources []string) []emptied {
	found := []emptied{}
	for _, name := range sources {
		if n, err := r.run.store.GoneSince(ctx, name, r.started); err == nil && n > 0 {
			found = append(found, emptied{name, n})
		}
	}
	return found
}

func (r *reporter) summary(ctx context.Context, counts jobs.Counts, exit int, written bool, err error) summary {
	p := r.run.runner.Progress()
	s := summary{
		Counts:    counts,
		Answered:  p.Done + p.Truncated,
		Cached:    p.Cached,
		Fails:     p.Failed,
		GoneNow:   p.Gone,
		Emptied:   r.emptied(ctx, p.Empty),
		Reasons:   p.Reasons,
		Requests:  p.Requests,
		Ambiguous: p.Ambiguous,
		Unstored:  p.Unstored,
		Tokens:    p.Tokens,
		Cost:      r.cost(),
		Exit:      exit,
		Next:      r.next(exit, err),
		Part:      r.run.options.partial(),
		ElapsedMS: time.Since(r.started).Milliseconds(),
		WaitedMS:  r.waits.total.Milliseconds(),
		Outputs:   listed(r.run.job.outputs),
		Written:   written,
		State:     r.run.job.state,
	}
	if err != nil {
		s.Error = err.Error()
	}
	if s.Reasons == nil {
		s.Reasons = map[jobs.Reason]jobs.Worked{}
	}
	return s
}

// next is what to do after the run; "" where there is nothing to say.
func (r *reporter) next(exit int, err error) string {
	next := nextStep(exit, err)
	if len(r.run.options.redo) > 0 {
		next = withoutRedo.Replace(next)
	}
	return next
}

// lastWords say what happened and what to do next, unless that is kept from stderr. They are returned all the same.
func (r *reporter) lastWords(s summary, causes []sqlite.Failure, err error) []string {
	if r.run.options.json {
		if err != nil {
			event := errorEvent(err)
			event["next"] = s.Next
			r.json("error", event)
		}
		r.json("summary", asMap(s))
	}
	words := s.words(causes, err)
	for _, line := range words {
		if r.run.options.json || r.run.options.quiet && s.Exit == exitOK && len(s.Emptied) == 0 {
			r.run.log.say(line)
		} else {
			r.tell("%s", line)
		}
	}
	return words
}

// withoutRedo says how a run goes on that had a --redo: with it, all that it names would be asked again.
var withoutRedo = strings.NewReplacer("the same command goes on", "the same command without --redo goes on",
	"The same command goes on", "The same command without --redo goes on")

// words are the summary for people, and what to do next, line by line.
func (s summary) words(causes []sqlite.Failure, err error) (words []string) {
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if err != nil {
		say("stopped: %s", withoutRepeats(err.Error()))
	}
	say("%s", s.sentence())
	if s.Unstored > 0 {
		say("%s came and could not be stored; %s asked for again", plural(s.Unstored, "answer"), oneOrMore(s.Unstored, "it is", "they are"))
	}
	if s.Ambiguous > 0 {
		say("%s ended without an answer after %s sent; %s may have been billed", plural(s.Ambiguous, "request"), oneOrMore(s.Ambiguous, "it was", "they were"), oneOrMore(s.Ambiguous, "it", "they"))
	}
	for _, e := range s.Emptied {
		say("%s has no document any more, and had %s before. Is it mounted? Their answers are kept: --gone keep keeps them in the outputs",
			oneLine(e.Source, 200), plural(e.Gone, "document"))
	}
	shown := len(causes)
	if shown > maxCauses+1 {
		shown = maxCauses
	}
	for _, c := range causes[:shown] {
		say("%s", causeLine(c))
	}
	if more := len(causes) - shown; more > 0 {
		say("  and %s more; docbatch status lists all", plural(more, "cause"))
	}
	switch {
	case s.Written && s.Part && s.Unfinished() > 0:
		say("results, of the %s that have an outcome only: %s (state: %s)", plural(s.Total()-s.Unfinished(), "document"), strings.Join(s.Outputs, ", "), s.State)
	case s.Written:
		say("results: %s (state: %s)", strings.Join(s.Outputs, ", "), s.State)
	case err == nil && s.Done+s.Truncated > 0:
		say("the answers are in %s; docbatch export -o results.csv writes them", s.State)
	}
	if err == nil && s.Part && s.Unfinished() > 0 {
		say("%s left on purpose; the same command without --sample and --limit goes on", oneOrMore(s.Unfinished(), "1 document was", grouped(s.Unfinished())+" documents were"))
	}
	if err == nil && s.Total() == 0 {
		say("there is no document in the inputs: check the paths, and --include and --exclude if they are used")
	}
	if s.Exit == exitDocuments && err == nil {
		say("docbatch status lists the causes.")
	}
	if s.Next != "" {
		say("%s", s.Next)
	}
	return words
}

// nextStep is what to do after a run that ended like this; "" where there is nothing to say.
func nextStep(exit int, err error) string {
	if next := whatNext(err); next != "" || exit != exitDocuments {
		return next
	}
	return "docbatch retry puts failed documents back for the next run; rows and folders that can't be read are tried again when they change."
}

// maxCauses is how many causes of failures the last words name.
const maxCauses = 3

// causeLine is a group of failures, with an example that docbatch show knows.
func causeLine(c sqlite.Failure) string {
	return fmt.Sprintf("%10s  %s (%s), for example %s: %s", grouped(c.Count), c.Class, c.Kind, oneLine(c.Example, 80), oneLine(c.Message, 200))
}

// withoutRepeats is a message of several lines, each of them once: what stopped the run may have stopped its end too.
func withoutRepeats(message string) string {
	return strings.Join(slices.Compact(strings.Split(message, "\n")), "\n")
}

// sentence is the summary for people.
func (s summary) sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s answered", plural(s.Total(), "document"), grouped(s.Done))
	for _, part := range []part{{s.Truncated, "truncated"}, {s.Failed, "failed"}, {s.Unfinished(), "waiting"}} {
		if part.n > 0 {
			fmt.Fprintf(&b, ", %s %s", grouped(part.n), part.what)
		}
	}
	fmt.Fprintf(&b, "; this run: %s, %s", plural(s.Requests, "request"), plural(s.Tokens.Total(), "token"))
	if s.Cost != nil {
		fmt.Fprintf(&b, ", cost %.4g", *s.Cost)
	}
	if s.Cached > 0 {
		fmt.Fprintf(&b, ", %s answered from the store", grouped(s.Cached))
	}
	if s.GoneNow > 0 {
		fmt.Fprintf(&b, ", %s gone from the inputs", grouped(s.GoneNow))
	}
	fmt.Fprintf(&b, ", %v", (time.Duration(s.ElapsedMS) * time.Millisecond).Round(100*time.Millisecond))
	return b.String()
}

// listed is a list for programs: one of nothing is no null.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func asMap(v any) map[string]any {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain numbers and strings
	}
	m := map[string]any{}
	if err := json.Unmarshal(b, &m); err != nil {
		panic(err)
	}
	return m
}

// plural is a number with its noun, the digits grouped.
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(n) + " " + noun
}

// oneOrMore is the word for one thing, or that for more.
func oneOrMore(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
