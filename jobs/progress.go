package jobs

import (
	"maps"
	"slices"
	"sync"
	"time"

	"docbatch/pipeline"
)

// Progress is where a run stands.
type Progress struct {
	Listed   bool // every document of the job is known
	Found    int  // documents listed so far
	Rested   int  // finished in an earlier run, and unchanged
	Gone     int  // in an earlier run, but not there any more
	InFlight int  // being worked on

	Empty []string // sources that have no document

	// Outcomes of this run.
	Done      int
	Truncated int
	Failed    int // those that could not be listed included
	Cached    int // of Done and Truncated: answered from the store

	Reasons   map[Reason]Worked // those that were worked on, by why they were pending
	Requests  int               // sent in this run, as far as their documents have an outcome or were released
	Unstored  int               // answers that came and could not be stored: their documents are asked again
	Ambiguous int               // of Requests: those that ended without an answer after they were sent; they may have been billed
	Tokens    pipeline.Tokens   // of the answers that were sent for in this run
	Usual     time.Duration     // how long the requests took, on average, that brought an answer; 0 while there is none
	Oldest    Working           // the document that is at one thing for the longest time; zero where none is at anything
}

// Worked is what became of documents in a run.
type Worked struct {
	Asked  int `json:"asked"`  // answered by a request that was sent; truncated answers too
	Cached int `json:"cached"` // answered from the store
	Failed int `json:"failed"`
}

// Finished is the number of documents that need no more work: those of earlier runs included.
func (p Progress) Finished() int { return p.Rested + p.Done + p.Truncated + p.Failed }

// progress collects a Progress.
type progress struct {
	mu      sync.Mutex
	now     Progress
	working map[*document]struct{}
	answers int           // requests that brought one
	took    time.Duration // all of them together
}

// Progress says where the run stands. It may be called at any time, by any goroutine.
func (r *Runner) Progress() Progress {
	p := &r.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now
	now.Reasons, now.Empty = maps.Clone(p.now.Reasons), slices.Clone(p.now.Empty)
	if p.answers > 0 {
		now.Usual = p.took / time.Duration(p.answers)
	}
	for d := range p.working {
		if w := d.at(time.Now()); w.For > now.Oldest.For {
			now.Oldest = w
		}
	}
	return now
}

func (p *progress) update(change func(now *Progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.now)
}

func (p *progress) add(t Tally) {
	p.update(func(now *Progress) {
		now.Found += t.Pending + t.Rested + t.Failed
		now.Rested += t.Rested
		now.Failed += t.Failed
	})
}

func (p *progress) gone(n int) { p.update(func(now *Progress) { now.Gone = n }) }
func (p *progress) empty(source string) {
	p.update(func(now *Progress) { now.Empty = append(now.Empty, source) })
}
func (p *progress) listed() { p.update(func(now *Progress) { now.Listed = true }) }

func (p *progress) isListed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now.Listed
}

// unstored counts what was sent for outcomes that the store did not take.
func (p *progress) unstored(batch []Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range batch {
		p.sent(o.Record)
	}
}

// lost counts what was sent for an outcome that the item does not get any more: it is another's, or its document has changed.
func (p *progress) lost(rec *pipeline.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Requests += rec.Tries
	p.spent(rec)
}

// spent counts the tokens of an answer that was sent for. p.mu is held.
func (p *progress) spent(rec *pipeline.Record) {
	if !rec.Cached {
		p.now.Tokens.Prompt += rec.Tokens.Prompt
		p.now.Tokens.Completion += rec.Tokens.Completion
	}
}

// sent counts the requests of a document, and its answer where the store did not take that: then it is released. p.mu is held.
func (p *progress) sent(rec *pipeline.Record) {
	p.now.Requests += rec.Tries
	if n := len(rec.Attempts); !rec.State.Final() && n > 0 && rec.Attempts[n-1].Class == "" {
		p.now.Unstored++
	}
}

// note counts an outcome by the reason for the work.
func (p *Progress) note(why Reason, rec *pipeline.Record) {
	if !rec.State.Final() {
		return
	}
	w := p.Reasons[why]
	switch {
	case rec.State == pipeline.Failed:
		w.Failed++
	case rec.Cached:
		w.Cached++
	default:
		w.Asked++
	}
	if p.Reasons == nil {
		p.Reasons = map[Reason]Worked{}
	}
	p.Reasons[why] = w
}

func (p *progress) finish(o Outcome) {
	p.update(func(now *Progress) {
		rec := o.Record
		now.note(o.Reason, rec)
		switch rec.State {
		case pipeline.Done:
			now.Done++
		case pipeline.Truncated:
			now.Truncated++
		case pipeline.Failed:
			now.Failed++
		}
		p.sent(rec)
		for _, a := range rec.Attempts {
			switch {
			case a.Kind == pipeline.KindTimeout || a.Kind == pipeline.KindInterrupted:
				now.Ambiguous++
			case a.Class == "":
				p.answers++
				p.took += a.Duration
			}
		}
		if rec.Cached {
			now.Cached++
		}
		p.spent(rec)
	})
}
