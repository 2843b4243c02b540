package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/pipeline/agent/demo"
)

// sent are the requests for a document, as docbatch stored them.
func (g *rig) sent(id string) []sqlite.Sent {
	store, err := sqlite.OpenReader(g.ctx, g.state())
	g.must(err)
	defer store.Close()
	entries, err := store.Find(g.ctx, id)
	g.must(err)
	if len(entries) != 1 {
		g.must(fmt.Errorf("%s is %d times in the state file", id, len(entries)))
	}
	return entries[0].Sent
}

// A moment is what a state file had at a moment: nothing of it may be asked about in what the agent is asked from then on.
type moment struct {
	entries int // what the agent had been asked
	stored  map[string]bool
}

// settle notes what is stored before docbatch starts again. All that it said it had answered must be there.
func (g *rig) settle() {
	records, err := g.records()
	if err != nil {
		return // there is none yet, or the row has just made it unreadable
	}
	m := moment{entries: g.asked(), stored: map[string]bool{}}
	for _, rec := range records {
		if hasAnswer(rec) {
			m.stored[rec.ID] = true
		}
	}
	g.moments = append(g.moments, m)
	if g.mayDamage {
		return
	}
	gone := missing(g.acknowledged, m.stored)
	g.result.lost += gone
	g.want(gone == 0, "before life %d: %d answers that it had said were stored are not there", g.lives+1, gone)
}

// missing counts what of said is not in stored.
func missing(said, stored map[string]bool) int {
	n := 0
	for id := range said {
		if !stored[id] {
			n++
		}
	}
	return n
}

func hasAnswer(rec pipeline.Record) bool {
	return rec.State == pipeline.Done || rec.State == pipeline.Truncated
}

// records reads what is in the state file. It looks at a copy: reading a write-ahead log that was left behind would leave marks for
// the next life to find.
func (g *rig) records() ([]pipeline.Record, error) {
	copied := filepath.Join(g.dir, "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		if err := copyFile(g.state()+suffix, copied+suffix); err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return nil, err
		}
	}
	store, err := sqlite.OpenReader(g.ctx, copied)
	if err != nil {
		return nil, err
	}
	var records []pipeline.Record
	for rec, err := range store.Records(g.ctx) {
		if err != nil {
			return nil, errors.Join(err, store.Close())
		}
		records = append(records, rec)
	}
	return records, store.Close()
}

