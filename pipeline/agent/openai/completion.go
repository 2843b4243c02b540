package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// A completion is what a service said in answer to a request, whether at once or in pieces.
type completion struct {
	model   string
	text    []byte // grows: a stream of single letters as strings took time by its square
	finish  string // as the service says it
	refusal []byte
	tools   bool // it wants a tool to be called
	thought bool // there was reasoning
	tokens  pipeline.Tokens
}

// wireCompletion is an answer, or a piece of a stream, as it may look: each member is there or not, and of another type
// than it should be or not. Unlike the library's it loses no text over that.
type wireCompletion struct {
	Model   text            `json:"model"`
	Choices []wireChoice    `json:"choices"`
	Usage   *wireUsage      `json:"usage"`
	Error   json.RawMessage `json:"error"`
}

type wireChoice struct {
	Index   count           `json:"index"`
	Message *wireMessage    `json:"message"`
	Delta   *wireMessage    `json:"delta"`
	Text    text            `json:"text"`
	Finish  text            `json:"finish_reason"`
	Error   json.RawMessage `json:"error"`
}

type wireMessage struct {
	Content      text            `json:"content"`
	Refusal      text            `json:"refusal"`
	Reasoning    text            `json:"reasoning"`
	ReasoningOld text            `json:"reasoning_content"`
	Tools        json.RawMessage `json:"tool_calls"`
	Function     json.RawMessage `json:"function_call"`
}

type wireUsage struct {
	Prompt     count `json:"prompt_tokens"`
	Completion count `json:"completion_tokens"`
}

// text is a string that may come as null, as an array of parts or as an object that holds it.
type text string

// UnmarshalJSON never fails: what holds no text is "".
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
		*t = text(s)
		return nil
	}
	*t = ""
	switch raw[0] {
	case '[':
		var parts []text
		_ = json.Unmarshal(raw, &parts)
		for _, part := range parts {
			*t += part
		}
	case '{':
		var part struct {
			Type  string `json:"type"`
			Text  text   `json:"text"`
			Value text   `json:"value"`
		}
		_ = json.Unmarshal(raw, &part)
		if !strings.Contains(part.Type, "reason") && !strings.Contains(part.Type, "think") {
			*t = part.Text + part.Value
		}
	}
	return nil
}

// count is a number of tokens that may come as a float or as nonsense, which counts as 0.
type count int

// UnmarshalJSON never fails.
func (n *count) UnmarshalJSON(raw []byte) error {
	var f float64
	if json.Unmarshal(raw, &f) != nil || math.IsNaN(f) || f > maxTokens {
		f = 0
	}
	*n = count(countOf(int(f)))
	return nil
}

// maxTokens is more than any agent's context: what says more is nonsense, and would stop a run that keeps to a limit on tokens.
const maxTokens = 100_000_000

// countOf is a number of tokens, or 0 where it is none.
func countOf(n int) int {
	if n < 0 || n > maxTokens {
		return 0
	}
	return n
}

// strictCompletion is a plain answer as it should be.
type strictCompletion struct {
	Model   string `json:"model"`
	Choices []struct {
		Message struct {
			Content string `json:"content"`
		} `json:"message"`
		Finish string `json:"finish_reason"`
	} `json:"choices"`
	Usage struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	} `json:"usage"`
}

// decodeStrict decodes a plain answer, and reports whether it is one as it should be: with text, and without a word of an error.
// It reads no further than the answer goes: some services leave the connection open behind it.
func (c *call) decodeStrict() (*completion, bool) {
	var w strictCompletion
	if err := json.NewDecoder(c.body).Decode(&w); err != nil || len(w.Choices) == 0 || bytes.Contains(c.raw.Bytes(), errorMember) {
		return nil, false
	}
	if strings.TrimSpace(w.Choices[0].Message.Content) == "" {
		return nil, false
	}
	return &completion{
		model:  w.Model,
		text:   []byte(w.Choices[0].Message.Content),
		finish: w.Choices[0].Finish,
		tokens: pipeline.Tokens{Prompt: countOf(w.Usage.Prompt), Completion: countOf(w.Usage.Completion)},
	}, true
}

// errorMember is in every body that may say that it is none.
var errorMember = []byte(`"error"`)

// decodeLoose decodes the first JSON value of raw into v as far as it goes; its error says that raw holds no whole value.
func decodeLoose(raw []byte, v any) error {
	raw = bytes.TrimPrefix(raw, bom)
	err := json.Unmarshal(raw, v)
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		err = json.NewDecoder(bytes.NewReader(raw)).Decode(v) // with something behind it
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil // the members of the right type are there
	}
	return err
}

