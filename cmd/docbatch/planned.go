package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// A plan is what a run would do. Its documents are in exactly one of the counts.
type plan struct {
	Documents int `json:"documents"`
	Requests  int `json:"requests"`

	// By a request that is sent, in the words of a summary's reasons.
	Send struct {
		New      int `json:"new"`
		Changed  int `json:"changed"`
		Question int `json:"question"`
		Again    int `json:"again"`
	} `json:"send"`

	// From the store, without a request.
	Stored struct {
		Touched   int `json:"touched"`
		Before    int `json:"asked_before"`
		Moved     int `json:"moved"`
		Duplicate int `json:"duplicate"`
	} `json:"from_store"`

	Unchanged       int `json:"unchanged"` // and answered
	TruncatedBefore int `json:"truncated_before"`
	FailedBefore    int `json:"failed_before"`
	Unreadable      int `json:"unreadable"`
	TooLong         int `json:"too_long"`
	Left            int `json:"left"` // by --sample and --limit
	Gone            int `json:"gone"` // not among Documents

	Tokens struct {
		pipeline.Tokens
		Total   int `json:"total"`
		Low     int `json:"low"`
		High    int `json:"high"`
		Answers int `json:"drawn_from_answers"`
	} `json:"tokens"`
	Cost     *cost    `json:"cost,omitempty"`
	Duration *float64 `json:"duration_s,omitempty"` // not known: none
	Bound    string   `json:"duration_bound,omitempty"`
	Notes    []string `json:"notes"`

	Largest []sized          `json:"largest"`
	Causes  []sqlite.Failure `json:"failures"`
}

