package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestBetterExtractor is an upgrade to a docbatch that extracts other text: all is read again, what is the same is answered from the
// store, and with --keep-extracted nothing is even read.
func TestBetterExtractor(t *testing.T) {
	inbox, dir := writeDocuments(t, 5), t.TempDir()
	state := filepath.Join(dir, "job.db")
	planned := func(args ...string) *plan {
		t.Helper()
		code, stdout, stderr := command(t, nil, append([]string{"plan", "--demo", "--json", "--state", state, inbox}, args...)...)
		if code != exitOK {
			t.Fatalf("exit %d\n%s", code, stderr)
		}
		p := &plan{}
		if err := json.Unmarshal([]byte(stdout), p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	run := func(args ...string) {
		t.Helper()
		if code, _, stderr := command(t, nil, append([]string{"run", "--demo", "--state", state, inbox}, args...)...); code != exitOK {
			t.Fatalf("exit %d\n%s", code, stderr)
		}
	}
	run()
	was := extractVersion
	extractVersion++
	defer func() { extractVersion = was }()
	if p := planned(); p.Requests != 0 || p.Stored.Before != 5 || p.Unchanged != 0 {
		t.Errorf("after the upgrade: %+v, want 5 answered from the store", p)
	}
	if p := planned("--keep-extracted"); p.Requests != 0 || p.Unchanged != 5 {
		t.Errorf("with --keep-extracted: %+v, want 5 unchanged", p)
	}
	run("--keep-extracted")
	writeFile(t, inbox, "later.txt", "a document that came after the upgrade")
	if p := planned("--keep-extracted"); p.Requests != 1 || p.Send.New != 1 || p.Unchanged != 5 {
		t.Errorf("with --keep-extracted and a new document: %+v, want 1 sent and 5 unchanged", p)
	}
	run("--keep-extracted")
	run()
	if p := planned("--keep-extracted"); p.Requests != 0 || p.Unchanged != 6 {
		t.Errorf("after a run without it: %+v, want all unchanged", p)
	}
}

func TestPlanSaysWhatWasExtracted(t *testing.T) {
	j := &job{extraction: extraction{version: extractVersion}}
	for _, tt := range []struct {
		name            string
		before, changed int
		kept            bool
		want            string
	}{
		{"never run before", 0, 3, false, ""},
		{"the same text", 10, 0, false, ""},
		{"kept", 10, 3, true, ""},
		{"other text", 10, 3, false, "10 documents were read by an earlier docbatch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &plan{}
			p.Send.Question = tt.changed
			j.extraction.version = extractVersion
			if tt.kept {
				j.extraction.version--
			}
			p.extracted(tt.before, j)
			got := strings.Join(p.Notes, "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
