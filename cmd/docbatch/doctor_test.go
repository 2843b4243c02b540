package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/pipeline/prompt"
)

// examine runs docbatch doctor with no variables set but the key's.
func examine(t *testing.T, args ...string) (found []finding, exit int) {
	t.Helper()
	var out, errs bytes.Buffer
	e := env{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, lookup: func(name string) (string, bool) {
		if name == keyVariable {
			return testKey, true
		}
		return "", false
	}}
	exit = execute(t.Context(), append([]string{"doctor", "--json"}, args...), e)
	var told struct{ Findings []finding }
	if err := json.Unmarshal(out.Bytes(), &told); err != nil {
		t.Fatalf("%v: %s%s", err, &out, &errs)
	}
	if strings.Contains(out.String()+errs.String(), testKey) {
		t.Errorf("the key is told: %s%s", &out, &errs)
	}
	for _, f := range told.Findings {
		if (f.Status == statusOK) != (f.Next == "") || (f.Status == statusError) != (f.Exit != 0) {
			t.Errorf("%s %s %q: got next step %q and exit %d", f.Status, f.Check, f.Found, f.Next, f.Exit)
		}
	}
	return told.Findings, exit
}

// of gives what was found by one check, without what is well.
func of(found []finding, check string) (told []string) {
	for _, f := range found {
		if f.Check == check && f.Status != statusOK {
			told = append(told, f.Status+": "+f.Found)
		}
	}
	return told
}

