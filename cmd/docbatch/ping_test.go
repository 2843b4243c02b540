package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline/agent/demo"
)

// TestPing is every way that a run ends: what the check is told, in which order.
func TestPing(t *testing.T) {
	inbox := writeDocuments(t, 3)
	lame := t.TempDir()
	writeFile(t, lame, "a.txt", "The letter says that the goods have arrived.")
	writeFile(t, lame, "scan.pdf", "%PDF-1.7")
	files := t.TempDir()
	broken := writeFile(t, files, "broken.yaml", "inputs: [inbox\n")
	promptless := writeFile(t, files, "promptless.yaml", "inputs: ["+inbox+"]\nprompt_file: gone.txt\n")
	for name, tt := range map[string]struct {
		args []string
		vars map[string]string
		exit int
		want []string
		says string // in the body of the last ping
	}{
		"answered":             {[]string{"--demo", inbox}, nil, 0, []string{"start", "0"}, "3 documents: 3 answered"},
		"nothing to say":       {[]string{"--demo", inbox, "--quiet"}, nil, 0, []string{"start", "0"}, "3 documents: 3 answered"},
		"for programs":         {[]string{"--demo", inbox, "--json"}, nil, 0, []string{"start", "0"}, "3 documents: 3 answered"},
		"documents failed":     {[]string{"--demo", lame}, nil, 3, []string{"start", "3"}, "\n         1  invalid (damaged), for example scan.pdf: "},
		"over budget":          {[]string{"--demo", inbox, "--max-requests", "1", "--workers", "1"}, nil, 5, []string{"start", "5"}, "stopped: "},
		"no key":               {[]string{inbox, "--agent", "analyst"}, nil, 4, []string{"4"}, "there is no key"},
		"no input":             {[]string{"--demo", "nowhere"}, nil, 2, []string{"2"}, "nowhere"},
		"a wrong prompt":       {[]string{"--demo", inbox, "--prompt", "{{.Text"}, nil, 2, []string{"2"}, "--prompt:1"},
		"no prompt":            {[]string{"--demo", inbox, "--prompt-file", "nowhere.txt"}, nil, 2, []string{"2"}, "nowhere.txt"},
		"a wrong flag":         {[]string{"--demo", inbox, "--sample", "-1"}, nil, 2, []string{"2"}, "--sample is -1"},
		"a wrong limit":        {[]string{"--demo", inbox, "--workers", "0"}, nil, 2, []string{"2"}, "--workers is 0"},
		"no such output":       {[]string{"--demo", inbox, "-o", "a.pdf"}, nil, 2, []string{"2"}, "a.pdf"},
		"no job file":          {[]string{"-f", "nowhere.yaml"}, nil, 2, []string{"2"}, "nowhere.yaml"},
		"a broken job file":    {[]string{"-f", broken}, nil, 2, []string{"2"}, "broken.yaml:"},
		"no prompt of its job": {[]string{"-f", promptless, "--demo"}, nil, 2, []string{"2"}, "gone.txt"},
		"an unknown flag":      {[]string{"--bogus"}, map[string]string{"DOCBATCH_PING": "PING"}, 2, []string{"2"}, "unknown flag: --bogus"},
		"a plan's flag":        {[]string{"--dry-run", "--bogus"}, map[string]string{"DOCBATCH_PING": "PING"}, 2, nil, ""},
		"nothing is sent":      {[]string{"--demo", inbox, "--dry-run"}, nil, 0, nil, ""},
		"by the environment":   {[]string{"--demo", inbox}, map[string]string{"DOCBATCH_PING": "PING"}, 0, []string{"start", "0"}, "3 answered"},
		"by it, no job file":   {[]string{"-f", "nowhere.yaml"}, map[string]string{"DOCBATCH_PING": "PING"}, 2, []string{"2"}, "nowhere.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			l, dir := listen(t, 200), t.TempDir()
			url := l.url + "/ping/canary/?rid=7"
			args := append([]string{"run"}, tt.args...)
			if _, ok := tt.vars["DOCBATCH_PING"]; ok {
				tt.vars["DOCBATCH_PING"] = url
			} else {
				args = append(args, "--ping", url)
			}
			code, stdout, stderr := command(t, tt.vars, append(args, "--state", filepath.Join(dir, "job.db"))...)
			if code != tt.exit {
				t.Errorf("exit %d, want %d\n%s", code, tt.exit, stderr)
			}
			var want []string
			for _, event := range tt.want {
				want = append(want, "/ping/canary/"+event+"?rid=7")
			}
			if got := l.paths(); !slices.Equal(got, want) {
				t.Fatalf("told %q, want %q\n%s", got, want, stderr)
			}
			if len(want) > 0 && !strings.Contains(l.last(t).body, tt.says) {
				t.Errorf("the body lacks %q: %q", tt.says, l.last(t).body)
			}
			if strings.Contains(stdout+stderr, "canary") {
				t.Errorf("the URL is told:\n%s%s", stdout, stderr)
			}
		})
	}
}

