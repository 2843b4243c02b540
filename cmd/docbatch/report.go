package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/width"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// schemaVersion is that of the JSON lines. It changes when a reader of the old ones could misunderstand the new ones.
const schemaVersion = 1

const (
	clearLine = "\x1b[K"               // from the cursor to the end of the line
	redraw    = 200 * time.Millisecond // of the progress bar
	interval  = 30 * time.Second       // between plain lines
	rateAfter = 2 * time.Second        // before it, a rate would be a guess
)

// A reporter tells a person, or a program, how a run goes: a bar on a terminal, plain lines elsewhere, JSON lines if asked.
type reporter struct {
	run     *jobRun
	started time.Time
	bar     bool // a terminal to draw on

	mu    sync.Mutex // one writer at a time
	drawn bool       // a bar stands on the last line

	over  chan struct{}
	ended chan struct{}

	pace   pace
	plain  time.Time // when the last plain line was written
	paused bool      // whether it said that the run waits
}

func newReporter(r *jobRun) *reporter {
	_, tty := terminal(r.stderr)
	return &reporter{
		run:     r,
		started: time.Now(),
		bar:     tty && !r.options.quiet && !r.options.json && !r.options.verbose,
		over:    make(chan struct{}),
		ended:   make(chan struct{}),
	}
}

// start says what begins, and keeps saying how it goes until stop.
func (r *reporter) start() {
	r.plain = r.started
	r.json("start", map[string]any{"job": r.run.job.name, "state": r.run.job.state, "agent": r.run.job.slug, "base_url": r.run.job.baseURL,
		"workers": r.run.job.workers, "rpm": r.run.job.rpm})
	if !r.bar {
		r.say("asking %s, %s, state in %s", r.run.job.asked(), plural(r.run.job.workers, "worker"), r.run.job.state)
	}
	go r.loop()
}

func (r *reporter) stop() {
	close(r.over)
	<-r.ended
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clear()
}

func (r *reporter) loop() {
	defer close(r.ended)
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.tick(time.Now())
		case <-r.over:
			return
		}
	}
}

// tick draws the bar, or writes a line if it is time for one.
func (r *reporter) tick(now time.Time) {
	p, pause := r.run.runner.Progress(), r.run.pace.Paused()
	r.pace.sample(now, p)
	if r.bar {
		r.mu.Lock()
		defer r.mu.Unlock()
		columns, _ := terminal(r.run.stderr) // it may have been resized
		r.draw(barLine(p, r.pace.now(), pause, columns))
		return
	}
	changed := (pause.For > 0) != r.paused
	if now.Sub(r.plain) < interval && !changed {
		return
	}
	r.plain, r.paused = now, pause.For > 0
	r.json("status", statusOf(p, r.pace.now(), pause))
	r.say("%s", plainLine(p, r.pace.now(), pause))
}

// say writes a line for people.
func (r *reporter) say(format string, args ...any) {
	if r.run.options.quiet || r.run.options.json {
		return
	}
	r.tell(format, args...)
}

// tell writes a line that must be said.
func (r *reporter) tell(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clear()
	fmt.Fprintln(r.run.stderr, "docbatch:", printable(fmt.Sprintf(format, args...)))
}

// draw puts line in place of the bar. r.mu is held.
func (r *reporter) draw(line string) {
	fmt.Fprintf(r.run.stderr, "\r%s%s", line, clearLine)
	r.drawn = true
}

// clear takes the bar away. r.mu is held.
func (r *reporter) clear() {
	if r.drawn {
		fmt.Fprintf(r.run.stderr, "\r%s", clearLine)
		r.drawn = false
	}
}

