package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/pipeline/agent/demo"
	"docbatch/pipeline/prompt"
)

// journal collects what an agent was asked.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) entries(t *testing.T) (all []demo.Entry) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for lines := bufio.NewScanner(bytes.NewReader(j.text.Bytes())); lines.Scan(); {
		var e demo.Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// TestKilledAtRandomMoments is promises P1 to P4: however often the process dies, every document gets its own answer, none is
// lost, and only what was in flight is asked again.
func TestKilledAtRandomMoments(t *testing.T) {
	documents, kills, workers := 1000, 50, 8
	if testing.Short() {
		documents, kills = 150, 5
	}
	j := &journal{}
	base := startAgent(t, demo.Options{Key: testKey, Latency: 15 * time.Millisecond, Journal: j})
	inbox := writeDocuments(t, documents)
	messages := userMessages(t, inbox, documents)
	dir := t.TempDir()
	state := filepath.Join(dir, defaultState)
	args := []string{"run", inbox, "--agent", "analyst", "--base-url", base, "--workers", fmt.Sprint(workers), "-o", "out.csv", "-q"}

	killed, seen := 0, 0
	finished := map[string]bool{}
	// life checks what was asked since the last one: nothing that had its answer before.
	life := func() {
		entries := j.entries(t)
		for _, e := range entries[seen:] {
			if id := messages[e.Message]; id == "" || finished[id] {
				t.Errorf("life %d: asked about document %q (finished before: %v)", killed, id, finished[id])
			}
		}
		seen = len(entries)
		finished = finishedIn(t, state)
	}
	for killed < kills && len(finished) < documents {
		cmd := process(dir, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond) // a random moment: nothing is waited for
		if cmd.Process.Kill() == nil {
			killed++
		}
		cmd.Wait()
		life()
	}
	if out, err := process(dir, args...).CombinedOutput(); err != nil {
		t.Fatalf("the last run: %v\n%s", err, out)
	}
	life()

	if most := documents + killed*workers; seen > most {
		t.Errorf("%d requests for %d documents and %d kills, want at most %d", seen, documents, killed, most)
	}
	wantOwnAnswers(t, filepath.Join(dir, "out.csv"), documents)
	if err := sqlite.Check(t.Context(), state); err != nil {
		t.Errorf("the state file: %v", err)
	}
	t.Logf("%d documents, %d kills, %d requests", documents, killed, seen)
}

// wantOwnAnswers checks that an output has every document of writeDocuments, in order, with the answer that belongs to it.
func wantOwnAnswers(t *testing.T, path string, documents int) {
	t.Helper()
	rows := readCSV(t, path)
	if len(rows) != documents {
		t.Fatalf("%d rows in the output, want %d", len(rows), documents)
	}
	for i, row := range rows {
		if row["state"] != string(pipeline.Done) || !strings.Contains(row["answer"], marker(i)) {
			t.Fatalf("document %s is %s with the answer %q, want its own with %s", row["id"], row["state"], row["answer"], marker(i))
		}
	}
}

// userMessages maps the hash of what is sent for each document to its ID.
func userMessages(t *testing.T, inbox string, documents int) map[string]string {
	t.Helper()
	p, err := prompt.Parse(prompt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for i := range documents {
		id := documentName(i)
		b, err := os.ReadFile(filepath.Join(inbox, id))
		if err != nil {
			t.Fatal(err)
		}
		messages, err := p.Render(&pipeline.Document{Text: string(b)})
		if err != nil {
			t.Fatal(err)
		}
		ids[fmt.Sprintf("%x", sha256.Sum256([]byte(messages[len(messages)-1].Content)))] = id
	}
	return ids
}

// finishedIn are the documents that have an outcome in a state file that nobody has open; none while there is no file.
func finishedIn(t *testing.T, state string) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	if _, err := os.Stat(state); err != nil {
		return ids
	}
	r, err := sqlite.OpenReader(t.Context(), state)
	if err != nil {
		t.Logf("between two lives: %v", err) // killed while it made the file
		return ids
	}
	defer r.Close()
	for rec, err := range r.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.State.Final() {
			ids[rec.ID] = true
		}
	}
	return ids
}
