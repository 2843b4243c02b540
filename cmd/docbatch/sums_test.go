package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline/agent/demo"
)

// A mess is a job whose documents, flags and questions change at random from one night to the next.
type mess struct {
	*testing.T
	*rand.Rand
	dir     string
	journal *journal
	base    string

	named int                 // documents named so far
	files map[string]string   // name to text
	rows  [][]string          // of the table, the header first
	seen  map[string]struct{} // lines of plans that were not zero, ever
}

func newMess(t *testing.T, seed uint64) *mess {
	m := &mess{T: t, Rand: rand.New(rand.NewPCG(seed, 0)), dir: t.TempDir(), journal: &journal{}, files: map[string]string{}, seen: map[string]struct{}{}}
	faults, err := demo.ParseFaultsFor("refuseme=filter,cutme=truncate")
	if err != nil {
		t.Fatal(err)
	}
	m.base = startAgent(t, demo.Options{Journal: m.journal, FaultsFor: faults})
	m.rows = [][]string{{"no", "text"}}
	if err := os.Mkdir(filepath.Join(m.dir, "inbox"), 0o700); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *mess) path(name string) string { return filepath.Join(m.dir, "inbox", name) }

// any is the name of a file; "" where there is none.
func (m *mess) any() string {
	names := slices.Sorted(maps.Keys(m.files))
	if len(names) == 0 {
		return ""
	}
	return names[m.IntN(len(names))]
}

func (m *mess) put(name, text string) {
	m.Helper()
	m.files[name] = text
	if err := os.WriteFile(m.path(name), []byte(text), 0o600); err != nil {
		m.Fatal(err)
	}
}

func (m *mess) name(extension string) string {
	m.named++
	return fmt.Sprintf("%04d%s", m.named, extension)
}

// text is that of a new document: one that the agent answers, as a rule.
func (m *mess) text() string {
	m.named++
	words := fmt.Sprintf("Letter %d\n\nThe goods number %d have arrived. They are complete.\n", m.named, m.named)
	switch m.IntN(12) {
	case 0:
		return words + "refuseme"
	case 1:
		return words + "cutme"
	case 2:
		return words + strings.Repeat("It goes on and on. ", 5000) // too long for the agent
	}
	return words
}

// change does something to the documents.
func (m *mess) change() {
	m.Helper()
	name := m.any()
	text := m.files[name]
	switch what := m.IntN(11); {
	case what < 2 || name == "":
		m.put(m.name(".txt"), m.text())
	case what == 2:
		m.put(name, m.text())
	case what == 3:
		m.put(m.name(".txt"), text) // equal to another
	case what == 4:
		if err := os.Chtimes(m.path(name), time.Time{}, time.Now().Add(time.Duration(m.IntN(1000))*time.Second)); err != nil {
			m.Fatal(err)
		}
	case what == 5, what == 6: // moved, or gone
		delete(m.files, name)
		if err := os.Remove(m.path(name)); err != nil {
			m.Fatal(err)
		}
		if what == 5 {
			m.put(m.name(filepath.Ext(name)), text)
		}
	case what == 7:
		m.put(m.name(".pdf"), fmt.Sprintf("%%PDF-1.7 broken %d", m.named))
	case what == 8:
		at := 1 + m.IntN(len(m.rows))
		m.rows = slices.Insert(m.rows, at, []string{fmt.Sprint(m.named), m.text()})
	case len(m.rows) > 1 && what == 9:
		m.rows[1+m.IntN(len(m.rows)-1)] = []string{fmt.Sprint(m.named), m.text()}
	case len(m.rows) > 1:
		at := 1 + m.IntN(len(m.rows)-1)
		if m.IntN(2) == 0 {
			m.rows = append(m.rows, m.rows[at]) // the same row once more
		} else {
			m.rows = slices.Delete(m.rows, at, at+1)
		}
	}
}

