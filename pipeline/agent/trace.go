package agent

import (
	"context"

	"docbatch/pipeline"
)

// A Trace is told what happens while a request is answered, in the manner of net/http/httptrace: the decorators know it, and
// the caller's record wants it. Its functions are called from the goroutine that called Ask; each may be nil.
type Trace struct {
	Request func(key string)       // the request's hash, before anything is sent
	Cached  func()                 // the answer came from the store: nothing is sent
	Attempt func(pipeline.Attempt) // one request came to an end, well or not
}

type traceKey struct{}

// WithTrace gives ctx a trace; one that was there before is replaced.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// traceOf gives the trace of ctx with no function nil.
func traceOf(ctx context.Context) Trace {
	t := Trace{Request: func(string) {}, Cached: func() {}, Attempt: func(pipeline.Attempt) {}}
	given, _ := ctx.Value(traceKey{}).(*Trace)
	if given == nil {
		return t
	}
	if given.Request != nil {
		t.Request = given.Request
	}
	if given.Cached != nil {
		t.Cached = given.Cached
	}
	if given.Attempt != nil {
		t.Attempt = given.Attempt
	}
	return t
}
