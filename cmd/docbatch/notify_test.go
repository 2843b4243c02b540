package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"docbatch/jobs/sqlite"
)

// A listener is a service that is told how runs go.
type listener struct {
	url string

	mu   sync.Mutex
	sent []message
}

type message struct {
	path   string // with the query
	header http.Header
	body   string
}

// listen starts a listener that answers with a status.
func listen(t *testing.T, status int) *listener {
	l := &listener{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost {
			t.Errorf("%s, %v; want a POST", r.Method, err)
		}
		l.mu.Lock()
		l.sent = append(l.sent, message{r.URL.RequestURI(), r.Header, string(body)})
		l.mu.Unlock()
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

// paths are where was sent to, in order.
func (l *listener) paths() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var paths []string
	for _, m := range l.sent {
		paths = append(paths, m.path)
	}
	return paths
}

// last is what was sent last.
func (l *listener) last(t *testing.T) message {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.sent) == 0 {
		t.Fatal("nothing was sent")
	}
	return l.sent[len(l.sent)-1]
}

// command runs a command line in this process, with the variables of vars, and returns its exit code and what it printed.
func command(t *testing.T, vars map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, said syncBuffer
	code = execute(t.Context(), args, env{stdin: strings.NewReader(""), stdout: &out, stderr: &said,
		lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }})
	return code, out.String(), said.String()
}

