package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// planOptions are the flags of plan that are not the job's.
type planOptions struct {
	jobFlags
	partFlags
	json bool
	show string
}

func newPlanCommand(e env) *cobra.Command {
	o := &planOptions{}
	cmd := &cobra.Command{
		Use:   "plan [INPUT...]",
		Short: "Say what a run would send, why, what it costs and how long it takes; send nothing",
		Long: `Say what docbatch run would do with the same inputs and flags: how many documents it would send and why, why it would
not send the others, and what tokens, money and time that takes. It reads every document that is new or changed, and sends
nothing. What earlier answers cost is what it reckons with: before the first run it guesses, after --sample 20 it knows.`,
		Example: `  docbatch plan -f nightly.yaml
  docbatch plan letters/ --agent invoice-analyst --rpm 300 --show 2026/17.txt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := loadJob(cmd, e, &o.jobFlags, args)
			if err == nil {
				err = withExit(exitUsage, o.partFlags.check(), "")
			}
			if err == nil {
				err = planJob(cmd.Context(), e, o, j)
			}
			if o.json {
				err = tellJSON(e, err)
			}
			return err
		},
	}
	o.jobFlags.add(cmd.Flags())
	o.partFlags.add(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&o.show, "show", "", "show the request of the document with this ID, as it would be sent")
	return cmd
}

// planJob says what a run of the job would do.
func planJob(ctx context.Context, e env, o *planOptions, j *job) error {
	q, err := openQuestion(ctx, j)
	if err != nil {
		return err
	}
	defer q.close()
	if o.show != "" {
		return showRequest(ctx, e, j, q, o)
	}
	return sayPlan(ctx, e, j, q, o.partFlags, o.json)
}

// sayPlan makes a plan and says it.
func sayPlan(ctx context.Context, e env, j *job, q *question, part partFlags, asJSON bool) error {
	var p *plan
	err := untilSignal(ctx, func(ctx context.Context) (err error) {
		p, err = makePlan(ctx, j, q, part)
		return err
	})
	switch {
	case err != nil:
		return err
	case asJSON:
		writeJSON(e.stdout, "plan", asMap(p))
	default:
		p.tell(e.stdout)
	}
	return nil
}

// untilSignal has do work on what comes before anything is sent. Its context ends at the first signal; do cleans up, and the error
// is that of the signal.
func untilSignal(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx, _, caught := catchSignals(ctx, cancel)
	err := do(ctx)
	if sig, _ := caught(); sig != nil {
		err = interruption(sig)
		return withExit(exitCode(err), fmt.Errorf("%w: %w", err, errDeclined), "")
	}
	return err
}

// makePlan finds out what a run would do. When ctx ends, it leaves nothing behind.
func makePlan(ctx context.Context, j *job, q *question, part partFlags) (*plan, error) {
	p, err := rehearse(ctx, j, q, part)
	if err != nil && pipeline.AsError(err).Kind == pipeline.KindMachine {
		err = withExit(exitFailed, fmt.Errorf("plan in %s: %w", os.TempDir(), err), copyNext)
	}
	return p, err
}

// copyNext is what to do where a plan can't have its copy of the state file.
const copyNext = "A plan works on a copy of the state file in that folder: see that it is there and has room, or set TMPDIR (on Windows TMP) to another one."

// A rehearsal is a run of a job on a copy of its state, with an agent that only counts: what it says is what a run would do.
type rehearsal struct {
	store    *sqlite.Store
	owner    int64
	progress jobs.Progress
	meter    *agent.Meter
	pace     *agent.Pace
	limits   agent.Limits

	readBefore int // documents whose outcome is by what an earlier version extracted

	mu       sync.Mutex
	forecast agent.Forecast
	largest  []sized // the most tokens first
}

// A sized document is one to be sent, and about how many tokens its prompt has.
type sized struct {
	request string // hash
	ID      string `json:"id"`
	Name    string `json:"name"`
	Tokens  int    `json:"prompt_tokens"`
}

// maxLargest is how many of the largest documents are named.
const maxLargest = 5

// rehearse works the job on a copy of its state, and draws the conclusions.
func rehearse(ctx context.Context, j *job, q *question, part partFlags) (*plan, error) {
	store, remove, err := copyState(ctx, j.state)
	if err != nil {
		return nil, err
	}
	defer remove()
	r := &rehearsal{store: store, meter: agent.NewMeter(), limits: j.pace}
	if err := r.work(ctx, j, q, part); err != nil {
		return nil, err
	}
	return r.plan(ctx, j)
}

func (r *rehearsal) work(ctx context.Context, j *job, q *question, part partFlags) error {
	if err := r.recall(ctx, j); err != nil {
		return err
	}
	before, err := j.readBefore(ctx, r.store, q.prompt.Fingerprint())
	if err != nil {
		return err
	}
	r.readBefore = before
	if err := putBack(ctx, r.store, j.question(q.prompt.Fingerprint()), part.redo); err != nil {
		return err
	}
	lease, err := r.store.Join(ctx)
	if err != nil {
		return err
	}
	r.owner = lease.Owner()
	runner := &jobs.Runner{
		Queue:    r.store,
		Lease:    lease,
		Sources:  q.sources,
		Steps:    q.steps(j, &agent.Cache{Next: r, Store: r.store, Base: j.baseURL}),
		Question: j.question(q.prompt.Fingerprint()),
		Workers:  j.workers + q.ahead(j.workers), // so it needs no more memory and files than the run
		Stored:   r.stored,
		Sample:   part.sample,
		Limit:    part.limit,
	}
	err = runner.Run(ctx, nil)
	r.progress = runner.Progress()
	return err
}

// recall takes what earlier runs learned of the agent: its limits, and what answers cost.
func (r *rehearsal) recall(ctx context.Context, j *job) error {
	r.pace = agent.NewPace(r, r.meter, j.pace)
	state, err := r.store.PaceState(ctx, j.baseURL)
	if err != nil || state == nil {
		return err
	}
	_ = r.pace.Restore(state) // of another version: then it is not known
	return nil
}

var _ agent.Agent = (*rehearsal)(nil)

// Ask counts a request instead of sending it.
func (r *rehearsal) Ask(_ context.Context, req *agent.Request) (*agent.Answer, error) {
	if _, err := r.limits.Cost(r.meter, req); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.forecast.Prompt
	r.meter.Forecast(&r.forecast, req)
	r.rank(sized{request: req.Key, Tokens: int(r.forecast.Prompt - before)})
	return &agent.Answer{Text: "not sent"}, nil
}

// rank puts a document among the largest, if it is one. r.mu is held.
func (r *rehearsal) rank(s sized) {
	at, _ := slices.BinarySearchFunc(r.largest, s, func(a, b sized) int { return b.Tokens - a.Tokens })
	if at < maxLargest {
		r.largest = slices.Insert(r.largest, at, s)[:min(maxLargest, len(r.largest)+1)]
	}
}

// stored names the documents that are among the largest.
func (r *rehearsal) stored(rec pipeline.Record) {
	if rec.Cached {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.largest {
		if r.largest[i].request == rec.Request {
			r.largest[i].ID, r.largest[i].Name = rec.ID, rec.Name
		}
	}
}

// plan draws the conclusions.
func (r *rehearsal) plan(ctx context.Context, j *job) (*plan, error) {
	shares, err := r.store.Worked(ctx, r.owner)
	if err != nil {
		return nil, err
	}
	causes, err := r.store.Failures(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := r.store.Counts(ctx)
	if err != nil {
		return nil, err
	}
	p := &plan{Documents: r.progress.Found, Requests: r.forecast.Requests, Largest: r.largest, Causes: causes}
	p.count(shares, r.progress, counts)
	p.estimate(r, j, time.Now())
	p.extracted(r.readBefore, j)
	return p, nil
}

// copyState opens a copy of the state file, or a new one where there is none. remove closes it and throws it away.
func copyState(ctx context.Context, state string) (store *sqlite.Store, remove func(), err error) {
	dir, err := os.MkdirTemp("", "docbatch-plan-")
	if err != nil {
		return nil, nil, withExit(exitFailed, fmt.Errorf("plan in %s: %w", os.TempDir(), err), copyNext)
	}
	remove = func() {
		if store != nil {
			_ = store.Close()
		}
		_ = os.RemoveAll(dir)
	}
	scratch := filepath.Join(dir, "plan.db")
	err = sqlite.Copy(ctx, state, scratch)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		store, err = sqlite.Open(ctx, scratch, sqlite.Options{Scratch: true})
	}
	if err != nil {
		remove()
		return nil, nil, err
	}
	return store, remove, nil
}

// showRequest writes the request of one document, as it would be sent.
func showRequest(ctx context.Context, e env, j *job, q *question, o *planOptions) error {
	found, err := findListed(ctx, q.sources, o.show)
	if err == nil {
		err = onlyOne(found, o.show, "the inputs")
	}
	if err != nil {
		return err
	}
	d := &found[0]
	var request rendering
	if d.Err != nil {
		request.err = d.Err
	} else {
		request = renderAgain(ctx, j, d)
	}
	switch {
	case o.json:
	case request.err != nil:
		return withExit(exitUsage, fmt.Errorf("there is no request for %s: %w", printable(o.show), request.err),
			"A run would note that it failed, for the same reason, and go on with the others.")
	default:
		return request.print(e)
	}
	fields := map[string]any{"source": d.Source, "id": d.ID, "name": d.Name, "agent": j.slug, "base_url": j.baseURL, "params": j.params}
	request.json(fields)
	writeJSON(e.stdout, "request", fields)
	return nil
}

// findListed is sqlite's Find for documents that are in the inputs, whether they are known yet or not.
func findListed(ctx context.Context, srcs []pipeline.Source, what string) ([]sqlite.Entry, error) {
	var byID, byName []sqlite.Entry
	for _, src := range srcs {
		for ref, err := range src.List(ctx) {
			switch {
			case err != nil:
				return nil, fmt.Errorf("list %s: %w", src.Name(), err)
			case ref.ID == what, ref.Source+":"+ref.ID == what:
				byID = append(byID, sqlite.Entry{Item: jobs.Item{Ref: ref}})
			case len(byName) < sqlite.MostFound && (ref.Name == what || ref.Row > 0 && strconv.Itoa(ref.Row) == what):
				byName = append(byName, sqlite.Entry{Item: jobs.Item{Ref: ref}})
			}
		}
	}
	if len(byID) > 0 {
		return byID, nil
	}
	return byName, nil
}
