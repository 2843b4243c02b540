package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
)

type showOptions struct {
	jobFlags
	json    bool
	history bool
	request bool
}

func newShowCommand(e env) *cobra.Command {
	o := &showOptions{}
	cmd := &cobra.Command{
		Use:   "show ID [INPUT...]",
		Short: "Show all that is known of one document",
		Long: `Show a document's state, its columns, the request, every attempt, and its answer. A document is named by its ID, its name, or the
number of its row; where several are called the same, as SOURCE:ID.

The request is made again from the document and the job: of what was sent only a hash is kept, which tells whether it is the same. So
the job has to be named as it was to run: by its job file, or by the same inputs and flags. Nothing is sent.`,
		Example: `  docbatch show letters/17.txt
  docbatch show "tickets.csv row 17" --history
  docbatch show --demo a.txt inbox/ --request | less`,
		Args: usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			state, err := findState(cmd, e, &o.jobFlags)
			if err != nil {
				return err
			}
			d, inFlight, err := findDocument(cmd.Context(), state, args[0])
			if err != nil {
				return err
			}
			var request rendering
			if j, err := loadJob(cmd, e, &o.jobFlags, args[1:]); err != nil {
				request.err = err
			} else {
				request = renderAgain(cmd.Context(), j, d)
			}
			return show(e, o, d, inFlight, request)
		},
	}
	o.add(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object, the history included")
	cmd.Flags().BoolVar(&o.history, "history", false, "show every earlier outcome too, with its answer")
	cmd.Flags().BoolVar(&o.request, "request", false, "print only the messages of the request, whole")
	return cmd
}

// findDocument gives the one document that is called so, and whether it is known to be in flight.
func findDocument(ctx context.Context, state, called string) (d *sqlite.Entry, inFlight bool, err error) {
	store, err := sqlite.OpenReader(ctx, state)
	if err != nil {
		return nil, false, noState(err, state)
	}
	defer store.Close()
	found, err := store.Find(ctx, called)
	if err == nil {
		err = onlyOne(found, called, state)
	}
	if err != nil {
		return nil, false, err
	}
	d = &found[0]
	newest, err := readNewest(ctx, store, state)
	return d, newest != nil && newest.worksOn(d), err
}

// maxNames is how many documents of the same name are named.
const maxNames = 5

// onlyOne is the error where what was found is not one document.
func onlyOne(found []sqlite.Entry, called, state string) error {
	switch len(found) {
	case 0:
		return withExit(exitUsage, fmt.Errorf("there is no document %s in %s", called, state), "docbatch export lists all of them.")
	case 1:
		return nil
	}
	names, count := make([]string, 0, maxNames), grouped(len(found))
	for _, d := range found[:min(maxNames, len(found))] {
		names = append(names, d.Source+":"+d.ID)
	}
	if len(found) > maxNames {
		names = append(names, "...")
	}
	if len(found) == sqlite.MostFound {
		count += " or more"
	}
	return withExit(exitUsage, fmt.Errorf("%s documents are called %s", count, called), "Name one of them: "+strings.Join(names, ", "))
}

func show(e env, o *showOptions, d *sqlite.Entry, inFlight bool, request rendering) error {
	switch {
	case o.request:
		return request.print(e)
	case o.json:
		fields := documentJSON(d)
		request.json(fields)
		writeJSON(e.stdout, "document", fields)
	default:
		showDocument(e.stdout, o, d, inFlight, &request)
	}
	return nil
}

// outcome is the record in force; nil where the document waits.
func outcome(d *sqlite.Entry) *pipeline.Record {
	if !d.State.Final() || len(d.History) == 0 {
		return nil
	}
	return &d.History[len(d.History)-1].Record
}

// earlier are the outcomes that are not in force any more.
func earlier(d *sqlite.Entry) []sqlite.Past {
	if outcome(d) != nil {
		return d.History[:len(d.History)-1]
	}
	return d.History
}

// lineWidth is how much of a column or a message is shown on a line.
const lineWidth = 160

func showDocument(w io.Writer, o *showOptions, d *sqlite.Entry, inFlight bool, request *rendering) {
	line := func(key, format string, args ...any) {
		fmt.Fprintf(w, "%-9s %s\n", key+":", indented(fmt.Sprintf(format, args...)))
	}
	line("document", "%s", d.Name)
	line("id", "%s", d.ID)
	line("source", "%s", d.Source)
	line("state", "%s", stateLine(d, inFlight))
	if !d.Gone.IsZero() {
		line("gone", "since %s", localTime(d.Gone))
	}
	rec := outcome(d)
	if rec != nil {
		showRecord(line, rec)
	}
	if len(d.Fields) > 0 {
		fmt.Fprintln(w, "columns:")
	}
	for _, f := range d.Fields {
		fmt.Fprintf(w, "  %s: %s\n", oneLine(f.Name, lineWidth), oneLine(f.Value, lineWidth))
	}
	request.write(w)
	if len(d.Sent) > 0 {
		fmt.Fprintln(w, "attempts:")
	}
	for _, a := range d.Sent {
		fmt.Fprintf(w, "  %s\n", attemptLine(a))
	}
	showHistory(w, earlier(d), o.history)
	if rec != nil && rec.Answer != "" {
		fmt.Fprintf(w, "answer:\n%s\n", printable(rec.Answer))
	}
}

