package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// fingerprint tells clients that no model is behind the answers.
const fingerprint = "docbatch-demo"

// maxHang is how long a request hangs whose client has no time-out.
const maxHang = time.Hour

// complete answers a request for a completion: first what becomes of it, then the journal, then the wire.
func (s *Server) complete(w http.ResponseWriter, r *http.Request) {
	c, refused := s.read(w, r)
	arrived := time.Now()
	if refused == nil {
		refused = s.admit(w.Header(), c, arrived)
	}
	e := entry(arrived, r, c)
	var fault Fault
	if refused != nil {
		e.Status = refused.status
	} else {
		fault = pick(s.opts.Faults, s.opts.Seed, s.answered.Add(1))
		e.Fault, e.Status = fault.name, fault.sent()
	}
	if err := s.journal.write(e); err != nil {
		refused = &problem{status: http.StatusInternalServerError, Type: "server_error", Message: err.Error()}
		e.Fault, e.Status = "", refused.status
	}
	s.stats.add(e)
	switch {
	case refused != nil:
		refused.write(w)
	case s.think(r.Context()):
		s.send(w, r, c, fault)
	default:
		panic(http.ErrAbortHandler) // nothing was sent: it must not look like an empty answer
	}
}

// read takes a request in; the completion is nil where it can't be: a wrong key, a bad body.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (*completion, *problem) {
	if p := s.checkKey(r); p != nil {
		return nil, p
	}
	return s.readCompletion(w, r)
}

// admit refuses what is over the limit or can't be answered. What is refused for what it asks counts against the limit.
func (s *Server) admit(h http.Header, c *completion, now time.Time) *problem {
	if s.limit != nil {
		room := s.limit.admit(now)
		s.rateHeaders(h, room)
		if !room.ok {
			return tooMany(s.opts.RPM, room.wait)
		}
	}
	if p := c.check(); p != nil {
		return p
	}
	if !s.known(c.Model) {
		status := http.StatusNotFound
		if s.opts.BadRequest {
			status = http.StatusBadRequest
		}
		return unknownAgent(status, c.Model)
	}
	return nil
}

// sent is the status that a client sees with a fault.
func (f Fault) sent() int {
	switch {
	case f.status != 0:
		return f.status
	case f.name == faultReset || f.name == faultHang:
		return 0
	}
	return http.StatusOK
}

// send gives the answer, or the fault instead.
func (s *Server) send(w http.ResponseWriter, r *http.Request, c *completion, fault Fault) {
	var a answer
	switch {
	case fault.status != 0:
		fault.problem().write(w)
		return
	case fault.name == faultReset:
		reset(w)
		return
	case fault.name == faultHang:
		hang(r.Context())
		panic(http.ErrAbortHandler)
	case fault.name == faultEmpty:
		a = answer{"", "stop"}
	default:
		a = compose(c)
	}
	if fault.name == faultTruncate {
		a = shorten(a.text, max(1, tokens(a.text)/2))
	}
	reply := s.reply(c, a)
	if c.Stream {
		reply.stream(w, a, fault, c.StreamOptions != nil && c.StreamOptions.IncludeUsage)
	} else {
		reply.whole(w, a, fault)
	}
}

// hang waits until the client gives up or the server ends.
func hang(ctx context.Context) {
	t := time.NewTimer(maxHang)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// A reply is the JSON object of an answer, or of a piece of one.
type reply struct {
	ID          string   `json:"id"`
	Object      string   `json:"object"`
	Created     int64    `json:"created"`
	Model       string   `json:"model"`
	Fingerprint string   `json:"system_fingerprint"`
	Choices     []choice `json:"choices"`
	Usage       *usage   `json:"usage,omitempty"`
}

type choice struct {
	Index   int     `json:"index"`
	Message *said   `json:"message,omitempty"`
	Delta   *said   `json:"delta,omitempty"`
	Logs    *string `json:"logprobs"`
	Reason  *string `json:"finish_reason"`
}

type said struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

func (s *Server) reply(c *completion, a answer) *reply {
	prompt, done := c.promptTokens(), tokens(a.text)
	return &reply{
		ID: fmt.Sprintf("chatcmpl-%016x", mix(^s.opts.Seed, s.ids.Add(1))), Created: time.Now().Unix(), Model: c.Model,
		Fingerprint: fingerprint, Usage: &usage{prompt, done, prompt + done},
	}
}

// whole sends a plain answer.
func (p *reply) whole(w http.ResponseWriter, a answer, fault Fault) {
	p.Object = "chat.completion"
	p.Choices = []choice{{Message: &said{Role: "assistant", Content: &a.text}, Reason: &a.reason}}
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers
	}
	switch fault.name {
	case faultMalformed:
		writeBody(w, http.StatusOK, append(body[:len(body)/2], "</html>"...))
	case faultCut:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, err := w.Write(body[:len(body)/2])
		abort(w, err)
	default:
		writeBody(w, http.StatusOK, body)
	}
}

// abort sends what has been written and breaks the connection.
func abort(w http.ResponseWriter, err error) {
	if err = errors.Join(err, http.NewResponseController(w).Flush()); err == nil {
		panic(http.ErrAbortHandler)
	}
}
