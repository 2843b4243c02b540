package sqlite

import (
	"path/filepath"
	"testing"

	"docbatch/jobs"
	"docbatch/pipeline"
)

func TestCopy(t *testing.T) {
	ctx := t.Context()
	from := filepath.Join(t.TempDir(), "a.db")
	s, err := Open(ctx, from, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	listing, err := s.List(ctx, "q")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listing.Add(ctx, []pipeline.Ref{{Source: "s", ID: "1", Name: "one", Stamp: "x"}}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "b.db")
	if err := Copy(ctx, from, path); err != nil {
		t.Fatal(err)
	}
	c, err := Open(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := c.Counts(ctx); err != nil || got != (jobs.Counts{Pending: 1}) {
		t.Errorf("the copy has %+v (%v), want one pending document", got, err)
	}
	if err := Copy(ctx, from, path); err == nil {
		t.Error("a file that is there was overwritten")
	}
}
