package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A row is one fault, and what docbatch must make of it.
type row struct {
	name  string
	needs []string // tools: see tools.go
	long  bool     // it can't be made shorter, and is left out of the short form
	phase phase
	limit time.Duration // after which it is hung, in the long form; 0 is longLimit
	run   func(r *rig)
}

// A phase is when a row runs: all of one are over before the next.
type phase int

const (
	together phase = iota // beside others: most of it is waiting
	calm                  // beside others that need little of the machine, because it measures time
	alone                 // beside nothing, because it measures speed
)

// How long a row may take.
const (
	shortLimit = time.Minute
	longLimit  = 10 * time.Minute
)

// A matrix is one run of the rows.
type matrix struct {
	options
	dir      string
	docbatch string // the program under test
	key      string // the canary
	tools    *tools

	mu   sync.Mutex
	kept bool // a folder was left behind
}

// close removes what nobody will look at.
func (m *matrix) close() error {
	if m.kept {
		return nil
	}
	return os.RemoveAll(m.dir)
}

// work runs the rows, phase after phase, and prints each as it ends. It reports whether none falls short.
func (m *matrix) work(ctx context.Context, chosen []row, p *printer) bool {
	p.begin(m.options)
	for _, phase := range []phase{together, calm, alone} {
		atOnce := m.atOnce()
		if phase == alone {
			atOnce = 1
		}
		slots := make(chan struct{}, atOnce)
		var running sync.WaitGroup
		for _, r := range chosen {
			if r.phase != phase {
				continue
			}
			slots <- struct{}{}
			running.Go(func() {
				m.show(ctx, r, p)
				<-slots
			})
		}
		running.Wait()
	}
	return p.end(m.dir, m.kept)
}

func (m *matrix) atOnce() int {
	switch {
	case m.parallel > 0:
		return m.parallel
	case m.short:
		return 8
	}
	return 4
}

// show runs one row as often as asked, and prints the worst.
func (m *matrix) show(ctx context.Context, r row, p *printer) {
	if r.long && m.short {
		p.leftOut(r.name, errors.New("it takes minutes; the whole matrix has it"))
		return
	}
	for _, need := range r.needs {
		if err := m.tools.have(ctx, need); err != nil {
			p.leftOut(r.name, err)
			return
		}
	}
	var worst result
	for n := range max(1, m.repeat) {
		if ctx.Err() != nil {
			p.leftOut(r.name, context.Cause(ctx))
			return
		}
		worst = worst.worse(m.once(ctx, r, n))
	}
	p.row(worst)
}

// once runs a row in a folder of its own.
func (m *matrix) once(ctx context.Context, r row, n int) result {
	ctx, cancel := context.WithTimeout(ctx, m.limitOf(r))
	defer cancel()
	dir := filepath.Join(m.dir, fmt.Sprintf("%s-%d", strings.Map(fileLetter, r.name), n+1))
	g := &rig{matrix: m, ctx: ctx, root: dir, dir: dir, result: result{name: r.name}}
	g.must(os.Mkdir(dir, 0o755))
	g.work(r.run)
	if len(g.result.faults) > 0 || m.keep {
		m.mu.Lock()
		m.kept = true
		m.mu.Unlock()
	} else if err := os.RemoveAll(dir); err != nil {
		g.fault("%v", err)
	}
	return g.result
}

func (m *matrix) limitOf(r row) time.Duration {
	switch {
	case m.short:
		return shortLimit
	case r.limit > 0:
		return r.limit
	}
	return longLimit
}

// fileLetter keeps what every file system takes.
func fileLetter(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}
