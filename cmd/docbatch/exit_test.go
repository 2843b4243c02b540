package main

import (
	"strings"
	"testing"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
)

// A file of an older docbatch is sound: nobody is told to look for free space.
func TestExitOfOlderState(t *testing.T) {
	err := &pipeline.Error{Class: pipeline.Fatal, Kind: pipeline.KindState, Err: sqlite.ErrOlder}
	if got := exitCode(err); got != exitUsage {
		t.Errorf("exit code: got %d, want %d", got, exitUsage)
	}
	if got := whatNext(err); !strings.HasPrefix(got, "Run the job once") {
		t.Errorf("next: got %q, want to run the job", got)
	}
}
