package sqlite

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"docbatch/jobs"
)

// An owner that slept, with its machine, for longer than its lease is not given what it is still at: that would be asked and paid
// twice. Others are.
func TestClaimAfterSleep(t *testing.T) {
	now := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{Now: func() time.Time { return now }})
	list(t, s, rows(4))
	sleeper := join(t, s)
	wantClaim(t, sleeper, 2, "2", "3")
	now = now.Add(2 * jobs.DefaultLease)
	third := wantClaim(t, sleeper, 1, "4")[0]
	wantClaim(t, join(t, s), 9, "2", "3", "4", "5")
	lost, err := sleeper.Finish(t.Context(), []jobs.Outcome{doneWith(third, answerFor(third))})
	if err != nil || len(lost) != 1 {
		t.Errorf("finish of what another has now: lost %d, error %v, want it lost", lost, err)
	}
}

func wantClaim(t *testing.T, l jobs.Lease, n int, want ...string) []jobs.Item {
	t.Helper()
	items, err := l.Claim(t.Context(), n)
	must(t, err)
	got := make([]string, len(items))
	for i, it := range items {
		got[i] = it.ID
	}
	if !slices.Equal(got, want) {
		t.Fatalf("claimed: got %q, want %q", got, want)
	}
	return items
}