// TestPingOfTheSecondRun has nothing of a start: that would begin anew what the service times for the run that goes on.
func TestPingOfTheSecondRun(t *testing.T) {
	state := filepath.Join(t.TempDir(), "job.db")
	held, err := sqlite.Open(t.Context(), state, sqlite.Options{Command: "docbatch run"})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	prom := writeFile(t, t.TempDir(), "job.prom", "of the run that goes on\n")
	l := listen(t, 200)
	code, _, stderr := command(t, nil, "run", "--demo", writeDocuments(t, 1), "--state", state, "--ping", l.url, "--metrics", prom)
	if got := l.paths(); code != exitLocked || !slices.Equal(got, []string{"/11"}) || !strings.Contains(l.last(t).body, "pid") {
		t.Errorf("exit %d, told %q; want 11 and nothing else\n%s", code, got, stderr)
	}
	code, _, stderr = command(t, nil, "run", "--demo", "nowhere", "--state", state, "--ping", l.url, "--metrics", prom)
	if got := l.paths(); code != exitUsage || !slices.Equal(got, []string{"/11", "/2"}) {
		t.Errorf("exit %d, told %q; want 2 of one that does not get as far as the lock\n%s", code, got, stderr)
	}
	if b, err := os.ReadFile(prom); err != nil || string(b) != "of the run that goes on\n" {
		t.Errorf("the metrics of the run that goes on became %q, %v", b, err)
	}
}

// TestPingFindsTheStateFree is a service that begins the next run as soon as it is told that this one is over.
func TestPingFindsTheStateFree(t *testing.T) {
	dir := t.TempDir()
	state, prom := filepath.Join(dir, "job.db"), filepath.Join(dir, "job.prom")
	var holder string
	var metrics []byte
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/0" {
			holder, _ = sqlite.Holder(state)
			metrics, _ = os.ReadFile(prom)
		}
	}))
	defer service.Close()
	if code, _, stderr := command(t, nil, "run", "--demo", writeDocuments(t, 1), "--state", state, "--metrics", prom, "--ping", service.URL); code != exitOK {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	if holder != "" {
		t.Errorf("it is told while %s holds the state", holder)
	}
	if got := parseMetrics(t, string(metrics)); got[`docbatch_run_success_timestamp_seconds{job="job"}`] == 0 {
		t.Errorf("it is told before the metrics tell it: %v", got)
	}
}

// TestPingOfBrokenJob is job files that can't be used; who is told of it stands beside them, or in what can be read of them.
func TestPingOfBrokenJob(t *testing.T) {
	for name, tt := range map[string]struct {
		dotenv, job string
		want        []string
	}{
		"URL in .env":           {"DOCBATCH_PING=URL", "inputs: [inbox\n", []string{"/2"}},
		"beside a broken line":  {"A=1\n'canary\nDOCBATCH_PING=URL\nB=2\n", "inputs: [inbox]\n", []string{"/2"}},
		"URL in the job file":   {"", "notify: {ping: URL}\npromt: x\n", []string{"/2"}},
		"in both, and both bad": {"DOCBATCH_PING=URL/env\n'canary", "notify: {ping: URL/job}\nlimits: {workers: many}\n", []string{"/env/2"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, dir := listen(t, 200), t.TempDir()
			writeFile(t, dir, ".env", strings.ReplaceAll(tt.dotenv, "URL", l.url))
			file := writeFile(t, dir, "night.yaml", strings.ReplaceAll(tt.job, "URL", l.url))
			code, stdout, stderr := command(t, nil, "run", "--demo", "-f", file)
			if got := l.paths(); code != exitUsage || !slices.Equal(got, tt.want) {
				t.Errorf("exit %d, told %q, want %q\n%s", code, got, tt.want, stderr)
			}
			if strings.Contains(stdout+stderr+l.last(t).body, "canary") {
				t.Errorf("a line of .env is told:\n%s%s", stdout, stderr)
			}
		})
	}
}

// TestPingOfDamage is a state file that is none.
func TestPingOfDamage(t *testing.T) {
	l, dir := listen(t, 200), t.TempDir()
	state := writeFile(t, dir, "job.db", strings.Repeat("not a state file ", 1000))
	code, _, stderr := command(t, nil, "run", "--demo", writeDocuments(t, 1), "--state", state, "--ping", l.url, "--metrics", filepath.Join(dir, "job.prom"))
	if got := l.paths(); code != exitState || !slices.Equal(got, []string{"/10"}) {
		t.Errorf("exit %d, told %q, want 10\n%s", code, got, stderr)
	}
	m := readMetrics(t, filepath.Join(dir, "job.prom"))
	if got := m[`docbatch_run_exit_code{job="job"}`]; got != 10 {
		t.Errorf("exit code %v in the metrics, want 10", got)
	}
}

// panicking is a stderr that panics once, at a line.
type panicking struct {
	syncBuffer
	at   string
	over bool
}

