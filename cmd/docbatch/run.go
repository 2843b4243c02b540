package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
	"docbatch/pipeline/ask"
	"docbatch/pipeline/extract"
	"docbatch/pipeline/prompt"
	"docbatch/sources"
)

// runOptions are the flags of run that are not the job's.
type runOptions struct {
	jobFlags
	dryRun   bool
	json     bool
	quiet    bool
	verbose  bool
	waitLock time.Duration
}

func newRunCommand(e env) *cobra.Command {
	o := &runOptions{}
	cmd := &cobra.Command{
		Use:   "run [INPUT...]",
		Short: "Work a job; the same command again goes on",
		Long: `Work through every document of the inputs: folders, CSV and XLSX files, single text files. Without inputs those of the
job file are taken. Every answer is stored before anything else happens to it, so whatever interrupts the run, the same
command goes on where it stood, and never asks again about a document that is finished and unchanged.`,
		Example: `  docbatch run --demo letters/ -o results.csv
  docbatch run --agent invoice-analyst --rpm 300 letters/ tickets.csv --key ticket_id -o results.xlsx
  docbatch run -f nightly.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := loadJob(cmd, e, &o.jobFlags, args)
			if err == nil {
				err = runJob(cmd.Context(), e, o, j)
			}
			if o.json {
				err = tellJSON(e, err)
			}
			return err
		},
	}
	o.jobFlags.add(cmd.Flags())
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "send nothing; say what would be sent, and why")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON lines on stdout: start, status, item, summary, error; with --dry-run: plan")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print nothing unless something went wrong")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "log what happens to each document")
	cmd.Flags().DurationVar(&o.waitLock, "wait-lock", 0, "wait so long for another run of the job to end")
	return cmd
}

// question is what is asked: of which documents, with which prompt.
type question struct {
	sources []pipeline.Source
	columns []string
	prompt  *prompt.Prompt
}

// openQuestion opens the inputs and checks the prompt against them. Nothing has been sent or written yet.
func openQuestion(ctx context.Context, j *job) (*question, error) {
	if len(j.inputs) == 0 {
		return nil, withExit(exitUsage, errors.New("no inputs are named"), "Name folders or files: docbatch run INPUT..., or inputs in the job file.")
	}
	srcs, err := sources.OpenAll(ctx, j.inputs)
	if err != nil {
		return nil, withExit(exitUsage, err, "Check the inputs and their settings (docbatch run --help). Nothing was sent.")
	}
	q := &question{sources: srcs}
	for _, src := range srcs {
		for _, name := range src.Columns() {
			if !slices.Contains(q.columns, name) {
				q.columns = append(q.columns, name)
			}
		}
	}
	q.prompt, err = prompt.Parse(prompt.Options{Prompt: j.prompt, PromptName: j.promptName, System: j.system, SystemName: j.systemName, Columns: q.columns})
	if err != nil {
		q.close()
		return nil, withExit(exitUsage, err, "Nothing was sent.")
	}
	return q, nil
}

func (q *question) close() {
	for _, src := range q.sources {
		src.Close()
	}
}

// steps is the way of a document.
func (q *question) steps(j *job, a agent.Agent) []pipeline.Step {
	return []pipeline.Step{
		sources.NewRead(q.sources),
		extract.New(),
		ask.New(q.prompt, a, ask.Options{Agent: j.slug, Params: j.params, Stream: j.stream}),
		ask.Check(),
	}
}

// runJob works the job, writes its outputs, and says how it went.
func runJob(ctx context.Context, e env, o *runOptions, j *job) error {
	tuneMemory(j.workers)
	if err := checkOutputs(j.outputs, j.protected()); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(j.state)); err != nil {
		return withExit(exitUsage, fmt.Errorf("the folder of the state file: %w", err), "Make it, or name another with --state.")
	}
	q, err := openQuestion(ctx, j)
	if err != nil {
		return err
	}
	defer q.close()
	if o.dryRun {
		return dryRun(ctx, e, o, j, q)
	}
	if err := j.ready(); err != nil {
		return err
	}
	if err := checkDescriptors(j); err != nil {
		return err
	}
	r := &jobRun{env: e, options: o, job: j, question: q}
	r.store, err = sqlite.Open(ctx, j.state, sqlite.Options{WaitLock: o.waitLock, Command: "docbatch run", Held: r.held})
	if err != nil {
		return err
	}
	return errors.Join(r.work(ctx), r.store.Close())
}

// jobRun is one run of a job, its state file open.
type jobRun struct {
	env
	options  *runOptions
	job      *job
	question *question
	store    *sqlite.Store

	runner *jobs.Runner
	budget *agent.Budget
	pace   *agent.Pace
	report *reporter

	talking  atomic.Pointer[reporter] // report, for the store's own goroutine
	toldHeld time.Duration            // when held said something last
}

// When it is told that another program holds the state file: first, and then again.
const (
	heldFirst = 2 * time.Second
	heldAgain = 10 * time.Second
)

// held tells that the run waits for another program. The store's own goroutine calls it about once a second.
func (r *jobRun) held(waited time.Duration) {
	if waited < r.toldHeld {
		r.toldHeld = 0 // another wait
	}
	if waited < heldFirst || r.toldHeld > 0 && waited < r.toldHeld+heldAgain {
		return
	}
	r.toldHeld = waited
	line := fmt.Sprintf("waiting %v: another program holds %s", waited.Round(time.Second), filepath.Base(r.job.state))
	if report := r.talking.Load(); report != nil {
		report.say("%s", line)
	} else if !r.options.quiet && !r.options.json { // the file is still being opened
		fmt.Fprintln(r.stderr, "docbatch:", printable(line))
	}
}

// work makes the run and returns the error that says its exit code.
func (r *jobRun) work(ctx context.Context) error {
	wire, closeAgent, err := connect(r.env, r.job)
	if err != nil {
		return err
	}
	defer closeAgent()
	asked, log := r.around(wire), r.logger()
	if err := recallPace(ctx, r.store, r.job.baseURL, r.pace, log); err != nil {
		return err
	}
	lease, err := r.store.Join(ctx)
	if err != nil {
		return err
	}
	r.runner = &jobs.Runner{
		Queue:         r.store,
		Lease:         lease,
		Sources:       r.question.sources,
		Steps:         r.question.steps(r.job, asked),
		Question:      r.job.question(r.question.prompt.Fingerprint()),
		Workers:       r.job.workers,
		Grace:         r.job.grace,
		CallTimeout:   r.job.timeout,
		Log:           log,
		Deadline:      r.job.deadline(time.Now()),
		FailThreshold: r.job.failThreshold,
	}
	r.report = newReporter(r)
	r.talking.Store(r.report)
	r.runner.Stored = r.report.item

	hard, stop, caught := catchSignals(ctx, func() {
		r.report.say("stopping: no new calls; those in flight have %v. Again to stop now.", r.job.grace)
	})
	r.report.start()
	keepPace := startKeeping(func(state []byte) error {
		return r.store.SavePaceState(context.WithoutCancel(ctx), r.job.baseURL, state)
	}, r.pace, log)
	err = r.runner.Run(hard, stop)
	keepErr := keepPace()
	signalled, now := caught()
	r.report.stop()
	if errors.Is(err, jobs.ErrInterrupted) || err == nil && now { // now: complete, but its outputs are not written any more
		err = interruption(signalled)
	} else if err == nil {
		err = keepErr
	}
	return r.conclude(context.WithoutCancel(ctx), lease.Owner(), err, now)
}

// around puts what keeps answers, tries again and keeps to budget and limits around the agent on the wire.
func (r *jobRun) around(wire agent.Agent) agent.Agent {
	meter, bounds := agent.NewMeter(), r.job.limits.pace
	bounds.InFlight = cmp.Or(bounds.InFlight, r.job.workers)
	r.pace = agent.NewPace(stage{agent.Traced{Next: wire}, "waiting for the agent"}, meter, bounds)
	r.budget = r.job.budget(r.pace, meter)
	return &agent.Cache{
		Next:  stage{&agent.Retry{Next: r.budget, Attempts: r.job.attempts, Repeats: r.job.repeats, MaxAsked: bounds.MaxPause}, ""},
		Store: r.store,
		Base:  r.job.baseURL,
	}
}

// stage tells the runner what is done to a document while Agent is asked: see jobs.Stage.
type stage struct {
	agent.Agent
	name string
}

func (s stage) Ask(ctx context.Context, req *agent.Request) (*agent.Answer, error) {
	defer jobs.Stage(ctx, s.name)()
	return s.Agent.Ask(ctx, req)
}

// logger writes what happens to stderr, when that is asked for.
func (r *jobRun) logger() *slog.Logger {
	var w io.Writer = io.Discard
	if r.options.verbose {
		w = r.stderr
	}
	return slog.New(slog.NewTextHandler(w, nil)).With("job", r.job.name)
}

// conclude writes the outputs, stores how the run ended, and says the last words. err is why it ended early; where it has to end
// now, no outputs are written.
func (r *jobRun) conclude(ctx context.Context, run int64, err error, now bool) error {
	restMemory()
	var writeErr error
	if !now {
		writeErr = r.writeOutputs(ctx)
	} else if len(r.job.outputs) > 0 {
		r.report.say("the outputs were not written; docbatch export -o FILE does that")
	}
	if writeErr != nil && err != nil {
		r.report.tell("the outputs could not be written: %s", withoutRepeats(writeErr.Error()))
	} else if writeErr != nil {
		err = withExit(exitFailed, writeErr, "The answers are kept in "+r.job.state+"; docbatch export -o FILE writes them again.")
	}
	counts, countErr := r.store.Counts(ctx)
	if countErr != nil && err == nil {
		err = countErr
	}
	code := exitCode(err)
	if err == nil && counts.Failed+counts.Truncated > 0 {
		code = exitDocuments
	}
	written := writeErr == nil && !now && len(r.job.outputs) > 0
	s := r.report.summary(counts, code, written, err)
	if endErr := r.store.EndRun(ctx, run, code, s); endErr != nil && err == nil {
		err, code = endErr, exitCode(endErr)
		s = r.report.summary(counts, code, written, err)
	}
	causes, _ := r.store.Failures(ctx)
	r.report.lastWords(s, causes, err)
	if code == exitOK {
		return nil
	}
	return &toldError{code: code}
}

// writeOutputs writes every output of the job from the store; one that fails keeps no other from being written.
func (r *jobRun) writeOutputs(ctx context.Context) error {
	var errs []error
	for _, path := range r.job.outputs {
		errs = append(errs, writeOutput(ctx, r.store, path))
	}
	return errors.Join(errs...)
}
