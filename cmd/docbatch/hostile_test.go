package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/pipeline/agent/demo"
)

// evil moves the cursor, sets a title, changes colours, turns the direction of writing, and forges a line.
const evil = "\x1b[2J\x1b]0;pwned\a\u009b31m\u0085\x7f\r\u202e\u2066\u200f\u061c\u200b\u2060\ufeff\u00ad\U000e0041\u2028\u2029\ndocbatch: 9 answered"

// wantSeen fails where a terminal would act on something in out instead of showing it.
func wantSeen(t *testing.T, what, out string) {
	t.Helper()
	for i, r := range out {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || strings.HasPrefix(out[i:], "\ndocbatch: 9 answered") {
			t.Errorf("%s: %U at %q", what, r, out[max(0, i-40):min(len(out), i+40)])
			return
		}
	}
}

// hostileAgent answers, or refuses, with words of an attacker. A sequence is cut in two by the pieces of a stream.
func hostileAgent(t *testing.T) (baseURL string) {
	t.Helper()
	inJSON := strings.NewReplacer(`\a`, `\u0007`, `\x1b`, `\u001b`, `\x7f`, `\u007f`, `\U000e0041`, `\udb40\udc41`)
	sentence := inJSON.Replace(strconv.QuoteToASCII(evil))
	quoted := strings.Replace(sentence, `\ndocbatch:`, " =1+1 red", 1) // an answer has lines of its own
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil:
			return
		case bytes.Contains(body, []byte("refuse")):
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprintf(w, `{"error":{"message":%s,"code":%s}}`, sentence, sentence)
		case bytes.Contains(body, []byte("redirect")):
			w.Header().Set("Location", "https://evil.example/\x1b[2J?"+evil)
			w.WriteHeader(http.StatusFound)
		case bytes.Contains(body, []byte(`"stream":true`)):
			w.Header().Set("Content-Type", "text/event-stream")
			for _, piece := range []string{`"\u001b"`, `"[31mred\u00c2"`, `"\u009b31m\u20"`, quoted} {
				fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%s}}]}\n\n", piece)
			}
			fmt.Fprintf(w, "data: {\"model\":%s,\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", quoted)
		default:
			fmt.Fprintf(w, `{"model":%s,"choices":[{"message":{"content":%s},"finish_reason":%s}]}`, quoted, quoted, quoted)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v1"
}

// hostileInbox has files and rows whose names, cells, keys and columns are an attacker's.
func hostileInbox(t *testing.T) (folder, rows string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("other systems refuse such names")
	}
	dir := t.TempDir()
	folder, rows = filepath.Join(dir, "in"+evil), filepath.Join(dir, "rows"+evil+".csv")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"a" + evil + ".txt": "Text " + evil, "b" + evil + "\xff.txt": "\x01\x02", "c" + evil: "refuse", "-rf": "x", "=cmd": "y",
		strings.Repeat("n", 251) + ".txt": "z", "%1B%0A": "w",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cell := `"` + evil + `"`
	table := "key," + strings.ReplaceAll(evil, "\n", "") + ",text\n" + cell + "," + cell + ",Row " + cell[1:len(cell)-1] + "\nragged\n\"\x1b2\",,refuse\n"
	table = strings.Replace(table, "Row "+evil, `"Row `+evil+`"`, 1)
	if err := os.WriteFile(rows, []byte(table), 0o644); err != nil {
		t.Fatal(err)
	}
	return folder, rows
}

