package demo

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	maxMessages = 10000
	maxParts    = 1000
	bodyTime    = time.Minute // for a body to arrive
)

// A completion is what the body of a request asks for; members that this agent has no use for are ignored.
type completion struct {
	Model         string          `json:"model"`
	Messages      messages        `json:"messages"`
	Stream        bool            `json:"stream"`
	StreamOptions *streamOptions  `json:"stream_options"`
	MaxTokens     *int            `json:"max_tokens"`
	MaxCompletion *int            `json:"max_completion_tokens"`
	N             *int            `json:"n"`
	Format        *responseFormat `json:"response_format"`

	composed answer // see answer
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type responseFormat struct {
	Type string `json:"type"`
}

type message struct {
	Role    string  `json:"role"`
	Content content `json:"content"`
}

// messages is bounded in number: a small body could otherwise ask for much memory.
type messages []message

func (m *messages) UnmarshalJSON(data []byte) error {
	list, err := decodeList[message](data, maxMessages, "messages")
	*m = list
	return err
}

// content is the text of a message, which comes as a string or as a list of parts.
type content string

func (c *content) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] != '[' {
		var s *string
		if err := json.Unmarshal(data, &s); err != nil {
			return errors.New("content is neither a string nor a list of parts")
		}
		if s != nil {
			*c = content(*s)
		}
		return nil
	}
	type part struct {
		Type  string `json:"type"`
		Text  string `json:"text"`
		Image struct {
			URL string `json:"url"`
		} `json:"image_url"`
	}
	parts, err := decodeList[part](data, maxParts, "parts")
	if err != nil {
		return err
	}
	texts := make([]string, 0, len(parts))
	for _, p := range parts {
		text := p.Text
		if p.Type != "text" {
			var ok bool
			if text, ok = picture(p.Type, p.Image.URL); !ok {
				return fmt.Errorf("a part of type %.40q: this agent takes text, and pictures as data URLs", p.Type)
			}
		}
		texts = append(texts, text)
	}
	*c = content(strings.Join(texts, "\n"))
	return nil
}

// picture is what this agent sees of a picture.
func picture(kind, url string) (text string, ok bool) {
	mediaType, data, ok := strings.Cut(strings.TrimPrefix(url, "data:"), ";base64,")
	if kind != "image_url" || !ok || !strings.HasPrefix(mediaType, "image/") {
		return "", false
	}
	b, err := base64.StdEncoding.DecodeString(data)
	return fmt.Sprintf("A picture (%s) of %d bytes.", mediaType, len(b)), err == nil
}

// decodeList decodes a JSON array of at most limit elements; null is an empty one.
func decodeList[T any](data []byte, limit int, what string) ([]T, error) {
	if string(data) == "null" {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, fmt.Errorf("%s is not a list", what)
	}
	var list []T
	for d.More() {
		if len(list) == limit {
			return nil, fmt.Errorf("more than %d %s", limit, what)
		}
		var e T
		if err := d.Decode(&e); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// readCompletion reads and decodes a body, within its bounds on bytes and time.
func (s *Server) readCompletion(w http.ResponseWriter, r *http.Request) (*completion, *problem) {
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTime)) // not every ResponseWriter has one
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.opts.MaxBodyBytes))
	_ = conn.SetReadDeadline(time.Time{})
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge(large.Limit)
	}
	if err != nil {
		return nil, badRequest("", "The request broke off before its end.")
	}
	return decodeCompletion(body)
}

func decodeCompletion(body []byte) (*completion, *problem) {
	c := &completion{}
	if err := json.Unmarshal(body, c); err != nil {
		param := ""
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			param = clip(e.Field, 100)
		}
		return nil, badRequest(param, "The body is not a valid request: %s.", clip(err.Error(), 200))
	}
	return c, nil
}

var roles = map[string]bool{"system": true, "developer": true, "user": true, "assistant": true, "tool": true, "function": true}

// check refuses what a completion can't be made for.
func (c *completion) check() *problem {
	switch {
	case c.Model == "":
		return badRequest("model", "You must provide a model parameter.")
	case len(c.Messages) == 0:
		return badRequest("messages", "There are no messages: messages must be a list with at least one.")
	case c.StreamOptions != nil && !c.Stream:
		return badRequest("stream_options", "stream_options is only allowed when stream is true.")
	case c.N != nil && *c.N != 1:
		return badRequest("n", "n is %d: this agent gives one answer.", *c.N)
	case c.MaxTokens != nil && *c.MaxTokens < 1:
		return badRequest("max_tokens", "max_tokens is %d: it must be at least 1.", *c.MaxTokens)
	case c.MaxCompletion != nil && *c.MaxCompletion < 1:
		return badRequest("max_completion_tokens", "max_completion_tokens is %d: it must be at least 1.", *c.MaxCompletion)
	case c.Format != nil && c.Format.Type != "text" && c.Format.Type != "json_object":
		return badRequest("response_format", "response_format %.40q: this agent knows text and json_object.", c.Format.Type)
	}
	for i, m := range c.Messages {
		if !roles[m.Role] {
			return badRequest(fmt.Sprintf("messages[%d].role", i), "%.40q is not a role.", m.Role)
		}
	}
	return nil
}

// limit is the most tokens that the answer may have; 0 is without limit.
func (c *completion) limit() int {
	switch {
	case c.MaxCompletion != nil:
		return *c.MaxCompletion
	case c.MaxTokens != nil:
		return *c.MaxTokens
	}
	return 0
}

// question is the message that asks: the last of the user's, or the last of all.
func (c *completion) question() string {
	for i := len(c.Messages) - 1; i >= 0; i-- {
		if c.Messages[i].Role == "user" {
			return string(c.Messages[i].Content)
		}
	}
	if n := len(c.Messages); n > 0 {
		return string(c.Messages[n-1].Content)
	}
	return ""
}

// bytesPerToken is the estimate behind all that is said of tokens: one for every four bytes, and four more a message.
const bytesPerToken = 4

func tokens(text string) int { return (len(text) + bytesPerToken - 1) / bytesPerToken }

func (c *completion) promptTokens() int {
	n := 0
	for _, m := range c.Messages {
		n += tokens(string(m.Content)) + 4
	}
	return n
}

// cost is how many tokens the prompt and its answer have.
func (c *completion) cost() int {
	n := c.promptTokens()
	if c.check() == nil { // or else there is no answer
		n += tokens(c.answer().text)
	}
	return n
}
