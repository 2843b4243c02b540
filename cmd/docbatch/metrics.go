package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/sinks/output"
)

// metricsEvery is how often the metrics are written while a run goes on.
const metricsEvery = 30 * time.Second

// metrics is a file for the textfile collector of Prometheus' node exporter: https://github.com/prometheus/node_exporter#textfile-collector
type metrics struct {
	path string
	job  string
	past pastRuns
	turn chan struct{} // has room for one: who writes the file
	told bool          // that it can't be written
}

func newMetrics(path, job string) *metrics {
	return &metrics{path: path, job: job, turn: make(chan struct{}, 1)}
}

// errHangs is why the file was not written in time: its disk is a share that is gone, say.
var errHangs = errors.New("the disk does not answer in time")

// write replaces the file, and waits for that no longer than ctx allows. A later write waits for it.
func (m *metrics) write(ctx context.Context, text []byte) error {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return errHangs
	}
	written := make(chan error, 1)
	go func() {
		written <- replaceMetrics(m.path, text)
		<-m.turn
	}()
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return errHangs
	}
}

// replaceMetrics replaces a file in one step. Others than its owner read it, so a new one is made readable to all, whatever the umask.
func replaceMetrics(path string, text []byte) error {
	_, err := os.Stat(path)
	missing := errors.Is(err, fs.ErrNotExist)
	file, err := output.Open(path)
	if err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		return errors.Join(err, file.Discard())
	}
	if err := file.Commit(); err != nil || !missing {
		return err
	}
	return os.Chmod(path, 0o644)
}

// put writes the file, if there is something to write; that this can't be done is said once. Where ctx was cancelled, the file is
// written again anyway.
func (m *metrics) put(ctx context.Context, f figures, err error, say sayer) {
	f.past = m.past
	if err == nil {
		err = m.write(ctx, f.text(m.job))
	}
	if err != nil && !m.told && !errors.Is(ctx.Err(), context.Canceled) {
		m.told = true
		say("the metrics could not be written: %v; the run goes on", err)
	}
}