// cost is in the currency of the prices.
type cost struct {
	Expected float64 `json:"expected"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}

// count sorts the documents by what would become of them: shares are those that the rehearsal worked on, counts all of them after it.
func (p *plan) count(shares []sqlite.Share, progress jobs.Progress, counts jobs.Counts) {
	for _, s := range shares {
		switch {
		case s.State == pipeline.Failed && s.Kind == pipeline.KindTooLong:
			p.TooLong += s.Count
		case s.State == pipeline.Failed: // among progress.Failed
		case s.Before && s.Reason == jobs.Changed:
			p.Stored.Touched += s.Count
		case s.Before && !(s.Duplicate && s.Reason == jobs.Again): // asked again with one that is equal, it waits for the other's answer
			p.Stored.Before += s.Count
		case s.Duplicate:
			p.Stored.Duplicate += s.Count
		case s.Cached:
			p.Stored.Moved += s.Count
		default:
			*p.sent(s.Reason) += s.Count
		}
	}
	p.Unreadable = progress.Failed - p.TooLong
	p.FailedBefore = counts.Failed - progress.Failed
	p.TruncatedBefore = counts.Truncated - progress.Truncated
	p.Unchanged = progress.Rested - p.FailedBefore - p.TruncatedBefore
	p.Left, p.Gone = counts.Unfinished(), progress.Gone
}

func (p *plan) sent(why jobs.Reason) *int {
	switch why {
	case jobs.Changed:
		return &p.Send.Changed
	case jobs.Question:
		return &p.Send.Question
	case jobs.Again:
		return &p.Send.Again
	}
	return &p.Send.New
}

// estimate says what the requests take.
func (p *plan) estimate(r *rehearsal, j *job, now time.Time) {
	f := &r.forecast
	tokens := f.Tokens()
	p.Tokens.Tokens, p.Tokens.Total, p.Tokens.Answers = tokens, tokens.Total(), f.Answers
	p.Tokens.Low, p.Tokens.High = f.Range()
	if j.price != (agent.Price{}) && p.Tokens.Total > 0 {
		expected := j.price.Of(tokens)
		perToken := expected / float64(p.Tokens.Total)
		p.Cost = &cost{Expected: expected, Low: perToken * float64(p.Tokens.Low), High: perToken * float64(p.Tokens.High)}
	}
	p.time(r, j)
	p.note(j, now)
}

// time finds the limit that bounds the run, and so how long it takes: to send all, and the time of the last answer.
func (p *plan) time(r *rehearsal, j *job) {
	if p.Requests == 0 {
		return
	}
	f := &r.forecast
	var longest time.Duration
	consider := func(n, perMinute float64, format string, args ...any) {
		takes := max(0, time.Duration(n/perMinute*float64(time.Minute)))
		if p.Bound == "" || takes > longest {
			longest, p.Bound = takes, fmt.Sprintf(format, args...)
		}
	}
	if rate, found := r.pace.Rate(); found {
		consider(float64(p.Requests-1), rate, "%.0f requests a minute, the limit that was found", rate)
	} else if rate > 0 {
		consider(float64(p.Requests-1), rate, "%v requests a minute", j.pace.Requests)
	}
	if j.pace.Tokens > 0 {
		consider(float64(p.Tokens.Total)-j.pace.Tokens/60, j.pace.Tokens, "%v tokens a minute", j.pace.Tokens)
	}
	if f.Took > 0 {
		at := min(j.workers, cmp.Or(j.pace.InFlight, j.workers))
		consider(float64(p.Requests-at), float64(at)/f.Took.Minutes(), "%s at once, %s for an answer", plural(at, "call"), sayTime(f.Took))
	}
	if p.Bound != "" {
		seconds := (longest + f.Took).Seconds()
		p.Duration = &seconds
	}
}

// note says which bounds of one run are narrower than what is to be done.
func (p *plan) note(j *job, now time.Time) {
	p.Notes = []string{}
	say := func(format string, args ...any) { p.Notes = append(p.Notes, fmt.Sprintf(format, args...)) }
	if p.Requests > 0 && p.Tokens.Answers == 0 {
		say("no answer of this agent has been counted yet, so tokens are a guess, and the time is without that of an answer; docbatch run --sample 20 finds out")
	}
	if most := j.maxRequests; most > 0 && p.Requests > most {
		say("--max-requests %d ends a run before all are sent", most)
	}
	if most := j.maxTokens; most > 0 && p.Tokens.High > most {
		say("--max-tokens %d %s a run before all are sent", most, mayEnd(p.Tokens.Total > most))
	}
	if most := j.maxCost; most > 0 && p.Cost != nil && p.Cost.High > most {
		say("--max-cost %v %s a run before all are sent", most, mayEnd(p.Cost.Expected > most))
	}
	if end := j.deadline(now); !end.IsZero() && p.Duration != nil && now.Add(time.Duration(*p.Duration*float64(time.Second))).After(end) {
		say("begun now, a run would not be finished by %s", end.Format("2006-01-02 15:04 MST"))
	}
}

// extracted says what a better extractor than that of earlier runs means.
func (p *plan) extracted(before int, j *job) {
	if before == 0 || j.extraction.version != extractVersion || p.Send.Question == 0 {
		return
	}
	p.Notes = append(p.Notes, fmt.Sprintf("%s read by an earlier docbatch, which extracted less (version %d, now %d): those whose text differs are asked again; --keep-extracted, on the next run and on all that follow, keeps their answers",
		plural(before, "document")+" "+oneOrMore(before, "was", "were"), extractVersion-1, extractVersion))
}

func mayEnd(surely bool) string {
	if surely {
		return "ends"
	}
	return "may end"
}

// tell writes the plan for people.
func (p *plan) tell(w io.Writer) {
	fmt.Fprintf(w, "%s; nothing was sent. A run would send %s", plural(p.Documents, "document"), plural(p.Requests, "request"))
	if p.Requests > 0 {
		fmt.Fprint(w, ", for documents that are")
	}
	fmt.Fprintln(w)
	writeParts(w, []part{
		{p.Send.New, "new"},
		{p.Send.Changed, "changed"},
		{p.Send.Question, "unchanged, but asked another question: prompt, agent or parameters"},
		{p.Send.Again, "asked again on purpose"},
	})
	if p.Documents > p.Send.New+p.Send.Changed+p.Send.Question+p.Send.Again {
		fmt.Fprintln(w, "and none for those that are")
	}
	writeParts(w, []part{
		{p.Unchanged, "unchanged"},
		{p.Stored.Touched, "touched, but the same: answered from the store"},
		{p.Stored.Moved, "renamed or moved: answered from the store"},
		{p.Stored.Duplicate, "equal to another: answered from the store"},
		{p.Stored.Before, "asked a question that they have answered before: answered from the store"},
		{p.TruncatedBefore, "truncated before; docbatch retry puts them back"},
		{p.FailedBefore, "failed before; --redo failed asks again"},
		{p.Unreadable, "unreadable"},
		{p.TooLong, "too long for the limits"},
		{p.Left, "left for another run"},
	})
	if p.Gone > 0 {
		fmt.Fprintf(w, "%s more %s gone from the inputs.\n", grouped(p.Gone), oneOrMore(p.Gone, "is", "are"))
	}
	p.tellCost(w)
	writeCauses(w, p.Causes)
}

// tellCost writes what the requests take.
func (p *plan) tellCost(w io.Writer) {
	if p.Requests == 0 {
		return
	}
	line := func(key, format string, args ...any) {
		fmt.Fprintf(w, "%-9s %s\n", key+":", fmt.Sprintf(format, args...))
	}
	line("tokens", "about %s (%s to %s): %s of prompts, %s of answers", grouped(p.Tokens.Total), grouped(p.Tokens.Low), grouped(p.Tokens.High),
		grouped(p.Tokens.Prompt), grouped(p.Tokens.Completion))
	if p.Cost != nil {
		line("cost", "about %.3g (%.3g to %.3g)", p.Cost.Expected, p.Cost.Low, p.Cost.High)
	} else {
		line("cost", "not known: --price-input and --price-output, or agent.price in the job file")
	}
	if p.Duration != nil {
		line("time", "about %s (%s)", sayTime(time.Duration(*p.Duration*float64(time.Second))), p.Bound)
	} else {
		line("time", "not known: no limit is set, and no answer has come yet")
	}
	var names []string
	for _, l := range p.Largest {
		names = append(names, fmt.Sprintf("%s (%s)", oneLine(l.Name, 60), plural(l.Tokens, "token")))
	}
	line("largest", "%s", strings.Join(names, ", "))
	for _, note := range p.Notes {
		line("note", "%s", note)
	}
}

// sayTime says a time no more exactly than it is known.
func sayTime(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return "0.1s or less"
	case d < 10*time.Second:
		d = d.Round(100 * time.Millisecond)
	case d < time.Hour:
		d = d.Round(time.Second)
	default:
		d = d.Round(time.Minute)
	}
	return d.String()
}
