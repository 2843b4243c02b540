package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"sync"

	"docbatch/pipeline"
)

// A Store keeps answers by the hash of their request.
type Store interface {
	// Answer gives the answer stored for request; nil where there is none. Answers up to the number after do not count.
	Answer(ctx context.Context, request string, after int64) (*Answer, error)

	// PutAnswer stores a for request, durably, before it returns. A request that has an answer keeps it, unless that one does not
	// count.
	PutAnswer(ctx context.Context, request string, after int64, a *Answer) error
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
	refused map[string]error   // likewise, of this run: what is refused once is refused again
}

// A flight is a request that is being answered.
type flight struct {
	landed chan struct{} // closed when it is over
	answer *Answer       // nil where it failed
	after  int64         // the answer is newer than this one
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
		if f.answer != nil && f.after >= req.After {
			trace.Cached()
			return f.answer, nil
		}
		// Its failure is its own: this request may go better. Nor does an answer from the store do for all.
	}
}

// maxRefused bounds how many refusals are remembered.
const maxRefused = 10_000

// refusal is the error with which a request was refused before; nil where it was not.
func (c *Cache) refusal(key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused[key]
}

// remember keeps the error of a request that the agent refused, for documents that equal this one.
func (c *Cache) remember(key string, err error) {
	if pipeline.ClassOf(err) != pipeline.Refused {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = make(map[string]error)
	}
	if len(c.refused) < maxRefused {
		c.refused[key] = err
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
	a, err := c.Store.Answer(ctx, key, req.After)
	if err != nil {
		return nil, err
	}
	if a != nil {
		trace.Cached()
		f.answer, f.after = a, req.After
		return a, nil
	}
	if err := c.refusal(key); err != nil {
		return nil, err
	}
	a, err = c.ask(ctx, key, req)
	if err != nil {
		c.remember(key, err)
		return nil, err
	}
	f.answer, f.after = a, math.MaxInt64
	return a, nil
}

// ask asks, and stores the answer.
func (c *Cache) ask(ctx context.Context, key string, req *Request) (*Answer, error) {
	keyed := *req
	keyed.Key = key
	a, err := c.Next.Ask(ctx, &keyed)
	if err != nil {
		return nil, err
	}
	// The answer is paid for: what interrupts the run must not stop it from being stored.
	if err := c.Store.PutAnswer(context.WithoutCancel(ctx), key, req.After, a); err != nil {
		return nil, err
	}
	return a, nil
}

// Hash is the SHA-256, in hex, of all that determines an answer: base URL, agent, messages, images and parameters. How the
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
	for _, image := range req.Images {
		write(image.MediaType)
		write(string(image.Data))
	}
	return hex.EncodeToString(h.Sum(nil))
}