// json writes one JSON line, if they are asked for.
func (r *reporter) json(event string, fields map[string]any) {
	if !r.run.options.json {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	writeJSON(r.run.stdout, event, fields)
}

// tellJSON tells of an error that was not told yet, and gives the one that only carries the exit code.
func tellJSON(e env, err error) error {
	var told *toldError
	if err == nil || errors.As(err, &told) {
		return err
	}
	writeJSON(e.stdout, "error", errorEvent(err))
	return &toldError{code: exitCode(err)}
}

func errorEvent(err error) map[string]any {
	return map[string]any{"exit": exitCode(err), "error": err.Error(), "next": whatNext(err)}
}

func writeJSON(w io.Writer, event string, fields map[string]any) {
	fields["schema_version"] = schemaVersion
	fields["event"] = event
	fields["time"] = time.Now().UTC().Format(time.RFC3339Nano)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(fields)
}

// item tells of one outcome.
func (r *reporter) item(rec pipeline.Record) {
	if !r.run.options.json {
		return
	}
	fields := map[string]any{"source": rec.Source, "id": rec.ID, "name": rec.Name, "state": rec.State, "attempts": rec.Tries,
		"duration_ms": rec.Duration.Milliseconds(), "cached": rec.Cached, "tokens": rec.Tokens.Total()}
	if rec.Err != nil {
		fields["class"], fields["error"] = rec.Err.Class, rec.Err.Error()
	}
	r.json("item", fields)
}

// summary is how a run ended; it is stored with the run.
type summary struct {
	jobs.Counts
	Answered  int             `json:"answered"` // in this run
	Cached    int             `json:"cached"`   // of them, from the store
	Requests  int             `json:"requests"`
	Tokens    pipeline.Tokens `json:"tokens"`
	Exit      int             `json:"exit"`
	Error     string          `json:"error,omitempty"`
	ElapsedMS int64           `json:"elapsed_ms"`
	Outputs   []string        `json:"outputs"`
	Written   bool            `json:"outputs_written"`
	State     string          `json:"state_file"`
}

func (r *reporter) summary(counts jobs.Counts, exit int, written bool, err error) summary {
	p := r.run.runner.Progress()
	s := summary{
		Counts:    counts,
		Answered:  p.Done + p.Truncated,
		Cached:    p.Cached,
		Requests:  p.Requests,
		Tokens:    p.Tokens,
		Exit:      exit,
		ElapsedMS: time.Since(r.started).Milliseconds(),
		Outputs:   r.run.job.outputs,
		Written:   written,
		State:     r.run.job.state,
	}
	if err != nil {
		s.Error = err.Error()
	}
	return s
}

// lastWords say what happened and what to do next.
func (r *reporter) lastWords(s summary, causes []sqlite.Failure, err error) {
	if r.run.options.json {
		if err != nil {
			r.json("error", errorEvent(err))
		}
		r.json("summary", asMap(s))
		return
	}
	if r.run.options.quiet && s.Exit == exitOK {
		return
	}
	if err != nil {
		r.tell("stopped: %s", withoutRepeats(err.Error()))
	}
	r.tell("%s", s.sentence())
	for _, c := range causes[:min(maxCauses, len(causes))] {
		r.tell("%s", causeLine(c))
	}
	if more := len(causes) - maxCauses; more > 0 {
		r.tell("  and %s more; docbatch status lists all", plural(more, "cause"))
	}
	switch {
	case s.Written:
		r.tell("results: %s (state: %s)", strings.Join(s.Outputs, ", "), s.State)
	case err == nil && s.Done+s.Truncated > 0:
		r.tell("the answers are in %s; docbatch export -o results.csv writes them", s.State)
	}
	if err == nil && s.Total() == 0 {
		r.tell("there is no document in the inputs: check the paths, and --include and --exclude if they are used")
	}
	switch next := whatNext(err); {
	case next != "":
		r.tell("%s", next)
	case s.Exit == exitDocuments:
		r.tell("docbatch status lists the causes. docbatch retry puts failed documents back for the next run; rows and folders that can't be read are tried again when they change.")
	}
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
	fmt.Fprintf(&b, "%s: %d answered", plural(s.Total(), "document"), s.Done)
	for _, part := range []part{{s.Truncated, "truncated"}, {s.Failed, "failed"}, {s.Unfinished(), "waiting"}} {
		if part.n > 0 {
			fmt.Fprintf(&b, ", %d %s", part.n, part.what)
		}
	}
	fmt.Fprintf(&b, "; this run: %s, %s", plural(s.Requests, "request"), plural(s.Tokens.Total(), "token"))
	if s.Cached > 0 {
		fmt.Fprintf(&b, ", %d answered from the store", s.Cached)
	}
	if s.Gone > 0 {
		fmt.Fprintf(&b, ", %d gone from the inputs", s.Gone)
	}
	fmt.Fprintf(&b, ", %v", (time.Duration(s.ElapsedMS) * time.Millisecond).Round(100*time.Millisecond))
	return b.String()
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

// grouped writes 1234567 as 1,234,567.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

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

// left is how long the rest takes at that rate; 0 where that is not known.
func left(p jobs.Progress, rate float64) time.Duration {
	rest := p.Found - p.Finished()
	if !p.Listed || rate <= 0 || rest <= 0 {
		return 0
	}
	return time.Duration(float64(rest) / rate * float64(time.Second)).Round(time.Second)
}

func statusOf(p jobs.Progress, rate float64, pause agent.Pause) map[string]any {
	return map[string]any{"found": p.Found, "listed": p.Listed, "finished": p.Finished(), "failed": p.Failed, "in_flight": p.InFlight,
		"requests": p.Requests, "rate": rate, "eta_s": int(left(p, rate).Seconds()), "waiting_ms": pause.For.Milliseconds(), "waiting_for": pause.Why}
}

// plainLine is where the run stands, in words.
func plainLine(p jobs.Progress, rate float64, pause agent.Pause) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s finished", grouped(p.Finished()), found(p))
	writeDetails(&b, p, rate, pause)
	return b.String()
}

// found is how many documents there are; more, while they are still being listed.
func found(p jobs.Progress) string {
	if !p.Listed {
		return grouped(p.Found) + "+ documents"
	}
	return plural(p.Found, "document")
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
	if wait := time.Since(p.Since); !p.Since.IsZero() && wait > interval {
		fmt.Fprintf(b, ", %v on %s", wait.Round(time.Second), oneLine(p.Oldest, 40))
	}
}

// barLine is where the run stands, as a bar of fewer than so many columns.
func barLine(p jobs.Progress, rate float64, pause agent.Pause, columns int) string {
	cells := min(24, columns/4) // what it says matters more
	done := 0
	if p.Found > 0 {
		done = cells * p.Finished() / p.Found
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
