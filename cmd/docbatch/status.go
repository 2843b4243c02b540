package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
)

type statusOptions struct {
	jobFlags
	json  bool
	watch bool
}

func newStatusCommand(e env) *cobra.Command {
	o := &statusOptions{}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say where a job stands, and why documents failed",
		Long: `Say where a job stands: how many documents are finished, what the newest run is doing, how fast and how long yet, why documents
failed, what it cost. It reads the state file only, and disturbs no run.

With --watch it goes on saying so until the run that goes on ends, and then how that ended; where none goes on, or there is no state
file yet, it waits for the next run. On a terminal it draws anew every second; elsewhere it prints a line when something changes, every
5 s at most. Ctrl-C ends the watching, not the run. The exit code is 0, however the run ended.`,
		Example: `  docbatch status
  docbatch status --watch
  docbatch status --json | jq .last_run.progress.eta_s`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := findState(cmd, e, &o.jobFlags)
			if err != nil {
				return err
			}
			if o.watch {
				return watchStatus(cmd.Context(), e, o, state)
			}
			return status(cmd.Context(), e, o, state)
		},
	}
	o.addState(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object; with --watch one a line")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "go on until the run ends")
	return cmd
}

// noState explains a state file that can't be opened because it is not there.
func noState(err error, state string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return withExit(exitUsage, fmt.Errorf("there is no state file %s", state), "Name it with --state or -f; docbatch run makes it.")
	}
	return err
}

func status(ctx context.Context, e env, o *statusOptions, state string) error {
	all, err := (&lookout{state: state}).look(ctx)
	if err == nil && all == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return noState(err, state)
	}
	if o.json {
		writeJSON(e.stdout, "status", all.json())
		return nil
	}
	fmt.Fprint(e.stdout, all.text())
	return nil
}

// overview is where a job stands.
type overview struct {
	state     string
	counts    jobs.Counts
	failed    []sqlite.Failure
	truncated []sqlite.Failure

	runs   int      // how many there were
	newest *runView // nil where there was none
	spent  effort   // what they sent, and what it cost
}

// effort is what a run did.
type effort struct {
	answered, failed int
	requests, tokens int
	worked           map[jobs.Reason]jobs.Worked
	cost             *float64 // nil where none is known
}

// spend adds what another run sent, and what that cost.
func (t *effort) spend(one effort) {
	t.requests, t.tokens = t.requests+one.requests, t.tokens+one.tokens
	if one.cost != nil {
		sum := *one.cost
		if t.cost != nil {
			sum += *t.cost
		}
		t.cost = &sum
	}
}

// words say what was sent, and what it cost.
func (t *effort) words() string {
	words := plural(t.requests, "request") + ", " + plural(t.tokens, "token")
	if t.cost != nil {
		words += fmt.Sprintf(", cost %.4g", *t.cost)
	}
	return words
}

// readOverview reads all but the newest run. It looks at every item, and at every run.
func readOverview(ctx context.Context, store *sqlite.Reader, state string) (*overview, error) {
	o := &overview{state: state}
	var err error
	if o.counts, err = store.Counts(ctx); err != nil {
		return nil, err
	}
	if o.failed, err = store.Failures(ctx); err != nil {
		return nil, err
	}
	if o.truncated, err = store.Truncations(ctx); err != nil {
		return nil, err
	}
	runs, err := store.Runs(ctx, 0)
	if err != nil {
		return nil, err
	}
	o.runs = len(runs)
	for _, r := range runs {
		h := viewOf(r)
		o.spent.spend(h.effort())
	}
	return o, nil
}

// readRuns reads what the newest runs, at most so many or all where most is 0, said of themselves, the newest first, and looks what
// that one is doing.
func readRuns(ctx context.Context, store *sqlite.Reader, state string, most int) ([]runView, error) {
	free := isFree(state) // first: a run that ends meanwhile is then read as ended
	runs, err := store.Runs(ctx, most)
	views := make([]runView, 0, len(runs))
	for _, r := range runs {
		views = append(views, viewOf(r))
	}
	if len(views) > 0 {
		views[0].watch(time.Now(), free)
	}
	return views, err
}

// readNewest is readRuns for the newest one; nil where there was none.
func readNewest(ctx context.Context, store *sqlite.Reader, state string) (*runView, error) {
	runs, err := readRuns(ctx, store, state, 1)
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	return &runs[0], nil
}

// goesOn reports whether a run goes on, as far as can be seen.
func (o *overview) goesOn() bool { return o.newest != nil && o.newest.mayGoOn() }

// parts are the documents by what became of them.
func (o *overview) parts() []part {
	c, working := o.counts, 0
	if o.goesOn() {
		working = o.newest.standing.InFlight
	}
	inFlight, waiting := unfinished(c, working)
	return []part{{c.Done, "answered"}, {c.Truncated, "truncated"}, {c.Failed, "failed"}, {inFlight, "in flight"},
		{waiting, "waiting"}, {c.Gone, "gone from the inputs"}}
}

// unfinished are the documents that are not finished: those that a run says it works on, 0 where none goes on, and those that wait.
// What is claimed says nothing of that: a run claims many at once.
func unfinished(c jobs.Counts, working int) (inFlight, waiting int) {
	inFlight = min(working, c.Unfinished())
	return inFlight, c.Unfinished() - inFlight
}

// title says how far the job is.
func (o *overview) title() string {
	total, finished := o.counts.Total(), o.counts.Total()-o.counts.Unfinished()
	if total == 0 {
		return o.state + ": no documents"
	}
	return fmt.Sprintf("%s: %s of %s finished (%d %%)", o.state, grouped(finished), plural(total, "document"), 100*finished/total)
}