// copyFile copies a file; where there is none, there is none afterwards.
func copyFile(from, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// check compares what docbatch has at the end of a row with the documents, with what it said, and with what the agent was asked.
func (g *rig) check() {
	if len(g.docs) == 0 {
		return
	}
	records, err := g.records()
	g.must(err)
	a := audit{docs: g.docs, records: records, acknowledged: g.acknowledged, mayFail: g.mayFail}
	a.work()
	g.result.documents += len(g.docs)
	g.result.answers += a.answers
	g.result.lost += a.lost
	g.result.wrong += a.wrong
	for _, f := range a.faults {
		g.fault("%s", f)
	}

	entries := g.entries()
	byHash, err := messages(g.docs)
	g.must(err)
	asked, err := countRequests(entries, byHash, g.moments)
	g.must(err)
	requests, throttled := len(entries), with(entries, 429)
	if g.front != nil {
		requests, throttled = g.front.counted()
	}
	g.result.requests += requests
	g.result.throttled += throttled
	g.result.repeated += asked.repeated
	g.want(asked.repeated <= g.mayRepeat, "%d requests for what the agent had answered already; its fault excuses %d", asked.repeated, g.mayRepeat)
	g.want(asked.stored == 0, "%d requests for documents whose answer was stored", asked.stored)
	g.want(asked.keys == 0, "%d requests without the Idempotency-Key of the first for the document", asked.keys)
	if !g.mayDamage {
		err := sqlite.Check(g.ctx, g.state())
		g.want(err == nil, "docbatch check: %v", err)
	}
	g.checkOutput()
}

// checkOutput compares the newest output with the documents, where there is one of a run that came to its end.
func (g *rig) checkOutput() {
	if g.lastExit != 0 && g.lastExit != 3 {
		return
	}
	b, err := os.ReadFile(g.path("out.csv"))
	g.must(err)
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	g.must(err)
	if err := checkRows(rows, g.docs, g.mayFail); err != nil {
		g.fault("%v", err)
	}
}

// checkRows compares the rows of an output, the header first, with the documents that they are for.
func checkRows(rows [][]string, docs []document, mayFail map[string]bool) error {
	if len(rows) != len(docs)+1 {
		return fmt.Errorf("the output has %d rows for %d documents", len(rows)-1, len(docs))
	}
	id, answer := slices.Index(rows[0], "id"), slices.Index(rows[0], "answer")
	if id < 0 || answer < 0 {
		return fmt.Errorf("the output has the columns %q, and no id or answer", rows[0])
	}
	for i, d := range docs {
		row := rows[i+1]
		if row[id] != d.id || !mayFail[d.id] && !strings.Contains(row[answer], d.marker) {
			return fmt.Errorf("row %d of the output is %s with the answer %q; it is the place of %s", i+1, row[id], clip(row[answer], 60), d.id)
		}
	}
	return nil
}

// An audit compares records with the documents that they are for.
type audit struct {
	docs         []document
	records      []pipeline.Record
	acknowledged map[string]bool
	mayFail      map[string]bool

	answers, lost, wrong int
	faults               []string
}

func (a *audit) work() {
	byID := make(map[string]pipeline.Record, len(a.records))
	for _, rec := range a.records {
		byID[rec.ID] = rec
	}
	if len(a.records) != len(a.docs) {
		a.fault("%d records for %d documents", len(a.records), len(a.docs))
	}
	for _, d := range a.docs {
		a.document(d, byID[d.id])
	}
	a.faults = shorten(a.faults)
}

// document looks at one document; the zero record is none.
func (a *audit) document(d document, rec pipeline.Record) {
	switch {
	case hasAnswer(rec):
		a.answers++
		if a.mayFail[d.id] && rec.State == pipeline.Done {
			a.fault("%s has an answer, and should have none", d.id)
		}
		if !strings.Contains(rec.Answer, d.marker) {
			a.wrong++
			a.fault("%s has an answer that is not its own: %q", d.id, clip(rec.Answer, 80))
		}
		return
	case a.acknowledged[d.id]:
		a.lost++
		a.fault("%s was said to be answered, and is %s", d.id, rec.State)
	case !a.mayFail[d.id]:
		a.lost++
		a.fault("%s is %s: %s", d.id, stateOf(rec), causeOf(rec))
	}
	if rec.State == pipeline.Failed && (rec.Err == nil || rec.Err.Class == pipeline.Internal) {
		a.fault("%s failed without a cause, or by a bug: %s", d.id, causeOf(rec))
	}
}

func (a *audit) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

func stateOf(rec pipeline.Record) string {
	if rec.State == "" {
		return "not in the state file"
	}
	return string(rec.State)
}

func causeOf(rec pipeline.Record) string {
	if rec.Err == nil {
		return "no cause"
	}
	return fmt.Sprintf("%s, %s: %s", rec.Err.Class, rec.Err.Kind, clip(rec.Err.Error(), 160))
}

// shorten keeps the first of many equal complaints.
func shorten(faults []string) []string {
	const most = 3
	if len(faults) <= most {
		return faults
	}
	return append(faults[:most:most], fmt.Sprintf("and %d more like these", len(faults)-most))
}

// asked says what should not have been among the requests.
type asked struct {
	repeated int // for documents that the agent had answered already
	stored   int // for documents whose answer was in the state file when docbatch started
	keys     int // that do not carry the key of the first one for the document
}

// countRequests goes through all that an agent was asked. A request for what is no document of the row is an error.
func countRequests(entries []demo.Entry, byHash map[string]document, moments []moment) (asked, error) {
	var n asked
	had, keys := map[string]bool{}, map[string]string{}
	for i, e := range entries {
		if e.Message == "" {
			continue // refused before it was read
		}
		d, ok := byHash[e.Message]
		if !ok {
			return n, errors.New("the agent was asked about something that is no document")
		}
		if had[d.id] {
			n.repeated++
		}
		if slices.ContainsFunc(moments, func(m moment) bool { return i >= m.entries && m.stored[d.id] }) {
			n.stored++
		}
		if first, ok := keys[d.id]; !ok {
			keys[d.id] = e.IdempotencyKey
		} else if first != e.IdempotencyKey || first == "" {
			n.keys++
		}
		had[d.id] = had[d.id] || e.Answered
	}
	return n, nil
}
