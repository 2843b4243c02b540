package agent

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"docbatch/pipeline"
)

// An outage is told from the failures of single requests by how many different ones fail in a row, without any answer between
// them. While it is open one request after the other looks whether the agent is back, and what fails does not count as an attempt.
// Time is what the machine was awake: after a laptop has slept, the network may still be coming.
type outage struct {
	open    bool
	connect bool // no connection could be made: that says nothing of an agent that takes connections
	hung    bool // the last failure was a time-out
	why     string
	since   time.Time // of the first failure; zero while all is well
	fails   map[string]bool
	cut     uint64 // failures of calls up to this one are known
	tries   int
	err     error // it was given up
}

const (
	firstProbe = time.Second // doubled
	mostProbe  = 15 * time.Second

	// How many different requests must fail in a row: all that are in flight, up to ten. A gateway's own errors mean the service
	// behind it.
	gatewayFails = 3
	anyFails     = 10
)

// failed notes a transient failure. It gives a pause for everyone, if there is one.
func (o *outage) failed(c *call, key string, e *pipeline.Error, sent uint64, peak int) time.Duration {
	connect := e.Kind == pipeline.KindConnect
	if o.since.IsZero() || o.connect != connect {
		*o = outage{connect: connect, since: time.Now(), fails: make(map[string]bool), cut: o.cut}
	}
	if len(o.fails) < anyFails {
		o.fails[key] = true
	}
	o.hung = e.Kind == pipeline.KindTimeout
	o.open = o.open || len(o.fails) >= enough(e, peak)
	if !o.open || c.num <= o.cut {
		return 0
	}
	o.why = "the agent is down: " + clip(e.Error(), 160)
	o.cut = sent
	o.tries++
	return backoff(firstProbe, mostProbe, o.tries)
}

// probeTime is how long the others wait for what comes of the first call after a pause. An agent that hangs is not asked by a
// second before the first has its outcome; from one that failed at once, no failure within the longest pause is a good sign.
func (o *outage) probeTime() time.Duration {
	switch {
	case o.open && o.hung:
		return mostHung
	case o.open:
		return mostProbe
	}
	return probeTime
}

// mostHung is longer than any call.
const mostHung = 24 * time.Hour

// enough is how many different requests must fail like e until it is an outage; with few workers fewer.
func enough(e *pipeline.Error, peak int) int {
	switch {
	case e.Kind == pipeline.KindConnect: // nothing of the document was sent
		return 1
	case isGateway(e.Status):
		return gatewayFails
	}
	return min(anyFails, max(gatewayFails, peak))
}

// isGateway reports whether a status is one that a proxy gives when what is behind it does not answer: 520 to 530 are
// Cloudflare's.
func isGateway(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout ||
		status >= 520 && status <= 530
}

// over notes that the agent is there.
func (o *outage) over() {
	if !o.since.IsZero() {
		*o = outage{cut: o.cut}
	}
}

// verdict is the error for one who asked while the agent is down: one that does not count, or the end. As long as others are in
// flight there is hope.
func (o *outage) verdict(e *pipeline.Error, giveUp time.Duration, inFlight int) error {
	down := time.Since(o.since)
	if down < giveUp || inFlight > 0 {
		return &downError{e}
	}
	o.err = &pipeline.Error{Class: pipeline.Fatal, Kind: pipeline.KindUnreachable, Status: e.Status,
		Err: fmt.Errorf("no answer for %v: %w", down.Round(time.Second), e)}
	return o.err
}

// A downError is a failure while the agent is down: it says nothing of the request.
type downError struct{ cause *pipeline.Error }

func (e *downError) Error() string { return e.cause.Error() }
func (e *downError) Unwrap() error { return e.cause }

func isDown(err error) bool {
	_, ok := errors.AsType[*downError](err)
	return ok
}

// clip bounds s to about n bytes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
