package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// A result is what came of one row.
type result struct {
	name      string
	documents int
	answers   int
	lost      int // without the answer that they should have, or that docbatch had said they had
	wrong     int // with an answer that is not theirs
	repeated  int // requests for what the agent had answered already
	requests  int
	throttled int // of them, answered with 429
	elapsed   time.Duration
	exits     []string // of docbatch's lives, each once
	faults    []string // why it falls short; none where it does not
	notes     []string // what was measured beside the figures
	searched  int      // files in which the key was looked for
	leaks     int      // places where it was
}

// worse is the result that counts of two runs of a row: the one that falls short, or was slower. The zero result is none.
func (r result) worse(other result) result {
	worst := r
	if r.name == "" || len(r.faults) == 0 && (len(other.faults) > 0 || other.elapsed > r.elapsed) {
		worst = other
	}
	worst.searched, worst.leaks = r.searched+other.searched, r.leaks+other.leaks
	return worst
}

// A printer prints the rows as they end. It is used by many goroutines.
type printer struct {
	w io.Writer

	mu       sync.Mutex
	began    time.Time
	rows     int
	short    int // that fall short
	searched int
	leaks    int
	out      []string // left out, and why
}

const rowFormat = "%-38s %6v %7v %5v %5v %8v %8v %5v %8v %6v  %s\n"

func (p *printer) begin(o options) {
	p.began = time.Now()
	form := "the whole matrix"
	if o.short {
		form = "the short form"
	}
	fmt.Fprintf(p.w, "docbatch under faults: %s, each row %s, %d workers\n\n", form, times(max(1, o.repeat)), workers)
	fmt.Fprintf(p.w, rowFormat, "fault", "docs", "answers", "lost", "wrong", "repeated", "requests", "429s", "time", "exit", "verdict")
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times, the worst counts", n)
}

func (p *printer) row(r result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows++
	p.searched += r.searched
	p.leaks += r.leaks
	verdict := "pass"
	if len(r.faults) > 0 {
		verdict = "FALLS SHORT"
		p.short++
	}
	fmt.Fprintf(p.w, rowFormat, r.name, r.documents, r.answers, r.lost, r.wrong, r.repeated, r.requests, r.throttled,
		fmt.Sprintf("%.1fs", r.elapsed.Seconds()), strings.Join(r.exits, ","), verdict)
	for _, note := range r.notes {
		fmt.Fprintf(p.w, "    %s\n", note)
	}
	for _, fault := range r.faults {
		fmt.Fprintf(p.w, "    ! %s\n", fault)
	}
}

// leftOut notes a row that could not be run: it has not passed.
func (p *printer) leftOut(name string, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = append(p.out, fmt.Sprintf("%s: %v", name, why))
	fmt.Fprintf(p.w, "%-38s left out: %v\n", name, why)
}

// end prints the row of the key and the sum. It reports whether no row falls short.
func (p *printer) end(dir string, kept bool) bool {
	if p.rows > 0 {
		key := result{name: "the key through all of the above", notes: []string{fmt.Sprintf("%d files searched, and the process list; the key was in %d of them", p.searched, p.leaks)}}
		if p.leaks > 0 {
			key.faults = []string{"the key was seen"}
		}
		p.row(key)
	}
	fmt.Fprintf(p.w, "\n%d rows, %d fall short, %d left out, %v\n", p.rows, p.short, len(p.out), time.Since(p.began).Round(time.Second))
	for _, row := range p.out {
		fmt.Fprintf(p.w, "left out: %s\n", row)
	}
	if kept {
		fmt.Fprintf(p.w, "what the rows left is in %s\n", dir)
	}
	return p.short == 0
}
