// Package agent holds the contract of what answers a prompt, and the decorators around it: Cache answers from the store,
// Retry tries again what may go away, Pace keeps to the limits. Each takes an Agent and is one:
//
//	Cache( Retry( Pace( openai.Agent ) ) )
//
// It knows no protocol; adapters are folders below it.
package agent

import (
	"context"

	"docbatch/pipeline"
)

// A Message is one turn of a chat.
type Message struct {
	Role    string `json:"role"` // "system" or "user"
	Content string `json:"content"`
}

// Params are the sampling parameters; what is nil or zero is not sent, and the agent's own setting holds.
type Params struct {
	Temperature *float64 `json:"temperature,omitempty"` // 0 is a value and is sent
	TopP        *float64 `json:"top_p,omitempty"`       // 0 is a value and is sent
	MaxTokens   int      `json:"max_tokens,omitempty"`  // bound on the answer's length, in tokens
	Seed        *int     `json:"seed,omitempty"`
}

// A Request is one question to an agent.
type Request struct {
	Agent    string // the agent's slug, sent as the model name
	Messages []Message
	Images   []pipeline.Image // shown with the last message
	Params   Params

	// After is the number of the newest stored answer that does not count, because the document is to be asked again: see
	// Document.After. It is no part of the request's hash.
	After int64

	// Key is the same for every try of the same request: it is sent as Idempotency-Key. Cache sets it.
	Key string

	// Stream asks for the answer piece by piece; OnText, if not nil, is then called with each piece as it arrives, from the
	// goroutine that called Ask. The answer is the same whole text either way.
	Stream bool
	OnText func(text string)
}

// An Answer is what an agent returned: whole, or cut at its length limit. It is never empty and never part of a broken stream.
type Answer struct {
	Text         string
	Model        string          // as the service names it; may differ from Request.Agent
	FinishReason string          // "stop", "length", or what else the service said; "" where it said nothing
	Tokens       pipeline.Tokens // as the service counted them; zero where it did not say
}

// Truncated reports whether the answer was cut at the agent's length limit.
func (a *Answer) Truncated() bool { return a.FinishReason == "length" }

// An Agent answers requests. It is used by many goroutines at once.
type Agent interface {
	// Ask sends req and returns the answer. An error is a *pipeline.Error with its class, or ctx's error, or
	// pipeline.ErrStopping where the run stopped before anything was sent.
	Ask(ctx context.Context, req *Request) (*Answer, error)
}