// writeFile writes a file of a test.
func writeFile(t *testing.T, dir, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTellingFailsNoRun is services that fail: the run says so, ends as it would, and tells nobody the URLs.
func TestTellingFailsNoRun(t *testing.T) {
	l := listen(t, http.StatusNotFound)
	inbox, dir := writeDocuments(t, 3), t.TempDir()
	url := l.url + "/canary/path?key=canary"
	logFile := filepath.Join(dir, "job.log")
	var printed string
	for name, args := range map[string][]string{"plain": {"-v"}, "quiet": {"-q"}, "programs": {"--json"}} {
		args = append([]string{"run", inbox, "--demo", "--state", filepath.Join(dir, "job.db"), "-o", filepath.Join(dir, "out.jsonl"), "--ping", url,
			"--webhook", url, "--log-file", logFile, "--metrics", filepath.Join(dir, "job.prom")}, args...)
		code, stdout, stderr := command(t, map[string]string{webhookSecretVariable: "canary"}, args...)
		if code != exitOK {
			t.Errorf("%s: exit %d, want 0\n%s", name, code, stderr)
		}
		for _, want := range []string{"the ping could not be sent: answered 404 (see --ping)\n", "the webhook could not be sent: answered 404 (see --webhook)\n"} {
			if strings.Count(stderr, want) != 1 {
				t.Errorf("%s: want once %q in\n%s", name, want, stderr)
			}
		}
		printed += stdout + stderr
	}
	_, stdout, stderr := command(t, nil, "status", "--json", "--state", filepath.Join(dir, "job.db"))
	if printed += stdout + stderr; strings.Contains(printed, "canary") {
		t.Error("the URL or the secret was printed")
	}
	wantNowhere(t, dir, "canary")
}

// wantNowhere looks for a secret in the files of a folder.
func wantNowhere(t *testing.T, dir, secret string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWebhook is what the webhook of a run says, and that it is signed only with a secret.
func TestWebhook(t *testing.T) {
	lame := t.TempDir()
	writeFile(t, lame, "a.txt", "The letter says that the goods have arrived.")
	writeFile(t, lame, "scan.pdf", "%PDF-1.7")
	type told struct {
		Event    string           `json:"event"`
		Job      string           `json:"job"`
		Run      int              `json:"run"`
		Started  time.Time        `json:"started"`
		Ended    time.Time        `json:"ended"`
		Exit     int              `json:"exit"`
		Error    string           `json:"error"`
		Requests *int             `json:"requests"`
		Failures []sqlite.Failure `json:"failures"`
	}
	for name, tt := range map[string]struct {
		args   []string
		secret string
		want   told
		says   string
	}{
		"a run, signed":  {[]string{"--demo", lame}, "whsec_c2VjcmV0", told{Run: 1, Exit: 3, Requests: new(1), Failures: []sqlite.Failure{{Class: "invalid", Kind: "damaged", Count: 1}}}, ""},
		"a run":          {[]string{"--demo", filepath.Join(lame, "a.txt")}, "", told{Run: 1, Requests: new(1)}, ""},
		"none, no input": {[]string{"--demo", "nowhere"}, "", told{Exit: 2}, "nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, 202)
			args := append([]string{"run", "--webhook", l.url + "/hook", "--state", filepath.Join(t.TempDir(), "nightly.db")}, tt.args...)
			code, _, stderr := command(t, map[string]string{webhookSecretVariable: tt.secret}, args...)
			if got := l.paths(); code != tt.want.Exit || !slices.Equal(got, []string{"/hook"}) {
				t.Fatalf("exit %d, told %q\n%s", code, got, stderr)
			}
			m := l.last(t)
			var got told
			if err := json.Unmarshal([]byte(m.body), &got); err != nil {
				t.Fatal(err)
			}
			if got.Event != "summary" || got.Job != "nightly" || got.Run != tt.want.Run || got.Exit != tt.want.Exit || !strings.Contains(got.Error, tt.says) {
				t.Errorf("told %+v, want %+v", got, tt.want)
			}
			if (got.Requests == nil) != (tt.want.Requests == nil) || got.Requests != nil && *got.Requests != *tt.want.Requests {
				t.Errorf("told %s, want the requests of a run that began, and only of that", m.body)
			}
			if took := got.Ended.Sub(got.Started); got.Started.IsZero() || took < 0 || took > time.Minute {
				t.Errorf("from %v to %v", got.Started, got.Ended)
			}
			if len(got.Failures) != len(tt.want.Failures) || len(got.Failures) > 0 && (got.Failures[0].Kind != "damaged" || got.Failures[0].Count != 1) {
				t.Errorf("failures %+v, want %+v", got.Failures, tt.want.Failures)
			}
			if tt.secret == "" && m.header.Get("webhook-signature") != "" {
				t.Error("signed without a secret")
			} else if tt.secret != "" {
				wantSigned(t, "secret", m.header, []byte(m.body))
			}
		})
	}
}

// TestNotifySettings is settings that can't be meant, and that say so without telling a secret.
func TestNotifySettings(t *testing.T) {
	inbox, dir := writeDocuments(t, 1), t.TempDir()
	state := filepath.Join(dir, "job.db")
	for name, tt := range map[string]struct {
		args []string
		vars map[string]string
		says string
	}{
		"no URL":             {[]string{"--ping", "canary"}, nil, "--ping (or DOCBATCH_PING, or notify.ping in the job file) is not a URL such as https://HOST/PATH"},
		"no host":            {[]string{"--ping", "https:///canary"}, nil, "--ping (or"},
		"no such protocol":   {[]string{"--webhook", "ftp://example.com/canary"}, nil, "--webhook (or DOCBATCH_WEBHOOK"},
		"a broken URL":       {[]string{"--webhook", "https://example.com/%zz/canary"}, nil, "--webhook (or"},
		"by the environment": {nil, map[string]string{"DOCBATCH_PING": "canary"}, "--ping (or DOCBATCH_PING"},
		"a secret that is none": {[]string{"--webhook", "http://localhost/"}, map[string]string{webhookSecretVariable: "whsec_canary!"},
			"the secret of the webhook in the variable DOCBATCH_WEBHOOK_SECRET: it begins with whsec_"},
		"no secret where one is named": {[]string{"--webhook", "http://localhost/", "--webhook-secret-env", "HOOK"}, nil, "the variable HOOK is empty or not set"},
		"metrics of another name":      {[]string{"--metrics", filepath.Join(dir, "job.txt")}, nil, ".prom files only"},
		"metrics nowhere":              {[]string{"--metrics", filepath.Join(dir, "nowhere", "job.prom")}, nil, filepath.Join("nowhere", "job.prom")},
		"a log nowhere":                {[]string{"--log-file", filepath.Join(dir, "nowhere", "log")}, nil, "the log file: open"},
		"a log that is the state":      {[]string{"--log-file", state}, nil, "is the state too"},
		"a log that is an output":      {[]string{"--log-file", filepath.Join(dir, "a.csv"), "-o", filepath.Join(dir, "a.csv")}, nil, "is an output too"},
		"a log that is an input":       {[]string{"--log-file", filepath.Join(inbox, documentName(0)), filepath.Join(inbox, documentName(0))}, nil, "is an input too"},
		"a broken log that is one":     {[]string{"--log-file", filepath.Join(dir, "a.csv"), "-o", filepath.Join(dir, "a.csv"), "--workers", "0"}, nil, "--workers is 0"},
		"metrics that are the log":     {[]string{"--log-file", filepath.Join(inbox, "a.prom"), "--metrics", filepath.Join(inbox, "a.prom")}, nil, "is the log file too"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := command(t, tt.vars, append([]string{"run", "--demo", inbox, "--state", state}, tt.args...)...)
			if code != exitUsage || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit %d, want 2, and %q in\n%s", code, tt.says, stderr)
			}
			if strings.Contains(stderr, "canary") {
				t.Errorf("a secret is told:\n%s", stderr)
			}
		})
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("files were made: %v, %v", entries, err)
	}
	if b, err := os.ReadFile(filepath.Join(inbox, documentName(0))); err != nil || strings.Contains(string(b), "log file") {
		t.Errorf("the input was written to: %q, %v", b, err)
	}
}

// TestPingOfWrongSettings tells those who can be told of settings of others that can't be meant.
func TestPingOfWrongSettings(t *testing.T) {
	for name, args := range map[string][]string{
		"webhook": {"--webhook", "canary"},
		"secret":  {"--webhook", "http://localhost/", "--webhook-secret-env", "HOOK"},
		"metrics": {"--metrics", "job.txt"},
		"log":     {"--log-file", "nowhere/job.log"},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, 200)
			args := append([]string{"run", "--demo", "nowhere", "--ping", l.url}, args...)
			if code, _, stderr := command(t, nil, args...); code != exitUsage || !slices.Equal(l.paths(), []string{"/2"}) {
				t.Errorf("exit %d, told %q, want 2\n%s", code, l.paths(), stderr)
			}
		})
	}
}

