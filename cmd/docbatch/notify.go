package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/sinks/output"
)

// How long the end of a run may wait for those who are told of it: usually, and after a second signal.
const (
	endBound    = 15 * time.Second
	endBoundNow = time.Second
)

// An ending is how a run ended, for those who are told of it.
type ending struct {
	job            string
	started, ended time.Time
	code           int
	err            error    // why it ended early; nil where it did not
	now            bool     // it must not take longer
	words          []string // for people

	// What is known of a run that began.
	run     int64
	summary *summary // nil where it did not
	causes  []sqlite.Failure
}

// A notifier tells those who watch a job from elsewhere how its run goes: a ping, a webhook, a metrics file. It can neither fail the
// run nor change its exit code.
type notifier struct {
	env
	job     *job
	client  *http.Client
	started time.Time

	ping    *ping    // nil for none
	webhook *webhook // nil for none
	metrics *metrics // nil for none

	endKeeping func()                   // of the metrics
	endPing    func(wait time.Duration) // of the start, after so long
	ending     *ending                  // of a run that began; nil before it ends
}

// newNotifier is for a run that begins now. The settings have been checked.
func newNotifier(e env, j *job) *notifier {
	n := &notifier{env: e, job: j, client: newPostClient(), started: time.Now(), endKeeping: func() {}, endPing: func(time.Duration) {}}
	if u, err := url.Parse(j.ping); err == nil && j.ping != "" {
		n.ping = &ping{u}
	}
	if secret, err := webhookSecret(j.webhookSecret); err == nil && j.webhook != "" {
		n.webhook = &webhook{url: j.webhook, secret: secret}
	}
	if j.metrics != "" {
		n.metrics = newMetrics(j.metrics, j.name)
	}
	return n
}

// notify finds who is told how a run goes. With an error, that is whoever can be told.
func (s *settings) notify(f *jobFlags, nf *notifyFile) (n notify, err error) {
	var pingErr, webhookErr, secretErr, metricsErr error
	n.ping, pingErr = secretURL("ping", pick(s, "ping", f.ping, nf.Ping))
	n.webhook, webhookErr = secretURL("webhook", pick(s, "webhook", f.webhook, nf.Webhook))
	if n.webhook != "" {
		if n.webhookSecret, secretErr = s.webhookSecret(f, nf); secretErr != nil {
			n.webhook = "" // who verifies it would take it for a forgery
		}
	}
	n.metrics = pick(s, "metrics", f.metrics, s.inDir(nf.Metrics))
	if n.metrics != "" && filepath.Ext(n.metrics) != ".prom" {
		metricsErr = fmt.Errorf("--metrics is %s; Prometheus' textfile collector reads .prom files only", n.metrics)
		n.metrics = ""
	}
	return n, cmp.Or(pingErr, webhookErr, secretErr, metricsErr)
}

