package agent

import (
	"math"
	"sync"
	"time"

	"docbatch/pipeline"
)

// A Meter estimates how many tokens a request will cost, from what earlier ones did. It is used by many goroutines at once.
//
// It is no tokenizer: an agent may stand on any model, and puts instructions of its own before every document. How many tokens
// those are, and how many a byte of one job's documents makes, is steady, and the service's own counts teach it: a line through
// the answers that it has seen, the newest first.
type Meter struct {
	mu     sync.Mutex
	fit    fit
	reply  float64 // tokens of an answer
	taught int     // answers that it has learned from
	past   experience
}

// A fit is a weighted line through points of bytes and tokens: their means, the variance of the bytes and the covariance.
type fit struct {
	Bytes      float64 `json:"bytes"`
	Tokens     float64 `json:"tokens"`
	Variance   float64 `json:"variance"`
	Covariance float64 `json:"covariance"`
}

const (
	// firstRatio and firstReply hold until the service has counted: measured, a token is 3.4 to 4.7 bytes of European prose, 2.4
	// of JSON. Too many is the safe side.
	firstRatio = 1 / 3.5
	firstReply = 300

	// firstWeight is how much firstRatio counts beside what was seen, as a variance: documents that are all of one size say nothing
	// of what a byte costs.
	firstWeight = 250 * 250

	// forget is the share of a new answer in what is known, once there are many.
	forget = 0.05

	// surely is the share of an estimate, without the agent's own instructions, that a document has for sure.
	surely = 0.75
)

// NewMeter makes a Meter that has learned nothing yet.
func NewMeter() *Meter { return &Meter{reply: firstReply} }

// Estimate is what req will cost, as far as is known.
func (m *Meter) Estimate(req *Request) pipeline.Tokens {
	m.mu.Lock()
	defer m.mu.Unlock()
	reply := m.reply
	if most := float64(req.Params.MaxTokens); most > 0 {
		reply = min(reply, most)
	}
	guess := m.fit.Tokens + m.fit.ratio()*(float64(req.size())-m.fit.Bytes)
	return pipeline.Tokens{Prompt: int(math.Round(max(1, guess))), Completion: int(math.Ceil(reply))}
}

// least is how many tokens the prompt of req has at least.
func (m *Meter) least(req *Request) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int(surely * m.fit.ratio() * float64(req.size()))
}

// Learn notes what req cost as the service said it, and how long that took. It gives the cost back, or the estimate where the service
// did not say.
func (m *Meter) Learn(req *Request, said pipeline.Tokens, took time.Duration) (cost pipeline.Tokens) {
	if said.Prompt <= 0 {
		return m.Estimate(req)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taught++
	m.past.learn(req, said, took)
	share := max(forget, 1/float64(m.taught))
	m.fit.add(float64(req.size()), float64(said.Prompt), share)
	m.reply += share * (float64(said.Completion) - m.reply)
	return said
}

// ratio is what a byte costs.
func (f *fit) ratio() float64 { return min(max(f.slope(firstRatio), 0.05), 2) }

// slope is how many tokens a byte makes more; before there is anything to tell it by.
func (f *fit) slope(before float64) float64 {
	return (f.Covariance + firstWeight*before) / (f.Variance + firstWeight)
}

// add takes a point with a share of the weight of all (West, "Updating mean and variance estimates", CACM 22(9), 1979).
func (f *fit) add(bytes, tokens, share float64) {
	dx, dy := bytes-f.Bytes, tokens-f.Tokens
	f.Bytes += share * dx
	f.Tokens += share * dy
	f.Variance = (1 - share) * (f.Variance + share*dx*dx)
	f.Covariance = (1 - share) * (f.Covariance + share*dx*dy)
}

// imageBytes is how many bytes of text cost what an image does, about: services count some 800 to 1,500 tokens for one of a page.
const imageBytes = 4000

// size is how many bytes of text a request has, and images in place of such.
func (r *Request) size() int {
	n := len(r.Images) * imageBytes
	for _, m := range r.Messages {
		n += len(m.Content)
	}
	return n
}

// state is what a Meter has learned.
func (m *Meter) state() (f fit, reply float64, past experience) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fit, m.reply, m.past
}

// restore takes what a Meter had learned. It learns on from there, as if from a few answers.
func (m *Meter) restore(f fit, reply float64, past experience) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if past.Answers > 0 && past.Took >= 0 && past.Spread >= 0 {
		m.past = past
	}
	if f.Tokens > 0 && f.Variance >= 0 && reply >= 0 {
		m.fit, m.reply, m.taught = f, reply, 10
	}
}
