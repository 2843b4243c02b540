package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// plan counts what a run would send. Its tokens are estimates by an agent.Meter that has learned nothing.
type plan struct {
	meter      *agent.Meter
	requests   atomic.Int64
	prompt     atomic.Int64 // tokens
	completion atomic.Int64 // tokens
}

// Ask counts a request instead of sending it.
func (p *plan) Ask(_ context.Context, req *agent.Request) (*agent.Answer, error) {
	p.requests.Add(1)
	guess := p.meter.Estimate(req)
	p.prompt.Add(int64(guess.Prompt))
	p.completion.Add(int64(guess.Completion))
	return &agent.Answer{Text: "not sent"}, nil
}

var _ agent.Agent = (*plan)(nil)

// dryRun works the job on a copy of its state, with an agent that only counts: what it says is what run would do.
func dryRun(ctx context.Context, e env, o *runOptions, j *job, q *question) error {
	store, remove, err := copyState(ctx, j.state)
	if err != nil {
		return err
	}
	defer remove()
	lease, err := store.Join(ctx)
	if err != nil {
		return err
	}
	p := &plan{meter: agent.NewMeter()}
	runner := &jobs.Runner{
		Queue:    store,
		Lease:    lease,
		Sources:  q.sources,
		Steps:    q.steps(j, &agent.Cache{Next: p, Store: store, Base: j.baseURL}),
		Question: j.question(q.prompt.Fingerprint()),
		Workers:  runtime.GOMAXPROCS(0),
	}
	hard, stop, caught := catchSignals(ctx, func() {})
	err = runner.Run(hard, stop)
	if sig, _ := caught(); errors.Is(err, jobs.ErrInterrupted) {
		return interruption(sig)
	}
	if err != nil {
		return err
	}
	causes, err := store.Failures(ctx)
	if err != nil {
		return err
	}
	return p.tell(e, o, j, runner.Progress(), causes)
}

// copyState opens a copy of the state file, or a new one where there is none. remove closes it and throws it away.
func copyState(ctx context.Context, state string) (store *sqlite.Store, remove func(), err error) {
	dir, err := os.MkdirTemp("", "docbatch-plan-")
	if err != nil {
		return nil, nil, err
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
		store, err = sqlite.Open(ctx, scratch, sqlite.Options{})
	}
	if err != nil {
		remove()
		return nil, nil, err
	}
	return store, remove, nil
}

// tell says what run would do.
func (p *plan) tell(e env, o *runOptions, j *job, progress jobs.Progress, causes []sqlite.Failure) error {
	requests, tokens := int(p.requests.Load()), pipeline.Tokens{Prompt: int(p.prompt.Load()), Completion: int(p.completion.Load())}
	failed := -progress.Failed // those before
	for _, c := range causes {
		failed += c.Count
	}
	unchanged := progress.Rested - failed
	if o.json {
		writeJSON(e.stdout, "plan", map[string]any{"answer_tokens": tokens.Completion, "cost": costJSON(j.price, tokens),
			"documents": progress.Found, "requests": requests, "prompt_tokens": tokens.Prompt,
			"from_store": progress.Cached, "unchanged": unchanged, "unusable": progress.Failed, "failed_before": failed, "gone": progress.Gone})
		return nil
	}
	fmt.Fprintf(e.stdout, "%s; nothing was sent. A run would do this:\n", plural(progress.Found, "document"))
	writeParts(e.stdout, []part{
		{requests, "to be sent, about " + plural(tokens.Prompt, "prompt token") + atPrice(j.price, tokens) + atLimits(requests, tokens, j.pace)},
		{progress.Cached, "answered from the store: equal to another, touched or renamed"},
		{unchanged, "unchanged since they were finished"},
		{failed, "failed before; docbatch retry puts them back"},
		{progress.Failed, "can't be sent"},
		{progress.Gone, "gone from the inputs"},
	})
	writeCauses(e.stdout, causes)
	return nil
}

// atPrice is what so many tokens cost, in words; "" where that is not known.
func atPrice(p agent.Price, tokens pipeline.Tokens) string {
	if p == (agent.Price{}) {
		return ""
	}
	return fmt.Sprintf(", about %.2g in all", p.Of(tokens))
}

// costJSON is what so many tokens cost, for programs.
func costJSON(p agent.Price, tokens pipeline.Tokens) any {
	if p == (agent.Price{}) {
		return nil
	}
	return p.Of(tokens)
}

// atLimits is how long so many requests take at the limits, in words; "" where none is known.
func atLimits(requests int, tokens pipeline.Tokens, l agent.Limits) string {
	at := func(n int, limit float64, what string) (time.Duration, string) {
		if limit <= 0 {
			return 0, ""
		}
		d := time.Duration(float64(n) / limit * float64(time.Minute)).Round(time.Second)
		return d, fmt.Sprintf(", at least %v at %v %s a minute", d, limit, what)
	}
	if requests == 0 {
		return ""
	}
	byRequests, words := at(requests, l.Requests, "requests")
	if byTokens, tokenWords := at(tokens.Total(), l.Tokens, "tokens"); byTokens > byRequests {
		return tokenWords
	}
	return words
}