// secretURL is a URL that something is sent to; its errors don't tell it.
func secretURL(name, value string) (string, error) {
	value = strings.TrimSpace(value)
	if value == "" {
		return "", nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", fmt.Errorf("--%s (or DOCBATCH_%s, or notify.%s in the job file) is not a URL such as https://HOST/PATH", name, strings.ToUpper(name), name)
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String(), nil
}

// webhookSecret finds the secret that signs the webhook. A variable that is named must hold one.
func (s *settings) webhookSecret(f *jobFlags, nf *notifyFile) (string, error) {
	name := pick(s, "webhook-secret-env", f.webhookSecretEnv, nf.WebhookSecretEnv)
	secret, _ := s.lookup(name)
	secret = strings.TrimSpace(secret)
	if secret == "" && (s.given("webhook-secret-env") || nf.WebhookSecretEnv != "") {
		return "", fmt.Errorf("there is no secret for the webhook: the variable %s is empty or not set", name)
	}
	if _, err := webhookSecret(secret); err != nil {
		return "", fmt.Errorf("the secret of the webhook in the variable %s: %w", name, err)
	}
	return secret, nil
}

// What the files are called in errors, and by onlyThat.
const (
	logFileName = "the log file"
	metricsName = "the metrics file"
)

// dropUnusable drops a log file or a metrics file that is another file of the job, which it would destroy, or that can't be written. It
// returns why.
func (j *job) dropUnusable() error {
	logErr := j.onlyThat(j.logFile, logFileName, "--log-file")
	metricsErr := j.onlyThat(j.metrics, metricsName, "--metrics")
	if metricsErr == nil && j.metrics != "" {
		metricsErr = withExit(exitUsage, output.Check(j.metrics), "Name a file that can be written to, in a folder that is there, with --metrics. Nothing was sent.")
	}
	if logErr != nil {
		j.logFile = ""
	}
	if metricsErr != nil {
		j.metrics = ""
	}
	return cmp.Or(logErr, metricsErr)
}

// onlyThat refuses a file of the job that is another one too.
func (j *job) onlyThat(path, what, flag string) error {
	if path == "" {
		return nil
	}
	files := j.protected()
	for _, output := range j.outputs {
		files[output] = "an output"
	}
	for file, other := range files {
		if other != what && realPath(path) == realPath(file) {
			return withExit(exitUsage, fmt.Errorf("%s %s is %s too", what, path, other), "Name another file with "+flag+". Nothing was sent.")
		}
	}
	return nil
}

// notified makes a run and tells of its end, whatever that is. err is why there can be no run; nil where there can.
func notified(ctx context.Context, e env, o *runOptions, j *job, err error) error {
	err = cmp.Or(err, j.dropUnusable())
	log, logErr := openLog(e, j)
	defer log.close()
	e.log, err = log, cmp.Or(err, logErr)
	n := newNotifier(e, j)
	if err == nil {
		err = withoutPanic(func() error { return runJob(ctx, e, o, j, n) })
	}
	told := tellEnd(e, o, err)
	if errors.Is(err, errDeclined) { // who declined it knows
		return told
	}
	n.end(err)
	return told
}

// notifiedOfFlags tells of a command line that can't be read. What was read of it, and what the environment and the job file say, is
// who is told.
func notifiedOfFlags(cmd *cobra.Command, e env, o *runOptions, err error) error {
	if o.dryRun {
		return err
	}
	j, _ := loadJob(cmd, e, &o.jobFlags, nil)
	return notified(cmd.Context(), e, o, j, err)
}

// closed is how a run ended, its state file closed. An error of that is told, and decides where all else went well.
func closed(e env, err, closeErr error) error {
	if closeErr == nil {
		return err
	}
	closeErr = fmt.Errorf("close the state file: %w", closeErr)
	if err == nil {
		return closeErr
	}
	e.tellError(closeErr)
	return err
}

// withoutPanic makes a panic of do an error: our bug, and told as such.
func withoutPanic(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = pipeline.Errorf(pipeline.Internal, pipeline.KindPanic, "panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

// tellEnd tells of an error that was not told yet, and gives the one that only carries the exit code.
func tellEnd(e env, o *runOptions, err error) error {
	var told *toldError
	switch {
	case err == nil || errors.As(err, &told):
		return err
	case o.json:
		e.log.say(strings.Join(wordsOf(err), "\n"))
		return tellJSON(e, err)
	}
	e.tellError(err)
	return &toldError{code: exitCode(err)}
}

// wordsOf are an error and what to do next.
func wordsOf(err error) []string {
	if err == nil {
		return nil
	}
	words := []string{err.Error()}
	if next := whatNext(err); next != "" {
		words = append(words, next)
	}
	return words
}

// A sayer says something to people.
type sayer func(format string, args ...any)

// start tells that the run has begun and goes on telling where it stands, all of it in the background. say is for what goes wrong.
func (n *notifier) start(state *sqlite.Reader, measure measure, say sayer) {
	n.started = time.Now() // it may have waited for the lock
	pinging, stopPing := context.WithCancel(context.Background())
	keeping, stopKeeping := context.WithCancel(context.Background())
	var pinged, kept sync.WaitGroup
	if n.ping != nil {
		pinged.Go(func() {
			if err := n.ping.started().send(pinging, n.client); err != nil {
				say("the ping of the start could not be sent: %v (see --ping)", err)
			}
		})
	}
	if n.metrics != nil {
		kept.Go(func() {
			n.metrics.past, _ = readPast(context.Background(), state) // a state that can't be read is told by the figures
			n.metrics.keep(keeping, measure, say)
		})
	}
	n.endKeeping = func() {
		stopKeeping()
		kept.Wait()
	}
	n.endPing = func(wait time.Duration) {
		late := time.AfterFunc(wait, stopPing)
		pinged.Wait()
		late.Stop()
		stopPing()
	}
}

// conclude takes how a run ended that began, and writes that into the metrics while the state is still held: they can't meet those of
// another run.
func (n *notifier) conclude(e *ending) {
	n.endKeeping()
	e.job, e.started, e.ended = n.job.name, n.started, time.Now()
	n.ending = e
	ctx, cancel := context.WithTimeout(context.Background(), e.bound()/3)
	defer cancel()
	n.writeMetrics(ctx, e)
}

// end tells how the run ended, or why none began. The state is not held any more, and who sees that may begin the next run, so the
// metrics are only written if they don't tell it yet.
func (n *notifier) end(err error) {
	e, code := n.ending, exitCode(err)
	if e == nil {
		e = &ending{job: n.job.name, started: n.started, ended: time.Now()}
	}
	ctx, cancel := context.WithTimeout(context.Background(), e.bound())
	defer cancel()
	if n.ending == nil || e.code != code {
		e.code, e.err, e.words = code, err, append(e.words, wordsOf(err)...)
		if !n.elsewhere(err) {
			n.writeMetrics(ctx, e)
		}
	}
	n.endPing(e.bound() / 3) // that of the end comes after it
	n.send(ctx, e)
}

// bound is how long telling of it may take.
func (e *ending) bound() time.Duration {
	if e.now {
		return endBoundNow
	}
	return endBound
}

// elsewhere reports whether another run of the job goes on, which the metrics tell of.
func (n *notifier) elsewhere(err error) bool {
	holder, _ := sqlite.Holder(n.job.state) // what can't be looked at keeps nobody from being told
	return errors.Is(err, sqlite.ErrLocked) || holder != ""
}

// writeMetrics writes the last figures of a run that ended into the metrics.
func (n *notifier) writeMetrics(ctx context.Context, e *ending) {
	if n.metrics == nil {
		return
	}
	f, err := n.last(ctx, e)
	n.metrics.past.end(e.ended, e.code, f.counts.Unfinished())
	n.metrics.put(ctx, f, err, n.tell)
}

// last are the figures of a run that ended.
func (n *notifier) last(ctx context.Context, e *ending) (figures, error) {
	f := figures{started: n.started, elapsed: e.ended.Sub(n.started)}
	if s := e.summary; s != nil {
		f.requests, f.tokens, f.cost = s.Requests, s.Tokens, s.Cost
		f.counts, f.causes, f.known = s.Counts, e.causes, e.err == nil || s.Total() > 0 // none may be due to the error
		return f, nil
	}
	state, err := sqlite.OpenReader(ctx, n.job.state)
	if err != nil {
		return f, nil // there is none yet, or it is what ended the run
	}
	defer state.Close()
	if n.metrics.past, err = readPast(ctx, state); err != nil {
		return f, err
	}
	err = f.read(ctx, state)
	return f, err
}

// send sends what tells of the end, all at once, and says what could not be sent.
func (n *notifier) send(ctx context.Context, e *ending) {
	var (
		sent             sync.WaitGroup
		pinged, notified error
	)
	if n.ping != nil {
		sent.Go(func() { pinged = n.ping.ended(e.code, e.words).send(ctx, n.client) })
	}
	if n.webhook != nil {
		sent.Go(func() { notified = n.webhook.ended(e).send(ctx, n.client) })
	}
	sent.Wait()
	if pinged != nil {
		n.tell("the ping could not be sent: %v (see --ping)", pinged)
	}
	if notified != nil {
		n.tell("the webhook could not be sent: %v (see --webhook)", notified)
	}
}