// text is where the job stands, for people.
func (o *overview) text() string {
	var b strings.Builder
	fmt.Fprintln(&b, printable(o.title()))
	writeParts(&b, o.parts())
	if o.newest != nil {
		fmt.Fprintln(&b, indented(o.newest.sentence()))
		if o.goesOn() {
			stands := o.newest.stands()
			stands.writeLines(&b)
		}
	}
	writeCauses(&b, o.failed)
	if len(o.truncated) > 0 {
		fmt.Fprintln(&b, "Why answers were truncated:")
	}
	writeCauseLines(&b, o.truncated)
	if o.runs > 1 || o.runs == 1 && !o.goesOn() {
		fmt.Fprintf(&b, "%s in all: %s.\n", plural(o.runs, "run"), o.spent.words())
	}
	return b.String()
}

// writeLines writes how a run goes, a line for each thing that is to be said.
func (s *standing) writeLines(w io.Writer) {
	line := func(format string, args ...any) {
		fmt.Fprintf(w, "  %s\n", oneLine(fmt.Sprintf(format, args...), 2*lineWidth))
	}
	switch {
	case s.Ending:
		line("the work is over; the outputs are being written")
	case s.WaitingMS > 0:
		line("%s", s.waiting())
	case s.ETASeconds > 0:
		line("%.1f documents a second, about %v left", s.Rate, s.eta())
	case s.Rate > 0:
		line("%.1f documents a second", s.Rate)
	}
	if on := s.onOldest(); on > interval {
		line("still working on %s after %v (%s)", s.Oldest, on.Round(time.Second), s.OldestStage)
	}
	t := effort{requests: s.Requests, tokens: s.Tokens.Total(), cost: s.Cost}
	line("so far: %s%s", t.words(), reasonWords(s.Reasons, ", "))
	if s.AtMost > 0 {
		line("it works on %s at most", plural(s.AtMost, "document"))
	}
	line("%s", s.limits())
}

// limits are the limits in force, in words.
func (s *standing) limits() string {
	words := plural(s.Limits.Workers, "worker")
	if s.Limits.RPM > 0 {
		words += fmt.Sprintf(", at most %.4g requests a minute", s.Limits.RPM)
		if s.Limits.Found {
			words += " (found)"
		}
	}
	if s.Limits.TPM > 0 {
		words += fmt.Sprintf(", at most %s tokens a minute", grouped(int(s.Limits.TPM)))
	}
	if s.Deadline != nil {
		words += until(s.Deadline.Local())
	}
	return words
}

// reasonWords say why the documents of a run were worked on, with before in front; "" where none were.
func reasonWords(worked map[jobs.Reason]jobs.Worked, before string) string {
	var words []string
	cached := 0
	for _, why := range []jobs.Reason{jobs.New, jobs.Changed, jobs.Question, jobs.Again} {
		w := worked[why]
		cached += w.Cached
		if n := w.Asked + w.Failed; n > 0 {
			words = append(words, grouped(n)+" "+reasonNames[why])
		}
	}
	if cached > 0 {
		words = append(words, grouped(cached)+" from the store")
	}
	if len(words) == 0 {
		return ""
	}
	return before + strings.Join(words, ", ")
}

// reasonNames are the reasons in a few words.
var reasonNames = map[jobs.Reason]string{
	jobs.New:      "new",
	jobs.Changed:  "changed",
	jobs.Question: "with a new question",
	jobs.Again:    "again",
}

// json is where the job stands, for programs.
func (o *overview) json() map[string]any {
	fields := asMap(o.counts)
	fields["state_file"], fields["failures"], fields["truncations"] = o.state, o.failed, o.truncated
	fields["documents"], fields["finished"] = o.counts.Total(), o.counts.Total()-o.counts.Unfinished()
	for _, p := range o.parts() {
		if p.what == "in flight" || p.what == "waiting" {
			fields[strings.ReplaceAll(p.what, " ", "_")] = p.n
		}
	}
	fields["runs"] = map[string]any{"count": o.runs, "requests": o.spent.requests, "tokens": o.spent.tokens, "cost": o.spent.cost}
	if o.newest != nil {
		fields["last_run"] = o.newest.json()
	}
	return fields
}

// json is a run for programs.
func (h *runView) json() map[string]any {
	fields := map[string]any{"run": h.Num, "started": h.Started.UTC(), "life": h.life, "took_ms": h.took().Milliseconds(), "host": h.Host, "pid": h.PID}
	if h.life == ended {
		fields["ended"], fields["exit"], fields["summary"] = h.Ended.UTC(), h.Exit, h.Summary
	} else if h.Progress != nil {
		fields["progress"], fields["progress_at"] = h.stands(), h.ProgressAt.UTC()
	}
	return fields
}

// A part is so many documents, and what became of them.
type part struct {
	n    int
	what string
}

// writeParts writes a line for each part that has any document.
func writeParts(w io.Writer, parts []part) {
	for _, p := range parts {
		if p.n > 0 {
			fmt.Fprintf(w, "%10s  %s\n", grouped(p.n), p.what)
		}
	}
}

// writeCauses writes a line for each cause of failures.
func writeCauses(w io.Writer, causes []sqlite.Failure) {
	if len(causes) > 0 {
		fmt.Fprintln(w, "Why documents failed:")
	}
	writeCauseLines(w, causes)
}

func writeCauseLines(w io.Writer, causes []sqlite.Failure) {
	for _, c := range causes {
		fmt.Fprintln(w, causeLine(c))
	}
}

// stateName is the word for a state, for people. What is claimed waits: a run claims many at once.
func stateName(s pipeline.State) string {
	switch {
	case s == pipeline.Done:
		return "answered"
	case !s.Final():
		return "waiting"
	}
	return string(s)
}
