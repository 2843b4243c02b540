package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"docbatch/jobs"
)

// wantCopy copies a state file; the copy must open, with these counts.
func wantCopy(t *testing.T, from string, want jobs.Counts) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy.db")
	must(t, Copy(t.Context(), from, to))
	s := open(t, to, Options{Scratch: true})
	if got, err := s.Counts(t.Context()); err != nil || got != want {
		t.Errorf("the copy has %+v (%v), want %+v", got, err, want)
	}
	if err := Copy(t.Context(), from, to); err == nil {
		t.Error("a file that is there was overwritten")
	}
}

func TestCopy(t *testing.T) {
	t.Run("while it is written", func(t *testing.T) {
		from := filepath.Join(t.TempDir(), "state.db")
		s := open(t, from, Options{})
		list(t, s, rows(3))
		wantCopy(t, from, jobs.Counts{Pending: 3})
		list(t, s, rows(4))
		wantCopy(t, from, jobs.Counts{Pending: 4})
	})
	t.Run("of an older version", func(t *testing.T) {
		from := version1(t)
		wantCopy(t, from, jobs.Counts{Done: 100})
		if got := numberIn(t, from, "PRAGMA user_version"); got != 1 {
			t.Errorf("the file itself has version %d now, want 1", got)
		}
	})
	t.Run("that nobody waits for", func(t *testing.T) {
		from := filepath.Join(t.TempDir(), "state.db")
		writeAndClose(t, from, 3)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Copy(ctx, from, filepath.Join(t.TempDir(), "copy.db")); !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want %v", err, context.Canceled)
		}
	})
}

// TestScratch sees how durable a commit is.
func TestScratch(t *testing.T) {
	for want, o := range map[int]Options{2: {}, 0: {Scratch: true}} {
		s := open(t, filepath.Join(t.TempDir(), "state.db"), o)
		var got int
		must(t, s.writer.do(t.Context(), 0, func(tx *tx) error {
			_, err := tx.get("PRAGMA synchronous", nil, &got)
			return err
		}))
		if got != want {
			t.Errorf("%+v: synchronous is %d, want %d", o, got, want)
		}
	}
}
