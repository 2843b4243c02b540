// Package demo is the built-in agent: an OpenAI-compatible server whose answers are a digest of the document in the prompt,
// so that a job can be tried and rehearsed without a key, a network or a bill. It keeps to the protocol that real services
// speak, with their error bodies and, where asked for, their limits and their faults.
//
// It serves POST /v1/chat/completions, plain and streaming, GET /v1/models and GET /v1/models/{id}. It is no language
// model: what it says of a document stands in it (see package digest), and the rest of the prompt is not followed. It can
// be told apart by the system_fingerprint "docbatch-demo".
package demo

import (
	"crypto/subtle"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultAgent is the slug that GET /v1/models names where Options.Agents does not.
const DefaultAgent = "demo"

// DefaultMaxBodyBytes bounds the body of a request unless Options.MaxBodyBytes does.
const DefaultMaxBodyBytes = 16 << 20

// Options say how a Server behaves. The zero value answers every key and every agent at once and without faults or limits.
type Options struct {
	Key        string        // the one key that is accepted; "" accepts any, or none
	Agents     []string      // the agents that there are; none means that every slug is one
	BadRequest bool          // answer an unknown agent with 400, as Swiftask does, instead of 404
	Latency    time.Duration // how long the agent thinks before it answers
	Context    int           // the most tokens that a prompt may have; 0 is without limit

	RPM         int        // requests allowed in 60 seconds; 0 is without limit
	Window      Window     // how RPM counts
	TPM         int        // tokens allowed in any 60 seconds: of the prompt and of its answer, counted on arrival; 0 is without limit
	MaxInFlight int        // requests allowed at once, until their answer begins; 0 is without limit
	Headers     Headers    // how RPM and TPM are told
	RetryAfter  RetryAfter // how a 429 of RPM or TPM tells the time to wait
	Quota       int        // good answers until the quota is used up: from then on 429; 0 is without limit
	RevokeAfter int        // good answers until every key is refused; 0 is without limit

	Faults    []Fault    // see ParseFaults
	FaultsFor []FaultFor // see ParseFaultsFor; they go before Faults
	Seed      uint64     // which requests Faults hit: the n-th to be answered is the same for equal seeds

	Journal      io.Writer // gets one line of JSON, an Entry, for each request for a completion, in one call of Write; may be nil
	MaxBodyBytes int64     // 0 is DefaultMaxBodyBytes
	Public       bool      // Serve accepts a listener that others can reach, too
	DownFile     string    // while there is a file with this name, Serve has its listener closed; "" is never
}

// A Server is the agent as an http.Handler. It is used by many goroutines at once.
type Server struct {
	opts    Options
	agents  map[string]bool
	journal journal
	stats   stats
	started time.Time
	ids     atomic.Uint64

	mu sync.Mutex
	decisions
}

var _ http.Handler = (*Server)(nil)

// New makes a Server.
func New(opts Options) *Server {
	if opts.MaxBodyBytes <= 0 {
		opts.MaxBodyBytes = DefaultMaxBodyBytes
	}
	s := &Server{opts: opts, agents: make(map[string]bool), journal: journal{w: opts.Journal}, started: time.Now()}
	for _, a := range opts.Agents {
		s.agents[a] = true
	}
	if opts.RPM > 0 {
		s.requests = newLimit(opts.Window, opts.RPM, s.started)
	}
	if opts.TPM > 0 {
		s.tokens = newLimit(Sliding, opts.TPM, s.started)
	}
	return s
}

// Stats tells what has been served until now.
func (s *Server) Stats() Stats { return s.stats.read() }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-Id", fmt.Sprintf("req_%016x", mix(s.opts.Seed, s.ids.Add(1))))
	id, isModel := strings.CutPrefix(r.URL.Path, "/v1/models/")
	switch {
	case r.URL.Path == "/v1/chat/completions":
		if allow(w, r, http.MethodPost) {
			s.complete(w, r)
		}
	case r.URL.Path == "/v1/models" || isModel:
		if !allow(w, r, http.MethodGet) {
			break
		}
		if p := s.checkModelsKey(r); p != nil {
			p.write(w)
		} else if isModel {
			s.model(w, id)
		} else {
			s.models(w)
		}
	default:
		unknownURL(r).write(w)
	}
}

// allow reports whether the request has the one method that its path takes, and refuses it where it has not.
func allow(w http.ResponseWriter, r *http.Request, method string) bool {
	if r.Method == method || method == http.MethodGet && r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", method)
	notAllowed(r, method).write(w)
	return false
}

// checkKey compares the bearer token, in constant time.
func (s *Server) checkKey(r *http.Request) *problem {
	if s.opts.Key == "" {
		return nil
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if key = strings.TrimSpace(key); key == "" || !strings.EqualFold(scheme, "Bearer") {
		return noKey()
	}
	if subtle.ConstantTimeCompare([]byte(key), []byte(s.opts.Key)) != 1 {
		return wrongKey()
	}
	return nil
}

// checkModelsKey is checkKey for what is no completion, where decide tells whether the key is revoked.
func (s *Server) checkModelsKey(r *http.Request) *problem {
	if p := s.checkKey(r); p != nil {
		return p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revoked() {
		return revokedKey()
	}
	return nil
}

// known reports whether a slug names an agent.
func (s *Server) known(agent string) bool { return len(s.agents) == 0 || s.agents[agent] }

type modelObject struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func (s *Server) object(agent string) modelObject {
	return modelObject{ID: agent, Object: "model", Created: s.started.Unix(), OwnedBy: "docbatch"}
}

func (s *Server) models(w http.ResponseWriter) {
	list := struct {
		Object string        `json:"object"`
		Data   []modelObject `json:"data"`
	}{"list", []modelObject{}}
	for _, a := range s.opts.Agents {
		list.Data = append(list.Data, s.object(a))
	}
	if len(list.Data) == 0 {
		list.Data = append(list.Data, s.object(DefaultAgent))
	}
	writeJSON(w, http.StatusOK, list)
}

func (s *Server) model(w http.ResponseWriter, id string) {
	if !s.known(id) {
		unknownAgent(http.StatusNotFound, id).write(w)
		return
	}
	writeJSON(w, http.StatusOK, s.object(id))
}
