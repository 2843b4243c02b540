package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"docbatch/jobs/sqlite"
)

func newCheckCommand(e env) *cobra.Command {
	f := &jobFlags{}
	cmd := &cobra.Command{
		Use:   "check [STATE]",
		Short: "Verify a state file",
		Long: `Read the whole state file of a job and look for damage: broken pages, things that do not fit together, and whether all is
there that was noted in the lock file beside it. Nothing is changed, and a run may be going on.`,
		Example: `  docbatch check
  docbatch check nightly.db`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			state, err := checkedState(cmd, e, f, args)
			if err != nil {
				return err
			}
			return check(cmd.Context(), e, state)
		},
	}
	f.addState(cmd.Flags())
	return cmd
}

// checkedState is the state file to be checked: the one that is named, or that of the job.
func checkedState(cmd *cobra.Command, e env, f *jobFlags, args []string) (string, error) {
	if len(args) == 0 {
		return findState(cmd, e, f)
	}
	for _, flag := range []string{"state", "file"} {
		if cmd.Flags().Changed(flag) {
			return "", withExit(exitUsage, fmt.Errorf("a state file and --%s are both named", flag), "Name one of them.")
		}
	}
	return args[0], nil
}

func check(ctx context.Context, e env, state string) error {
	if err := sqlite.Check(ctx, state); err != nil {
		if errors.Is(err, sqlite.ErrDamaged) && !errors.Is(err, sqlite.ErrLost) {
			return withExit(exitState, err, damagedNext)
		}
		return noState(err, state)
	}
	store, err := sqlite.OpenReader(ctx, state)
	if err != nil {
		return noState(err, state)
	}
	defer store.Close()
	size, err := store.Size(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s is sound: %s, %s, %s, schema %d\n", state, plural(size.Documents, "document"),
		plural(size.Answers, "answer"), plural(size.Runs, "run"), size.Schema)
	return nil
}

// damagedNext is what can be done with a file that is damaged: what can still be read of it is worth money.
const damagedNext = `Keep a copy of it as it is. docbatch export -o FILE.csv may still write what can be read. Then restore it from a backup,
or move it away and run the job anew. A disk or memory that fails damages more: check those too.`
