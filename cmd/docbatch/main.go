// Command docbatch works through a dump of documents with an AI agent: it sends each one with a prompt template, keeps to
// the agent's limits, and stores every answer in one SQLite file, so that the same command again goes on where it stood.
//
// Here is the wiring: the command line, the job file, the environment, exit codes, and what a person sees. Nothing imports it.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // where a system has no zones, as in a scratch image, TZ would be taken for UTC without a word
)

func main() {
	os.Exit(execute(context.Background(), os.Args[1:], env{
		stdin:  os.Stdin,
		stdout: os.Stdout,
		stderr: os.Stderr,
		lookup: os.LookupEnv,
	}))
}
