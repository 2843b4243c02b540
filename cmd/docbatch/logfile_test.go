package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"docbatch/jobs"
	"docbatch/jobs/jobstest"
	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// logLine is a line of a log file: RFC 3339 with the zone, the job, and something without control characters.
var logLine = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d) night: \PC+$`)

// readLog reads a log file, each line checked.
func readLog(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if !strings.HasSuffix(line, "\n") || !logLine.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Errorf("not a line of a log: %q", line)
		}
	}
	return string(b)
}

// TestLogFile has what is said, whatever of it is printed.
func TestLogFile(t *testing.T) {
	inbox, dir := writeDocuments(t, 2), t.TempDir()
	path, state := filepath.Join(dir, "night.log"), filepath.Join(dir, "night.db")
	for _, tt := range []struct {
		name string
		args []string
		exit int
		says []string // in the log
	}{
		{"quiet", []string{inbox, "--quiet"}, 0, []string{"asking the built-in agent", "2 documents: 2 answered; this run: 2 requests", "docbatch export -o results.csv"}},
		{"for programs", []string{inbox, "--json"}, 0, []string{"this run: 0 requests"}},
		{"verbose", []string{writeFile(t, dir, "scan.pdf", "%PDF-1.7"), "-v"}, 3, []string{"level=INFO msg=failed job=night doc=scan.pdf", "1 failed"}},
		{"an error before it begins", []string{inbox, "--prompt", "{{.Text}}{{.a\t\x1b[2J"}, 2, []string{"--prompt:1", "Nothing was sent."}},
		{"such an error for programs", []string{"nowhere", "--json"}, 2, []string{"nowhere", "Check the inputs"}},
	} {
		before := 0
		if info, err := os.Stat(path); err == nil {
			before = int(info.Size())
		}
		code, _, stderr := command(t, nil, append([]string{"run", "--demo", "--state", state, "--log-file", path}, tt.args...)...)
		if code != tt.exit {
			t.Errorf("%s: exit %d, want %d\n%s", tt.name, code, tt.exit, stderr)
		}
		added := readLog(t, path)[before:]
		for _, want := range tt.says {
			if !strings.Contains(added, want) {
				t.Errorf("%s: the log lacks %q:\n%s", tt.name, want, added)
			}
		}
	}
	if strings.Contains(readLog(t, path), "time=") {
		t.Error("lines of slog have two times")
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want one for its owner only", info.Mode(), err)
	}
}

// TestLogFileOfTheSecondRun says who holds the lock.
func TestLogFileOfTheSecondRun(t *testing.T) {
	dir := t.TempDir()
	path, state := filepath.Join(dir, "night.log"), filepath.Join(dir, "night.db")
	held, err := sqlite.Open(t.Context(), state, sqlite.Options{Command: "docbatch run"})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if code, _, stderr := command(t, nil, "run", "--demo", writeDocuments(t, 1), "--state", state, "--log-file", path, "-q"); code != exitLocked {
		t.Fatalf("exit %d, want 11\n%s", code, stderr)
	}
	if got := readLog(t, path); !strings.Contains(got, "is held by docbatch run, pid") || !strings.Contains(got, "--wait-lock") {
		t.Errorf("the log is\n%s", got)
	}
}

// failing is a file on a disk that is full, at times.
type failing struct {
	text strings.Builder
	full bool
}

func (f *failing) Write(p []byte) (int, error) {
	if f.full {
		n, _ := f.text.Write(p[:len(p)/2])
		return n, errors.New("no space left on device")
	}
	return f.text.Write(p)
}

func (f *failing) String() string { return f.text.String() }

func (f *failing) Close() error { return nil }

// TestLogFileOnFullDisk is told once, and what comes later begins on a line of its own.
func TestLogFileOnFullDisk(t *testing.T) {
	var stderr syncBuffer
	file := &failing{full: true}
	e := env{stderr: &stderr}
	l := &logFile{job: "night", tell: e.tell, file: file}
	e.log = l
	e.tell("one")
	e.tell("two")
	file.full = false
	e.tell("three")
	want := "docbatch: one\ndocbatch: what is said is not kept in the log file any more: no space left on device; the run goes on\ndocbatch: two\ndocbatch: three\n"
	if got := stderr.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	lines := strings.Split(strings.TrimSuffix(file.String(), "\n"), "\n")
	if last := lines[len(lines)-1]; !logLine.MatchString(last) || !strings.HasSuffix(last, "night: three") {
		t.Errorf("the last line is %q", last)
	}
}

// TestLogFileBesideBar has the lines that a bar stands in for.
func TestLogFileBesideBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := jobstest.NewMem()
		lease, err := q.Join(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var said syncBuffer
		file := &failing{}
		run := &jobRun{env: env{stderr: &said, log: &logFile{job: "night", file: file}}, options: &runOptions{}, job: &job{slug: "analyst", state: "docbatch.db"},
			pace: agent.NewPace(nil, agent.NewMeter(), agent.Limits{})}
		run.runner = &jobs.Runner{Queue: q, Lease: lease, Sources: []pipeline.Source{slow{}}, Steps: []pipeline.Step{slow{}}}
		report := newReporter(run)
		report.bar = true
		report.start()
		if err := run.runner.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		report.stop()
		if got := strings.Count(file.String(), "0 of 1 document finished"); got < 9 || got > 10 { // one more if the last is due when it ends
			t.Errorf("%d lines within five minutes, want one every 30 s:\n%s", got, file.String())
		}
		if !strings.Contains(file.String(), "asking analyst") || strings.Contains(said.String(), "docbatch: asking") {
			t.Errorf("the log is\n%s\nand stderr\n%q", file.String(), said.String())
		}
		if !strings.Contains(file.String(), "still working on letters/a[2J.txt") || strings.Contains(file.String(), "[====") {
			t.Errorf("the log is\n%s", file.String())
		}
	})
}
