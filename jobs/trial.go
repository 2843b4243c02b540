package jobs

import (
	"fmt"
	"sync"

	"docbatch/pipeline"
)

// trialLength is how many different documents may be refused in the same way, before any is answered, until that is taken for what it
// is: a mistake in the configuration, and not that many bad documents.
const trialLength = 10

// A trial holds back the first refusals of a run until it is clear whose fault they are. The first document that is answered,
// or refused in another way, acquits the configuration: then they are outcomes like others. Used by many goroutines.
type trial struct {
	pass func(Outcome) // takes an outcome that is settled

	mu     sync.Mutex
	over   bool
	guilty bool // the configuration is: what is refused in that way from now on is released
	held   []Outcome
}

// answered passes on an outcome with an answer, and ends the trial.
func (t *trial) answered(o Outcome) {
	t.end()
	t.pass(o)
}

// failed passes on a failure, or holds it back. It returns an error when the trial ends with a verdict against the
// configuration: then all that was held back is released.
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

// judge returns the verdict against the configuration once enough is held back. t.mu is held.
func (t *trial) judge() error {
	if t.different() < trialLength {
		return nil
	}
	t.guilty = true
	first := t.held[0].Record.Err
	for _, o := range t.held {
		release(o)
	}
	return &pipeline.Error{Class: pipeline.Fatal, Kind: pipeline.KindConfig, Status: first.Status,
		Err: fmt.Errorf("the first %d documents were all refused in the same way: %w", trialLength, first)}
}

// different is how many different requests were refused: equal documents are refused alike, whosever fault it is. t.mu is held.
func (t *trial) different() int {
	requests := map[string]bool{}
	n := 0
	for _, o := range t.held {
		if r := o.Record.Request; r == "" || !requests[r] {
			requests[r] = true
			n++
		}
	}
	return n
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

// onTrial reports whether a failure could be the configuration's fault: a refusal that does not say what is wrong with this
// document in particular. One for its length or by a filter does, however many there are. An agent that is down is no matter of
// documents at all: see agent.Pace.
func onTrial(e *pipeline.Error) bool {
	return e.Class == pipeline.Refused && e.Kind == pipeline.KindRequest || e.Class == pipeline.Invalid && e.Kind == pipeline.KindTooLong
}

// alike reports whether two refusals are the same to the service; their sentences may name the document.
func alike(a, b *pipeline.Error) bool { return a.Status == b.Status }
