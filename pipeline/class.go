package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Class is what kind of failure an error is. It decides what happens next and is stored with every attempt and record.
type Class string

// The classes; there are no others.
const (
	Transient Class = "transient" // may go away by itself: retry with backoff, counted
	Throttled Class = "throttled" // the service asks for a pause: everyone waits, not counted
	Invalid   Class = "invalid"   // the document can't be used: fails at once, nothing is sent
	Refused   Class = "refused"   // the service won't answer this document: fails at once, no blind retry
	Fatal     Class = "fatal"     // no document can succeed: the run stops, nothing is marked failed
	Internal  Class = "internal"  // our bug: a panic, or an error that nobody classed
)

// Kinds name the cause of an Error more exactly than its class does, where something depends on it (an exit code, a
// rule that counts equal failures) or a person groups by it. They are stored as data: never change one.
const (
	KindKey         = "key"         // the key was refused or is missing
	KindAgent       = "agent"       // the agent does not exist at this service
	KindQuota       = "quota"       // out of money or quota: waiting does not help
	KindBudget      = "budget"      // a budget or a deadline of the run is used up
	KindThreshold   = "threshold"   // more documents fail than the run allows
	KindConfig      = "config"      // the service is not where the base URL says, or wants to redirect
	KindState       = "state"       // the state can't be read or written
	KindMachine     = "machine"     // this machine lacks what the run needs: file descriptors, memory, disk space
	KindRate        = "rate"        // too many requests or tokens a minute
	KindTimeout     = "timeout"     // sent, and no answer in time: it may have been billed
	KindUnreachable = "unreachable" // no document gets an answer: the agent is down
	KindConnect     = "connect"     // no connection could be made: nothing was sent
	KindNetwork     = "network"     // the connection broke after it was made
	KindServer      = "server"      // the service failed: 5xx
	KindResponse    = "response"    // an answer that is none: HTML, cut, not JSON, no choices
	KindEmpty       = "empty"       // an answer without text
	KindRequest     = "request"     // 4xx without a more exact kind
	KindTooLong     = "too_long"    // the document exceeds the agent's context or the service's size limit
	KindFilter      = "filter"      // a content filter refused the document or its answer
	KindTruncated   = "truncated"   // the answer was cut at the agent's length limit
	KindPrompt      = "prompt"      // the template can't be rendered for this document
	KindRead        = "read"        // the document can't be read: permission, gone, not a regular file
	KindUnsupported = "unsupported" // no reader for this format
	KindDamaged     = "damaged"     // not what it claims to be: a broken row, a bad encoding
	KindNoText      = "no_text"     // nothing in it to ask about
	KindNothing     = "nothing"     // a file without a byte in it
	KindTooLarge    = "too_large"   // over a bound on bytes, pages, parts or nesting
	KindSlow        = "slow"        // reading it took longer than the bound
	KindEncrypted   = "encrypted"   // protected by a password
	KindInterrupted = "interrupted" // the run ended while the request was on its way
	KindPanic       = "panic"       // a panic in a step
	KindUnclassed   = "unclassed"   // an error that nobody classed
)

// An Error is a failure with its class. The edge that knows the cause sets class and kind; nothing above changes them.
type Error struct {
	Class      Class
	Kind       string        // one of the Kind constants, or ""
	Status     int           // HTTP status; 0 where there was none
	RetryAfter time.Duration // how long the service asks to wait; 0 where it did not say
	Err        error         // what happened, in words; never nil
}

// Errorf makes an Error of a class and kind; format is as for fmt.Errorf.
func Errorf(class Class, kind, format string, args ...any) *Error {
	return &Error{Class: class, Kind: kind, Err: fmt.Errorf(format, args...)}
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// AsError gives the classed error in err's chain, with err's whole message. An error that nobody classed becomes Internal;
// nil stays nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return &Error{Class: Internal, Kind: KindUnclassed, Err: err}
	}
	if error(e) == err {
		return e
	}
	outer := *e
	outer.Err = err
	return &outer
}

// ClassOf is the class of err; "" for nil.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	return AsError(err).Class
}

// ErrStopping is returned by what waits before a call when the run is stopping: see WithStopping.
var ErrStopping = errors.New("the run is stopping")

type stoppingKey struct{}

// WithStopping gives ctx a second, gentler end beside its own: when stop is closed no new call may be started, while calls
// in flight go on until ctx itself ends. This is how a first Ctrl-C lets paid answers arrive.
func WithStopping(ctx context.Context, stop <-chan struct{}) context.Context {
	return context.WithValue(ctx, stoppingKey{}, stop)
}

// Stopping returns the channel given to WithStopping; nil, which never is ready, where there was none.
func Stopping(ctx context.Context) <-chan struct{} {
	stop, _ := ctx.Value(stoppingKey{}).(<-chan struct{})
	return stop
}

// nap is the longest that Sleep rests without a look at the clock on the wall: timers stand still while a laptop sleeps.
const nap = 2 * time.Second

// Sleep waits for d, also if the machine sleeps meanwhile. It returns early with ctx's error, or with ErrStopping when the run is
// stopping.
func Sleep(ctx context.Context, d time.Duration) error {
	start := time.Now()
	for {
		// Whichever clock is ahead: the one on the wall may also be set back.
		gone := max(time.Since(start), time.Now().Round(0).Sub(start.Round(0)))
		t := time.NewTimer(min(max(d-gone, 0), nap))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-Stopping(ctx):
			t.Stop()
			return ErrStopping
		case <-t.C:
		}
		if d-gone <= nap {
			return nil
		}
	}
}
