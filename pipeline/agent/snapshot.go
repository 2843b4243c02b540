package agent

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// A snapshot is what Pace remembers between runs. Times are milliseconds, UTC.
type snapshot struct {
	At     int64      `json:"at"`               // the last call, or its end
	Began  int64      `json:"began,omitempty"`  // the first call
	Held   int64      `json:"held,omitempty"`   // nobody sends before
	Why    string     `json:"why,omitempty"`    // the reason
	Rate   float64    `json:"rate,omitempty"`   // the limit that was found, in requests a second
	Window int        `json:"window,omitempty"` // and in requests a minute
	Chain  int        `json:"chain,omitempty"`  // refusals in a row
	Full   int        `json:"full,omitempty"`   // requests that were accepted in the minute before them
	Most   int        `json:"most,omitempty"`   // requests that were accepted in any minute
	Prompt fit        `json:"prompt"`           // bytes and tokens of prompts
	Reply  float64    `json:"reply"`            // tokens of an answer
	Past   experience `json:"past"`             // with the agent that was asked
	Sent   [][3]int64 `json:"sent,omitempty"`   // of the last minute, by the second: the second, requests, tokens
}

// remembered is how long a limit that was found is believed: services change theirs.
const remembered = time.Hour

// Snapshot is what Pace has learned and what it sent in the last minute, as JSON: for the next run. A minute after the last call it
// stays the same.
func (p *Pace) Snapshot() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	s := snapshot{At: p.changed.UnixMilli(), Window: p.throttle.window, Most: p.throttle.most, Why: p.why}
	s.Prompt, s.Reply, s.Past = p.meter.state()
	if !p.began.IsZero() {
		s.Began = p.began.UnixMilli()
	}
	if p.held.After(now) && p.throttle.chain > 0 {
		s.Held = p.held.UnixMilli()
	}
	if p.throttle.limit != nil {
		s.Rate = float64(p.throttle.limit.Limit())
	}
	s.Chain, s.Full = p.throttle.chain, p.throttle.hit.accepted
	s.Sent = p.ledger.seconds(now)
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // finite numbers and a string
	}
	return b
}

// Restore takes what Snapshot gave in an earlier run, so that stopping and starting again sends no more than going on. It is
// called before the first Ask.
func (p *Pace) Restore(state []byte) error {
	var s snapshot
	if err := json.Unmarshal(state, &s); err != nil {
		return fmt.Errorf("restore what is known of the limits: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meter.restore(s.Prompt, s.Reply, s.Past) // what a byte costs does not change overnight
	now := p.clock.now()
	taken := time.UnixMilli(s.At)
	age := now.Sub(taken)
	if age < 0 || age > remembered {
		return nil
	}
	p.changed = taken
	p.throttle.most = s.Most
	if s.Rate > 0 && p.known == nil {
		p.throttle.found(now, s.Rate, s.Window, ofSure)
		p.ease.starting = false
	}
	if held := time.UnixMilli(s.Held); held.After(now) && held.Sub(now) <= p.limits.MaxPause {
		p.hold(now, held, s.Why)
	}
	if age < ledgerTime {
		p.follow(now, taken, s)
	}
	return nil
}

// follow goes on with the minute of a run that ended less than one ago. One that was killed may have sent more in its last second
// than it could tell. p.mu is held.
func (p *Pace) follow(now, taken time.Time, s snapshot) {
	p.began = time.UnixMilli(s.Began)
	p.throttle.chain, p.throttle.hit = s.Chain, hit{at: taken, accepted: s.Full}
	p.ledger.at(now)
	for _, second := range s.Sent {
		n := int(second[1])
		p.ledger.add(min(second[0]*int64(time.Second/slotTime), p.ledger.now), slot{sent: n, accepted: n, tokens: int(second[2])})
	}
	untold := int(math.Ceil(s.Rate))
	p.ledger.add(taken.UnixMilli()/slotTime.Milliseconds(), slot{sent: untold, accepted: untold, tokens: int(p.limits.Tokens / 60)})
	p.bucket.take(now, int(p.limits.Tokens*bucketTime.Minutes()))
	if p.known != nil {
		p.known.AllowN(now, p.known.Burst())
	}
}
