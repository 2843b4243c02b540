package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"docbatch/jobs/sqlite"
)

func newRetryCommand(e env) *cobra.Command {
	f := &jobFlags{}
	cmd := &cobra.Command{
		Use:   "retry [ID...]",
		Short: "Put failed and truncated documents back; the next run tries them again",
		Long: `Put failed and truncated documents back to waiting: those that are named, or all. It sends nothing; the next run of the job
tries them again. An answer that was truncated is asked for again, so it is paid again.`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			state, err := findState(cmd, e, f)
			if err != nil {
				return err
			}
			return retry(cmd.Context(), e, state, ids)
		},
	}
	f.addState(cmd.Flags())
	return cmd
}

func retry(ctx context.Context, e env, state string, ids []string) error {
	reader, err := sqlite.OpenReader(ctx, state) // it creates nothing
	if err != nil {
		return noState(err, state)
	}
	var named []string
	for _, id := range ids {
		found, err := reader.Find(ctx, id)
		if err == nil && (len(found) == 0 || len(found) > 1 && found[0].ID != id) { // one ID in several sources means all of them
			err = onlyOne(found, id, state)
		}
		if err != nil {
			return errors.Join(err, reader.Close())
		}
		for _, d := range found {
			named = append(named, d.Source+":"+d.ID)
		}
	}
	reader.Close()
	store, err := sqlite.Open(ctx, state, sqlite.Options{Command: "docbatch retry"})
	if err != nil {
		return err
	}
	n, err := store.Retry(ctx, named...)
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "docbatch: %s back to waiting; the next docbatch run tries them.\n", plural(n, "document"))
	if n == 0 {
		fmt.Fprintln(e.stderr, "Documents that could not be read are tried again when they change.")
	}
	return nil
}