// wantTold compares what is told, each by its beginning.
func wantTold(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// snapshot is all below a folder: what is in each file, and when it was written.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = fmt.Sprint(info.ModTime().UnixNano(), info.Mode(), b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDoctorLeavesNoTrace looks at all files before and after.
func TestDoctorLeavesNoTrace(t *testing.T) {
	inputs := writeDocuments(t, 3)
	run := func(t *testing.T, state string) {
		if exit := execute(t.Context(), []string{"run", "--demo", "--quiet", "--state", state, inputs}, env{
			stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, lookup: func(string) (string, bool) { return "", false },
		}); exit != exitOK {
			t.Fatalf("run ended with %d", exit)
		}
	}
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, state string)
	}{
		{"no state file", func(*testing.T, string) {}},
		{"a finished one", run},
		{"one that readers left an empty log beside", func(t *testing.T, state string) {
			run(t, state)
			r, err := sqlite.OpenReader(t.Context(), state)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}},
		{"an empty file", func(t *testing.T, state string) {
			if err := os.WriteFile(state, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			state := filepath.Join(dir, "state.db")
			tt.prepare(t, state)
			before := snapshot(t, dir)
			examine(t, "--demo", "--online", "--state", state, "-o", filepath.Join(dir, "out.csv"), "-o", filepath.Join(dir, "out.xlsx"),
				"--metrics", filepath.Join(dir, "m.prom"), "--log-file", filepath.Join(dir, "log"), inputs)
			after := snapshot(t, dir)
			delete(before, state+"-shm") // of a file that others may have open, SQLite notes there that it is read
			delete(after, state+"-shm")
			if !maps.Equal(before, after) {
				t.Errorf("before: %q\nafter: %q, or what is in them", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
			}
		})
	}
}

func TestDoctorLock(t *testing.T) {
	inputs, state := writeDocuments(t, 1), filepath.Join(t.TempDir(), "state.db")
	store, err := sqlite.Open(t.Context(), state, sqlite.Options{Command: "docbatch run"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, exit := examine(t, "--demo", "--state", state, inputs)
	wantTold(t, "while a run goes on", of(found, "lock"), "warning: held by docbatch run, pid ")
	wantTold(t, "while a run goes on", of(found, "last run"))
	if exit != exitOK {
		t.Errorf("while a run goes on: got exit %d, want %d", exit, exitOK)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	found, _ = examine(t, "--demo", "--state", state, inputs)
	wantTold(t, "after it died", of(found, "lock"))
	wantTold(t, "after it died", of(found, "last run"), "warning: run 1, since ")
}

// TestDoctorState has state files that no run can use, or that runs ended badly with.
func TestDoctorState(t *testing.T) {
	inputs := writeDocuments(t, 1)
	ended := func(exit int, cause string) func(*testing.T, string) {
		return func(t *testing.T, state string) {
			store, err := sqlite.Open(t.Context(), state, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			lease, err := store.Join(t.Context())
			if err == nil {
				err = store.EndRun(t.Context(), lease.Owner(), exit, summary{Exit: exit, Error: cause})
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name, check string
		prepare     func(t *testing.T, state string)
		want        []string
		exit        int
		says        string
	}{
		{"sound", "state", ended(exitOK, ""), nil, exitOK, ""},
		{"a folder", "state", func(t *testing.T, state string) {
			if err := os.Mkdir(state, 0o700); err != nil {
				t.Fatal(err)
			}
		}, []string{"error: state.db is not a docbatch state file"}, exitState, ""},
		{"lost what was stored", "state", func(t *testing.T, state string) {
			ended(exitOK, "")(t, state)
			if err := os.Truncate(state, 0); err != nil {
				t.Fatal(err)
			}
		}, []string{"error: state.db is damaged: it lost something"}, exitState, ""},
		{"ended by a budget", "last run", ended(exitQuota, "the budget is used up"), nil, exitOK, ", exit 5: the budget is used up"},
		{"ended by a key", "last run", ended(exitKey, "the service refused the key\nfor good"), []string{"warning: run 1, 2"}, exitOK, ", exit 4: the service refused the key for good"},
		{"documents failed", "last run", ended(exitDocuments, ""), []string{"warning: run 1, "}, exitOK, ", exit 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			state := filepath.Join(t.TempDir(), "state.db")
			tt.prepare(t, state)
			found, exit := examine(t, "--demo", "--state", state, inputs)
			wantTold(t, tt.check, of(found, tt.check), tt.want...)
			if exit != tt.exit {
				t.Errorf("got exit %d, want %d", exit, tt.exit)
			}
			if tt.says != "" && !slices.ContainsFunc(found, func(f finding) bool { return f.Check == tt.check && strings.HasSuffix(f.Found, tt.says) }) {
				t.Errorf("got %+v, want %q told", found, tt.says)
			}
		})
	}
}

func TestJudgeSpace(t *testing.T) {
	for _, tt := range []struct {
		name   string
		free   uint64
		state  int64
		status string
	}{
		{"plenty", 10 << 30, 1 << 20, statusOK},
		{"1 GiB", 1 << 30, 0, statusOK},
		{"less than 1 GiB", 1<<30 - 1, 0, statusWarning},
		{"less than twice the state file", 3 << 30, 2 << 30, statusWarning},
		{"100 MiB", 100 << 20, 0, statusWarning},
		{"less than 100 MiB", 100<<20 - 1, 0, statusError},
		{"none", 0, 0, statusError},
	} {
		got := judgeSpace("/srv", tt.free, tt.state)
		if got.Status != tt.status || (got.Status == statusError) != (got.Exit == exitFailed) || (got.Status == statusOK) != (got.Next == "") {
			t.Errorf("%s: got %+v, want %s", tt.name, got, tt.status)
		}
	}
}

func TestBytesInWords(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 << 20: "5.0 MiB", 70 << 30: "70.0 GiB", 3 << 40: "3.0 TiB"} {
		if got := bytesInWords(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestWrapped(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		width      int
		want       []string
	}{
		{"no terminal", strings.Repeat("word ", 40) + "end", -22, []string{strings.Repeat("word ", 40) + "end"}},
		{"fits", "twenty characters ok", 20, []string{"twenty characters ok"}},
		{"breaks between words", "twenty characters and more", 20, []string{"twenty characters", "and more"}},
		{"a word that is too long", strings.Repeat("x", 30), 20, []string{strings.Repeat("x", 30)}},
		{"letters of several bytes", "éééééééééé éééééééééé é", 21, []string{"éééééééééé éééééééééé", "é"}},
		{"a word that is too long, and more", strings.Repeat("x", 30) + " and so on", 20, []string{strings.Repeat("x", 30), "and so on"}},
		{"lines", "a\nb", 20, []string{"a", "b"}},
	} {
		if got := wrapped(tt.text, tt.width); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestDoctorWritten has files that a run is to write to, and can't.
func TestDoctorWritten(t *testing.T) {
	dir := t.TempDir()
	found, exit := examine(t, "--demo", "--state", filepath.Join(dir, "none", "s.db"), "--log-file", dir, "--metrics", filepath.Join(dir, "none", "m.prom"),
		"--webhook", "http://192.0.2.1/hook", "-o", filepath.Join(dir, "o.csv"), "-o", filepath.Join(dir, ".", "o.csv"), writeDocuments(t, 1))
	wantTold(t, "state", of(found, "state"), "error: the folder of the state file: ")
	wantTold(t, "output", of(found, "output"), "error: the output "+filepath.Join(dir, "o.csv")+" is named twice")
	wantTold(t, "log file", of(found, "log file"), "error: open "+dir+": is a directory")
	wantTold(t, "metrics", of(found, "metrics"), "error: open "+filepath.Join(dir, "none"))
	wantTold(t, "webhook", of(found, "webhook"), "warning: it goes unencrypted", "warning: it is not signed")
	if exit != exitUsage {
		t.Errorf("got exit %d, want %d", exit, exitUsage)
	}
}

func TestPlacesPrinted(t *testing.T) {
	file := pipeline.Document{Ref: pipeline.Ref{Source: "inbox", ID: "a.txt", Name: "a.txt"}, Path: "inbox/a.txt", Text: "text"}
	row := pipeline.Document{Ref: pipeline.Ref{Source: "t.csv", ID: "7", Name: "t.csv row 7", Row: 7}, Path: "t.csv", Text: "text"}
	keyed := row
	keyed.ID = "T-1"
	for _, tt := range []struct {
		name, prompt string
		doc          pipeline.Document
		want         []string
	}{
		{"the default", "", file, nil},
		{"text alone", "Sum up {{.Text}}", row, nil},
		{"all of a file's", "{{.ID}} {{.Name}} {{.Path}} {{.Source}}", file, []string{"{{.Name}}", "{{.Path}}", "{{.Source}}", "{{.ID}}"}},
		{"a row's number", "{{.Row}} {{.ID}}", row, []string{"{{.Row}}", "{{.ID}}"}},
		{"a row's key", "{{.ID}}", keyed, nil},
		{"where it changes nothing", `{{if .Name}}a{{else}}b{{end}}`, file, nil},
	} {
		p, err := prompt.Parse(prompt.Options{Prompt: tt.prompt})
		if err != nil {
			t.Fatal(err)
		}
		if got := placesPrinted(p, &tt.doc); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestDoctorClock(t *testing.T) {
	now := time.Date(2026, 11, 23, 21, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		now, lastEnd time.Time
		zone         string
		want         []string
	}{
		"plausible":                   {now, now.Add(-time.Hour), "", nil},
		"no run yet":                  {now, time.Time{}, "Europe/Paris", nil},
		"before the newest run ended": {now, now.Add(time.Hour), ":UTC", []string{"warning: 2026-11-23 21:00:00 UTC (UTC+00:00) is before the newest run ended ("}},
		"a zone that is none": {now, time.Time{}, "Europe/Pariss",
			[]string{`warning: 2026-11-23 21:00:00 UTC (UTC+00:00): the variable TZ is "Europe/Pariss", and there is no such time zone`}},
		"a zone as rules":   {now, time.Time{}, "CET-1CEST,M3.5.0,M10.5.0/3", []string{`warning: 2026-11-23 21:00:00 UTC (UTC+00:00): the variable TZ is "CET-1CEST`}},
		"no file of a zone": {now, time.Time{}, "/nowhere/Paris", []string{`warning: 2026-11-23 21:00:00 UTC (UTC+00:00): the variable TZ is "/nowhere/Paris"`}},
	} {
		if runtime.GOOS == "windows" && strings.Contains(strings.Join(tt.want, ""), "TZ") {
			continue // there it is not looked at
		}
		d := &doctor{env: env{stdout: &bytes.Buffer{}, lookup: func(string) (string, bool) { return tt.zone, tt.zone != "" }}, options: &doctorOptions{}, now: tt.now, lastEnd: tt.lastEnd}
		d.clock()
		wantTold(t, name, of(d.findings, "time"), tt.want...)
	}
}

// TestDoctorBounds has an input of more documents than are counted.
func TestDoctorBounds(t *testing.T) {
	if testing.Short() {
		t.Skip("a large file")
	}
	found, exit := examine(t, "--demo", "--state", filepath.Join(t.TempDir(), "s.db"), writeRows(t, countMost+1, 20))
	i := slices.IndexFunc(found, func(f finding) bool { return f.Check == "input" })
	if want := "rows.csv: at least 100,000 documents, no key column, columns id, mark, text; the first 100 can be read"; i < 0 || found[i].Found != want || exit != exitOK {
		t.Errorf("got %+v, exit %d, want %q", found, exit, want)
	}
}
