package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
)

// A Store keeps answers by the hash of their request.
type Store interface {
	// Answer gives the answer stored for request; nil where there is none.
	Answer(ctx context.Context, request string) (*Answer, error)

	// PutAnswer stores a for request, durably, before it returns. A request that has an answer keeps it.
	PutAnswer(ctx context.Context, request string, a *Answer) error
}

// Cache answers a request from the store where it can, so that what was paid once is never paid again: after a crash, for
// a file that was touched or renamed, for a document that equals another. Else it asks Next, and stores the answer before
// anyone else sees it.
//
// Two equal requests at the same moment are both sent.
type Cache struct {
	Next  Agent
	Store Store
	Base  string // where the agent is, as part of the hash: the base URL
}

var _ Agent = (*Cache)(nil)

// Ask implements Agent. An answer that cannot be stored is an error: it would be lost.
func (c *Cache) Ask(ctx context.Context, req *Request) (*Answer, error) {
	trace := traceOf(ctx)
	key := Hash(c.Base, req)
	trace.Request(key)
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
	h := sha256.New()
	writePart(h, base)
	writePart(h, req.Agent)
	params, err := json.Marshal(req.Params)
	if err != nil { // NaN or infinity: cmd refuses them before
		params = fmt.Appendf(nil, "%+v", req.Params)
	}
	writePart(h, string(params))
	for _, m := range req.Messages {
		writePart(h, m.Role)
		writePart(h, m.Content)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// writePart writes s with its length before it, so that no two lists of parts look alike.
func writePart(w io.Writer, s string) {
	fmt.Fprintf(w, "%d:", len(s))
	io.WriteString(w, s)
}
