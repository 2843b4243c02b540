package jobs

import (
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

	// Outcomes of this run.
	Done      int
	Truncated int
	Failed    int // those that could not be listed included
	Cached    int // of Done and Truncated: answered from the store

	Requests int             // sent in this run, as far as their documents have an outcome or were released
	Tokens   pipeline.Tokens // of the answers that were sent for in this run
	Oldest   string          // the document that is being worked on for the longest time
	Since    time.Time       // since when; zero where none is
}

// Finished is the number of documents that need no more work: those of earlier runs included.
func (p Progress) Finished() int { return p.Rested + p.Done + p.Truncated + p.Failed }

// progress collects a Progress.
type progress struct {
	mu      sync.Mutex
	now     Progress
	working map[int64]working
}

// working is a document in flight.
type working struct {
	name  string
	since time.Time
}

// Progress says where the run stands. It may be called at any time, by any goroutine.
func (r *Runner) Progress() Progress {
	p := &r.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now
	for _, d := range p.working {
		if now.Since.IsZero() || d.since.Before(now.Since) {
			now.Oldest, now.Since = d.name, d.since
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
func (p *progress) listed()    { p.update(func(now *Progress) { now.Listed = true }) }

func (p *progress) isListed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now.Listed
}

func (p *progress) begin(item Item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.working == nil {
		p.working = make(map[int64]working)
	}
	p.working[item.Num] = working{name: item.Name, since: time.Now()}
	p.now.InFlight++
}

func (p *progress) end(item Item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.working, item.Num)
	p.now.InFlight--
}

func (p *progress) finish(rec *pipeline.Record) {
	p.update(func(now *Progress) {
		switch rec.State {
		case pipeline.Done:
			now.Done++
		case pipeline.Truncated:
			now.Truncated++
		case pipeline.Failed:
			now.Failed++
		}
		now.Requests += rec.Tries
		if rec.Cached {
			now.Cached++
			return
		}
		now.Tokens.Prompt += rec.Tokens.Prompt
		now.Tokens.Completion += rec.Tokens.Completion
	})
}
