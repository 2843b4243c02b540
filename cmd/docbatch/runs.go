package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"docbatch/jobs/sqlite"
)

type runsOptions struct {
	jobFlags
	most int
	json bool
}

func newRunsCommand(e env) *cobra.Command {
	o := &runsOptions{}
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List the runs of a job: when, how they ended, what they did and cost",
		Long: `List the runs of a job, the newest first: start, end, duration, exit code, documents answered (truncated ones included) and failed
in the run, requests, tokens, and cost where prices are set; below it why its documents were worked on, and why it ended early. Of a
run that goes on, or was killed, it is what it said last.`,
		Example: `  docbatch runs
  docbatch runs -n 1 --json`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.most < 0 {
				return withExit(exitUsage, fmt.Errorf("--last is %d; it must be 0 (all) or more", o.most), "")
			}
			state, err := findState(cmd, e, &o.jobFlags)
			if err != nil {
				return err
			}
			return listRuns(cmd.Context(), e, o, state)
		},
	}
	o.addState(cmd.Flags())
	cmd.Flags().IntVarP(&o.most, "last", "n", 20, "the newest so many; 0 for all")
	cmd.Flags().BoolVar(&o.json, "json", false, "print a JSON line for each")
	return cmd
}

func listRuns(ctx context.Context, e env, o *runsOptions, state string) error {
	store, err := sqlite.OpenReader(ctx, state)
	if err != nil {
		return noState(err, state)
	}
	defer store.Close()
	runs, err := readRuns(ctx, store, state, o.most)
	if err != nil {
		return err
	}
	if o.json {
		for _, h := range runs {
			writeJSON(e.stdout, "run", h.json())
		}
		return nil
	}
	columns, _ := terminal(e.stdout)
	writeRuns(e.stdout, runs, columns)
	return nil
}

// writeRuns writes a table of runs, with what is to be said of each below it. Where so many columns are too few, it does without the
// end; 0 means that there is room.
func writeRuns(w io.Writer, runs []runView, columns int) {
	if len(runs) == 0 {
		fmt.Fprintln(w, "no run yet")
		return
	}
	head := []string{"run", "start", "end", "took", "exit", "answered", "failed", "requests", "tokens"}
	priced := slices.ContainsFunc(runs, func(h runView) bool { return h.effort().cost != nil })
	if priced {
		head = append(head, "cost")
	}
	rows := [][]string{head}
	for i := range runs {
		rows = append(rows, runCells(&runs[i], priced))
	}
	widths, gap := columnWidths(rows), 2
	if columns > 0 && sum(widths)+gap*(len(widths)-1) >= columns {
		const end = 2
		for i := range rows {
			rows[i] = slices.Delete(rows[i], end, end+1)
		}
		widths, gap = slices.Delete(widths, end, end+1), 1
	}
	for i, row := range rows {
		for c, cell := range row {
			row[c] = strings.Repeat(" ", widths[c]-len(cell)) + cell
		}
		fmt.Fprintln(w, strings.Join(row, strings.Repeat(" ", gap)))
		if i > 0 {
			writeRunNotes(w, &runs[i-1])
		}
	}
}

// runCells are the cells of a run, in the order of the head.
func runCells(h *runView, priced bool) []string {
	t := h.effort()
	end, exit := "-", "-"
	if h.life == ended {
		end, exit = endTime(h.Started, h.Ended), fmt.Sprint(h.Exit)
	}
	cells := []string{fmt.Sprint(h.Num), h.Started.Local().Format(minutes), end, roughly(h.took()), exit,
		grouped(t.answered), grouped(t.failed), grouped(t.requests), grouped(t.tokens)}
	if priced && t.cost != nil {
		cells = append(cells, fmt.Sprintf("%.4g", *t.cost))
	} else if priced {
		cells = append(cells, "-")
	}
	return cells
}

const minutes = "2006-01-02 15:04"

// endTime is when a run ended, without the day where that is the one of its start.
func endTime(start, end time.Time) string {
	start, end = start.Local(), end.Local()
	if start.Format(time.DateOnly) == end.Format(time.DateOnly) {
		return end.Format("15:04")
	}
	return end.Format(minutes)
}

// writeRunNotes writes what is to be said of a run besides its numbers.
func writeRunNotes(w io.Writer, h *runView) {
	var notes []string
	if words := reasonWords(h.effort().worked, ""); words != "" {
		notes = append(notes, words)
	}
	stands := h.stands()
	switch h.life {
	case goesOn:
		notes = append(notes, "going on: "+stands.words())
	case silent:
		notes = append(notes, fmt.Sprintf("no sign of life for %s: killed, or it hangs, or its machine sleeps", roughly(h.silence)))
	case killed:
		notes = append(notes, fmt.Sprintf("killed: last seen %s, %s", localTime(h.seen()), stands.words()))
	default:
		if h.summary.Error != "" {
			notes = append(notes, "stopped: "+withoutRepeats(h.summary.Error))
		}
	}
	if len(notes) > 0 {
		fmt.Fprintf(w, "    %s\n", oneLine(strings.Join(notes, "; "), 3*lineWidth))
	}
}

// columnWidths are the widths of the widest cells, which are of ASCII.
func columnWidths(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for c, cell := range row {
			widths[c] = max(widths[c], len(cell))
		}
	}
	return widths
}

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}
