package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docbatch/pipeline"
)

// keyPrefix begins the canary; what follows is found nowhere by chance.
const keyPrefix = "sk-canary-"

// workers is how many calls docbatch may have in flight in every row.
const workers = 16

// A rig is what one row works with: a folder, documents, peers, and docbatch itself, time after time. A step of a row that can't be
// done ends the row, by a panic that work recovers: a row reads as what it does.
type rig struct {
	*matrix
	ctx    context.Context
	root   string // the row's folder
	dir    string // that of its part: the same, where it has one only
	part   string // what faults of the part are told apart by; "" likewise
	result result

	docs     []document
	agent    *agent   // nil before a row starts one
	front    *nginx   // nil where nothing stands in front of the agent
	agentKey string   // the only key that it accepts; "" is the row's
	prefix   []string // what docbatch is run under: strace, ulimit ...
	lives    int
	lastExit int // of the newest life

	stateFile string // "" is docbatch.db in the part's folder

	acknowledged map[string]bool // documents that docbatch said it had answered, by ID
	moments      []moment        // what was stored when, for what must not be asked again
	mayFail      map[string]bool // documents that must fail, by ID
	mayRepeat    int             // requests for what the agent had answered already that this row's fault excuses
	mayDamage    bool            // the state file is not what docbatch left
	cleanups     []func() error
}

// errStop is how a step that can't be done ends its row.
var errStop = errors.New("stopped")

// must ends the row where a step of its own can't be done.
func (g *rig) must(err error) {
	if err != nil {
		g.fault("%v", err)
		panic(errStop)
	}
}

// fault notes that the row falls short.
func (g *rig) fault(format string, args ...any) {
	g.result.faults = append(g.result.faults, g.part+fmt.Sprintf(format, args...))
}

// want notes that the row falls short where ok is false.
func (g *rig) want(ok bool, format string, args ...any) {
	if !ok {
		g.fault(format, args...)
	}
}

// note adds what was measured.
func (g *rig) note(format string, args ...any) {
	g.result.notes = append(g.result.notes, fmt.Sprintf(format, args...))
}

// later has f called when the row is over; the last comes first.
func (g *rig) later(f func() error) { g.cleanups = append(g.cleanups, f) }

// work runs a row, looks at all that it left, and cleans up.
func (g *rig) work(run func(*rig)) {
	g.forget()
	g.steps(func() { run(g) })
	g.steps(g.check)
	g.steps(g.searchKey)
	for _, f := range slices.Backward(g.cleanups) {
		if err := f(); err != nil {
			g.fault("clean up: %v", err)
		}
	}
}

// fresh compares what the row has left, and begins again in a folder of its own: the row is made of parts.
func (g *rig) fresh(part string) {
	g.check()
	if g.agent != nil {
		g.agent.kill()
	}
	g.part, g.dir = part+": ", filepath.Join(g.root, strings.Map(fileLetter, part))
	g.must(os.Mkdir(g.dir, 0o755))
	g.forget()
}

// forget puts everything back that belongs to one part.
func (g *rig) forget() {
	g.docs, g.moments, g.acknowledged, g.mayFail, g.mayRepeat = nil, nil, map[string]bool{}, map[string]bool{}, 0
}

// steps calls f up to its end, or up to a step that can't be done.
func (g *rig) steps(f func()) {
	defer func() {
		if r := recover(); r != nil && r != any(errStop) {
			panic(r)
		}
	}()
	f()
}

func (g *rig) path(name string) string { return filepath.Join(g.dir, name) }
func (g *rig) inbox() string           { return g.path("inbox") }

// state is the path of the state file.
func (g *rig) state() string {
	if g.stateFile != "" {
		return g.stateFile
	}
	return g.path("docbatch.db")
}

// of is the figure for the form that is run.
func of[T any](g *rig, short, long T) T {
	if g.short {
		return short
	}
	return long
}

// A document is one that docbatch is given.
type document struct {
	id     string // of its item
	marker string // in its text, and so in its answer
	text   string
}

// documents writes n documents that differ in one word.
func (g *rig) documents(n int) {
	for i := range n {
		g.document(i, 0)
	}
}

// document writes the document number i, filled up to a size in bytes.
func (g *rig) document(i, size int) {
	g.must(os.MkdirAll(g.inbox(), 0o755))
	d := document{id: fmt.Sprintf("%04d.txt", i), marker: fmt.Sprintf("marker-%04d", i)}
	var text strings.Builder
	fmt.Fprintf(&text, "Report %s\n\nThe shipment %[1]s left the harbour on Monday. It is expected on Friday. Nothing else is known.\n", d.marker)
	for crate := 1; text.Len() < size; crate++ {
		fmt.Fprintf(&text, "Crate %d of %s was opened, and its goods were found to be complete. ", crate, d.marker)
	}
	d.text = text.String()
	g.must(os.WriteFile(filepath.Join(g.inbox(), d.id), []byte(d.text), 0o644))
	g.docs = append(g.docs, d)
}

// mustFail says which documents are expected to fail.
func (g *rig) mustFail(numbers ...int) {
	for _, n := range numbers {
		g.mayFail[g.docs[n].id] = true
	}
}

// until waits for cond, which no event tells of: a file that fills, a port that opens. It reports whether it came true in time.
func (g *rig) until(limit time.Duration, cond func() bool) bool {
	over := time.After(limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-over:
			return false
		case <-g.ctx.Done():
			return false
		}
	}
	return true
}

// pass waits for a time that is part of the fault.
func (g *rig) pass(d time.Duration) { g.must(pipeline.Sleep(g.ctx, d)) }
