// Package ask holds the two steps that follow once a document's text is there: ask sends it to the agent, check looks at what
// came back. How a request is sent, repeated, paced and kept is the agent's matter (see package agent), how it reads the
// prompt's (see package prompt).
package ask

import (
	"context"
	"strings"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
	"docbatch/pipeline/prompt"
)

// Options say how an agent is asked.
type Options struct {
	Agent  string       // the agent's slug
	Params agent.Params // what is nil or zero is left to the agent
	Stream bool         // ask for the answer piece by piece; it is the same in the end
}

type asking struct {
	prompt *prompt.Prompt
	agent  agent.Agent
	opts   Options
}

var _ pipeline.Step = (*asking)(nil)

// New gives the step that renders a document with p and asks a. It notes in the record the answer with its model and tokens,
// the hash of the request, whether the answer was there already, and each attempt, also those of a request that failed. An
// answer that was cut sets the state Truncated. A document without anything to ask about is of class Invalid and kind
// KindNoText, one that the template can't be rendered for of kind KindPrompt: then nothing is sent. The agent's errors are
// returned as they are.
func New(p *prompt.Prompt, a agent.Agent, opts Options) pipeline.Step {
	return &asking{prompt: p, agent: a, opts: opts}
}

// Name implements pipeline.Step.
func (s *asking) Name() string { return "ask" }

// Do implements pipeline.Step.
func (s *asking) Do(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
	if s.empty(doc) {
		return pipeline.Errorf(pipeline.Invalid, pipeline.KindNoText, "the document has no text")
	}
	messages, err := s.prompt.Render(doc)
	if err != nil {
		return err
	}
	ctx = agent.WithTrace(ctx, &agent.Trace{
		Request: func(key string) { rec.Request = key },
		Cached:  func() { rec.Cached = true },
		Attempt: func(a pipeline.Attempt) {
			rec.Attempts = append(rec.Attempts, a)
			rec.Tries++
		},
	})
	answer, err := s.agent.Ask(ctx, &agent.Request{
		Agent:    s.opts.Agent,
		Messages: messages,
		Images:   doc.Images,
		Params:   s.opts.Params,
		Stream:   s.opts.Stream,
		After:    doc.After,
	})
	if err != nil {
		return err
	}
	rec.Answer, rec.Model, rec.Tokens = answer.Text, answer.Model, answer.Tokens
	if answer.Truncated() {
		rec.State = pipeline.Truncated
	}
	return nil
}

// empty reports whether doc has nothing that the prompt could ask about.
func (s *asking) empty(doc *pipeline.Document) bool {
	if strings.TrimSpace(doc.Text) != "" {
		return false
	}
	if s.prompt.UsesFields() {
		for _, f := range doc.Fields {
			if strings.TrimSpace(f.Value) != "" {
				return false
			}
		}
	}
	return true
}
