package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// Causes with which a call's own context ends.
var (
	errSlow   = errors.New("the call took too long")
	errSilent = errors.New("the answer fell silent")
)

// A call is one request on its way. The guard finds it in the request's context and notes there what go-openai does not tell.
type call struct {
	agent   *Agent
	req     *agent.Request
	payload []byte
	usage   bool // the payload asks for the usage of a stream

	parent context.Context // the caller's
	ctx    context.Context // ends with parent, or at a time-out, with its cause
	cancel context.CancelCauseFunc
	clock  *time.Timer

	trace     httptrace.ClientTrace
	connected bool // there is a connection: from then on something may have been sent

	status int
	header http.Header
	raw    *bytes.Buffer // the body of a plain answer, as far as it was read
	body   *body         // nil until a 2xx came
	events *events       // of a stream
}

type callKey struct{}

var rawBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// begin starts the clock of a call.
func (a *Agent) begin(parent context.Context, req *agent.Request) *call {
	c := &call{agent: a, req: req, parent: parent, raw: rawBuffers.Get().(*bytes.Buffer)}
	c.ctx, c.cancel = context.WithCancelCause(c.traced(context.WithValue(parent, callKey{}, c)))
	c.clock = time.AfterFunc(a.options.CallTimeout, func() { c.cancel(errSlow) })
	a.traffic.add(c)
	return c
}

// end releases what the call holds; nothing of it is used after.
func (c *call) end() {
	c.agent.traffic.remove(c)
	c.clock.Stop()
	c.cancel(nil)
	recycle(&rawBuffers, c.raw)
}

// callOf gives the call that ctx belongs to.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// interrupted is the end of the caller's context, without a class.
func (c *call) interrupted() error {
	return fmt.Errorf("ask the agent %q: %w", c.req.Agent, c.parent.Err())
}

// errorf makes a classed error whose message does not hold the key.
func (a *Agent) errorf(class pipeline.Class, kind string, status int, format string, args ...any) *pipeline.Error {
	message := a.secret.scrub(fmt.Sprintf(format, args...))
	return &pipeline.Error{Class: class, Kind: kind, Status: status, Err: errors.New(message)}
}