// TestClosed is a state file that can't be closed after a run that ended one way or another.
func TestClosed(t *testing.T) {
	full := errors.New("no space left on device")
	for name, tt := range map[string]struct {
		err, closeErr error
		exit          int
		says          string // at once; what is returned is told later
	}{
		"all well":               {nil, nil, exitOK, ""},
		"it failed":              {&toldError{code: exitDocuments}, nil, exitDocuments, ""},
		"it can't be closed":     {nil, full, exitFailed, ""},
		"it failed, and neither": {&toldError{code: exitDocuments}, full, exitDocuments, "docbatch: close the state file: no space left on device\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var said syncBuffer
			file := &failing{}
			e := env{stderr: &said, log: &logFile{job: "night", file: file}}
			err := closed(e, tt.err, tt.closeErr)
			if exitCode(err) != tt.exit || said.String() != tt.says || (file.String() == "") != (tt.says == "") {
				t.Errorf("exit %d, said %q, log %q; want exit %d, said %q", exitCode(err), said.String(), file.String(), tt.exit, tt.says)
			}
			var told *toldError
			if tt.err == nil && tt.closeErr != nil && (errors.As(err, &told) || !errors.Is(err, full)) {
				t.Errorf("got %v, want what is still to be told", err)
			}
		})
	}
}

// TestEndThatBecomesAnother is a run that ended well until its state file was closed.
func TestEndThatBecomesAnother(t *testing.T) {
	l, dir := listen(t, 200), t.TempDir()
	prom := filepath.Join(dir, "job.prom")
	var said syncBuffer
	n := newNotifier(env{stderr: &said}, &job{name: "night", state: filepath.Join(dir, "job.db"),
		notify: notify{ping: l.url + "/ping", webhook: l.url + "/hook", metrics: prom}})
	n.conclude(&ending{run: 7, summary: &summary{Requests: 3}, words: []string{"3 documents: 3 answered"}})
	if got := readMetrics(t, prom)[`docbatch_run_exit_code{job="night"}`]; got != exitOK || len(l.paths()) != 0 {
		t.Errorf("exit code %v in the metrics, told %q; want 0, and nothing yet", got, l.paths())
	}
	n.end(closed(n.env, nil, errors.New("no space left on device")))
	if m := readMetrics(t, prom); m[`docbatch_run_exit_code{job="night"}`] != exitFailed || m[`docbatch_run_requests{job="night"}`] != 3 {
		t.Errorf("the metrics are %v, want exit code 1 and 3 requests", m)
	}
	for _, m := range l.sent {
		if m.path == "/hook" {
			var got struct {
				Exit, Run, Requests int
				Error               string
			}
			if err := json.Unmarshal([]byte(m.body), &got); err != nil || got.Exit != exitFailed || got.Run != 7 || got.Requests != 3 ||
				got.Error != "close the state file: no space left on device" {
				t.Errorf("the webhook is told %s, %v", m.body, err)
			}
		} else if m.path != "/ping/1" || m.body != "3 documents: 3 answered\nclose the state file: no space left on device" {
			t.Errorf("%s is told %q", m.path, m.body)
		}
	}
	if len(l.sent) != 2 {
		t.Errorf("told %q, want a ping and a webhook", l.paths())
	}
}

// TestNotifyOfJobFile takes the URLs and files from the job file, these relative to it, and the secret from .env.
func TestNotifyOfJobFile(t *testing.T) {
	l, dir := listen(t, 200), t.TempDir()
	writeFile(t, dir, "letter.txt", "The goods have arrived.")
	writeFile(t, dir, ".env", "HOOK=whsec_c2VjcmV0\n")
	file := writeFile(t, dir, "night.yaml", fmt.Sprintf(`name: night
inputs: [{path: ".", hidden: true, exclude: ["*.yaml"]}]
log_file: night.log
notify: {ping: "%s/ping", webhook: "%s/hook", webhook_secret_env: HOOK, metrics: night.prom}
`, l.url, l.url))
	for range 2 { // the files of the first run are no documents of the second
		code, _, stderr := command(t, nil, "run", "--demo", "-f", file)
		if code != exitOK || !strings.Contains(stderr, "1 document: 1 answered") {
			t.Fatalf("exit %d\n%s", code, stderr)
		}
	}
	got := l.paths()
	slices.Sort(got)
	if want := []string{"/hook", "/hook", "/ping/0", "/ping/0", "/ping/start", "/ping/start"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	for _, m := range l.sent {
		if m.path == "/hook" {
			wantSigned(t, "secret", m.header, []byte(m.body))
		}
	}
	for _, name := range []string{"night.log", "night.prom"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}
