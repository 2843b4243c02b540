package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"docbatch/jobs/sqlite"
)

type statusOptions struct {
	jobFlags
	json bool
}

func newStatusCommand(e env) *cobra.Command {
	o := &statusOptions{}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say where a job stands, and why documents failed",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := findState(cmd, e, &o.jobFlags)
			if err != nil {
				return err
			}
			return status(cmd.Context(), e, o, state)
		},
	}
	o.addState(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
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
	store, err := sqlite.OpenReader(ctx, state)
	if err != nil {
		return noState(err, state)
	}
	defer store.Close()
	counts, err := store.Counts(ctx)
	if err != nil {
		return err
	}
	causes, err := store.Failures(ctx)
	if err != nil {
		return err
	}
	runs, err := store.Runs(ctx, 1)
	if err != nil {
		return err
	}
	if o.json {
		fields := asMap(counts)
		fields["state_file"], fields["failures"] = state, causes
		if len(runs) > 0 {
			fields["last_run"] = runJSON(runs[0])
		}
		writeJSON(e.stdout, "status", fields)
		return nil
	}
	fmt.Fprintf(e.stdout, "%s: %s\n", state, plural(counts.Total(), "document"))
	writeParts(e.stdout, []part{{counts.Done, "answered"}, {counts.Truncated, "truncated"}, {counts.Failed, "failed"},
		{counts.Claimed, "in flight"}, {counts.Pending, "waiting"}, {counts.Gone, "gone from the inputs"}})
	writeCauses(e.stdout, causes)
	if len(runs) > 0 {
		fmt.Fprintln(e.stdout, lastRun(runs[0]))
	}
	return nil
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
	for _, c := range causes {
		fmt.Fprintln(w, causeLine(c))
	}
}

// runJSON is a run for programs.
func runJSON(r sqlite.Run) map[string]any {
	fields := map[string]any{"run": r.Num, "started": r.Started.UTC()}
	if !r.Ended.IsZero() {
		fields["ended"], fields["exit"], fields["summary"] = r.Ended.UTC(), r.Exit, r.Summary
	}
	return fields
}

// lastRun is the newest run in words.
func lastRun(r sqlite.Run) string {
	if r.Ended.IsZero() {
		return fmt.Sprintf("Last run: since %s, not ended (it is going on, or it was killed).", localTime(r.Started))
	}
	return fmt.Sprintf("Last run: %s to %s, exit %d.", localTime(r.Started), localTime(r.Ended), r.Exit)
}
