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
	Time           time.Time `json:"time"`                      // when the request arrived, UTC
	Agent          string    `json:"agent"`                     // "" where the request was refused before it was read
	Message        string    `json:"sha256"`                    // hash of the user's last message, in hex; "" likewise
	Status         int       `json:"status"`                    // of the answer; 0 where none is sent
	Fault          string    `json:"fault"`                     // "" where there was none
	PromptTokens   int       `json:"prompt_tokens"`             // an estimate: a quarter of the bytes, and four a message
	IdempotencyKey string    `json:"idempotency_key,omitempty"` // as the client sent it
}

// journal writes entries, one at a time.
type journal struct {
	mu sync.Mutex
	w  io.Writer
}

func (j *journal) write(e Entry) error {
	if j.w == nil {
		return nil
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// entry describes a request; c is nil where it could not be read.
func entry(arrived time.Time, r *http.Request, c *completion) Entry {
	e := Entry{Time: arrived.UTC(), IdempotencyKey: clip(r.Header.Get("Idempotency-Key"), 200)}
	if c != nil {
		sum := sha256.Sum256([]byte(c.question()))
		e.Agent, e.Message, e.PromptTokens = clip(c.Model, 200), hex.EncodeToString(sum[:]), c.promptTokens()
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