func (p *panicking) Write(b []byte) (int, error) {
	if !p.over && strings.Contains(string(b), p.at) {
		p.over = true
		panic("canary")
	}
	return p.syncBuffer.Write(b)
}

// TestPingOfPanic is a bug of ours: the run fails, as a run does.
func TestPingOfPanic(t *testing.T) {
	l, said, dir := listen(t, 200), &panicking{at: "asking"}, t.TempDir()
	state, prom := filepath.Join(dir, "job.db"), filepath.Join(dir, "job.prom")
	code := execute(t.Context(), []string{"run", "--demo", writeDocuments(t, 1), "--state", state, "--ping", l.url, "--metrics", prom},
		env{stdout: io.Discard, stderr: said, lookup: func(string) (string, bool) { return "", false }})
	if got := l.paths(); code != exitFailed || !slices.Equal(got, []string{"/1"}) {
		t.Errorf("exit %d, told %q, want 1", code, got)
	}
	if holder, err := sqlite.Holder(state); holder != "" || err != nil {
		t.Errorf("the state is still held by %q, %v", holder, err)
	}
	if m := readMetrics(t, prom); m[`docbatch_run_exit_code{job="job"}`] != exitFailed {
		t.Errorf("the metrics are %v, want exit code 1", m)
	}
	if !strings.Contains(said.String(), "panic: canary") || !strings.Contains(said.String(), "This is a bug in docbatch") {
		t.Errorf("it is not told as a bug: %s", said.String())
	}
}

// TestPingOfSignal is a run that is told to stop, as a process.
func TestPingOfSignal(t *testing.T) {
	l, j := listen(t, 200), &journal{}
	dir := t.TempDir()
	cmd := process(dir, append(runArgs(writeDocuments(t, 50), startAgent(t, demo.Options{Latency: 100 * time.Millisecond, Journal: j})), "--ping", l.url)...)
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for waited := time.Now(); len(j.entries(t)) == 0 && time.Since(waited) < 20*time.Second; {
		time.Sleep(time.Millisecond) // until the agent has been asked
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got, want := l.paths(), []string{"/start", "/143"}; !slices.Equal(got, want) || cmd.ProcessState.ExitCode() != exitTerminated {
		t.Errorf("exit %d, told %q, want %q\n%s", cmd.ProcessState.ExitCode(), got, want, out.String())
	}
	if body := l.last(t).body; !strings.Contains(body, "stopped: terminated") {
		t.Errorf("the body does not say why it ended: %q", body)
	}
}

// TestPingThatHangsAtTheSecondSignal is a service that does not answer: a run that has to end now waits no longer than a second for it.
func TestPingThatHangsAtTheSecondSignal(t *testing.T) {
	over := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer hanging.Close()
	defer close(over)
	var out syncBuffer
	j, dir := &journal{}, t.TempDir()
	cmd := process(dir, append(runArgs(writeDocuments(t, 2), startAgent(t, demo.Options{Latency: time.Minute, Journal: j})), "--ping", hanging.URL)...)
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for waited := time.Now(); len(j.entries(t)) == 0 && time.Since(waited) < 20*time.Second; {
		time.Sleep(time.Millisecond) // until the agent has been asked
	}
	for range 2 {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(sameSignal + 200*time.Millisecond) // a second signal is a new one only after that
	}
	began := time.Now()
	_ = cmd.Wait()
	if took := time.Since(began); cmd.ProcessState.ExitCode() != exitTerminated || took > postTimeout {
		t.Errorf("exit %d after %v, want 143 within about a second", cmd.ProcessState.ExitCode(), took)
	}
	if want := "the ping could not be sent: no answer in time"; !strings.Contains(out.String(), want) { // else it was cut off
		t.Errorf("want %q in\n%s", want, out.String())
	}
}

// TestPingOfTheEndComesLast is a service that takes its time for the start of a run that is over at once.
func TestPingOfTheEndComesLast(t *testing.T) {
	var events syncBuffer
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/start" {
			time.Sleep(500 * time.Millisecond) // what it does meanwhile is its own affair
		}
		_, _ = events.Write([]byte(r.URL.Path + " "))
	}))
	defer slow.Close()
	began := time.Now()
	code, _, stderr := command(t, nil, "run", "--demo", writeDocuments(t, 1), "--state", filepath.Join(t.TempDir(), "job.db"), "--ping", slow.URL)
	if got := events.String(); code != exitOK || got != "/start /0 " {
		t.Errorf("exit %d after %v, told %q, want the start first\n%s", code, time.Since(began), got, stderr)
	}
}

// TestPingBodyIsBounded is a summary of many long causes.
func TestPingBodyIsBounded(t *testing.T) {
	p := (ping{&url.URL{}}).post("0", strings.Repeat("é\x1b", maxPingBody))
	if n := len(p.body); n > maxPingBody || n < maxPingBody/2 || bytes.ContainsRune(p.body, '\x1b') || bytes.ContainsRune(p.body, '\ufffd') {
		t.Errorf("%d bytes, want whole letters in at most %d, and nothing that moves a cursor", n, maxPingBody)
	}
}
