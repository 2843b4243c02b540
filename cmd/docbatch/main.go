// Command docbatch works through a dump of documents with an AI agent: it sends each one with a prompt template, keeps to
// the agent's limits, and stores every answer in one SQLite file, so that the same command again goes on where it stood.
//
// Here is the wiring: the command line, the job file, the environment, exit codes, and what a person sees. Nothing imports it.
package main

import (
	"context"
	"os"
	"runtime/debug"
)

// The heap in use is a few megabytes, so at Go's default the collector runs many times a second. Collecting less often saves
// an eighth of the CPU of a fast run; the limit keeps that from costing memory where documents are large.
const (
	gcPercent   = 400
	memoryLimit = 48 << 20
)

func main() {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	os.Exit(execute(context.Background(), os.Args[1:], env{
		stdin:  os.Stdin,
		stdout: os.Stdout,
		stderr: os.Stderr,
		lookup: os.LookupEnv,
	}))
}
