package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	partFlags
	yes bool
}

// partFlags say which part of the documents a run works on, and which again.
type partFlags struct {
	sample int
	limit  int
	redo   []string

	flags *pflag.FlagSet // what was given
}

func (p *partFlags) add(fs *pflag.FlagSet) {
	p.flags = fs
	fs.IntVar(&p.sample, "sample", 0, "work on so many documents only, always the same ones, chosen evenly from all (default: all)")
	fs.IntVar(&p.limit, "limit", 0, "work on so many documents only, the first that wait (default: all)")
	fs.StringArrayVar(&p.redo, "redo", nil, "ask again on purpose: failed, all, or a glob of IDs such as '2026/**' (repeatable); it is paid again")
}

// check finds what cannot be meant.
func (p *partFlags) check() error {
	switch {
	case p.sample < 0, p.sample == 0 && p.flags.Changed("sample"): // who computes what is left must not get all
		return fmt.Errorf("--sample is %d; it must be 1 or more, or left out for all documents", p.sample)
	case p.limit < 0, p.limit == 0 && p.flags.Changed("limit"):
		return fmt.Errorf("--limit is %d; it must be 1 or more, or left out for all documents", p.limit)
	case p.partial() && len(p.redo) > 0:
		return errors.New("--redo is given with --sample or --limit: what they leave would be put back too, and not be asked; name fewer documents with a glob")
	}
	return checkRedo(p.redo)
}

// partial reports whether documents may be left on purpose.
func (p *partFlags) partial() bool { return p.sample > 0 || p.limit > 0 }