// flags are those of one night; most is how many requests they allow, 0: any. One that is not known yet can't be asked again.
func (m *mess) flags(known bool) (flags []string, most int) {
	flags = []string{filepath.Join(m.dir, "inbox"), filepath.Join(m.dir, "rows.csv"), "--agent", "analyst", "--base-url", m.base,
		"--state", filepath.Join(m.dir, defaultState), "--context-tokens", "8000", "--prompt", fmt.Sprintf("Question %d.", m.IntN(10)/9)}
	few := 1 + m.IntN(5)
	switch what := m.IntN(9); {
	case what == 0:
		return append(flags, "--sample", fmt.Sprint(few)), 0
	case what == 1:
		return append(flags, "--limit", fmt.Sprint(few)), 0
	case what == 2:
		return append(flags, "--max-requests", fmt.Sprint(few)), few
	case what == 3 && known:
		return append(flags, "--redo", "*[02468].txt"), 0
	case what == 4:
		return append(flags, "--redo", "all"), 0
	case what == 5:
		return append(flags, "--redo", "failed"), 0
	}
	return flags, 0
}

// sum is the number of documents in all lines of a plan, and of those that are sent.
func (m *mess) sum(p *plan) (all, send int) {
	lines := map[string]int{
		"new": p.Send.New, "changed": p.Send.Changed, "question": p.Send.Question, "again": p.Send.Again,
		"touched": p.Stored.Touched, "before": p.Stored.Before, "moved": p.Stored.Moved, "duplicate": p.Stored.Duplicate,
		"unchanged": p.Unchanged, "truncated before": p.TruncatedBefore, "failed before": p.FailedBefore,
		"unreadable": p.Unreadable, "too long": p.TooLong, "left": p.Left,
	}
	for line, n := range lines {
		if n < 0 {
			m.Errorf("%d documents are %s", n, line)
		}
		if n > 0 {
			m.seen[line] = struct{}{}
		}
		all += n
	}
	return all, p.Send.New + p.Send.Changed + p.Send.Question + p.Send.Again
}

// night changes the documents, makes a plan, and runs the job.
func (m *mess) night(known bool) {
	m.Helper()
	for range m.IntN(8) {
		m.change()
	}
	writeTable(m.T, filepath.Join(m.dir, "rows.csv"), m.rows)
	flags, most := m.flags(known)
	args := strings.Join(flags[5:], " ")
	before := len(m.journal.entries(m.T))
	code, stdout, stderr := command(m.T, nil, append([]string{"plan", "--json"}, flags...)...)
	var p plan
	if code != exitOK || json.Unmarshal([]byte(stdout), &p) != nil {
		m.Fatalf("plan %s: exit %d\n%s%s", args, code, stdout, stderr)
	}
	if all, send := m.sum(&p); p.Documents != len(m.files)+len(m.rows)-1 || all != p.Documents || send != p.Requests {
		m.Errorf("plan %s: %d documents, %d in its lines, want %d and %d; %d requests, %d in its lines\n%+v", args, p.Documents, all,
			len(m.files)+len(m.rows)-1, p.Documents, p.Requests, send, p)
	}
	code, _, stderr = command(m.T, nil, append([]string{"run", "--quiet"}, flags...)...)
	if code != exitOK && code != exitDocuments && (most == 0 || code != exitQuota) {
		m.Fatalf("run %s: exit %d\n%s", args, code, stderr)
	}
	want := p.Requests
	if most > 0 {
		want = min(most, want)
	}
	s := lastSummary(m.T, m.dir)
	if sent := len(m.journal.entries(m.T)) - before; sent != want || s.Requests != want {
		m.Errorf("run %s: %d requests were sent, and %d are in its summary, want %d\nplan %+v\nsummary %+v", args, sent, s.Requests, want, p, s)
	}
	if code == exitQuota {
		return
	}
	stored := p.Stored.Touched + p.Stored.Before + p.Stored.Moved + p.Stored.Duplicate
	if s.Total() != p.Documents || s.Unfinished() != p.Left || s.Cached > stored {
		m.Errorf("run %s: %+v\nwant what was planned: %+v", args, s, p)
	}
}

// TestSums sees that a plan has every document in exactly one of its lines, and that the run sends what it says, whatever has happened
// before.
func TestSums(t *testing.T) {
	takesLong(t)
	m := newMess(t, 4)
	for range 20 {
		m.change()
	}
	for night := range 30 {
		m.night(night > 0)
		if night%7 == 6 {
			if code, _, stderr := command(t, nil, "retry", "--state", filepath.Join(m.dir, defaultState)); code != exitOK {
				t.Fatalf("retry: exit %d\n%s", code, stderr)
			}
		}
		if t.Failed() {
			t.Fatalf("in night %d", night+1)
		}
	}
	if len(m.seen) < 14 {
		t.Errorf("only these lines of plans were ever used: %v", slices.Sorted(maps.Keys(m.seen)))
	}
}
