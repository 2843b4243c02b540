package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
	"docbatch/pipeline/agent/openai"
)

// agent looks at what is said of the agent. It sends nothing.
func (d *doctor) agent() {
	j := d.job
	if j.slug == "" {
		d.fail("agent", "", j.ready())
	}
	if j.demo {
		d.ok("agent", "the built-in agent: no key, no network")
		return
	}
	if _, err := openai.New(openai.Options{BaseURL: j.baseURL}); err != nil {
		d.fail("agent", "", err)
	} else if j.slug != "" {
		d.ok("agent", "%s", j.asked())
	}
}

// keyVariable is the variable in which the key is looked for.
func (d *doctor) keyVariable() string {
	return pick(d.settings, "key-env", d.options.keyEnv, d.jobFile.Agent.KeyEnv)
}

// key says whether there is a key and where it is from; never the key, nor anything of it.
func (d *doctor) key() {
	j := d.job
	if d.keyErr != nil {
		d.fail("key", "Name a file that can be read with --key-file, or put the key into a variable.", d.keyErr)
		return
	}
	if err := j.keyReady(); err != nil {
		d.fail("key", "", err)
		return
	}
	if j.key == "" {
		d.ok("key", "there is none, and none is sent")
		return
	}
	from, file := d.keySource()
	if _, err := openai.New(openai.Options{BaseURL: defaultBaseURL, Key: j.key}); err != nil {
		d.fail("key", "", fmt.Errorf("%s: %w", from, err))
		return
	}
	d.ok("key", "there is one, from %s", from)
	if file != "" && readableByAll(file) {
		d.warn("key", fmt.Sprintf("chmod 600 %s", file), "everyone on this machine can read %s", file)
	}
	if openai.Insecure(j.baseURL) {
		d.warn("key", "Use https.", "it goes unencrypted over the network to %s", hostOf(j.baseURL))
	}
	if j.keyFrom == "" && d.urlVariable() != j.baseURL {
		d.warn("key", "If that key is not meant for it, name another variable with --key-env.",
			"the key in %s goes to %s, which is not Swiftask", keyVariable, hostOf(j.baseURL))
	}
}

// keySource says where the key is from, and the file that it stands in; "" for none.
func (d *doctor) keySource() (from, file string) {
	if d.job.keyFile != "" {
		return "the file " + d.job.keyFile, d.job.keyFile
	}
	name := d.keyVariable()
	if _, ok := d.lookup(name); ok {
		return "the variable " + name, ""
	}
	return fmt.Sprintf("the variable %s in %s", name, d.job.dotenv), d.job.dotenv
}

// urlVariable is the base URL that Swiftask's own variable names.
func (d *doctor) urlVariable() string {
	v, _ := d.settings.lookup(urlVariable)
	return v
}

// hostOf is the host that a base URL names; all else may hold a secret.
func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return "the service"
	}
	return u.Host
}

// readableByAll reports whether any user of this machine can read a file. It is not known on Windows.
func readableByAll(path string) bool {
	const othersRead, othersEnter = 0o004, 0o001
	if runtime.GOOS == "windows" {
		return false
	}
	path = realPath(path)
	for needs := os.FileMode(othersRead); ; needs = othersEnter {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&needs == 0 {
			return false
		}
		parent := filepath.Dir(path)
		if parent == path {
			return true
		}
		path = parent
	}
}

const (
	onlineQuestion = "Reply with the word: ready"
	onlineTimeout  = 2 * time.Minute // an agent that takes longer for that is not ready
	answerShown    = 200             // characters of the answer
)

