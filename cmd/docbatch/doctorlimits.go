package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"docbatch/pipeline/agent"
	"docbatch/pipeline/agent/openai"
	"docbatch/sinks/output"
)

// limits says what bounds a run.
func (d *doctor) limits() {
	j := d.job
	if err := checkDescriptors(j); err != nil {
		d.fail("limits", "", err)
	} else {
		words := plural(j.workers, "worker")
		if have, known := descriptorLimit(); known {
			words += fmt.Sprintf(", %s may be open", plural(int(min(have, 1<<30)), "file"))
		}
		d.ok("limits", "%s; %s; %s", words, atRate(j.pace.Requests, "requests", "it is found"), atRate(j.pace.Tokens, "tokens", "none is known"))
	}
	d.budget()
	if end := j.deadline(d.now); !end.IsZero() {
		d.ok("deadline", "a run that begins now stops at %s, in %v", inZone(end), end.Sub(d.now).Round(time.Second))
	}
}

// atRate is a limit a minute in words.
func atRate(limit float64, what, unset string) string {
	if limit == 0 {
		return what + " a minute: no limit is set, " + unset
	}
	return fmt.Sprintf("%s a minute: %v", what, limit)
}

func (d *doctor) budget() {
	j := d.job
	var bounds []string
	if j.maxRequests > 0 {
		bounds = append(bounds, plural(j.maxRequests, "request"))
	}
	if j.maxTokens > 0 {
		bounds = append(bounds, plural(j.maxTokens, "token"))
	}
	if j.maxCost > 0 {
		bounds = append(bounds, fmt.Sprintf("a cost of %v", j.maxCost))
	}
	words := "a run may send all there is (--max-requests, --max-tokens, --max-cost)"
	if len(bounds) > 0 {
		words = "a run may take " + strings.Join(bounds, ", ")
	}
	if j.price == (agent.Price{}) {
		words += "; no prices are set, so no cost is counted"
	} else {
		words += fmt.Sprintf("; a million tokens cost %v for prompts, %v for answers", j.price.Input, j.price.Output)
	}
	d.ok("budget", "%s", words)
}

// inZone is a time with its zone and how far that is from UTC.
func inZone(t time.Time) string { return t.Format("2006-01-02 15:04:05 MST (UTC-07:00)") }

// notified looks at who is told of a run. The URLs are secrets: nothing of them is told.
func (d *doctor) notified() {
	j := d.job
	d.destination("ping", j.ping)
	d.destination("webhook", j.webhook)
	if j.webhook != "" && j.webhookSecret == "" {
		d.warn("webhook", "Put a secret into "+webhookSecretVariable+", or into the variable that --webhook-secret-env names.",
			"it is not signed: who gets it can't tell that it is from docbatch")
	}
	if j.metrics != "" {
		err := cmp.Or(j.onlyThat(j.metrics, metricsName, "--metrics"), output.Check(j.metrics))
		d.written("metrics", j.metrics, err, "Name a file that can be written to, in a folder that is there, with --metrics.")
	}
	if j.logFile != "" {
		err := cmp.Or(j.onlyThat(j.logFile, logFileName, "--log-file"), logWritable(j.logFile))
		d.written("log file", j.logFile, err, "Name a file that can be written to, in a folder that is there, with --log-file.")
	}
}

// written tells of a file that a run writes to. Without it no run begins.
func (d *doctor) written(check, path string, err error, next string) {
	if err != nil {
		d.fail(check, "", withExit(exitUsage, err, cmp.Or(whatNext(err), next)))
		return
	}
	d.ok(check, "%s can be written", absolute(path))
}

// logWritable says why a log file can't be written to. It makes none.
func logWritable(path string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if _, err = os.Stat(filepath.Dir(path)); err == nil {
			err = folderWritable(filepath.Dir(path))
		}
		return err
	}
	if err := checkLog(path); err != nil {
		return err
	}
	return fileWritable(path)
}

// destination looks at a URL that is told of runs.
func (d *doctor) destination(check, url string) {
	if url == "" {
		return
	}
	d.ok(check, "is set; it is not tried here")
	if openai.Insecure(url) {
		d.warn(check, "Use https: its URL is a secret.", "it goes unencrypted over the network")
	}
}

// clockMost is how far the clock may be from the service's.
const clockMost = time.Minute

// clock looks whether the time can be right: it is when rates are kept and when --stop-at is.
func (d *doctor) clock() {
	const next = "Set the clock (timedatectl): limits, deadlines and certificates go by it."
	zone, _ := d.lookup("TZ")
	switch built := buildTime(); {
	case !knownZone(zone):
		d.warn("time", "Name one such as TZ=Europe/Paris. Until then local time, and so --stop-at, is UTC.",
			"%s: the variable TZ is %q, and there is no such time zone", inZone(d.now), zone)
	case d.now.Before(built):
		d.warn("time", next, "%s is before this docbatch was built (%s)", inZone(d.now), inZone(built.Local()))
	case d.now.Before(d.lastEnd):
		d.warn("time", next, "%s is before the newest run ended (%s)", inZone(d.now), inZone(d.lastEnd.Local()))
	default:
		d.ok("time", "%s", inZone(d.now))
	}
}

// knownZone reports whether the time package finds the zone that the variable TZ names; on Windows it does not look at it. Where
// it finds none, local time is UTC, and nothing says so.
func knownZone(tz string) bool {
	tz = strings.TrimPrefix(tz, ":")
	if runtime.GOOS == "windows" || tz == "" {
		return true
	}
	if !strings.HasPrefix(tz, "/") {
		_, err := time.LoadLocation(tz)
		return err == nil
	}
	data, err := os.ReadFile(tz)
	if err == nil {
		_, err = time.LoadLocationFromTZData(tz, data)
	}
	return err == nil
}

// buildTime is when the commit was made that this program is built from; the zero time where that is not known.
func buildTime() (built time.Time) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return built
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			built, _ = time.Parse(time.RFC3339, s.Value)
		}
	}
	return built
}

// serviceClock compares the clock with a Date header that was written between two times.
func (d *doctor) serviceClock(date string, sent, came time.Time) {
	theirs, err := http.ParseTime(date)
	if err != nil {
		return // it has none
	}
	off := time.Duration(0)
	if ahead := sent.Sub(theirs); ahead > 0 {
		off = ahead
	} else if behind := theirs.Sub(came); behind > 0 {
		off = behind
	}
	if off > clockMost {
		d.warn("time", "Set the clock (timedatectl): limits, deadlines and certificates go by it.",
			"this machine's clock and the service's are %v apart", off.Round(time.Second))
		return
	}
	d.ok("time", "the service's clock agrees")
}