// TestNothingControlsTheTerminal shows all that is printed for people when documents, names and the agent are an attacker's.
func TestNothingControlsTheTerminal(t *testing.T) {
	folder, rows := hostileInbox(t)
	base, dir := hostileAgent(t), t.TempDir()
	run := func(args ...string) (code int, out string) {
		t.Helper()
		code, out = exitOf(t, process(dir, args...))
		wantSeen(t, strings.Join(args, " "), out)
		return code, out
	}
	flags := []string{"--agent", "a" + evil, "--base-url", base}
	for _, more := range [][]string{{"-v"}, {"--dry-run"}, {"-o", "out.csv", "-o", "out.xlsx", "-o", "out.jsonl"}, {"--key", "none" + evil}} {
		run(append(append([]string{"run", folder, rows, "--text", "text", "--state", fmt.Sprint(len(more[0])) + ".db"}, flags...), more...)...)
	}
	code, out := run(append([]string{"run", folder, rows, "--key", "key", "--text", "text"}, flags...)...)
	if code != exitDocuments || !strings.Contains(out, "failed") {
		t.Errorf("exit %d, want %d\n%s", code, exitDocuments, out)
	}
	run("status")
	for _, id := range idsIn(t, filepath.Join(dir, defaultState)) {
		if code, out := run("show", "--", id); code != exitOK || !strings.Contains(out, "state:") {
			t.Errorf("show %q: exit %d\n%s", id, code, out)
		}
	}
	run("show", "--", "none"+evil)
	run("retry", "--", "none"+evil)
	run(append([]string{"ask", "hello" + evil}, flags...)...)
	if _, out := run(append([]string{"ask", "hello"}, flags...)...); !strings.Contains(out, "[31mred") {
		t.Errorf("the answer is not there: %s", out)
	}
	run(append([]string{"ask", "--no-stream", "hello"}, flags...)...)
	run(append([]string{"ask", "refuse"}, flags...)...)
	run(append([]string{"ask", "redirect"}, flags...)...)
	run("none" + evil)
	run("run", folder+"/none", "--demo")
	run("run", folder, "--demo", "-o", "x"+evil)
	run("run", folder, "--demo", "--prompt", "{{.None"+evil)
	run("export", "--format", "jsonl")
	for _, args := range [][]string{{"status"}, {"show", "--", idsIn(t, filepath.Join(dir, defaultState))[1]}, append([]string{"run", folder, rows}, flags...),
		append([]string{"run", folder, rows, "--dry-run", "--state", "new.db"}, flags...)} {
		_, out := run(append([]string{args[0], "--json"}, args[1:]...)...)
		for line := range strings.Lines(out) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%v: not JSON: %q", args, line)
			}
		}
	}
}

// TestExportOnATerminal shows CSV, which holds what the documents hold, to a person.
func TestExportOnATerminal(t *testing.T) {
	script, err := exec.LookPath("script")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("needs script(1) of util-linux for a terminal")
	}
	folder, rows := hostileInbox(t)
	dir := t.TempDir()
	if _, out := exitOf(t, process(dir, "run", folder, rows, "--agent", "a", "--base-url", hostileAgent(t))); !strings.Contains(out, "answered") {
		t.Fatal(out)
	}
	inner := process(dir)
	cmd := exec.Command(script, "-qec", `"$DOCBATCH" export`, os.DevNull)
	cmd.Dir, cmd.Env = dir, append(inner.Env, "DOCBATCH="+inner.Path, "TERM=xterm")
	code, out := exitOf(t, cmd)
	if code != exitOK || !strings.Contains(out, "id,name,") {
		t.Errorf("exit %d\n%s", code, out)
	}
	for i, r := range strings.ReplaceAll(out, "\r\n", "\n") {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			t.Fatalf("%U at %d", r, i)
		}
	}
}

// TestPrinted writes a text in pieces of every size.
func TestPrinted(t *testing.T) {
	const text, want = "é\u009b請\x1b[2J👍\u202e\xff!", "é請[2J👍\ufffd!"
	for size := 1; size <= len(text); size++ {
		var b bytes.Buffer
		p := &printed{out: &b}
		for piece := range slices.Chunk([]byte(text), size) {
			if n, err := p.Write(piece); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
		}
		if b.String() != want {
			t.Errorf("in pieces of %d: got %q, want %q", size, b.String(), want)
		}
	}
}

// TestEscapeUnseen leaves JSON what it was.
func TestEscapeUnseen(t *testing.T) {
	in := `{"a":"é\u001b` + "\u009b\x7f\u202e\U000e0041👍" + `"}` + "\n"
	want := `{"a":"é\u001b\u009b\u007f\u202e\udb40\udc41👍"}` + "\n"
	if got := string(escapeUnseen([]byte(in))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func idsIn(t *testing.T, state string) (ids []string) {
	t.Helper()
	r, err := sqlite.OpenReader(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for rec, err := range r.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, rec.ID)
	}
	return ids
}

// ours are the only sequences that docbatch itself writes, to draw its bar.
var ours = regexp.MustCompile(`\r[^\r\n\x1b]*\x1b\[K|\r\x1b\[K|\r\n`)

// TestNothingControlsTheBar is the same on a terminal, where a bar is drawn.
func TestNothingControlsTheBar(t *testing.T) {
	script, err := exec.LookPath("script")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("needs script(1) of util-linux for a terminal")
	}
	folder, rows := hostileInbox(t)
	base := startAgent(t, demo.Options{Latency: 100 * time.Millisecond})
	inner := process(t.TempDir(), "run", folder, rows, "--agent", "a", "--base-url", base, "--workers", "1")
	cmd := exec.Command(script, "-qec", `"$DOCBATCH" run "$FOLDER" "$ROWS" --agent a --base-url "$BASE" --workers 1`, os.DevNull)
	cmd.Dir = inner.Dir
	cmd.Env = append(inner.Env, "DOCBATCH="+inner.Path, "FOLDER="+folder, "ROWS="+rows, "BASE="+base, "TERM=xterm")
	_, out := exitOf(t, cmd)
	if !strings.Contains(out, clearLine) {
		t.Fatalf("no bar was drawn:\n%q", out)
	}
	for ours.MatchString(out) {
		out = ours.ReplaceAllString(out, "\n")
	}
	wantSeen(t, "the bar", out)
}

