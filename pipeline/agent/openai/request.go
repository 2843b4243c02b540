package openai

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"

	"docbatch/pipeline/agent"
)

// wireRequest is the body of a request. Unlike the library's it keeps values that are zero and messages that are empty.
type wireRequest struct {
	Model    string `json:"model"`
	Messages any    `json:"messages"` // []agent.Message, or []any that ends with wireParts where images are shown
	agent.Params
	Stream        bool           `json:"stream,omitempty"`
	StreamOptions *streamOptions `json:"stream_options,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

var withUsage = &streamOptions{IncludeUsage: true}

// messagesOf are the messages of req as they go over the wire: the last one has its images as further parts.
func messagesOf(req *agent.Request) any {
	if len(req.Images) == 0 || len(req.Messages) == 0 {
		return req.Messages
	}
	messages := make([]any, 0, len(req.Messages))
	for _, m := range req.Messages {
		messages = append(messages, m)
	}
	last := req.Messages[len(req.Messages)-1]
	parts := []wirePart{{Type: "text", Text: last.Content}}
	for _, image := range req.Images {
		url := "data:" + image.MediaType + ";base64," + base64.StdEncoding.EncodeToString(image.Data)
		parts = append(parts, wirePart{Type: "image_url", Image: &wireImage{URL: url}})
	}
	messages[len(messages)-1] = wireParts{Role: last.Role, Content: parts}
	return messages
}

// wireParts is a message that is not text alone.
type wireParts struct {
	Role    string     `json:"role"`
	Content []wirePart `json:"content"`
}

type wirePart struct {
	Type  string     `json:"type"` // "text" or "image_url"
	Text  string     `json:"text,omitempty"`
	Image *wireImage `json:"image_url,omitempty"`
}

type wireImage struct {
	URL string `json:"url"`
}

// quirks are what the service was found not to understand. They are learned from its errors and kept for the Agent's life.
type quirks struct {
	noStreamOptions atomic.Bool
}

// A quirkError is a refusal of a field that can be left out. It stands around the classed error.
type quirkError struct{ error }

func (e quirkError) Unwrap() error { return e.error }

// learn notes what err says about the service and reports whether asking again can help. Workers that asked at the same
// moment each ask again once.
func (q *quirks) learn(err error) bool {
	if _, ok := errors.AsType[quirkError](err); !ok {
		return false
	}
	q.noStreamOptions.Store(true)
	return true
}

var encodeBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// encode renders req as it goes over the wire, and says whether it asks for the usage of a stream. The bytes are a copy of their own: the transport may go on reading them
// after the call is over, so they can't come from a pool.
func (q *quirks) encode(req *agent.Request) (payload []byte, usage bool, err error) {
	w := wireRequest{Model: req.Agent, Messages: messagesOf(req), Params: req.Params, Stream: req.Stream}
	if req.Stream && !q.noStreamOptions.Load() {
		w.StreamOptions = withUsage
	}
	buf := encodeBuffers.Get().(*bytes.Buffer)
	defer recycle(&encodeBuffers, buf)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false) // the agent reads what the document says
	if err := enc.Encode(&w); err != nil {
		return nil, false, err
	}
	return bytes.Clone(buf.Bytes()), w.StreamOptions != nil, nil
}

// recycle gives buf back to pool, unless one large answer would stay in memory for ever.
func recycle(pool *sync.Pool, buf *bytes.Buffer) {
	if buf.Cap() > 1<<20 {
		return
	}
	buf.Reset()
	pool.Put(buf)
}
