package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"docbatch/jobs/sqlite"
)

const (
	watchEvery = time.Second
	lineEvery  = 5 * time.Second  // off a terminal
	bearFor    = 10 * time.Second // how long the state file may be unreadable: it is being made, moved or held
	countShare = 20               // counting takes at most one part in so many of the time

	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clearBelow = "\x1b[J" // from the cursor to the end of the screen
	clearAll   = "\x1b[H\x1b[2J"
)

// watchStatus tells where the job stands, again and again, until a run has ended, or the person has seen enough.
func watchStatus(ctx context.Context, e env, o *statusOptions, state string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	w := &watcher{look: (&lookout{state: state}).look, tell: lineTeller(e.stdout, state)}
	if _, tty := terminal(e.stdout); o.json {
		w.tell = jsonTeller(e.stdout)
	} else if tty {
		d := &drawing{out: e.stdout, size: func() (int, int) { return sizeOf(e.stdout) }}
		defer d.end()
		w.tell = d.teller(state)
	}
	return w.watch(ctx)
}

// A watcher looks at a job until a run has ended.
type watcher struct {
	look func(context.Context) (*overview, error) // nil where there is no state file yet
	tell func(o *overview, over bool)             // says what was seen; over: it is the last time

	before int64     // the newest run that had ended when it first looked
	looked bool      // it has looked once
	failed time.Time // since when it can't be read; zero while it can
}

// watch returns nil when a run has ended, or ctx.
func (w *watcher) watch(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		seen, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if err := w.bear(err); err != nil {
				return err
			}
		default:
			w.failed = time.Time{}
			over := w.over(seen)
			w.tell(seen, over)
			if over {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// bear gives an error that lasts.
func (w *watcher) bear(err error) error {
	if w.failed.IsZero() {
		w.failed = time.Now()
	}
	if time.Since(w.failed) >= bearFor {
		return err
	}
	return nil
}

// over reports whether the run that was waited for has ended.
func (w *watcher) over(seen *overview) bool {
	first := !w.looked
	w.looked = true
	if seen == nil || seen.newest == nil {
		return false
	}
	if first && !seen.goesOn() {
		w.before = seen.newest.Num
	}
	return seen.newest.Num > w.before && !seen.goesOn()
}

// A lookout looks at a state file, which may come, go and be replaced meanwhile. Counting a million documents takes a while, so it
// counts less often where that takes long, but at once where a run began or ended.
type lookout struct {
	state   string
	counted *overview // with the newest run of then
	due     time.Time // when to count again
}

func (l *lookout) look(ctx context.Context) (*overview, error) {
	if _, err := os.Stat(l.state); os.IsNotExist(err) {
		l.counted = nil
		return nil, nil
	}
	store, err := sqlite.OpenReader(ctx, l.state)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	newest, err := readNewest(ctx, store, l.state)
	if err != nil {
		return nil, err
	}
	if now := time.Now(); l.counted == nil || !sameLife(newest, l.counted.newest) || now.After(l.due) {
		if l.counted, err = readOverview(ctx, store, l.state); err != nil {
			return nil, err
		}
		l.due = time.Now().Add(countShare * time.Since(now))
	}
	l.counted.newest = newest
	seen := *l.counted
	return &seen, nil
}

// sameLife reports whether that is the same run, and it does the same.
func sameLife(a, b *runView) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Num == b.Num && a.life == b.life
}

// waitingFor says that no run goes on, to who waits for one.
func waitingFor(o *overview, state string) string {
	if o == nil {
		return fmt.Sprintf("there is no state file %s yet; waiting for a run to make it (Ctrl-C ends the watching)", state)
	}
	return "no run goes on; waiting for the next (Ctrl-C ends the watching)"
}

// lineTeller writes a line when something has changed.
func lineTeller(out io.Writer, state string) func(o *overview, over bool) {
	var last string
	var at time.Time
	var told int64 // the run that was named
	return func(o *overview, over bool) {
		if over {
			fmt.Fprint(out, o.text())
			return
		}
		line, news := waitingFor(o, state), false
		switch {
		case o == nil:
		case o.goesOn():
			stands := o.newest.stands()
			line = stands.words()
			if o.newest.life == silent {
				line = o.newest.sentence()
			}
			if news = o.newest.Num != told; news {
				told = o.newest.Num
				line = o.newest.sentence() + "\n" + line
			}
		default:
			line = o.title() + "; " + line
		}
		if line == last || !news && time.Since(at) < lineEvery {
			return
		}
		last, at = line, time.Now()
		fmt.Fprintln(out, printable(line))
	}
}

// jsonTeller writes a JSON line when something has changed.
func jsonTeller(out io.Writer) func(o *overview, over bool) {
	var last string
	var at time.Time
	return func(o *overview, over bool) {
		if o == nil || !over && time.Since(at) < lineEvery {
			return
		}
		fields := o.json()
		b, err := json.Marshal(fields)
		if err == nil && string(b) == last && !over {
			return
		}
		last, at = string(b), time.Now()
		writeJSON(out, "status", fields)
	}
}

// sizeOf is that of a terminal.
func sizeOf(out io.Writer) (columns, lines int) {
	columns, _ = terminal(out)
	lines = 24
	if f, ok := out.(*os.File); ok {
		if _, n, err := term.GetSize(int(f.Fd())); err == nil && n > 1 {
			lines = n
		}
	}
	return columns, lines
}

// A drawing is a text on a terminal that is drawn anew in its place.
type drawing struct {
	out            io.Writer
	size           func() (columns, lines int)
	columns, lines int // of the terminal when it was drawn
	drawn          int // its lines; 0 before it was drawn
}

// teller draws where the job stands.
func (d *drawing) teller(state string) func(o *overview, over bool) {
	return func(o *overview, over bool) {
		text := ""
		if o != nil {
			text = o.text()
		}
		if !over && (o == nil || !o.goesOn()) {
			text += waitingFor(o, state) + "\n"
		}
		d.draw(text, over)
	}
}

// draw puts text in the place of what was drawn, in one write and without clearing it before, so that nothing flickers. Unless it is
// the last time, lines that are too long are cut, and so is a text that is too long: what has left the screen can't be drawn again.
// A terminal that has changed its size may have broken the old lines anywhere, so all of it is cleared then.
func (d *drawing) draw(text string, last bool) {
	columns, lines := d.size()
	rows := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if most := lines - 1; !last && len(rows) > most {
		more := len(rows) - most + 1
		rows = append(rows[:most-1], fmt.Sprintf("  and %s more: docbatch status", plural(more, "line")))
	}
	var b strings.Builder
	switch {
	case d.drawn == 0:
		b.WriteString(hideCursor)
	case columns != d.columns || lines != d.lines:
		b.WriteString(clearAll)
	default:
		fmt.Fprintf(&b, "\x1b[%dA\r", d.drawn)
	}
	for _, row := range rows {
		if !last {
			row = fit(row, columns-1)
		}
		b.WriteString(row + clearLine + "\n")
	}
	b.WriteString(clearBelow)
	io.WriteString(d.out, b.String())
	d.columns, d.lines, d.drawn = columns, lines, len(rows)
}

// end gives the terminal back.
func (d *drawing) end() {
	if d.drawn > 0 {
		io.WriteString(d.out, "\r"+clearLine+showCursor) // a Ctrl-C left its mark there
	}
}