// TestPrintableHostile is what is printed of text that can't be trusted.
func TestPrintableHostile(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"all of it", "a" + evil, "a[2J]0;pwned31m  \ndocbatch: 9 answered"},
		{"words stay apart", "one\u2028two\u2029three", "one two three"},
		{"not UTF-8", "a\xff\xc3\x9b", "a\ufffdÛ"},
		{"text", "é 請求 👍 שלום\u00a0x\ty\n", "é 請求 👍 שלום\u00a0x\ty\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := printable(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	for n := range 40 {
		wantSeen(t, "one line", oneLine("\x1b[31m\u202e"+evil, n))
	}
}

// TestResponseOfGigabytes has an agent that answers with more than a machine can hold: the run says why, in little memory.
func TestResponseOfGigabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("sends gigabytes")
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, `{"choices":[{"message":{"content":"`)
	piece := strings.Repeat("a", 1<<20)
	for range 1 << 10 {
		io.WriteString(z, piece)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		stream bool
	}{
		"gzip bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(packed.Bytes())
		}, false},
		"endless answer": {func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"choices":[{"message":{"content":"`)
			for r.Context().Err() == nil {
				io.WriteString(w, piece)
			}
		}, false},
		"endless error": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			for r.Context().Err() == nil {
				io.WriteString(w, piece)
			}
		}, false},
		"endless stream": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for r.Context().Err() == nil {
				fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%q}}]}\n\n", piece[:1<<10])
			}
		}, true},
		"endless line of a stream": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: ")
			for r.Context().Err() == nil {
				io.WriteString(w, piece)
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				io.Copy(io.Discard, r.Body)
				tt.answer(w, r)
			}))
			defer server.Close()
			inbox, dir := writeDocuments(t, 4), t.TempDir()
			cmd := process(dir, "run", inbox, "--agent", "a", "--base-url", server.URL+"/v1", "--workers", "4", "--attempts", "2", "--give-up-after", "2s", "--stream="+fmt.Sprint(tt.stream))
			code, out := exitOf(t, cmd)
			if code == exitOK || !strings.Contains(out, "answered") {
				t.Errorf("exit %d\n%s", code, out)
			}
			counts := countsIn(t, filepath.Join(dir, defaultState))
			if counts.Done+counts.Truncated != 0 || counts.Total() != 4 {
				t.Errorf("%+v, want 4 without an answer", counts)
			}
			rss := maxRSS(cmd)
			if rss > 150<<20 {
				t.Errorf("%d MiB, want at most 150", rss>>20)
			}
			t.Logf("%d MiB, %d requests, exit %d: %s", rss>>20, requests.Load(), code, causesIn(t, filepath.Join(dir, defaultState)))
		})
	}
}

func causesIn(t *testing.T, state string) string {
	t.Helper()
	r, err := sqlite.OpenReader(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	causes, err := r.Failures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range causes {
		fmt.Fprintf(&b, "%d %s %s: %s; ", c.Count, c.Class, c.Kind, c.Message)
	}
	return b.String()
}

// TestFileThatGrows has a document that is written all the time: it fails with a reason, the others are answered, and its turn comes once it rests.
func TestFileThatGrows(t *testing.T) {
	inbox, dir := writeDocuments(t, 5), t.TempDir()
	path := filepath.Join(inbox, documentName(2))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(8 << 20); err != nil { // reading it takes longer than a busy machine may keep all the writers waiting
		t.Fatal(err)
	}
	end := make(chan struct{})
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
					io.WriteString(f, "More. ")
				}
			}
		})
	}
	args := []string{"run", inbox, "--demo"}
	code, out := exitOf(t, process(dir, args...))
	close(end)
	writers.Wait()
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, defaultState)
	if counts := countsIn(t, state); code != exitDocuments || counts.Done != 4 || counts.Failed != 1 {
		t.Errorf("exit %d, %+v\n%s", code, counts, out)
	}
	if causes := causesIn(t, state); !strings.Contains(causes, string(pipeline.Transient)+" "+pipeline.KindRead) || !strings.Contains(causes, "changed while it was read") {
		t.Errorf("the cause is %s", causes)
	}
	if code, out := exitOf(t, process(dir, args...)); code != exitOK {
		t.Errorf("when it rests: exit %d\n%s", code, out)
	}
}