func newRunCommand(e env) *cobra.Command {
	o := &runOptions{}
	cmd := &cobra.Command{
		Use:   "run [INPUT...]",
		Short: "Work a job; the same command again goes on",
		Long: `Work through every document of the inputs: folders, archives, CSV and XLSX files, single documents (docs/documents.md
lists their formats). Without inputs those of the job file are taken. Every answer is stored before anything else happens to it, so whatever interrupts the run, the same
command goes on where it stood, and never asks again about a document that is finished and unchanged.`,
		Example: `  docbatch run --demo letters/ -o results.csv
  docbatch run --agent invoice-analyst --rpm 300 letters/ tickets.csv --key ticket_id -o results.xlsx
  docbatch run -f nightly.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := loadJob(cmd, e, &o.jobFlags, args)
			if err == nil {
				err = withExit(exitUsage, o.partFlags.check(), "")
			}
			if !o.dryRun {
				return notified(cmd.Context(), e, o, j, err)
			}
			if err == nil {
				err = runJob(cmd.Context(), e, o, j, nil)
			}
			if o.json {
				err = tellJSON(e, err)
			}
			return err
		},
	}
	o.jobFlags.add(cmd.Flags())
	o.partFlags.add(cmd.Flags())
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "never ask before documents are sent")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "send nothing; say what would be sent, and why")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON lines on stdout: start, status, item, summary, error; with --dry-run: plan")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print nothing unless something went wrong")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "log what happens to each document")
	cmd.Flags().DurationVar(&o.waitLock, "wait-lock", 0, "wait so long for another run of the job to end")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return notifiedOfFlags(cmd, e, o, usageError(cmd, err)) })
	return cmd
}

// question is what is asked: of which documents, with which prompt.
type question struct {
	sources []pipeline.Source
	columns []string
	prompt  *prompt.Prompt
	extract *extract.Step
	end     func() // ends the processes of extract
}

var errNoInputs = withExit(exitUsage, errors.New("no inputs are named"), "Name folders or files: docbatch run INPUT..., or inputs in the job file.")

// openQuestion opens the inputs and checks the prompt against them. Nothing has been sent or written yet.
func openQuestion(ctx context.Context, j *job) (*question, error) {
	if len(j.inputs) == 0 {
		return nil, errNoInputs
	}
	if err := j.extraction.check(ctx); err != nil {
		return nil, err
	}
	srcs, err := sources.OpenAll(ctx, j.inputs)
	if err != nil {
		return nil, withExit(exitUsage, err, "Check the inputs and their settings (docbatch run --help). Nothing was sent.")
	}
	q := &question{sources: srcs}
	q.extract, q.end = j.extraction.step()
	if err := q.parse(j); err != nil {
		q.close()
		return nil, err
	}
	return q, nil
}

// parse makes the prompt and checks it against the columns of the sources.
func (q *question) parse(j *job) (err error) {
	for _, src := range q.sources {
		for _, name := range src.Columns() {
			if !slices.Contains(q.columns, name) {
				q.columns = append(q.columns, name)
			}
		}
	}
	q.prompt, err = prompt.Parse(prompt.Options{Prompt: j.prompt, PromptName: j.promptName, System: j.system, SystemName: j.systemName, Columns: q.columns})
	return withExit(exitUsage, err, "Nothing was sent.")
}

func (q *question) close() {
	if q.end != nil {
		q.end()
	}
	for _, src := range q.sources {
		src.Close()
	}
}

// steps is the way of a document.
func (q *question) steps(j *job, a agent.Agent) []pipeline.Step {
	return []pipeline.Step{
		newPrepare(sources.NewRead(q.sources), q.extract),
		ask.New(q.prompt, a, ask.Options{Agent: j.slug, Params: j.params, Stream: j.stream}),
		ask.Check(),
	}
}

// checkStateFolder finds that there is no folder for a state file.
func checkStateFolder(state string) error {
	if _, err := os.Stat(filepath.Dir(state)); err != nil {
		return withExit(exitUsage, fmt.Errorf("the folder of the state file: %w", err), "Make it, or name another with --state.")
	}
	return nil
}

// runJob works the job, writes its outputs, and says how it went. n is told too; it may be nil where nothing is sent.
func runJob(ctx context.Context, e env, o *runOptions, j *job, n *notifier) (err error) {
	tuneMemory(j.workers)
	if err := checkOutputs(j.outputs, j.protected()); err != nil {
		return err
	}
	if err := checkStateFolder(j.state); err != nil {
		return err
	}
	q, err := openQuestion(ctx, j)
	if err != nil {
		return err
	}
	defer q.close()
	if q.hasFiles() {
		tuneForFiles(j.workers)
	}
	if o.dryRun {
		return sayPlan(ctx, e, j, q, o.partFlags, o.json)
	}
	if err := j.ready(); err != nil {
		return err
	}
	if err := checkDescriptors(j); err != nil {
		return err
	}
	r := &jobRun{env: e, options: o, job: j, question: q, notifier: n}
	r.store, err = sqlite.Open(ctx, j.state, sqlite.Options{WaitLock: o.waitLock, Command: "docbatch run", Held: r.held})
	if err != nil {
		return err
	}
	defer func() { err = closed(e, err, r.store.Close()) }()
	if err := confirm(ctx, e, o, j, q); err != nil {
		return err
	}
	return r.work(ctx)
}

// jobRun is one run of a job, its state file open.
type jobRun struct {
	env
	options  *runOptions
	job      *job
	question *question
	notifier *notifier
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
	} else if r.options.quiet || r.options.json { // the file is still being opened
		r.log.say(line)
	} else {
		r.tell("%s", line)
	}
}

// work makes the run and returns the error that says its exit code.
func (r *jobRun) work(ctx context.Context) error {
	wire, closeAgent, err := connect(r.env, r.job, nil)
	if err != nil {
		return err
	}
	defer closeAgent()
	asked, log := r.around(wire), r.logger()
	if err := recallPace(ctx, r.store, r.job.baseURL, r.pace, log); err != nil {
		return err
	}
	if _, err := r.job.readBefore(ctx, r.store, r.question.prompt.Fingerprint()); err != nil {
		return err
	}
	if err := putBack(ctx, r.store, r.job.question(r.question.prompt.Fingerprint()), r.options.redo); err != nil {
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
		Workers:       r.job.workers + r.question.ahead(r.job.workers),
		Grace:         r.job.grace,
		CallTimeout:   r.job.timeout,
		Log:           log,
		Deadline:      r.job.deadline(time.Now()),
		FailThreshold: r.job.failThreshold,
		Sample:        r.options.sample,
		Limit:         r.options.limit,
	}
	r.report = newReporter(r)
	r.talking.Store(r.report)
	r.runner.Stored = r.report.item

	hard, stop, caught := catchSignals(ctx, func() {
		r.report.say("stopping: no new calls; those in flight have %v. Again to stop now.", r.job.grace)
	})
	r.report.start()
	r.notifier.start(r.store.Reader, r.figures, r.report.say)
	defer r.notifier.endKeeping() // it reads the state
	calm := context.WithoutCancel(ctx)
	signs := r.report.signs(func(now standing) error { return r.store.SaveProgress(calm, lease.Owner(), now) })
	defer startKeeping("where the run stands", signs, log)()
	savePace := paceKeeper(func(state []byte) error { return r.store.SavePaceState(calm, r.job.baseURL, state) }, r.pace)
	keepingOver := startKeeping("what is known of the limits", savePace, log)
	err = r.runner.Run(hard, stop)
	keepingOver()
	keepErr := savePace()
	signalled, now := caught()
	r.report.stop()
	if errors.Is(err, jobs.ErrInterrupted) || err == nil && now { // now: complete, but its outputs are not written any more
		err = interruption(signalled)
	} else if err == nil {
		err = keepErr
	}
	return r.conclude(calm, lease.Owner(), err, now)
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

// logger writes what happens to stderr and the log file, when that is asked for.
func (r *jobRun) logger() *slog.Logger {
	handler := slog.Handler(slog.DiscardHandler)
	if r.options.verbose {
		handler = slog.NewTextHandler(r.stderr, nil)
		if r.log != nil {
			handler = slog.NewMultiHandler(handler, r.log.handler())
		}
	}
	return slog.New(handler).With("job", r.job.name)
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
	s := r.report.summary(ctx, counts, code, written, err)
	if endErr := r.store.EndRun(ctx, run, code, s); endErr != nil && err == nil {
		err, code = endErr, exitCode(endErr)
		s = r.report.summary(ctx, counts, code, written, err)
	}
	causes, _ := r.store.Failures(ctx)
	words := r.report.lastWords(s, causes, err)
	r.notifier.conclude(&ending{code: code, err: err, now: now, words: words, run: run, summary: &s, causes: causes})
	if code == exitOK {
		return nil
	}
	return &toldError{code: code}
}

// writeOutputs writes every output of the job from the store; one that fails keeps no other from being written. Where documents are
// left on purpose, they are left out.
func (r *jobRun) writeOutputs(ctx context.Context) error {
	var errs []error
	part := selection{gone: r.job.keepGone, finished: r.options.partial()}
	for _, path := range r.job.outputs {
		errs = append(errs, keepOutput(ctx, r.store, path, part))
	}
	return errors.Join(errs...)
}
