package demo

import (
	"context"
	"encoding/json"
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
	var fault Fault
	if refused == nil {
		fault, refused = s.decide(w.Header(), c, arrived)
	}
	inFlight := refused == nil
	e := entry(arrived, r, c, fault, refused)
	if err := s.journal.write(e); err != nil {
		refused = &problem{status: http.StatusInternalServerError, Type: "server_error", Message: err.Error()}
		e.Fault, e.Status, e.Answered, e.AnswerTokens = "", refused.status, false, 0
	}
	s.stats.add(e)
	alive := refused != nil || s.think(r.Context(), fault)
	if inFlight {
		s.leave()
	}
	switch {
	case refused != nil:
		refused.write(w)
	case alive:
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

// think waits for the latency; false means that nothing is to be sent: the client went away, or the request hangs.
func (s *Server) think(ctx context.Context, fault Fault) bool {
	if fault.name == faultHang {
		pause(ctx, maxHang)
		return false
	}
	return pause(ctx, s.opts.Latency)
}

// pause waits for d; false means that the client went away or the server ends.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// send gives the answer, or the fault instead.
func (s *Server) send(w http.ResponseWriter, r *http.Request, c *completion, fault Fault) {
	body, isNone := fault.noAnswer(c.Stream)
	switch {
	case fault.status >= 400:
		fault.refuse(w, c)
	case fault.name == faultReset:
		reset(w)
	case fault.name == faultHTML:
		page(w, http.StatusOK)
	case isNone:
		writeNoAnswer(w, body, c.Stream)
	default:
		a := fault.spoil(c.answer())
		reply := s.reply(c, a)
		if c.Stream {
			reply.stream(w, r, a, fault, c.StreamOptions != nil && c.StreamOptions.IncludeUsage)
		} else {
			reply.whole(w, r, a, fault)
		}
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
func (p *reply) whole(w http.ResponseWriter, r *http.Request, a answer, fault Fault) {
	p.Object = "chat.completion"
	p.Choices = []choice{{Message: &said{Role: "assistant", Content: &a.text}, Reason: &a.reason}}
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers
	}
	switch fault.name {
	case faultMalformed:
		writeBody(w, http.StatusOK, "application/json", append(body[:len(body)/2], "</html>"...))
	case faultCut, faultCutStream, faultHangBody:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, err := w.Write(body[:len(body)/2])
		breakOff(w, r, err, fault)
	default:
		writeBody(w, http.StatusOK, "application/json", body)
	}
}

// breakOff sends what has been written, where that went well, and nothing more: the connection breaks, at once or, where the
// body hangs, when the client gives up.
func breakOff(w http.ResponseWriter, r *http.Request, err error, fault Fault) {
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if err == nil && fault.name == faultHangBody {
		pause(r.Context(), maxHang)
	}
	panic(http.ErrAbortHandler)
}
