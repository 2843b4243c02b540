package openai

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// stream asks for the answer piece by piece.
func (c *call) stream() (*agent.Answer, error) {
	pieces, err := c.agent.client.CreateChatCompletionStream(c.ctx, stand)
	if err != nil {
		return nil, c.failure(err)
	}
	defer pieces.Close()
	return c.collect(pieces.RecvRaw)
}

// settleTimeout is how long a stream may still take for its usage and its end when the answer is whole.
const settleTimeout = 5 * time.Second

// collect puts the pieces that next gives, of c.events, together. They are an answer only when the service said that it was
// whole, with a finish reason or with [DONE]: requiring both would reject good answers, requiring neither would take cut ones.
func (c *call) collect(next func() ([]byte, error)) (*agent.Answer, error) {
	t := transcript{call: c}
	for {
		raw, err := next()
		if err != nil {
			return t.end(err)
		}
		finished := t.finish != ""
		t.take(raw)
		if most := c.agent.options.MaxResponseBytes; int64(len(t.text)+len(t.refusal)) > most {
			return nil, c.tooLarge(most)
		}
		if !finished && t.finish != "" {
			c.clock.Reset(settleTimeout)
		}
	}
}

// A transcript is a completion that comes in pieces.
type transcript struct {
	completion
	call  *call
	begun bool
	index count // of the choice that came first; others are left out
}

// take takes one event.
func (t *transcript) take(raw []byte) {
	var w wireCompletion
	_ = json.Unmarshal(raw, &w) // events gives JSON only: an error is a member of another type, and the others are there
	t.note(&w)
	for i := range w.Choices {
		t.takeChoice(&w.Choices[i])
	}
}

func (t *transcript) takeChoice(choice *wireChoice) {
	if !t.begun {
		t.begun, t.index = true, choice.Index
	}
	if choice.Index != t.index {
		return
	}
	piece := t.add(choice)
	if req := t.call.req; req.Stream && req.OnText != nil && piece != "" {
		req.OnText(piece)
	}
}

// end judges what came, when the stream ended with err.
func (t *transcript) end(err error) (*agent.Answer, error) {
	c := t.call
	switch whole := t.finish != "" || c.events.done || c.events.single; {
	case whole && t.begun:
		return c.judge(&t.completion)
	case !errors.Is(err, io.EOF):
		return nil, c.failure(err)
	case whole:
		return nil, c.noChoices()
	case !t.begun && c.events.stray != nil:
		return nil, c.nonsense(c.events.stray)
	}
	return nil, c.agent.errorf(pipeline.Transient, pipeline.KindResponse, c.status,
		"the stream from %s ended before the answer was whole", c.agent.base)
}
