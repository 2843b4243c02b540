package agent

import (
	"context"
	"time"

	"docbatch/pipeline"
)

// Limits are what a Pace keeps to. Each is optional: 0 means that it is not known, or its default.
type Limits struct {
	Requests float64 // requests a minute
	Tokens   float64 // tokens a minute, of prompts and answers together
	InFlight int     // calls in flight at once
	Context  int     // tokens that a prompt and its answer may have together: the agent's context

	// Reserve counts for each request the most tokens that its answer may have (Params.MaxTokens) instead of what answers have on
	// average, and gives nothing back: as OpenAI counts.
	Reserve bool

	MaxPause time.Duration // no pause that the service asks for is kept for longer; default DefaultMaxPause

	// GiveUp is how long the agent may be down until Ask gives up with an error of kind KindUnreachable; default
	// DefaultGiveUp, and DefaultGiveUpEarly before the first answer.
	GiveUp time.Duration
}

// Defaults of Limits.
const (
	DefaultMaxPause    = 15 * time.Minute
	DefaultGiveUp      = 15 * time.Minute
	DefaultGiveUpEarly = 2 * time.Minute
)

// Cost is what req counts for against the limit on tokens, as far as m knows. One that the limits can never let pass is an error of
// class Invalid and kind KindTooLong. Only what is too long for sure is: the service knows better, and says so for nothing.
func (l Limits) Cost(m *Meter, req *Request) (tokens int, err error) {
	guess := m.Estimate(req)
	if l.Reserve && req.Params.MaxTokens > 0 {
		guess.Completion = req.Params.MaxTokens
	}
	if l.Context <= 0 && l.Tokens <= 0 {
		return guess.Total(), nil
	}
	least := m.least(req)
	if most := l.Context; most > 0 && least+req.Params.MaxTokens > most {
		return 0, tooLong("the document is too long for the agent: it and its answer need %d tokens at least, and the agent takes %d", least+req.Params.MaxTokens, most)
	}
	most := int(l.Tokens)
	if most > 0 && least > most {
		return 0, tooLong("the document alone is over the limit on tokens: it has %d at least, and %d a minute are allowed", least, most)
	}
	if most > 0 {
		return min(guess.Total(), most), nil // an empty minute takes it
	}
	return guess.Total(), nil
}

func tooLong(format string, args ...any) error {
	return pipeline.Errorf(pipeline.Invalid, pipeline.KindTooLong, format, args...)
}

// Rates is what a service says of its limits beside an answer or an error, in headers such as x-ratelimit-remaining-requests.
type Rates struct {
	Requests, Tokens Rate
}

// A Rate is what a service says of one limit; Known is false where it says nothing.
type Rate struct {
	Known     bool
	Limit     int           // in all, per a time that is not said; 0 where it is not said
	Remaining int           // what is left of it now
	Reset     time.Duration // until all of it is free again, or until the next of it: services differ; 0 where it is not said
}

type ratesKey struct{}

// withRates gives ctx a place for what the service says of its limits.
func withRates(ctx context.Context, note func(Rates)) context.Context {
	return context.WithValue(ctx, ratesKey{}, note)
}

// NoteRates is for adapters: it tells whoever paces the request of ctx what the service says of its limits. It is called before
// Ask returns, at most once, and not at all where the service says nothing.
func NoteRates(ctx context.Context, r Rates) {
	if note, ok := ctx.Value(ratesKey{}).(func(Rates)); ok {
		note(r)
	}
}
