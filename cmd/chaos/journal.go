package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent/demo"
	"docbatch/pipeline/prompt"
)

// entries are what the agent was asked until now, in the order in which it arrived.
func (g *rig) entries() []demo.Entry {
	b, err := os.ReadFile(g.path("journal.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	g.must(err)
	entries, err := decodeJournal(b)
	g.must(err)
	return entries
}

// asked is how many they are.
func (g *rig) asked() int {
	b, err := os.ReadFile(g.path("journal.jsonl"))
	if !errors.Is(err, fs.ErrNotExist) {
		g.must(err)
	}
	return bytes.Count(b, []byte("\n"))
}

// untilAsked waits until the agent has been asked so often by a process that still goes on.
func (g *rig) untilAsked(p *process, n int) {
	ended := false
	g.until(longLimit, func() bool {
		select {
		case <-p.ended:
			ended = true
		default:
		}
		return ended || g.asked() >= n
	})
	if ended {
		g.must(fmt.Errorf("docbatch ended before %d requests: %s", n, lastError(p.wait())))
	}
}

// speed is how many requests a second the agent got for other documents than one.
func (g *rig) speed(except string) float64 {
	byHash, err := messages(g.docs)
	g.must(err)
	entries := slices.DeleteFunc(g.entries(), func(e demo.Entry) bool { return byHash[e.Message].id == except })
	if len(entries) < 2 {
		g.must(errors.New("the agent was not asked"))
	}
	return float64(len(entries)-1) / entries[len(entries)-1].Time.Sub(entries[0].Time).Seconds()
}

func decodeJournal(b []byte) (entries []demo.Entry, err error) {
	for line := range bytes.Lines(b) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // it is being written
		}
		var e demo.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("the agent's journal, line %d: %w", len(entries)+1, err)
		}
		entries = append(entries, e)
	}
	slices.SortStableFunc(entries, func(a, b demo.Entry) int { return a.Time.Compare(b.Time) })
	return entries, nil
}

// with counts the entries of a status.
func with(entries []demo.Entry, status int) int {
	n := 0
	for _, e := range entries {
		if e.Status == status {
			n++
		}
	}
	return n
}

// after are the entries that arrived later than t.
func after(entries []demo.Entry, t time.Time) []demo.Entry {
	i := slices.IndexFunc(entries, func(e demo.Entry) bool { return e.Time.After(t) })
	if i < 0 {
		return nil
	}
	return entries[i:]
}

// mostWithin is the largest number of entries in any stretch of that length, wherever it begins.
func mostWithin(entries []demo.Entry, span time.Duration) int {
	most, first := 0, 0
	for i, e := range entries {
		for e.Time.Sub(entries[first].Time) >= span {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// messages maps the hash of what docbatch sends for each document to the document.
func messages(docs []document) (map[string]document, error) {
	p, err := prompt.Parse(prompt.Options{})
	if err != nil {
		return nil, err
	}
	byHash := make(map[string]document, len(docs))
	for _, d := range docs {
		turns, err := p.Render(&pipeline.Document{Text: d.text})
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256([]byte(turns[len(turns)-1].Content))
		byHash[fmt.Sprintf("%x", sum)] = d
	}
	return byHash, nil
}
