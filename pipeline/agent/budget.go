package agent

import (
	"context"
	"sync"

	"docbatch/pipeline"
)

// Budget bounds what a run may spend, before each request: one that could go over the budget is not sent, and Ask returns an
// error of class Fatal and kind KindBudget.
//
// While only the requests on their way stand between a request and the budget, it waits for them: they may cost less than was
// estimated, or may never be sent. So a budget is used to its end, whatever the limits and however many workers there are.
//
// Retry stands above it, since each try costs; Pace and Traced stand below: Pace teaches Meter, and Traced says what was sent.
type Budget struct {
	Next  Agent
	Meter *Meter // what a request will cost, and what one did cost where the service does not say
	Price Price

	// The bounds; 0 means that there is none.
	MaxRequests int
	MaxTokens   int     // of prompts and answers together
	MaxCost     float64 // in the currency of Price

	mu      sync.Mutex
	spent   Spending
	claimed Spending      // by the requests on their way, as estimated
	changed chan struct{} // closed when one of them has ended; nil while nobody waits for that
}

// Price is what a million tokens cost, in any currency.
type Price struct {
	Input  float64
	Output float64
}

// Of is what so many tokens cost.
func (p Price) Of(t pipeline.Tokens) float64 {
	return (float64(t.Prompt)*p.Input + float64(t.Completion)*p.Output) / 1e6
}

// Spending is what requests cost.
type Spending struct {
	Requests int
	Tokens   pipeline.Tokens
}

func (s *Spending) add(o Spending) {
	s.Requests += o.Requests
	s.Tokens.Prompt += o.Tokens.Prompt
	s.Tokens.Completion += o.Tokens.Completion
}

func (s *Spending) take(o Spending) {
	s.add(Spending{-o.Requests, pipeline.Tokens{Prompt: -o.Tokens.Prompt, Completion: -o.Tokens.Completion}})
}

var _ Agent = (*Budget)(nil)

// Spent is what the requests that have ended cost, as far as is known: an answer without a count by estimate, and a request
// that may have been billed without an answer by the estimate of its prompt.
func (b *Budget) Spent() Spending {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent
}

// Ask implements Agent. It waits, where it must, as long as the requests on their way take; then it returns early with ctx's
// error or pipeline.ErrStopping.
func (b *Budget) Ask(ctx context.Context, req *Request) (a *Answer, err error) {
	claim, err := b.claim(ctx, req)
	if err != nil {
		return nil, err
	}
	var cost Spending
	defer func() { b.settle(claim, cost) }() // even after a panic: others wait for it
	trace := traceOf(ctx)
	tell := trace.Attempt
	trace.Attempt = func(attempt pipeline.Attempt) {
		cost.add(costOf(attempt, claim.Tokens))
		tell(attempt)
	}
	a, err = b.Next.Ask(WithTrace(ctx, &trace), req)
	switch {
	case err != nil:
	case a.Tokens.Prompt > 0:
		cost.add(Spending{Tokens: a.Tokens})
	default:
		cost.add(Spending{Tokens: claim.Tokens})
	}
	return a, err
}

// costOf is what a request cost by itself, without its answer. Connecting is free; a request without an answer that was on its
// way, or whose answer was none, may have been billed.
func costOf(a pipeline.Attempt, estimate pipeline.Tokens) Spending {
	switch a.Kind {
	case pipeline.KindConnect, pipeline.KindMachine:
		return Spending{}
	case pipeline.KindTimeout, pipeline.KindInterrupted, pipeline.KindNetwork, pipeline.KindResponse, pipeline.KindEmpty, pipeline.KindFilter:
		return Spending{Requests: 1, Tokens: pipeline.Tokens{Prompt: estimate.Prompt}}
	}
	return Spending{Requests: 1}
}

// claim sets aside what req will cost.
func (b *Budget) claim(ctx context.Context, req *Request) (Spending, error) {
	for {
		claim, changed, err := b.try(req)
		if err != nil || changed == nil {
			return claim, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Spending{}, ctx.Err()
		case <-pipeline.Stopping(ctx):
			return Spending{}, pipeline.ErrStopping
		}
	}
}

// try claims what req will cost, or says when to try again.
func (b *Budget) try(req *Request) (claim Spending, changed <-chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	claim = Spending{Requests: 1, Tokens: b.Meter.Estimate(req)}
	if err := b.over(b.spent, claim); err != nil {
		return claim, nil, err
	}
	sure := b.spent
	sure.add(b.claimed)
	if b.over(sure, claim) == nil {
		b.claimed.add(claim)
		return claim, nil, nil
	}
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return claim, b.changed, nil
}

// over says which bound is in the way of a request after so much was spent; nil where none is.
func (b *Budget) over(spent, next Spending) error {
	total := spent
	total.add(next)
	switch {
	case b.MaxRequests > 0 && total.Requests > b.MaxRequests:
		return pipeline.Errorf(pipeline.Fatal, pipeline.KindBudget, "the budget of %d requests is used up (--max-requests)", b.MaxRequests)
	case b.MaxTokens > 0 && total.Tokens.Total() > b.MaxTokens:
		return pipeline.Errorf(pipeline.Fatal, pipeline.KindBudget, "the budget of %d tokens is used up (--max-tokens): %d spent, and the next request needs about %d",
			b.MaxTokens, spent.Tokens.Total(), next.Tokens.Total())
	case b.MaxCost > 0 && b.Price.Of(total.Tokens) > b.MaxCost:
		return pipeline.Errorf(pipeline.Fatal, pipeline.KindBudget, "the budget of %g is used up (--max-cost): %.4g spent, and the next request costs about %.2g",
			b.MaxCost, b.Price.Of(spent.Tokens), b.Price.Of(next.Tokens))
	}
	return nil
}

// settle puts what a request cost in the place of what was claimed for it.
func (b *Budget) settle(claim, cost Spending) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.claimed.take(claim)
	b.spent.add(cost)
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}