// keep writes the file now, and then again and again until ctx ends.
func (m *metrics) keep(ctx context.Context, measure measure, say sayer) {
	tick := time.NewTicker(metricsEvery)
	defer tick.Stop()
	for {
		f, err := measure(ctx)
		if ctx.Err() != nil {
			return
		}
		m.put(ctx, f, err, say)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// measure finds where a run stands.
type measure func(ctx context.Context) (figures, error)

// figures are what the metrics tell of a job.
type figures struct {
	going    bool      // a run goes on
	started  time.Time // of the newest run
	elapsed  time.Duration
	requests int
	tokens   pipeline.Tokens
	cost     *float64 // nil where no prices are set
	inFlight int      // documents that the run works on
	past     pastRuns

	known  bool // the state could be read
	counts jobs.Counts
	causes []sqlite.Failure
}

// read takes from the state what became of the documents.
func (f *figures) read(ctx context.Context, state *sqlite.Reader) (err error) {
	if f.counts, err = state.Counts(ctx); err != nil {
		return err
	}
	f.causes, err = state.Failures(ctx)
	f.known = err == nil
	return err
}

// figures are those of the run as it stands.
func (r *jobRun) figures(ctx context.Context) (figures, error) {
	p := r.runner.Progress()
	since := r.notifier.started.Round(0) // by the wall clock, as those count who look at the file
	f := figures{going: true, started: since, elapsed: time.Since(since), requests: p.Requests, tokens: p.Tokens,
		cost: r.report.cost(), inFlight: p.InFlight}
	err := f.read(ctx, r.store.Reader)
	return f, err
}

// pastRuns is how the runs of a job ended.
type pastRuns struct {
	ended     time.Time // of the newest that did; zero where none did
	code      int       // and its exit code
	succeeded time.Time // the end of the newest with exit code 0 that left no document; zero where there is none
}

// end notes the end of one more run, which left so many documents.
func (p *pastRuns) end(at time.Time, code, left int) {
	p.ended, p.code = at, code
	if code == exitOK && left == 0 {
		p.succeeded = at
	}
}

// recentRuns is how many runs are looked at before all of them are.
const recentRuns = 50

// readPast finds how the runs ended that the state knows.
func readPast(ctx context.Context, state *sqlite.Reader) (past pastRuns, err error) {
	for _, most := range []int{recentRuns, 0} {
		runs, err := state.Runs(ctx, most)
		if err != nil {
			return past, err
		}
		for _, run := range slices.Backward(runs) {
			if !run.Ended.IsZero() {
				var s summary
				_ = json.Unmarshal(run.Summary, &s) // without one it left nothing
				past.end(run.Ended, run.Exit, s.Unfinished())
			}
		}
		if !past.succeeded.IsZero() || len(runs) < most {
			break
		}
	}
	return past, nil
}

// text is the file.
func (f figures) text(job string) []byte {
	x := &exposition{job: strings.ToValidUTF8(job, "\ufffd")}
	x.gauge("docbatch_run_running", "Whether a run of the job goes on: 1, or 0.", indicator(f.going))
	x.gauge("docbatch_run_start_timestamp_seconds", "When the newest run of the job started.", seconds(f.started))
	x.gauge("docbatch_run_duration_seconds", "How long the newest run has taken.", f.elapsed.Seconds())
	x.gauge("docbatch_run_requests", "Requests that the newest run has sent.", float64(f.requests))
	x.family("docbatch_run_tokens", "Tokens of the answers that the newest run has sent for.")
	x.sample(float64(f.tokens.Prompt), "kind", "prompt")
	x.sample(float64(f.tokens.Completion), "kind", "completion")
	if f.cost != nil {
		x.gauge("docbatch_run_cost", "What the newest run has cost, in the currency of the prices.", *f.cost)
	}
	x.gauge("docbatch_run_end_timestamp_seconds", "When a run of the job ended last; 0 where none has.", seconds(f.past.ended))
	if !f.past.ended.IsZero() {
		x.gauge("docbatch_run_exit_code", "The exit code of the run that ended last.", float64(f.past.code))
	}
	x.gauge("docbatch_run_success_timestamp_seconds", "When a run of the job ended last with exit code 0 and left no document; 0 where none has.", seconds(f.past.succeeded))
	if f.known {
		f.documents(x)
	}
	return []byte(x.text.String())
}

// documents writes what became of the job's documents.
func (f figures) documents(x *exposition) {
	x.family("docbatch_documents", "Documents of the job by state.")
	inFlight, waiting := unfinished(f.counts, f.inFlight)
	for _, p := range []part{{f.counts.Done, "answered"}, {f.counts.Truncated, "truncated"}, {f.counts.Failed, "failed"},
		{inFlight, "in_flight"}, {waiting, "waiting"}, {f.counts.Gone, "gone"}} {
		x.sample(float64(p.n), "state", p.what)
	}
	type cause struct{ class, kind string }
	counts := map[cause]int{} // the state tells HTTP statuses apart too
	for _, c := range f.causes {
		counts[cause{string(c.Class), c.Kind}] += c.Count
	}
	x.family("docbatch_failures", "Failed documents of the job by cause.")
	for _, c := range slices.SortedFunc(maps.Keys(counts), func(a, b cause) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.kind, b.kind))
	}) {
		x.sample(float64(counts[c]), "class", c.class, "kind", c.kind)
	}
}

// An exposition is text in the format that Prometheus reads, version 0.0.4:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
type exposition struct {
	job  string // a label of every sample
	name string // of the family that is being written
	text strings.Builder
}

// family begins a family of gauges.
func (x *exposition) family(name, help string) {
	x.name = name
	fmt.Fprintf(&x.text, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

// gauge writes a family of one sample.
func (x *exposition) gauge(name, help string, value float64) {
	x.family(name, help)
	x.sample(value)
}

// sample writes one sample of the family; labels are names and values in turn.
func (x *exposition) sample(value float64, labels ...string) {
	fmt.Fprintf(&x.text, "%s{job=\"%s\"", x.name, escapeLabel.Replace(x.job))
	for pair := range slices.Chunk(labels, 2) {
		fmt.Fprintf(&x.text, ",%s=\"%s\"", pair[0], escapeLabel.Replace(pair[1]))
	}
	fmt.Fprintf(&x.text, "} %s\n", strconv.FormatFloat(value, 'f', -1, 64))
}

// escapeLabel escapes a label's value.
var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// seconds are those since 1970; 0 for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func indicator(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