// present reports whether raw says something: null, false, "", {} and [] do not.
func present(raw json.RawMessage) bool {
	switch string(raw) {
	case "", "null", "false", `""`, "{}", "[]":
		return false
	}
	return true
}

// reread decodes the raw body of a plain answer. A body that broke is as good as a whole one if the value in it is whole.
func (c *call) reread() (*agent.Answer, error) {
	raw := c.raw.Bytes()
	if looksStreamed(raw) {
		c.events = newEvents(c, io.MultiReader(bytes.NewReader(raw), c.body)) // the body for how it ended
		return c.collect(c.events.next)
	}
	var w wireCompletion
	if err := decodeLoose(raw, &w); err != nil {
		if !errors.Is(c.body.err, io.EOF) {
			return nil, c.failure(c.body.err)
		}
		return nil, c.nonsense(raw)
	}
	if fault, found := faultIn(&w, raw); found {
		return nil, c.classify(fault, raw)
	}
	done := &completion{}
	done.note(&w)
	if len(w.Choices) == 0 {
		return nil, c.noChoices()
	}
	done.add(&w.Choices[0])
	return c.judge(done)
}

// note takes what is said of the whole answer.
func (d *completion) note(w *wireCompletion) {
	if w.Model != "" {
		d.model = string(w.Model)
	}
	if w.Usage != nil {
		d.tokens = pipeline.Tokens{Prompt: int(w.Usage.Prompt), Completion: int(w.Usage.Completion)}
	}
}

// add takes a choice, or a piece of one, and returns the text in it.
func (d *completion) add(choice *wireChoice) string {
	if choice.Finish != "" && choice.Finish != "null" {
		d.finish = string(choice.Finish)
	}
	m := choice.Message
	if m == nil {
		m = choice.Delta
	}
	if m == nil {
		m = &wireMessage{Content: choice.Text}
	}
	d.text = append(d.text, m.Content...)
	d.refusal = append(d.refusal, m.Refusal...)
	d.tools = d.tools || present(m.Tools) || present(m.Function)
	d.thought = d.thought || m.Reasoning != "" || m.ReasoningOld != ""
	return string(m.Content)
}

// judge makes an answer of d, if it is one.
func (c *call) judge(d *completion) (*agent.Answer, error) {
	finish, blank := finishReason(d.finish), len(bytes.TrimSpace(d.text)) == 0
	switch {
	case finish == "content_filter":
		return nil, c.refused(pipeline.KindFilter, "a content filter withheld the answer")
	case finish == "error":
		return nil, c.agent.errorf(pipeline.Transient, pipeline.KindServer, c.status, "%s broke off the answer with an error", c.agent.base)
	case blank && len(bytes.TrimSpace(d.refusal)) > 0:
		return nil, c.refused(pipeline.KindFilter, "the agent declined: %s", c.agent.sentence(string(d.refusal)))
	case blank && finish == "length":
		return nil, c.refused(pipeline.KindTruncated, "the answer was cut at the length limit before it had any text")
	case blank && (d.tools || finish == "tool_calls" || finish == "function_call"):
		return nil, c.refused(pipeline.KindEmpty, "the agent %q wants a tool to be called instead of answering", c.req.Agent)
	case blank && d.thought:
		return nil, c.agent.errorf(pipeline.Transient, pipeline.KindEmpty, c.status, "the answer from %s holds reasoning, but no text", c.agent.base)
	case blank:
		return nil, c.agent.errorf(pipeline.Transient, pipeline.KindEmpty, c.status, "the answer from %s is empty", c.agent.base)
	}
	// A service that echoes the key must not get it into the state.
	return &agent.Answer{Text: c.agent.secret.scrub(string(d.text)), Model: tidy(c.agent.secret.scrub(d.model), 200), FinishReason: finish, Tokens: d.tokens}, nil
}

func (c *call) noChoices() error {
	return c.agent.errorf(pipeline.Transient, pipeline.KindResponse, c.status, "the answer from %s has no choices in it", c.agent.base)
}

func (c *call) refused(kind, format string, args ...any) error {
	return c.agent.errorf(pipeline.Refused, kind, c.status, format, args...)
}

// finishReason gives the OpenAI word for what other services say for the same.
func finishReason(said string) string {
	switch word := strings.ToLower(said); word {
	case "max_tokens", "model_length", "max_output_tokens":
		return "length"
	case "safety", "recitation", "blocklist", "prohibited_content", "spii", "refusal", "content_filtered":
		return "content_filter"
	case "stop", "length", "content_filter", "error", "tool_calls", "function_call":
		return word
	}
	return tidy(said, 64)
}
