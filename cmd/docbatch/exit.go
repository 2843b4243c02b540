package main

import (
	"errors"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
)

// The exit codes are part of the contract with cron jobs and scripts: never change one.
const (
	exitOK          = 0   // every document has its answer, or there was nothing to do
	exitFailed      = 1   // the run failed: a bug, a full disk, too few file descriptors
	exitUsage       = 2   // usage, configuration, unknown agent
	exitDocuments   = 3   // finished, but some documents failed or were truncated; or too many did (--fail-threshold)
	exitKey         = 4   // the key was refused
	exitQuota       = 5   // stopped by quota, budget or deadline
	exitUnreachable = 6   // the agent could not be reached, or failed every document
	exitState       = 10  // state file damaged, or from a newer version
	exitLocked      = 11  // another run holds the lock
	exitInterrupt   = 130 // interrupted by Ctrl-C; state kept
	exitTerminated  = 143 // interrupted by SIGTERM; state kept
)

// An exitError is an error that knows the exit code it asks for, and what the person should do next.
type exitError struct {
	error
	code int
	next string
}

func (e *exitError) Unwrap() error { return e.error }

// withExit gives err an exit code and a sentence that says what to do next; "" where there is nothing to say.
func withExit(code int, err error, next string) error {
	if err == nil {
		return nil
	}
	return &exitError{error: err, code: code, next: next}
}

// A toldError has been told to the person already: it only carries the exit code.
type toldError struct{ code int }

func (e *toldError) Error() string { return "see above" }

// exitCode is the exit code that err asks for.
func exitCode(err error) int {
	var told *toldError
	var exit *exitError
	var classed *pipeline.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &told):
		return told.code
	case errors.As(err, &exit):
		return exit.code
	case errors.Is(err, sqlite.ErrLocked):
		return exitLocked
	case errors.Is(err, sqlite.ErrDamaged), errors.Is(err, sqlite.ErrNewer), errors.Is(err, sqlite.ErrNotState):
		return exitState
	case errors.Is(err, sqlite.ErrOlder): // it is sound: another command comes first, as where there is no state file yet
		return exitUsage
	case errors.Is(err, jobs.ErrInterrupted):
		return exitInterrupt
	case errors.As(err, &classed):
		return exitOfKind(classed.Kind)
	}
	return exitFailed
}

// exitOfKind is the exit code of a fatal failure.
func exitOfKind(kind string) int {
	switch kind {
	case pipeline.KindKey:
		return exitKey
	case pipeline.KindQuota, pipeline.KindBudget:
		return exitQuota
	case pipeline.KindThreshold:
		return exitDocuments
	case pipeline.KindUnreachable:
		return exitUnreachable
	case pipeline.KindAgent, pipeline.KindConfig, pipeline.KindPrompt:
		return exitUsage
	}
	return exitFailed
}

// whatNext is the sentence that ends what a person reads of an error; "" where the error says it all.
func whatNext(err error) string {
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.next
	}
	switch {
	case errors.Is(err, sqlite.ErrLocked):
		return "Wait for it to end, or start this one with --wait-lock 10m."
	case errors.Is(err, sqlite.ErrNewer):
		return "Use the docbatch that wrote it, or a newer one. Nothing was changed."
	case errors.Is(err, sqlite.ErrOlder):
		return "Run the job once (docbatch run), and it is brought up to date; a copy of it is kept."
	case errors.Is(err, sqlite.ErrNotState):
		return "Give docbatch a file of its own with --state. Nothing was changed."
	case errors.Is(err, sqlite.ErrLost):
		return "Put the log (-wal) back beside the state file. If it is lost for good, delete the .lock file beside it, and the same command goes on: what is missing is asked again."
	case errors.Is(err, sqlite.ErrBusy):
		return "End the program that holds it (sqlite3, a backup); then the same command goes on."
	case errors.Is(err, sqlite.ErrDamaged):
		return "Restore it from a backup, or name another file with --state."
	}
	var classed *pipeline.Error
	if !errors.As(err, &classed) {
		return ""
	}
	switch classed.Kind {
	case pipeline.KindKey:
		return "Check the key (" + keyVariable + ", or what key_env and key_file name); then the same command goes on."
	case pipeline.KindQuota:
		return "Top up or wait for the quota; then the same command goes on."
	case pipeline.KindBudget:
		return "The same command goes on, within a new budget; or raise the budget or the deadline that is named."
	case pipeline.KindThreshold:
		return "docbatch status lists the causes. Mend them, put the documents back with docbatch retry, and the same command goes on; or raise --fail-threshold."
	case pipeline.KindMachine:
		return "Give it what is named: free space, file descriptors (ulimit -n, or fewer --workers), memory; then the same command goes on. Stored answers are kept."
	case pipeline.KindUnreachable:
		return "See that the agent is up and the base URL right; then the same command goes on."
	case pipeline.KindAgent:
		return "Check the agent's slug (--agent, or agent.slug in the job file) and the base URL; then the same command goes on."
	case pipeline.KindConfig:
		return "Check the base URL (--base-url, or agent.base_url in the job file), the limits that are set, and the agent; then the same command goes on."
	case pipeline.KindState:
		return "See that the file is in its place, can be written, and that there is free space; then the same command goes on. Stored answers are kept."
	case pipeline.KindRead, pipeline.KindDamaged, pipeline.KindUnsupported, pipeline.KindEncrypted, pipeline.KindTooLarge:
		return "Mend the input; then the same command goes on. Nothing that is finished is asked again."
	case pipeline.KindPanic, pipeline.KindUnclassed:
		return "This is a bug in docbatch. Please report it with the lines above."
	}
	return ""
}
