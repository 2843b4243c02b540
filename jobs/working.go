package jobs

import (
	"context"
	"time"
)

// Working is a document in flight: what is done to it now, and for how long.
type Working struct {
	Name  string
	Stage string // the step and, where Stage said more, that: "ask: waiting for the agent"
	For   time.Duration
}

// A document is one in flight. progress.mu guards it.
type document struct {
	progress *progress
	name     string
	step     string
	stage    string        // what Stage said; "" where it said nothing
	waiting  bool          // only for its turn
	since    time.Time     // when it began to be at that
	told     time.Duration // after which time Overdue named it last
}

type documentKey struct{}

// Stage says what is done, from now on, to the document whose step got ctx: for Working. With "" it only waits for its turn, as
// long as that may take, and is not looked after. The function that it gives puts back what was there before. Where ctx is not
// that of a step, nothing happens.
func Stage(ctx context.Context, what string) (over func()) {
	d, ok := ctx.Value(documentKey{}).(*document)
	if !ok {
		return func() {}
	}
	before, waited := d.change(what, what == "")
	return func() { d.change(before, waited) }
}

// change sets what is done to the document, and gives what was done before.
func (d *document) change(stage string, waiting bool) (before string, waited bool) {
	d.progress.mu.Lock()
	defer d.progress.mu.Unlock()
	before, waited = d.stage, d.waiting
	d.stage, d.waiting, d.since, d.told = stage, waiting, time.Now(), 0
	return before, waited
}

// at is what is done to the document; zero where it waits for its turn. progress.mu is held.
func (d *document) at(now time.Time) Working {
	if d.waiting {
		return Working{}
	}
	w := Working{Name: d.name, Stage: d.step, For: now.Sub(d.since)}
	if d.stage != "" {
		w.Stage += ": " + d.stage
	}
	return w
}

// Overdue gives the documents that are at one thing for at least that long: each once, and again each time that the time has
// doubled. It may be called at any time, by one goroutine.
func (r *Runner) Overdue(least time.Duration) []Working {
	p := &r.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	var late []Working
	now := time.Now()
	for d := range p.working {
		w := d.at(now)
		due := max(least, 2*d.told)
		if w.For < due {
			continue
		}
		for d.told = due; 2*d.told <= w.For; {
			d.told *= 2
		}
		late = append(late, w)
	}
	return late
}

func (p *progress) begin(item Item) *document {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &document{progress: p, name: item.Name, since: time.Now()}
	if p.working == nil {
		p.working = make(map[*document]struct{})
	}
	p.working[d] = struct{}{}
	p.now.InFlight++
	return d
}

// enter says which step comes now.
func (p *progress) enter(d *document, step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.step, d.since, d.told = step, time.Now(), 0
}

func (p *progress) end(d *document) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.working, d)
	p.now.InFlight--
}
