package demo

import (
	"sync"
	"time"
)

// span is the time that a limit is for.
const span = time.Minute

// A window admits at most size requests in any stretch of 60 seconds, wherever it begins: it remembers when each was
// admitted. What it refuses does not count.
type window struct {
	size int

	mu       sync.Mutex
	admitted []time.Time // a ring once it has size elements
	oldest   int
}

// room is what a window says of itself after a request.
type room struct {
	ok    bool
	left  int           // requests that would be admitted now
	reset time.Duration // until all of the window is free
	wait  time.Duration // until the next is admitted; only where ok is false
}

func (w *window) admit(now time.Time) room {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.admitted) == w.size {
		if age := now.Sub(w.admitted[w.oldest]); age < span {
			newest := w.admitted[(w.oldest+w.size-1)%w.size]
			return room{wait: span - age, reset: span - now.Sub(newest)}
		}
		w.admitted[w.oldest] = now
		w.oldest = (w.oldest + 1) % w.size
	} else {
		w.admitted = append(w.admitted, now)
	}
	return room{ok: true, left: w.size - w.inSpan(now), reset: span}
}

// inSpan counts what was admitted in the last 60 seconds, by halving: the ring is in order of time.
func (w *window) inSpan(now time.Time) int {
	n := len(w.admitted)
	lo, hi := 0, n
	for lo < hi {
		mid := (lo + hi) / 2
		if now.Sub(w.admitted[(w.oldest+mid)%n]) >= span {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return n - lo
}
