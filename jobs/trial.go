package jobs

import (
	"fmt"
	"sync"

	"docbatch/pipeline"
)

// trialLength is how many documents may fail in the same way, before any is answered, until that is taken for what it is: a
// mistake in the configuration or an agent that is down, and not that many bad documents.
const trialLength = 10

// A trial holds back the first failures of a run until it is clear whose fault they are. The first document that is answered,
// or fails in another way, acquits configuration and agent: then they are outcomes like others. Used by many goroutines.
type trial struct {
	pass func(Outcome) // takes an outcome that is settled

	mu     sync.Mutex
	over   bool
	guilty bool // not the documents are: what fails in that way from now on is released
	held   []Outcome
}

// answered passes on an outcome with an answer, and ends the trial.
func (t *trial) answered(o Outcome) {
	t.end()
	t.pass(o)
}

// failed passes on a failure, or holds it back. It returns an error when the trial ends with a verdict against configuration or
// agent: then all that was held back is released.
func (t *trial) failed(o Outcome) error {
	if !onTrial(o.Record.Err) {
		t.pass(o)
		return nil
	}
	t.mu.Lock()
	switch {
	case t.guilty:
		release(o)
		fallthrough
	case t.over:
		t.mu.Unlock()
		t.pass(o)
		return nil
	case len(t.held) > 0 && !alike(t.held[0].Record.Err, o.Record.Err):
		t.mu.Unlock()
		t.answered(o)
		return nil
	}
	t.held = append(t.held, o)
	verdict := t.judge()
	t.mu.Unlock()
	if verdict != nil {
		t.end()
	}
	return verdict
}

// judge returns the verdict against configuration or agent once enough is held back. t.mu is held.
func (t *trial) judge() error {
	if len(t.held) < trialLength {
		return nil
	}
	t.guilty = true
	first := t.held[0].Record.Err
	for _, o := range t.held {
		release(o)
	}
	kind := pipeline.KindConfig
	if first.Class == pipeline.Transient {
		kind = pipeline.KindUnreachable
	}
	return &pipeline.Error{Class: pipeline.Fatal, Kind: kind, Status: first.Status,
		Err: fmt.Errorf("the first %d documents all failed in the same way: %w", trialLength, first)}
}

// release makes the outcome one that marks nothing.
func release(o Outcome) { o.Record.State, o.Record.Err = pipeline.Pending, nil }

// end passes on what is held back, and holds back nothing more.
func (t *trial) end() {
	t.mu.Lock()
	held := t.held
	t.over, t.held = true, nil
	t.mu.Unlock()
	for _, o := range held {
		t.pass(o)
	}
}

// onTrial reports whether a failure could be the configuration's fault, or the agent's: a refusal that does not say what is wrong
// with this document in particular, or a failure that did not go away in all attempts.
func onTrial(e *pipeline.Error) bool {
	return e.Class == pipeline.Transient && e.Kind != pipeline.KindRead || e.Class == pipeline.Refused && e.Kind == pipeline.KindRequest
}

// alike reports whether two failures are the same to the service; their sentences may name the document.
func alike(a, b *pipeline.Error) bool { return a.Kind == b.Kind && a.Status == b.Status }
