package openai

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"docbatch/pipeline"
)

// guard stands between go-openai and the network. It sends the request that was meant, and lets only answers through that
// are worth decoding: a status other than 2xx becomes a classed error here, which the library returns as it is.
type guard struct {
	transport http.RoundTripper
	userAgent string
}

// Do implements go-openai's HTTPDoer. It asks the transport and not an http.Client: a redirect must not be followed, or the
// document goes to a host that nobody named.
func (g *guard) Do(req *http.Request) (*http.Response, error) {
	c := callOf(req.Context())
	c.dress(req, g.userAgent)
	resp, err := g.transport.RoundTrip(req)
	if err != nil {
		return nil, c.failure(err)
	}
	c.status, c.header = resp.StatusCode, resp.Header
	c.observe(resp)
	b := c.watch(resp.Body)
	resp.Body = b
	if c.status < 200 || c.status > 299 {
		err := c.refusal(b)
		if _, again := errors.AsType[quirkError](err); !again {
			c.noteRates()
		}
		return nil, err
	}
	c.noteRates()
	c.body = b
	if c.req.Stream {
		c.events = newEvents(c, b)
		resp.Body = c.events
	} else {
		resp.Body = io.NopCloser(strings.NewReader(emptyAnswer)) // plain reads the body
	}
	return resp, nil
}

// dress makes req the request that was meant.
func (c *call) dress(req *http.Request, userAgent string) {
	payload := c.payload
	req.ContentLength = int64(len(payload))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(payload)), nil }
	req.Body, _ = req.GetBody()
	req.Header.Set("User-Agent", userAgent)
	if c.req.Key != "" {
		// In lower case: under its canonical name net/http takes the header as leave to send the request again by
		// itself, uncounted, when a connection breaks after it was written.
		req.Header["idempotency-key"] = []string{c.req.Key}
	}
}

// faultBytes bounds how much of an error's body is read: its sentence comes early.
const faultBytes = 64 << 10

// refusal reads the body of a status other than 2xx and classes it.
func (c *call) refusal(b *body) error {
	head, _ := io.ReadAll(io.LimitReader(b, faultBytes)) // what came before it broke is enough
	b.Close()
	if c.parent.Err() != nil {
		return c.failure(c.parent.Err())
	}
	return c.classify(readFault(head), head)
}

// Bounds on reading what is left of an answer that is already whole, so that its connection can be used again.
const (
	drainBytes   = 256 << 10
	drainTimeout = 250 * time.Millisecond
)

var errTooLarge = errors.New("too large")

// A body is the body of one response, bounded in bytes and in silence. It keeps what was read in the call's raw buffer where
// that is wanted.
type body struct {
	from io.ReadCloser
	call *call
	raw  *bytes.Buffer // nil for a stream: its pieces are read once, as they come
	left int64         // bytes that may still come
	idle time.Duration
	hush *time.Timer // ends the call when idle has passed
	err  error       // how the reading ended, io.EOF where well; nil while it goes on
}

// bound is how many bytes an answer may have.
func (c *call) bound() int64 {
	if c.req.Stream {
		return 8 * c.agent.options.MaxResponseBytes
	}
	return c.agent.options.MaxResponseBytes
}

func (c *call) watch(from io.ReadCloser) *body {
	b := &body{from: from, call: c, left: c.bound(), idle: c.agent.options.IdleTimeout}
	if !c.req.Stream {
		b.raw = c.raw
	}
	b.hush = time.AfterFunc(b.idle, func() { c.cancel(errSilent) })
	b.hush.Stop()
	return b
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left+1] // one more, to tell a full answer from one that goes on
	}
	b.hush.Reset(b.idle)
	n, err := b.from.Read(p)
	b.hush.Stop()
	if int64(n) > b.left {
		n, err = int(b.left), errTooLarge
	}
	b.left -= int64(n)
	if b.raw != nil {
		b.raw.Write(p[:n])
	}
	b.err = err
	return n, err
}

// readAll reads on to the end, into the raw buffer.
func (b *body) readAll() { _, _ = io.Copy(io.Discard, b) } // how it ended is in b.err

// Close reads what is left, within bounds, and closes. Without that a connection is thrown away when the end of an answer
// comes late: 20 of 20 where the last chunk came 1 ms after the rest.
func (b *body) Close() error {
	if b.err == nil {
		hurry := time.AfterFunc(drainTimeout, func() { b.call.cancel(nil) })
		_, _ = io.CopyN(io.Discard, b.from, drainBytes)
		hurry.Stop()
	}
	return b.from.Close()
}

// failure classes what ended a call without an answer: ctx's end, a time-out, a broken connection. What is classed stays.
func (c *call) failure(err error) error {
	if c.parent.Err() != nil {
		return c.interrupted()
	}
	if _, ok := errors.AsType[*pipeline.Error](err); ok {
		return err
	}
	cause := context.Cause(c.ctx)
	nap, asleep := errors.AsType[slept](cause)
	switch {
	case asleep:
		return c.timeout("%v: the connection to %s is taken for dead", nap, c.agent.base)
	case errors.Is(cause, errSlow) && !c.connected:
		return c.timeout("no connection to %s within %v", c.agent.base, c.agent.options.CallTimeout)
	case errors.Is(cause, errSlow):
		return c.timeout("no answer from %s within %v", c.agent.base, c.agent.options.CallTimeout)
	case errors.Is(cause, errSilent):
		return c.timeout("the answer from %s fell silent for %v", c.agent.base, c.agent.options.IdleTimeout)
	case errors.Is(err, errTooLarge):
		return c.tooLarge(c.bound())
	}
	return c.network(err)
}

func (c *call) tooLarge(most int64) error {
	return c.agent.errorf(pipeline.Refused, pipeline.KindTooLarge, c.status, "the answer from %s is larger than %d bytes", c.agent.base, most)
}

// timeout is the error of a call that took too long. Without a connection nothing was sent.
func (c *call) timeout(format string, args ...any) error {
	kind := pipeline.KindTimeout
	if !c.connected {
		kind = pipeline.KindConnect
	}
	return c.agent.errorf(pipeline.Transient, kind, c.status, format, args...)
}
