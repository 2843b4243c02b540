package agent

import (
	"math"
	"sync"

	"docbatch/pipeline"
)

// A Meter estimates how many tokens a request will cost, from what earlier ones did. It is used by many goroutines at once.
//
// It is no tokenizer: an agent may stand on any model, and puts instructions of its own before every document. How many tokens
// a byte of one job's documents makes is steady, and the service's own counts teach it, instructions included.
type Meter struct {
	mu     sync.Mutex
	ratio  float64 // prompt tokens a byte
	reply  float64 // tokens of an answer
	taught int     // answers that it has learned from
}

const (
	// firstRatio and firstReply hold until the service has counted: measured, a token is 3.4 to 4.7 bytes of European prose, 2.4
	// of JSON. Too many is the safe side.
	firstRatio = 1 / 3.5
	firstReply = 300

	// forget is the share of a new answer in what is known, once there are many.
	forget = 0.05
)

// NewMeter makes a Meter that has learned nothing yet.
func NewMeter() *Meter { return &Meter{ratio: firstRatio, reply: firstReply} }

// Estimate is what req will cost, as far as is known.
func (m *Meter) Estimate(req *Request) pipeline.Tokens {
	m.mu.Lock()
	defer m.mu.Unlock()
	reply := m.reply
	if most := float64(req.Params.MaxTokens); most > 0 {
		reply = min(reply, most)
	}
	return pipeline.Tokens{Prompt: int(math.Ceil(float64(req.size()) * m.ratio)), Completion: int(math.Ceil(reply))}
}

// Learn notes what req cost as the service said it. It gives that back, or the estimate where the service did not say.
func (m *Meter) Learn(req *Request, said pipeline.Tokens) (cost pipeline.Tokens) {
	if said.Prompt <= 0 {
		return m.Estimate(req)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taught++
	share := max(forget, 1/float64(m.taught))
	// A byte of a long document counts as much as one of a short one: what is estimated is the sum.
	size := float64(max(1, req.size()))
	weight := min(1, share*size/averageSize)
	m.ratio += weight * (float64(said.Prompt)/size - m.ratio)
	m.reply += share * (float64(said.Completion) - m.reply)
	return said
}

// averageSize is the size of a request, in bytes, that counts as one.
const averageSize = 4000

// size is how many bytes of text a request has.
func (r *Request) size() int {
	n := 0
	for _, m := range r.Messages {
		n += len(m.Content)
	}
	return n
}

// state is what a Meter has learned.
func (m *Meter) state() (ratio, reply float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ratio, m.reply
}

// restore takes what a Meter had learned. It learns on from there, as if from a few answers.
func (m *Meter) restore(ratio, reply float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ratio > 0 && ratio < 10 && reply >= 0 && reply < 1e6 {
		m.ratio, m.reply, m.taught = ratio, reply, 10
	}
}
