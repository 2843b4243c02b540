package main

import (
	"bytes"
	"context"
	"log/slog"
	"time"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline/agent"
)

// keepEvery is how often what is known of the agent's limits, and where the run stands, is stored: one that is killed forgets no more
// than that.
const keepEvery = time.Second

// recallPace begins where the last run that asked the same service stood: with its limits, and what it sent within the last
// minute. What another version wrote and this one can't read is no reason not to run.
func recallPace(ctx context.Context, store *sqlite.Store, service string, pace *agent.Pace, log *slog.Logger) error {
	state, err := store.PaceState(ctx, service)
	if err != nil || state == nil {
		return err
	}
	if err := pace.Restore(state); err != nil {
		log.Warn("begin without what was known of the limits", "error", err)
	}
	return nil
}

// paceKeeper gives what stores what pace knows, with keep, if that has changed.
func paceKeeper(keep func(state []byte) error, pace *agent.Pace) func() error {
	var last []byte
	return func() error {
		state := pace.Snapshot()
		if bytes.Equal(state, last) {
			return nil
		}
		if err := keep(state); err != nil {
			return err
		}
		last = state
		return nil
	}
}

// startKeeping calls save now and then, until stop is called. What it can't save is said in the log, and does no harm.
func startKeeping(what string, save func() error, log *slog.Logger) (stop func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(keepEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := save(); err != nil {
					log.Warn("store "+what, "error", err)
				}
			case <-over:
				return
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}
