package main

import (
	"github.com/spf13/cobra"

	"docbatch/pipeline/extract"
)

// workerCommand is the name of the command that a pool of processes that read documents starts.
const workerCommand = "extract-worker"

// newExtractWorkerCommand makes the command that docbatch starts itself with, to read documents in a process that holds nothing else.
func newExtractWorkerCommand(e env) *cobra.Command {
	return &cobra.Command{
		Use:    workerCommand + " CACHE",
		Short:  "Read documents for another process of docbatch",
		Hidden: true,
		Args:   usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			return extract.Serve(e.stdin, e.stdout, args[0])
		},
	}
}
