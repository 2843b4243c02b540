// Package openai asks agents behind an OpenAI-compatible service, with go-openai as the client and a guard on the wire
// around it: what the library would change in a request, lose of an answer or take for an answer is put right here.
//
// It knows the dialects of services: their errors, their odd answers and their streams become answers that are whole, or
// errors with a class. It neither retries nor paces nor stores: the decorators in package agent do.
package openai

import (
	"context"
	"time"

	library "github.com/sashabaranov/go-openai"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// Options say where the service is and how patient to be. The zero value of each but BaseURL means its default.
type Options struct {
	BaseURL string // for example "https://api.swiftask.fr/v1"
	Key     string // sent as bearer token; "" sends none, as local servers like it

	Connections int // idle connections kept, best one for each worker; default 64

	// Time-outs hold while the machine is awake. Where it sleeps for more than 15 s, calls in flight end when it wakes.
	ConnectTimeout time.Duration // bound on connecting, and again on the TLS handshake; default 10 s
	HeaderTimeout  time.Duration // bound on the wait from a request that is sent to the head of its response; default none
	CallTimeout    time.Duration // bound on a whole call, from connecting to the last byte; default 10 min
	IdleTimeout    time.Duration // bound on the silence between two reads of an answer that has begun; default 2 min

	// MaxResponseBytes bounds an answer, after decompression; default 4 MiB, of which a hostile one takes five times that. A stream may
	// have eight times as much on the wire, for that is what its envelopes weigh, but no more text.
	MaxResponseBytes int64

	UserAgent string // default "docbatch"

	// Observe, if not nil, is shown the head of each response, whatever its status, by the goroutine that called Ask and before Ask
	// returns.
	Observe func(Response)
}

// An Agent asks the agents of one service. It keeps connections open between requests.
type Agent struct {
	options Options
	base    string // the base URL without a slash at its end
	secret  secret
	client  *library.Client
	traffic *traffic
	quirks  quirks
}

var _ agent.Agent = (*Agent)(nil)

// New makes an Agent. It sends nothing. Its errors are of class Fatal: a base URL or key that can't be right; they hold
// neither the key nor what may be a credential in the base URL.
func New(o Options) (*Agent, error) {
	base, err := checkBase(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if err := checkKey(o.Key); err != nil {
		return nil, err
	}
	if err := o.fill(); err != nil {
		return nil, err
	}
	wire := newWire(o)
	a := &Agent{options: o, base: base, secret: newSecret(o.Key), traffic: newTraffic(now, wire.renew)}
	config := library.DefaultConfig(o.Key)
	config.BaseURL = base
	config.HTTPClient = &guard{transport: wire, userAgent: o.UserAgent}
	a.client = library.NewClientWithConfig(config)
	return a, nil
}

// fill puts the defaults where nothing is set.
func (o *Options) fill() error {
	least := min(o.ConnectTimeout, o.HeaderTimeout, o.CallTimeout, o.IdleTimeout)
	if o.Connections < 0 || least < 0 || o.MaxResponseBytes < 0 {
		return pipeline.Errorf(pipeline.Fatal, pipeline.KindConfig, "agent options: a connection count, time-out or byte limit is negative")
	}
	orDefault(&o.Connections, 64)
	orDefault(&o.ConnectTimeout, 10*time.Second)
	orDefault(&o.CallTimeout, 10*time.Minute)
	orDefault(&o.IdleTimeout, 2*time.Minute)
	orDefault(&o.MaxResponseBytes, 4<<20)
	orDefault(&o.UserAgent, "docbatch")
	return nil
}

// orDefault sets *v to d where it has its zero value.
func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Ask implements agent.Agent. It sends one request; a second one only where the service refuses a field of the first by
// name (see quirks). An answer that arrived whole is returned even if ctx ended meanwhile: it is paid for.
func (a *Agent) Ask(ctx context.Context, req *agent.Request) (*agent.Answer, error) {
	answer, err := a.ask(ctx, req)
	if err != nil && a.quirks.learn(err) {
		answer, err = a.ask(ctx, req)
	}
	return answer, err
}

// ask sends one request.
func (a *Agent) ask(ctx context.Context, req *agent.Request) (*agent.Answer, error) {
	c := a.begin(ctx, req)
	defer c.end()
	var err error
	if c.payload, c.usage, err = a.quirks.encode(req); err != nil {
		return nil, a.errorf(pipeline.Fatal, pipeline.KindConfig, 0, "encode the request: %v", err)
	}
	if req.Stream {
		return c.stream()
	}
	return c.plain()
}

// stand is what go-openai gets as the request; the guard sends the real one. The library would refuse some agents for what
// their slug looks like, drop temperature 0 and encode each message twice.
var stand = library.ChatCompletionRequest{Model: "agent"}

// plain asks for the answer in one piece. A good answer is decoded strictly, at once; one that is not as it should be is
// read again, leniently, before it is given up. The library gets an empty object in its place: it would decode every message
// twice (17 microseconds an answer where this takes 5) and can't say what an odd answer holds.
func (c *call) plain() (*agent.Answer, error) {
	_, err := c.agent.client.CreateChatCompletion(c.ctx, stand)
	if c.body == nil { // nothing came that is worth reading
		return nil, c.failure(err)
	}
	defer c.body.Close()
	if done, ok := c.decodeStrict(); ok {
		return c.judge(done)
	}
	c.body.readAll()
	return c.reread()
}

// emptyAnswer is what the library reads as a plain answer.
const emptyAnswer = "{}"
