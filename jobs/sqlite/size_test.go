package sqlite

import (
	"path/filepath"
	"testing"
)

func TestSize(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	list(t, s, rows(10))
	l := join(t, s)
	items, err := l.Claim(t.Context(), 3)
	must(t, err)
	for _, it := range items {
		must(t, work(t.Context(), s, l, it))
	}
	list(t, s, rows(8))
	got, err := s.Size(t.Context())
	if want := (Size{Documents: 10, Answers: 3, Runs: 1, Schema: schemaVersion}); err != nil || got != want {
		t.Errorf("got %+v, error %v, want %+v", got, err, want)
	}
}
