package agent

import (
	"context"
	"time"
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
