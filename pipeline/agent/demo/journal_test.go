package demo_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline/agent/demo"
)

// failingWriter fails after n lines.
type failingWriter struct{ n int }

func (f *failingWriter) Write(p []byte) (int, error) {
	if f.n--; f.n < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

// lines is a journal that wants one line in each call of Write.
type lines struct {
	t       *testing.T
	entries []demo.Entry
	raw     []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.t.Helper()
	var e demo.Entry
	if err := json.Unmarshal(p, &e); err != nil || bytes.Count(p, []byte("\n")) != 1 || p[len(p)-1] != '\n' {
		l.t.Errorf("not a line with an entry: %q, %v", p, err)
	}
	l.entries, l.raw = append(l.entries, e), append(l.raw, string(p))
	return len(p), nil
}

func TestJournal(t *testing.T) {
	journal := &lines{t: t}
	s := demo.New(demo.Options{Journal: journal, Key: "k"})
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			ask(s, question(fmt.Sprintf("document %d", i), ""), "Authorization", "Bearer k", "Idempotency-Key", fmt.Sprint(i))
		})
	}
	wg.Wait()
	ask(s, question("x", ""), "Authorization", "Bearer wrong")
	seen := make(map[string]bool)
	for i, e := range journal.entries[:50] {
		sum := sha256.Sum256([]byte("document " + e.IdempotencyKey))
		if e.N != uint64(i+1) || e.Message != hex.EncodeToString(sum[:]) || e.Agent != "a" || e.Status != 200 || !e.Answered || e.PromptTokens != 7 || e.AnswerTokens < 30 || e.Time.IsZero() {
			t.Errorf("line %d: got %+v", i+1, e)
		}
		seen[e.Message] = true
	}
	if len(journal.entries) != 51 || len(seen) != 50 || !strings.Contains(journal.raw[50], `"agent":"","sha256":"","status":401,"answered":false`) {
		t.Errorf("got %d lines, %d documents, last %s", len(journal.entries), len(seen), journal.raw[50])
	}
}

// Only what went out whole counts as answered.
func TestJournalAnswered(t *testing.T) {
	for _, tt := range []struct {
		fault, body string
		status      int
		answered    bool
	}{
		{"", question("x", ""), 200, true},
		{"", question("x", `,"stream":true`), 200, true},
		{"", question("x", `,"max_tokens":1`), 200, true},
		{"", question("x", `,"n":2`), 400, false},
		{"", "{", 400, false},
		{"500", question("x", ""), 500, false},
		{"502page", question("x", ""), 502, false},
		{"too_long", question("x", ""), 400, false},
		{"empty", question("x", ""), 200, false},
		{"truncate", question("x", ""), 200, false},
		{"filter", question("x", ""), 200, false},
		{"html", question("x", ""), 200, false},
		{"error200", question("x", ""), 200, false},
	} {
		journal := &lines{t: t}
		opts := demo.Options{Journal: journal}
		if tt.fault != "" {
			opts.Faults = mustFaults(t, tt.fault+"=1")
		}
		ask(demo.New(opts), tt.body)
		if e := journal.entries[0]; e.Status != tt.status || e.Answered != tt.answered || (e.AnswerTokens > 0) != tt.answered || e.Fault != tt.fault {
			t.Errorf("fault %q, %.60s: got %+v, want status %d, answered %v", tt.fault, tt.body, e, tt.status, tt.answered)
		}
	}
}

// An entry is written before the agent thinks: whoever is killed meanwhile, the request is in the journal.
func TestJournalFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &lines{t: t}
		s := demo.New(demo.Options{Journal: journal, Latency: time.Minute})
		var wg sync.WaitGroup
		wg.Go(func() { ask(s, question("x", "")) })
		synctest.Wait()
		if len(journal.entries) != 1 {
			t.Errorf("got %d entries while the agent thinks, want 1", len(journal.entries))
		}
		wg.Wait()
	})
}

// What is not in the journal is not answered.
func TestJournalThatFails(t *testing.T) {
	s := demo.New(demo.Options{Journal: &failingWriter{n: 1}})
	for i, want := range []int{200, 500} {
		if got := ask(s, question("x", "")).Code; got != want {
			t.Errorf("request %d: got status %d, want %d", i, got, want)
		}
	}
}