// online asks the agent one short question, as the job would ask.
func (d *doctor) online(ctx context.Context) {
	if slices.ContainsFunc(d.findings, func(f finding) bool {
		return f.Status == statusError && (f.Check == "agent" || f.Check == "key")
	}) {
		d.warn("answer", "Mend the errors of agent and key first.", "the agent was not asked")
		return
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	j := *d.job
	j.timeout, j.workers = min(j.timeout, onlineTimeout), 1
	var head openai.Response
	silent := d.env
	silent.stderr = io.Discard // of a key without https is told already
	wire, done, err := connect(silent, &j, func(r openai.Response) { head = r })
	if err != nil {
		d.fail("answer", "", err)
		return
	}
	defer done()
	req := &agent.Request{Agent: j.slug, Params: j.params, Stream: j.stream, Messages: []agent.Message{{Role: "user", Content: onlineQuestion}}}
	started := time.Now()
	answer, err := wire.Ask(ctx, req)
	took := time.Since(started).Round(time.Millisecond)
	d.asked = true
	switch {
	case ctx.Err() != nil:
		d.fail("answer", "", withExit(exitInterrupt, errors.New("interrupted"), "Ask again when there is time."))
	case err != nil:
		d.noAnswer(err, took)
	default:
		d.answer(answer, took)
	}
	if head.Status != 0 {
		d.head(head, started, time.Now())
	}
}

// noAnswer tells of a question that was not answered. A pause that was asked for is no error: run waits.
func (d *doctor) noAnswer(err error, took time.Duration) {
	e := pipeline.AsError(err)
	told := fmt.Errorf("%w (%s, %s, after %v)", err, e.Class, e.Kind, took)
	switch e.Class {
	case pipeline.Throttled:
		d.warn("answer", "Nothing: a run waits as long as it is asked to. See that nobody else uses up the limit.", "%v", told)
	case pipeline.Transient:
		d.fail("answer", "See that the agent is up and the base URL right. A run tries again, and gives up after --give-up-after.",
			&exitError{error: told, code: exitUnreachable})
	case pipeline.Refused:
		d.fail("answer", "See what is refused: the parameters that the job sets, or the agent. A run stops after ten such refusals.",
			&exitError{error: told, code: exitUsage})
	default:
		d.fail("answer", "", told)
	}
}

func (d *doctor) answer(a *agent.Answer, took time.Duration) {
	counted := "its tokens are not counted by the service: a run estimates them"
	if a.Tokens.Total() > 0 {
		counted = plural(a.Tokens.Prompt, "prompt token") + " and " + plural(a.Tokens.Completion, "completion token")
	}
	model := a.Model
	if model == "" {
		model = "a model without a name"
	}
	d.ok("answer", "%q after %v, from %s; %s", oneLine(a.Text, answerShown), took, oneLine(model, lineWidth), counted)
	if a.Truncated() {
		d.warn("answer", "Raise --max-answer-tokens if the answers to documents are cut too.", "it was cut at the agent's length limit")
	}
}

// head tells what the service sends beside an answer: how, its limits, and its time.
func (d *doctor) head(r openai.Response, sent, came time.Time) {
	over := "without encryption"
	if r.TLS != "" {
		over = "over " + r.TLS
	}
	d.ok("connection", "status %d, %s %s", r.Status, oneLine(r.Proto, lineWidth), over)
	if limits := limitHeaders(r.Header); len(limits) > 0 {
		d.ok("headers", "%s", strings.Join(limits, "\n"))
	} else {
		d.ok("headers", "the service sends none that tell its limits; a run finds them")
	}
	d.serviceClock(r.Header.Get("Date"), sent, came)
}

// limitHeaders are the headers that tell of limits and pauses, each with its value, in the order of their names.
func limitHeaders(h http.Header) (lines []string) {
	for name, values := range h {
		lower := strings.ToLower(name)
		if lower == "retry-after" || lower == "retry-after-ms" || strings.HasPrefix(lower, "x-ratelimit-") || strings.HasPrefix(lower, "ratelimit") {
			lines = append(lines, oneLine(lower+": "+strings.Join(values, ", "), lineWidth))
		}
	}
	slices.Sort(lines)
	return lines
}
