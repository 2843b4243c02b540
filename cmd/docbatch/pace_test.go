package main

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline/agent"
)

// TestPaceIsKeptAfterAFailure is a store that fails at first: what it did not take is stored again, and once.
func TestPaceIsKeptAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		keep := func([]byte) error {
			if tries++; tries <= 2 {
				return errors.New("disk full")
			}
			return nil
		}
		save := paceKeeper(keep, agent.NewPace(nil, agent.NewMeter(), agent.Limits{}))
		stop := startKeeping("what is known of the limits", save, slog.New(slog.DiscardHandler))
		time.Sleep(10*keepEvery + keepEvery/2)
		stop()
		if err := save(); err != nil || tries != 3 {
			t.Errorf("stored %d times (%v), want 3 times, the last with success", tries, err)
		}
	})
}
