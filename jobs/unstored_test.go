package jobs

import (
	"testing"

	"docbatch/pipeline"
)

// What was sent is counted also where the store takes no outcome, and answers that it did not take are told.
func TestUnstored(t *testing.T) {
	answered := pipeline.Attempt{Status: 200}
	failed := pipeline.Attempt{Status: 500, Class: pipeline.Transient, Kind: pipeline.KindServer}
	p := &progress{}
	p.unstored([]Outcome{
		{Record: &pipeline.Record{State: pipeline.Pending, Tries: 2, Attempts: []pipeline.Attempt{failed, answered}}}, // its answer is lost
		{Record: &pipeline.Record{State: pipeline.Pending, Tries: 1, Attempts: []pipeline.Attempt{failed}}},
		{Record: &pipeline.Record{State: pipeline.Done, Tries: 1, Attempts: []pipeline.Attempt{answered}}}, // its answer was stored before
	})
	if p.now.Requests != 4 || p.now.Unstored != 1 || p.now.Done != 0 {
		t.Errorf("%d requests, %d answers not stored, %d done; want 4, 1, 0", p.now.Requests, p.now.Unstored, p.now.Done)
	}
}
