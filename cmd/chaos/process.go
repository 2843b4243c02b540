package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"docbatch/pipeline"
)

// An event is what the rows read of the JSON lines of docbatch run --json.
type event struct {
	Event string         `json:"event"`
	ID    string         `json:"id"`
	State pipeline.State `json:"state"`
	Error string         `json:"error"`
	Next  string         `json:"next"`
}

// A life is one process of docbatch from its start to its end.
type life struct {
	exit    int // -1 where it was killed
	elapsed time.Duration
	peak    int64   // the most memory that it had, in bytes; 0 where the system does not tell
	events  []event // of run --json
	printed string  // stdout and stderr, in lower case
}

// says reports whether one of the words was printed.
func (l life) says(words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(l.printed, strings.ToLower(w)) })
}

// A process is docbatch while it runs.
type process struct {
	rig      *rig
	cmd      *exec.Cmd
	out, err string // the files that it prints to
	started  time.Time
	ended    chan struct{} // closed when it is over
	waitErr  error         // set before
	watched  chan struct{} // closed when nobody looks at it any more
	peak     int64         // set before
	shown    bool          // likewise: the key was in the process list
}

// run works the row's documents once: docbatch run, to its end.
func (g *rig) run(baseURL string, args ...string) life { return g.begin(baseURL, args...).wait() }

// begin starts docbatch run on the row's documents.
func (g *rig) begin(baseURL string, args ...string) *process {
	g.settle()
	all := []string{"run", g.inbox(), "--agent", agentSlug, "--base-url", baseURL, "--state", g.state(), "-o", g.path("out.csv"),
		"--workers", strconv.Itoa(workers), "--json", "-v"}
	return g.start(append(all, args...)...)
}

// command runs any command of docbatch to its end.
func (g *rig) command(args ...string) life { return g.start(args...).wait() }

// start starts docbatch, under the row's prefix.
func (g *rig) start(args ...string) *process {
	g.lives++
	p := &process{rig: g, out: g.path(fmt.Sprintf("life-%03d.out", g.lives)), err: g.path(fmt.Sprintf("life-%03d.err", g.lives)), ended: make(chan struct{}), watched: make(chan struct{})}
	line := slices.Concat(g.prefix, []string{g.docbatch}, args)
	p.cmd = exec.CommandContext(g.ctx, line[0], line[1:]...)
	p.cmd.Dir = g.dir
	p.cmd.Env = environment(g.dir, g.key)
	p.cmd.WaitDelay = 5 * time.Second
	out, err := os.Create(p.out)
	g.must(err)
	defer out.Close()
	stderr, err := os.Create(p.err)
	g.must(err)
	defer stderr.Close()
	p.cmd.Stdout, p.cmd.Stderr = out, stderr
	p.started = time.Now()
	g.must(p.cmd.Start())
	go p.watch()
	go func() {
		p.waitErr = p.cmd.Wait()
		close(p.ended)
	}()
	g.later(func() error {
		_ = p.cmd.Process.Kill() // it has ended, but in a row that was broken off
		<-p.ended
		<-p.watched
		return nil
	})
	return p
}

// environment is all that docbatch and its agent know of the world: no proxy, no setting of whoever runs this.
func environment(home, key string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir(), keyVariable + "=" + key}
}

const (
	keyVariable = "SWIFTASK_API_KEY"
	agentSlug   = "analyst"
)

// watch looks at the process list as another user would, and at the memory of the process.
func (p *process) watch() {
	defer close(p.watched)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	proc := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	for {
		line, err := os.ReadFile(proc + "cmdline")
		if err == nil && bytes.Contains(line, []byte(p.rig.key)) {
			p.shown = true
		}
		if status, err := os.ReadFile(proc + "status"); err == nil {
			p.peak = max(p.peak, peakOf(status))
		}
		select {
		case <-p.ended:
			return
		case <-tick.C:
		}
	}
}

// peakOf reads the most memory that a process has had from Linux's /proc/PID/status.
func peakOf(status []byte) int64 {
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kb, _ := strconv.ParseInt(strings.Fields(string(rest))[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// kill ends the process as a power cut does.
func (p *process) kill() life {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	return p.wait()
}

// wait waits for the end of the process, and reads what it printed.
func (p *process) wait() life {
	<-p.ended
	<-p.watched
	l := life{elapsed: time.Since(p.started), peak: p.peak}
	var exit *exec.ExitError
	if p.waitErr != nil && !errors.As(p.waitErr, &exit) {
		p.rig.must(p.waitErr)
	}
	l.exit = p.cmd.ProcessState.ExitCode()
	if p.shown {
		p.rig.leaked("the key is in the process list")
	}
	p.rig.result.elapsed += l.elapsed
	p.rig.noteExit(l.exit)
	if p.rig.ctx.Err() != nil {
		p.rig.fault("it did not end: killed after %v", l.elapsed.Round(time.Second))
		panic(errStop)
	}
	stdout, err := os.ReadFile(p.out)
	p.rig.must(err)
	stderr, err := os.ReadFile(p.err)
	p.rig.must(err)
	l.events = p.rig.read(stdout)
	l.printed = strings.ToLower(string(stdout) + string(stderr))
	p.rig.want(!strings.Contains(l.printed, "goroutine "), "it panicked: see %s", p.err)
	return l
}

// noteExit notes how a life ended.
func (g *rig) noteExit(code int) {
	g.lastExit = code
	exit := strconv.Itoa(code)
	if code < 0 {
		exit = "kill"
	}
	if !slices.Contains(g.result.exits, exit) {
		g.result.exits = append(g.result.exits, exit)
	}
}

// read notes what docbatch said it had answered. The last line of a process that was killed may be cut.
func (g *rig) read(stdout []byte) []event {
	var events []event
	for line := range bytes.Lines(stdout) {
		var e event
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		events = append(events, e)
		if e.Event == "item" && (e.State == pipeline.Done || e.State == pipeline.Truncated) {
			g.acknowledged[e.ID] = true
		}
	}
	return events
}

// wantExit notes that the row falls short where a life ended in another way, or did not say one of the words.
func (g *rig) wantExit(what string, l life, code int, words ...string) {
	if l.exit != code {
		g.fault("%s: exit %d, want %d: %s", what, l.exit, code, lastError(l))
	}
	if len(words) > 0 {
		g.want(l.says(words...), "%s: it says none of %q", what, words)
	}
}

// lastError is why a life ended, in its own words: the newest error among its events, or the last that it printed.
func lastError(l life) string {
	for _, e := range slices.Backward(l.events) {
		if e.Error != "" {
			return clip(e.Error, 200)
		}
	}
	return clip(l.printed[max(0, len(l.printed)-200):], 200)
}

// clip is s on one line, at most n bytes long.
func clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	return s[:min(n, len(s))]
}
