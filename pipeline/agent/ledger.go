package agent

import "time"

// A ledger is what was sent in the last minute, in slots of a tenth of a second, so that its size does not depend on how much
// that was. A window of a service sees requests a little earlier or later than they were sent: that is why its minute is
// longer by what rateMargin is to a rate.
type ledger struct {
	slots [ledgerSlots]slot
	now   int64 // the newest slot, counted from the epoch; 0 before the first
	sums  slot  // of all slots
}

type slot struct {
	sent     int // requests
	accepted int // of them: not refused for their rate
	tokens   int // estimated before the answer, true after
	held     int // 1 where everyone had to pause
}

const (
	slotTime    = 100 * time.Millisecond
	ledgerTime  = 60300 * time.Millisecond
	ledgerSlots = int(ledgerTime / slotTime)
)

// at brings the ledger to a time and gives the number of its slot. It never goes back: what a clock does is not what a service
// counts.
func (l *ledger) at(now time.Time) int64 {
	n := now.UnixMilli() / slotTime.Milliseconds()
	if n <= l.now {
		return l.now
	}
	for i := max(l.now+1, n-int64(ledgerSlots)+1); i <= n; i++ {
		s := l.slot(i)
		l.sums.sub(*s)
		*s = slot{}
	}
	l.now = n
	return n
}

func (l *ledger) slot(n int64) *slot { return &l.slots[n%int64(ledgerSlots)] }

// add notes something at a slot; what is older than the ledger is forgotten.
func (l *ledger) add(n int64, s slot) {
	if n <= l.now-int64(ledgerSlots) || n > l.now {
		return
	}
	l.slot(n).add(s)
	l.sums.add(s)
}

func (s *slot) add(o slot) {
	s.sent, s.accepted, s.tokens, s.held = s.sent+o.sent, s.accepted+o.accepted, s.tokens+o.tokens, s.held+o.held
}

func (s *slot) sub(o slot) {
	s.sent, s.accepted, s.tokens, s.held = s.sent-o.sent, s.accepted-o.accepted, s.tokens-o.tokens, s.held-o.held
}

// hold notes that everyone had to pause.
func (l *ledger) hold(from, to time.Time) {
	first := max(from.UnixMilli()/slotTime.Milliseconds(), l.now-int64(ledgerSlots)+1)
	for n := first; n < min(to.UnixMilli()/slotTime.Milliseconds(), l.now); n++ {
		if l.slot(n).held == 0 {
			l.add(n, slot{held: 1})
		}
	}
}

// until is how long it takes from now until enough has left the ledger that what fits.
func (l *ledger) until(now time.Time, fits func(sums slot) bool) time.Duration {
	l.at(now)
	sums := l.sums
	for i := l.now - int64(ledgerSlots) + 1; !fits(sums) && i <= l.now; i++ {
		s := l.slot(i)
		if *s == (slot{}) {
			continue
		}
		sums.sub(*s)
		if fits(sums) {
			return time.UnixMilli((i + int64(ledgerSlots)) * slotTime.Milliseconds()).Sub(now)
		}
	}
	return 0
}

// best is the most that was accepted in any second of the last minute.
func (l *ledger) best(now time.Time) int {
	const second = int64(time.Second / slotTime)
	n := l.at(now)
	first := n - int64(ledgerSlots) + 1
	most, sum := 0, 0
	for i := first; i <= n; i++ {
		sum += l.slot(i).accepted
		if old := i - second; old >= first {
			sum -= l.slot(old).accepted
		}
		most = max(most, sum)
	}
	return most
}

// active is how much of the last minute was no pause.
func (l *ledger) active() time.Duration {
	return max(time.Second, ledgerTime-time.Duration(l.sums.held)*slotTime)
}

// seconds gives what was sent and accepted, by the second: the second since the epoch, requests, tokens.
func (l *ledger) seconds(now time.Time) (list [][3]int64) {
	const second = int64(time.Second / slotTime)
	n := l.at(now)
	for i := n - int64(ledgerSlots) + 1; i <= n; i++ {
		s := l.slot(i)
		if s.accepted == 0 && s.tokens == 0 {
			continue
		}
		// A slot is counted with the end of its second, which it leaves the ledger with.
		at := i/second + 1
		if len(list) == 0 || list[len(list)-1][0] != at {
			list = append(list, [3]int64{at})
		}
		last := &list[len(list)-1]
		last[1] += int64(s.accepted)
		last[2] += int64(s.tokens)
	}
	return list
}
