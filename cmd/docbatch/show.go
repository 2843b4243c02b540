package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
)

type showOptions struct {
	jobFlags
	json bool
}

func newShowCommand(e env) *cobra.Command {
	o := &showOptions{}
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show all that is known of one document",
		Long: `Show a document's state, its columns, every attempt, and its answer. Where several inputs have the ID, name the document
as SOURCE:ID.`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			state, err := findState(cmd, e, &o.jobFlags)
			if err != nil {
				return err
			}
			return show(cmd.Context(), e, o, state, args[0])
		},
	}
	o.addState(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	return cmd
}

func show(ctx context.Context, e env, o *showOptions, state, id string) error {
	store, err := sqlite.OpenReader(ctx, state)
	if err != nil {
		return noState(err, state)
	}
	defer store.Close()
	found, err := store.Find(ctx, id)
	if err != nil {
		return err
	}
	switch len(found) {
	case 0:
		return withExit(exitUsage, fmt.Errorf("there is no document %s in %s", id, state), "docbatch export lists all of them.")
	case 1:
	default:
		names := make([]string, 0, len(found))
		for _, d := range found {
			names = append(names, d.Source+":"+d.ID)
		}
		return withExit(exitUsage, fmt.Errorf("%d documents have the ID %s", len(found), id), "Name one of them: "+strings.Join(names, ", "))
	}
	if o.json {
		writeJSON(e.stdout, "document", documentJSON(&found[0]))
		return nil
	}
	showDocument(e.stdout, &found[0])
	return nil
}

// outcome is the record in force; nil where the document waits.
func outcome(d *sqlite.Entry) *pipeline.Record {
	if !d.State.Final() || len(d.History) == 0 {
		return nil
	}
	return &d.History[len(d.History)-1].Record
}

// lineWidth is how much of a column or a message is shown on a line.
const lineWidth = 160

func showDocument(w io.Writer, d *sqlite.Entry) {
	line := func(key, format string, args ...any) {
		fmt.Fprintf(w, "%-9s %s\n", key+":", indented(fmt.Sprintf(format, args...)))
	}
	line("document", "%s", d.Name)
	line("id", "%s", d.ID)
	line("source", "%s", d.Source)
	line("state", "%s", d.State)
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
	if len(d.Sent) > 0 {
		fmt.Fprintln(w, "attempts:")
	}
	for _, a := range d.Sent {
		fmt.Fprintf(w, "  %s\n", attemptLine(a))
	}
	earlier := len(d.History)
	if rec != nil {
		earlier--
	}
	if earlier > 0 {
		line("earlier", "%s", plural(earlier, "outcome"))
	}
	if rec != nil && rec.Answer != "" {
		fmt.Fprintf(w, "answer:\n%s\n", printable(rec.Answer))
	}
}

func showRecord(line func(key, format string, args ...any), rec *pipeline.Record) {
	if rec.Err != nil {
		line("class", "%s", rec.Err.Class)
		line("error", "%s", rec.Err)
	}
	if rec.Model != "" {
		line("model", "%s", rec.Model)
		line("tokens", "%d prompt, %d completion", rec.Tokens.Prompt, rec.Tokens.Completion)
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

func localTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// documentJSON is the same for programs.
func documentJSON(d *sqlite.Entry) map[string]any {
	attempts := make([]map[string]any, 0, len(d.Sent))
	for _, a := range d.Sent {
		attempts = append(attempts, map[string]any{"run": a.Run, "started": a.Started.UTC(), "duration_ms": a.Duration.Milliseconds(),
			"status": a.Status, "class": a.Class, "kind": a.Kind, "message": a.Message})
	}
	fields := map[string]any{"id": d.ID, "name": d.Name, "source": d.Source, "state": d.State, "stamp": d.Stamp, "fields": d.Fields,
		"attempts": attempts, "outcomes": len(d.History)}
	rec := outcome(d)
	if rec == nil {
		return fields
	}
	fields["answer"], fields["model"], fields["tokens"], fields["request"] = rec.Answer, rec.Model, rec.Tokens, rec.Request
	fields["cached"], fields["duration_ms"] = rec.Cached, rec.Duration.Milliseconds()
	if rec.Err != nil {
		fields["class"], fields["kind"], fields["error"] = rec.Err.Class, rec.Err.Kind, rec.Err.Error()
	}
	return fields
}
