package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"

	"docbatch/pipeline"
)

// A Store keeps answers by the hash of their request.
type Store interface {
	// Answer gives the answer stored for request; nil where there is none.
	Answer(ctx context.Context, request string) (*Answer, error)

	// PutAnswer stores a for request, durably, before it returns. A request that has an answer keeps it.
	PutAnswer(ctx context.Context, request string, a *Answer) error
}

// Cache answers a request from the store where it can, so that what was paid once is never paid again: after a crash, for
// a file that was touched or renamed, for a document that equals another, even one that is being asked about right now.
// Else it asks Next, and stores the answer before anyone else sees it.
type Cache struct {
	Next  Agent
	Store Store
	Base  string // where the agent is, as part of the hash: the base URL

	mu      sync.Mutex
	flights map[string]*flight // by the hash of the request
}

// A flight is a request that is being answered.
type flight struct {
	landed chan struct{} // closed when it is over
	answer *Answer       // nil where it failed
}

var _ Agent = (*Cache)(nil)

// Ask implements Agent. An answer that cannot be stored is an error: it would be lost.
func (c *Cache) Ask(ctx context.Context, req *Request) (*Answer, error) {
	trace := traceOf(ctx)
	key := Hash(c.Base, req)
	trace.Request(key)
	for {
		f, first := c.board(key)
		if first {
			return c.lead(ctx, key, f, req, trace)
		}
		select {
		case <-f.landed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-pipeline.Stopping(ctx):
			return nil, pipeline.ErrStopping
		}
		if f.answer != nil {
			trace.Cached()
			return f.answer, nil
		}
		// Its failure is its own: this request may go better.
	}
}

// board joins the flight of a request, or begins one.
func (c *Cache) board(key string) (f *flight, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.flights[key]; ok {
		return f, false
	}
	if c.flights == nil {
		c.flights = make(map[string]*flight)
	}
	f = &flight{landed: make(chan struct{})}
	c.flights[key] = f
	return f, true
}

// lead answers for all who joined the flight; it lands even after a panic.
func (c *Cache) lead(ctx context.Context, key string, f *flight, req *Request, trace Trace) (*Answer, error) {
	defer func() {
		c.mu.Lock()
		delete(c.flights, key)
		c.mu.Unlock()
		close(f.landed)
	}()
	a, err := c.ask(ctx, key, req, trace)
	if err != nil {
		return nil, err
	}
	f.answer = a
	return a, nil
}

// ask answers from the store, or asks and stores.
func (c *Cache) ask(ctx context.Context, key string, req *Request, trace Trace) (*Answer, error) {
	a, err := c.Store.Answer(ctx, key)
	if err != nil {
		return nil, err
	}
	if a != nil {
		trace.Cached()
		return a, nil
	}
	keyed := *req
	keyed.Key = key
	a, err = c.Next.Ask(ctx, &keyed)
	if err != nil {
		return nil, err
	}
	// The answer is paid for: what interrupts the run must not stop it from being stored.
	if err := c.Store.PutAnswer(context.WithoutCancel(ctx), key, a); err != nil {
		return nil, err
	}
	return a, nil
}

// Hash is the SHA-256, in hex, of all that determines an answer: base URL, agent, messages and parameters. How the
// answer is transported (Stream) is not part of it.
func Hash(base string, req *Request) string {
	params, err := json.Marshal(req.Params)
	if err != nil { // NaN or infinity: cmd refuses them before
		params = fmt.Appendf(nil, "%+v", req.Params)
	}
	h := sha256.New()
	var part []byte
	// Each part has its length before it, so that no two lists of parts look alike.
	write := func(s string) {
		part = strconv.AppendInt(part[:0], int64(len(s)), 10)
		part = append(append(part, ':'), s...)
		h.Write(part)
	}
	write(base)
	write(req.Agent)
	write(string(params))
	for _, m := range req.Messages {
		write(m.Role)
		write(m.Content)
	}
	return hex.EncodeToString(h.Sum(nil))
}
