package agent

import "context"

// Func is an Agent that is a function, in the manner of http.HandlerFunc: the fake for tests.
type Func func(ctx context.Context, req *Request) (*Answer, error)

// Ask calls f.
func (f Func) Ask(ctx context.Context, req *Request) (*Answer, error) { return f(ctx, req) }

var _ Agent = Func(nil)
