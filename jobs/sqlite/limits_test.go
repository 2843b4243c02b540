package sqlite

import (
	"path/filepath"
	"testing"

	"docbatch/pipeline"
)

// What is kept of a service's limits is there in the next run, and that of another service is not touched.
func TestPaceState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	if got, err := s.PaceState(t.Context(), "https://a/v1 x"); got != nil || err != nil {
		t.Errorf("before the first: got %q, error %v, want nothing", got, err)
	}
	must(t, s.SavePaceState(t.Context(), "https://a/v1 x", []byte(`{"limit":1}`)))
	must(t, s.SavePaceState(t.Context(), "https://a/v1 y", []byte(`{"limit":2}`)))
	must(t, s.SavePaceState(t.Context(), "https://a/v1 x", []byte(`{"limit":3}`)))
	must(t, s.Close())
	s = open(t, path, Options{})
	for service, want := range map[string]string{"https://a/v1 x": `{"limit":3}`, "https://a/v1 y": `{"limit":2}`, "": ""} {
		if got, err := s.PaceState(t.Context(), service); err != nil || string(got) != want {
			t.Errorf("%q: got %q, error %v, want %q", service, got, err, want)
		}
	}
	if err := s.SavePaceState(t.Context(), "https://a/v1 x", []byte("not JSON")); pipeline.ClassOf(err) != pipeline.Internal {
		t.Errorf("what is not JSON: got error %v, want one of class %s", err, pipeline.Internal)
	}
}
