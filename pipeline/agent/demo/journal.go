package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"
)

// An Entry is one line of the journal: a request for a completion, whatever came of it. It is written before anything is
// sent back, so an answer that a client has is in the journal; one that is in the journal may still have been lost.
type Entry struct {
	N              uint64    `json:"n"`                         // 1 for the first line that the server wrote, and so on without a gap
	Time           time.Time `json:"time"`                      // when the request arrived, UTC
	Agent          string    `json:"agent"`                     // "" where the request was refused before it was read
	Message        string    `json:"sha256"`                    // hash of the user's last message, in hex; "" likewise
	Status         int       `json:"status"`                    // of the answer; 0 where none is sent
	Answered       bool      `json:"answered"`                  // the whole answer goes out, with status 200 and without a fault
	Fault          string    `json:"fault"`                     // "" where there was none
	PromptTokens   int       `json:"prompt_tokens"`             // an estimate: a quarter of the bytes, and four a message
	AnswerTokens   int       `json:"completion_tokens"`         // of what is answered, estimated likewise; else 0
	IdempotencyKey string    `json:"idempotency_key,omitempty"` // as the client sent it
}

// journal numbers entries and writes them, one at a time.
type journal struct {
	mu sync.Mutex
	w  io.Writer
	n  uint64
}

func (j *journal) write(e Entry) error {
	if j.w == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.n++
	e.N = j.n
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := j.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// entry describes a request and what becomes of it; c is nil where it could not be read.
func entry(arrived time.Time, r *http.Request, c *completion, fault Fault, refused *problem) Entry {
	e := Entry{Time: arrived.UTC(), IdempotencyKey: clip(r.Header.Get("Idempotency-Key"), 200)}
	if c != nil {
		sum := sha256.Sum256([]byte(c.question()))
		e.Agent, e.Message, e.PromptTokens = clip(c.Model, 200), hex.EncodeToString(sum[:]), c.promptTokens()
	}
	switch {
	case refused != nil:
		e.Status = refused.status
	case fault.name != "":
		e.Fault, e.Status = fault.name, fault.status
	default:
		e.Status, e.Answered, e.AnswerTokens = http.StatusOK, true, tokens(c.answer().text)
	}
	return e
}

// Stats counts the requests for completions.
type Stats struct {
	Requests int            // all of them
	Status   map[int]int    // by the status of the answer; 0 where none was sent
	Faults   map[string]int // by the fault that hit them
}

type stats struct {
	mu sync.Mutex
	s  Stats
}

func (s *stats) add(e Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.s.Status == nil {
		s.s.Status, s.s.Faults = make(map[int]int), make(map[string]int)
	}
	s.s.Requests++
	s.s.Status[e.Status]++
	if e.Fault != "" {
		s.s.Faults[e.Fault]++
	}
}

func (s *stats) read() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{s.s.Requests, maps.Clone(s.s.Status), maps.Clone(s.s.Faults)}
}
