package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
)

// docbatch check of a file whose pages are damaged says so, exits 10, and says what can be done.
func TestCheckDamagedFile(t *testing.T) {
	state := filepath.Join(t.TempDir(), "docbatch.db")
	makeState(t, state, 2000)
	data, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(data) / 2; i < len(data)/2+3*4096; i++ {
		data[i] ^= 0x55
	}
	if err := os.WriteFile(state, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := newCheckCommand(env{stdout: &stdout, stderr: &stderr, lookup: func(string) (string, bool) { return "", false }})
	cmd.SetArgs([]string{state})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	if exitCode(err) != exitState || !strings.HasPrefix(err.Error(), "docbatch.db is damaged:") || whatNext(err) != damagedNext {
		t.Errorf("got exit code %d, error %v, next %q", exitCode(err), err, whatNext(err))
	}
	if stdout.Len() > 0 {
		t.Errorf("stdout: got %q, want nothing", &stdout)
	}
}

// makeState makes a state file of n documents that wait.
func makeState(t *testing.T, path string, n int) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	refs := make([]pipeline.Ref, n)
	for i := range refs {
		name := fmt.Sprintf("letter-%05d.txt", i)
		refs[i] = pipeline.Ref{Source: "inbox", ID: name, Name: name, Stamp: "s"}
	}
	var l jobs.Listing
	if l, err = s.List(t.Context(), "q"); err == nil {
		_, err = l.Add(t.Context(), refs)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
