package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

const (
	// sameSignal is how long after the first signal another is taken for the same: timeout(1) and some terminals send each twice.
	sameSignal = 200 * time.Millisecond

	// endAfter is how long after the second signal the process ends by itself, whatever hangs. The state is sound at any moment.
	endAfter = 1800 * time.Millisecond
)

// interruption is the error of a run that a signal stopped.
func interruption(sig os.Signal) error {
	code, name := exitInterrupt, "interrupted"
	if sig == syscall.SIGTERM {
		code, name = exitTerminated, "terminated"
	}
	return withExit(code, errors.New(name), "What is finished is kept; the same command goes on.")
}

// catchSignals turns the first SIGINT or SIGTERM into a gentle stop and the second into the end of the returned context, and soon
// of the process. caught ends the catching and says which signal came first, nil for none, and whether there was a second.
func catchSignals(ctx context.Context, first func()) (hard context.Context, stop <-chan struct{}, caught func() (sig os.Signal, now bool)) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	hard, cancel := context.WithCancel(ctx)
	gentle, over, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var which os.Signal
	now := false
	var told sync.WaitGroup
	go func() {
		defer close(ended)
		select {
		case which = <-signals:
			close(gentle)
			told.Go(first) // it writes, which may be blocked: the next signal must be heard all the same
		case <-over:
			return
		}
		for began := time.Now(); ; {
			select {
			case <-signals:
				if time.Since(began) >= sameSignal {
					now = true
					time.AfterFunc(endAfter, func() { os.Exit(exitCode(interruption(which))) })
					cancel()
					return
				}
			case <-over:
				return
			}
		}
	}()
	return hard, gentle, func() (os.Signal, bool) {
		signal.Stop(signals)
		close(over)
		<-ended
		cancel()
		told.Wait()
		return which, now
	}
}
