package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/sinks"
)

type exportOptions struct {
	jobFlags
	format   string
	finished bool
}

func newExportCommand(e env) *cobra.Command {
	o := &exportOptions{}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the records to CSV, XLSX or JSONL",
		Long: `Write the record of every document, in the order of the inputs, from the state file. It sends nothing, and it may be used
while a run goes on. Without -o it writes to stdout.`,
		Example: `  docbatch export -o results.xlsx
  docbatch export --format jsonl | jq -r .answer`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := findState(cmd, e, &o.jobFlags)
			if err != nil {
				return err
			}
			return export(cmd.Context(), e, o, state)
		},
	}
	o.addState(cmd.Flags())
	cmd.Flags().StringArrayVarP(&o.outputs, "output", "o", nil, "write to this .csv, .xlsx or .jsonl file (repeatable)")
	cmd.Flags().StringVar(&o.format, "format", "csv", "the format on stdout: csv or jsonl")
	cmd.Flags().StringVar(&o.gone, "gone", goneDrop, "documents that are gone from the inputs: drop leaves them out, keep marks them")
	cmd.Flags().BoolVar(&o.finished, "finished", false, "only documents that have an outcome")
	return cmd
}

// findState is the state file of the job that the flags name, for commands that only look at it.
func findState(cmd *cobra.Command, e env, f *jobFlags) (string, error) {
	if cmd.Flags().Changed("state") {
		return f.state, nil
	}
	file, err := findJobFile(cmd, e, f, nil)
	if err != nil {
		return "", err
	}
	s, jf, err := loadSettings(cmd, e, file)
	if err != nil {
		return "", err
	}
	f.gone = pick(s, "gone", f.gone, jf.Gone) // for export, whose outputs are the job's in other formats
	return s.state(f, jf, file), nil
}

func export(ctx context.Context, e env, o *exportOptions, state string) error {
	if err := checkOutputs(o.outputs, stateFiles(state)); err != nil {
		return err
	}
	if err := checkGone(o.gone); err != nil {
		return withExit(exitUsage, err, "")
	}
	part := selection{gone: o.gone == goneKeep, finished: o.finished}
	store, err := sqlite.OpenReader(ctx, state)
	if err != nil {
		return noState(err, state)
	}
	defer store.Close()
	for _, path := range o.outputs {
		if err := writeOutput(ctx, store, path, part); err != nil {
			return err
		}
	}
	if len(o.outputs) > 0 {
		return nil
	}
	columns, err := store.Columns(ctx, part.gone)
	if err != nil {
		return err
	}
	out := e.stdout
	if _, tty := terminal(out); tty {
		out = &printed{out: out}
	}
	sink, err := sinks.Stream(o.format, out, columns)
	if err != nil {
		return withExit(exitUsage, err, "")
	}
	return writeRecords(sink, part.of(ctx, store))
}

// A selection says which documents an output holds.
type selection struct {
	gone     bool // also those that are gone from the inputs
	finished bool // only those that have an outcome
}

// of are the records of store that are selected.
func (s selection) of(ctx context.Context, store jobs.Reader) iter.Seq2[pipeline.Record, error] {
	records := store.Records(ctx)
	if s.gone {
		records = store.AllRecords(ctx)
	}
	if !s.finished {
		return records
	}
	return func(yield func(pipeline.Record, error) bool) {
		for rec, err := range records {
			if (err != nil || rec.State.Final()) && !yield(rec, err) {
				return
			}
		}
	}
}

// checkGone refuses what --gone can't be.
func checkGone(gone string) error {
	if gone != goneKeep && gone != goneDrop {
		return fmt.Errorf("--gone is %q; it must be %s or %s", gone, goneKeep, goneDrop)
	}
	return nil
}

// recordsReader is what outputs are written from.
type recordsReader interface {
	jobs.Reader
	Columns(ctx context.Context, gone bool) ([]string, error)
}

// writeOutput writes the selected records to one file, which is there whole afterwards, or as it was before.
func writeOutput(ctx context.Context, store recordsReader, path string, part selection) error {
	columns, err := store.Columns(ctx, part.gone)
	if err != nil {
		return err
	}
	sink, err := sinks.Open(path, columns)
	if err != nil {
		return err
	}
	return writeRecords(sink, part.of(ctx, store))
}

// writeRecords writes records to sink, and ends it.
func writeRecords(sink pipeline.Sink, records iter.Seq2[pipeline.Record, error]) error {
	for rec, err := range records {
		if err == nil {
			err = sink.Write(&rec)
		}
		if err != nil {
			return errors.Join(err, sink.Discard())
		}
	}
	if err := sink.Commit(); err != nil {
		return errors.Join(err, sink.Discard())
	}
	return nil
}

// printed is a terminal that shows what is written to it and acts on none of it.
type printed struct {
	out  io.Writer
	rest []byte // of a character that was written in part
}

func (p *printed) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	end := len(p.rest)
	for back := 1; back < utf8.UTFMax && back <= end; back++ {
		if tail := p.rest[end-back:]; utf8.RuneStart(tail[0]) && !utf8.FullRune(tail) {
			end -= back
			break
		}
	}
	_, err := io.WriteString(p.out, printable(string(p.rest[:end])))
	p.rest = append(p.rest[:0], p.rest[end:]...)
	return len(b), err
}