// stateLine is the state in words, and why the document waits.
func stateLine(d *sqlite.Entry, inFlight bool) string {
	words := stateName(d.State)
	if inFlight {
		words = "in flight"
	}
	if d.State.Final() {
		return words
	}
	words += ": " + waitsBecause[d.Reason]
	if d.Attempts > 0 {
		words += fmt.Sprintf(" (%s so far)", plural(d.Attempts, "attempt"))
	}
	return words
}

// waitsBecause are the reasons why a document is to be asked about.
var waitsBecause = map[jobs.Reason]string{
	jobs.New:      "it is new",
	jobs.Changed:  "it has changed since its last outcome",
	jobs.Question: "what is asked of it has changed since its last outcome",
	jobs.Again:    "it is to be asked again",
}

func showRecord(line func(key, format string, args ...any), rec *pipeline.Record) {
	if rec.Err != nil {
		line("class", "%s", rec.Err.Class)
		line("error", "%s", rec.Err)
	}
	for _, warning := range rec.Warnings {
		line("warning", "%s", warning)
	}
	if rec.Model != "" {
		line("model", "%s", rec.Model)
		line("tokens", "%s prompt, %s completion", grouped(rec.Tokens.Prompt), grouped(rec.Tokens.Completion))
	}
	if rec.Cached {
		line("cached", "answered from the store; nothing was sent")
	}
	line("worked", "%s, for %v", localTime(rec.Started), rec.Duration.Round(time.Millisecond))
	if rec.Request != "" {
		line("request", "%s", rec.Request)
	}
}

func attemptLine(a sqlite.Sent) string {
	what := "answered"
	if a.Class != "" {
		what = fmt.Sprintf("%s: %s", a.Class, oneLine(a.Message, lineWidth))
	}
	status := "no status"
	if a.Status != 0 {
		status = fmt.Sprint(a.Status)
	}
	return fmt.Sprintf("run %d  %s  %s  %v  %s", a.Run, localTime(a.Started), status, a.Duration.Round(time.Millisecond), what)
}

// showHistory shows earlier outcomes, the newest last, or how many there are.
func showHistory(w io.Writer, past []sqlite.Past, whole bool) {
	if len(past) == 0 {
		return
	}
	if !whole {
		fmt.Fprintf(w, "%-9s %s; --history shows all\n", "earlier:", plural(len(past), "outcome"))
		return
	}
	fmt.Fprintln(w, "earlier:")
	for _, p := range past {
		rec := &p.Record
		fmt.Fprintf(w, "  %s  %s", runName(p.Run), stateName(rec.State))
		if !rec.Started.IsZero() {
			fmt.Fprintf(w, "  %s", localTime(rec.Started))
		}
		if rec.Model != "" {
			fmt.Fprintf(w, "  %s  %s", oneLine(rec.Model, lineWidth), plural(rec.Tokens.Total(), "token"))
		}
		if rec.Cached {
			fmt.Fprint(w, "  from the store")
		}
		if rec.Err != nil {
			fmt.Fprintf(w, "  %s: %s", rec.Err.Class, oneLine(rec.Err.Error(), lineWidth))
		}
		fmt.Fprintln(w)
		if rec.Answer != "" {
			fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(printable(rec.Answer), "\n", "\n    "))
		}
	}
}

// runName names a run; the listing's own outcomes belong to none.
func runName(num int64) string {
	if num == 0 {
		return "listing"
	}
	return fmt.Sprintf("run %d", num)
}

func localTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// documentJSON is the same for programs.
func documentJSON(d *sqlite.Entry) map[string]any {
	attempts := make([]map[string]any, 0, len(d.Sent))
	for _, a := range d.Sent {
		attempts = append(attempts, map[string]any{"run": a.Run, "started": a.Started.UTC(), "duration_ms": a.Duration.Milliseconds(),
			"status": a.Status, "class": a.Class, "kind": a.Kind, "message": a.Message})
	}
	history := make([]map[string]any, 0, len(d.History))
	for _, p := range earlier(d) {
		one := recordJSON(&p.Record)
		one["run"], one["state"], one["started"] = p.Run, p.Record.State, p.Record.Started.UTC()
		history = append(history, one)
	}
	fields := map[string]any{"id": d.ID, "name": d.Name, "source": d.Source, "state": d.State, "stamp": d.Stamp, "fields": listed(d.Fields),
		"attempts": attempts, "outcomes": len(d.History), "history": history}
	if !d.Gone.IsZero() {
		fields["gone"] = d.Gone.UTC()
	}
	if !d.State.Final() {
		fields["reason"] = d.Reason
	}
	if rec := outcome(d); rec != nil {
		maps.Copy(fields, recordJSON(rec))
	}
	return fields
}

// recordJSON is what an outcome is, besides its document.
func recordJSON(rec *pipeline.Record) map[string]any {
	fields := map[string]any{"answer": rec.Answer, "model": rec.Model, "tokens": rec.Tokens, "request": rec.Request,
		"cached": rec.Cached, "duration_ms": rec.Duration.Milliseconds(), "warnings": listed(rec.Warnings)}
	if rec.Err != nil {
		fields["class"], fields["kind"], fields["error"] = rec.Err.Class, rec.Err.Kind, rec.Err.Error()
	}
	return fields
}
