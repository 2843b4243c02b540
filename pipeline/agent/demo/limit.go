package demo

import (
	"fmt"
	"time"
)

// span is the time that a limit is for.
const span = time.Minute

// A Window is how the limit on requests counts them. It is a flag.Value; the zero value is Sliding.
type Window string

// The windows that services have.
const (
	Sliding Window = "sliding" // no more than the limit in any 60 seconds, wherever they begin
	Fixed   Window = "fixed"   // no more in each minute since the server was made: twice as many may come around its end
	Bucket  Window = "bucket"  // a token bucket that holds a second's worth, at least one, and fills evenly
)

// Set takes one of the windows by its name.
func (w *Window) Set(s string) error { return choose(w, s, Sliding, Fixed, Bucket) }

func (w *Window) String() string { return string(*w) }

// Type is the kind of value, for the help of a flag.
func (w *Window) Type() string { return "kind" }

// choose sets v to the one of choices that s names.
func choose[T ~string](v *T, s string, choices ...T) error {
	for _, c := range choices {
		if string(c) == s {
			*v = c
			return nil
		}
	}
	return fmt.Errorf("%.40q is none of %v", s, choices)
}

// A limit admits so much in a time: requests, or tokens. What it refuses does not count. Whoever uses it holds Server.mu,
// and asks in order of time.
type limit interface {
	wait(now time.Time, n int) time.Duration // until n more are admitted, which is not more than the limit; 0 is at once
	take(now time.Time, n int)               // n are admitted
	room(now time.Time) room
}

// room is what a limit says of itself.
type room struct {
	left int           // what would be admitted now
	next time.Duration // until more than that would be; 0 where all is free
	all  time.Duration // until all is free
}

func newLimit(w Window, size int, start time.Time) limit {
	switch w {
	case Fixed:
		return &fixed{size: size, start: start}
	case Bucket:
		return &bucket{size: max(1, size/60), interval: max(1, span/time.Duration(size))}
	}
	return &sliding{size: size}
}

// sliding remembers what was admitted in the last span.
type sliding struct {
	size, used int
	uses       []use // in order of time
}

type use struct {
	at time.Time
	n  int
}

func (s *sliding) wait(now time.Time, n int) time.Duration {
	s.expire(now)
	over := s.used + n - s.size
	for _, u := range s.uses {
		if over <= 0 {
			break
		}
		if over -= u.n; over <= 0 {
			return u.at.Add(span).Sub(now)
		}
	}
	return 0
}

func (s *sliding) take(now time.Time, n int) {
	s.uses = append(s.uses, use{now, n})
	s.used += n
}

func (s *sliding) room(now time.Time) room {
	s.expire(now)
	r := room{left: s.size - s.used}
	if n := len(s.uses); n > 0 {
		r.next, r.all = s.uses[0].at.Add(span).Sub(now), s.uses[n-1].at.Add(span).Sub(now)
	}
	return r
}

func (s *sliding) expire(now time.Time) {
	for len(s.uses) > 0 && now.Sub(s.uses[0].at) >= span {
		s.used -= s.uses[0].n
		s.uses = s.uses[1:]
	}
}

// fixed counts from the start of each span anew.
type fixed struct {
	size, used int
	start      time.Time // of the span that used is of
}

func (f *fixed) wait(now time.Time, n int) time.Duration {
	f.roll(now)
	if f.used+n <= f.size {
		return 0
	}
	return f.start.Add(span).Sub(now)
}

func (f *fixed) take(_ time.Time, n int) { f.used += n }

func (f *fixed) room(now time.Time) room {
	f.roll(now)
	r := room{left: f.size - f.used}
	if f.used > 0 {
		r.next = f.start.Add(span).Sub(now)
		r.all = r.next
	}
	return r
}

func (f *fixed) roll(now time.Time) {
	if spans := now.Sub(f.start) / span; spans > 0 {
		f.start, f.used = f.start.Add(spans*span), 0
	}
}

// bucket keeps the time when it will be full again instead of a level, which would be a fraction.
type bucket struct {
	size     int
	interval time.Duration // in which one more is filled in
	full     time.Time
}

func (b *bucket) wait(now time.Time, n int) time.Duration {
	return max(0, b.missing(now)-time.Duration(b.size-n)*b.interval)
}

func (b *bucket) take(now time.Time, n int) {
	b.full = now.Add(b.missing(now) + time.Duration(n)*b.interval)
}

func (b *bucket) room(now time.Time) room {
	all := b.missing(now)
	used := (all + b.interval - 1) / b.interval
	return room{left: b.size - int(used), next: all - max(0, used-1)*b.interval, all: all}
}

// missing is the time until it is full.
func (b *bucket) missing(now time.Time) time.Duration { return max(0, b.full.Sub(now)) }
