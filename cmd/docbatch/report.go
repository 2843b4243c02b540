package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"docbatch/pipeline"
)

// schemaVersion is that of the JSON lines. It changes when a reader of the old ones could misunderstand the new ones.
const schemaVersion = 1

const (
	clearLine = "\x1b[K"               // from the cursor to the end of the line
	redraw    = 200 * time.Millisecond // of the progress bar
	interval  = 30 * time.Second       // between plain lines
	rateAfter = 2 * time.Second        // before it, a rate would be a guess
	longWork  = time.Minute            // a document that is at one thing for so long is named
	longWait  = 2 * time.Second        // a wait of all that is told
)

// A reporter tells a person, or a program, how a run goes: a bar on a terminal, plain lines elsewhere, JSON lines if asked.
type reporter struct {
	run     *jobRun
	started time.Time
	bar     bool // a terminal to draw on

	mu    sync.Mutex // one writer at a time
	drawn bool       // a bar stands on the last line

	over   chan struct{}
	ended  chan struct{}
	ending atomic.Bool // the work is over

	pace    pace
	plain   time.Time // when the last plain line was written
	waits   waits
	watched time.Time // when it last looked for documents that take long
}

func newReporter(r *jobRun) *reporter {
	_, tty := terminal(r.stderr)
	return &reporter{
		run:     r,
		started: time.Now(),
		bar:     tty && !r.options.quiet && !r.options.json && !r.options.verbose,
		over:    make(chan struct{}),
		ended:   make(chan struct{}),
	}
}

// start says what begins, and keeps saying how it goes until stop.
func (r *reporter) start() {
	r.plain = r.started
	r.json("start", map[string]any{"job": r.run.job.name, "state": r.run.job.state, "agent": r.run.job.slug, "base_url": r.run.job.baseURL,
		"workers": r.run.job.workers, "rpm": r.run.job.limits.pace.Requests, "tpm": r.run.job.limits.pace.Tokens,
		"deadline": deadlineJSON(r.run.runner.Deadline)})
	r.mention("asking %s, %s, state in %s%s", r.run.job.asked(), plural(r.run.job.workers, "worker"), r.run.job.state, until(r.run.runner.Deadline))
	go r.loop()
}

func (r *reporter) stop() {
	r.ending.Store(true)
	close(r.over)
	<-r.ended
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clear()
}

func (r *reporter) loop() {
	defer close(r.ended)
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.tick(time.Now())
		case <-r.over:
			return
		}
	}
}

// tick draws the bar, or writes a line if it is time for one.
func (r *reporter) tick(now time.Time) {
	p, pause := r.run.runner.Progress(), r.run.pace.Paused()
	stands := r.standing(now, p, pause)
	late := r.watch(now, p.Usual)
	news := r.waits.note(now, pause)
	if news {
		r.mention("waiting %v: %s", pause.For.Round(time.Second), pause.Why)
	}
	due := now.Sub(r.plain) >= interval
	if due {
		r.plain = now
		r.mention("%s", stands.words())
	}
	if due || news || late {
		r.json("status", asMap(stands))
	}
	if r.bar {
		r.mu.Lock()
		defer r.mu.Unlock()
		columns, _ := terminal(r.run.stderr) // it may have been resized
		r.draw(stands.bar(columns))
	}
}

// watch names the documents that take long, each once, and again when the time has doubled. With an agent that takes minutes for
// each it takes more to be long.
func (r *reporter) watch(now time.Time, usual time.Duration) (late bool) {
	if now.Sub(r.watched) < time.Second {
		return false
	}
	r.watched = now
	for _, w := range r.run.runner.Overdue(max(longWork, 4*usual)) {
		late = true
		r.say("still working on %s after %v (%s)", oneLine(w.Name, 200), w.For.Round(time.Second), w.Stage)
	}
	return late
}

// say writes a line for people.
func (r *reporter) say(format string, args ...any) {
	if r.run.options.quiet || r.run.options.json {
		r.run.log.say(fmt.Sprintf(format, args...))
		return
	}
	r.tell(format, args...)
}

// mention writes a line for people whom no bar tells the same.
func (r *reporter) mention(format string, args ...any) {
	if r.bar {
		r.run.log.say(fmt.Sprintf(format, args...))
		return
	}
	r.say(format, args...)
}

// tell writes a line that must be said.
func (r *reporter) tell(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clear()
	r.run.tell(format, args...)
}

// draw puts line in place of the bar. r.mu is held.
func (r *reporter) draw(line string) {
	fmt.Fprintf(r.run.stderr, "\r%s%s", line, clearLine)
	r.drawn = true
}

// clear takes the bar away. r.mu is held.
func (r *reporter) clear() {
	if r.drawn {
		fmt.Fprintf(r.run.stderr, "\r%s", clearLine)
		r.drawn = false
	}
}

// json writes one JSON line, if they are asked for.
func (r *reporter) json(event string, fields map[string]any) {
	if !r.run.options.json {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	writeJSON(r.run.stdout, event, fields)
}

// tellJSON tells of an error that was not told yet, and gives the one that only carries the exit code.
func tellJSON(e env, err error) error {
	var told *toldError
	if err == nil || errors.As(err, &told) {
		return err
	}
	writeJSON(e.stdout, "error", errorEvent(err))
	return &toldError{code: exitCode(err)}
}

func errorEvent(err error) map[string]any {
	return map[string]any{"exit": exitCode(err), "error": err.Error(), "next": whatNext(err)}
}

func writeJSON(w io.Writer, event string, fields map[string]any) {
	fields["schema_version"] = schemaVersion
	fields["event"] = event
	fields["time"] = time.Now().UTC().Format(time.RFC3339Nano)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(fields)
	w.Write(escapeUnseen(b.Bytes()))
}

// escapeUnseen writes what a terminal would act on as \uXXXX, which encoding/json does for some of it only. It stands in strings, since
// JSON has it nowhere else.
func escapeUnseen(line []byte) []byte {
	var out []byte
	for _, r := range string(line) {
		if r < utf8.RuneSelf && r != 0x7f || !unicode.In(r, unicode.Cc, unicode.Cf) {
			out = utf8.AppendRune(out, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}

// item tells of one outcome.
func (r *reporter) item(rec pipeline.Record) {
	if !r.run.options.json {
		return
	}
	fields := map[string]any{"source": rec.Source, "id": rec.ID, "name": rec.Name, "state": rec.State, "attempts": rec.Tries,
		"duration_ms": rec.Duration.Milliseconds(), "cached": rec.Cached, "tokens": rec.Tokens.Total()}
	if rec.Err != nil {
		fields["class"], fields["error"] = rec.Err.Class, rec.Err.Error()
	}
	r.json("item", fields)
}
