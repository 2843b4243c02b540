package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent/demo"
)

var twoDocs = []document{{id: "a", marker: "marker-a"}, {id: "b", marker: "marker-b"}}

func done(id, answer string) pipeline.Record {
	return pipeline.Record{Ref: pipeline.Ref{ID: id}, State: pipeline.Done, Answer: answer}
}

func ended(id string, state pipeline.State, class pipeline.Class) pipeline.Record {
	return pipeline.Record{Ref: pipeline.Ref{ID: id}, State: state, Err: pipeline.Errorf(class, pipeline.KindServer, "because")}
}

func TestAudit(t *testing.T) {
	good := done("a", "about marker-a")
	for name, tt := range map[string]struct {
		records              []pipeline.Record
		said, mayFail        string
		answers, lost, wrong int
		fault                string
	}{
		"all well":              {records: []pipeline.Record{good, done("b", "about marker-b")}, answers: 2},
		"another's answer":      {records: []pipeline.Record{good, done("b", "about marker-a")}, answers: 2, wrong: 1, fault: "not its own"},
		"not answered":          {records: []pipeline.Record{good, ended("b", pipeline.Failed, pipeline.Transient)}, answers: 1, lost: 1, fault: "because"},
		"not listed":            {records: []pipeline.Record{good}, answers: 1, lost: 1, fault: "1 records for 2"},
		"said, and not there":   {records: []pipeline.Record{good, ended("b", pipeline.Pending, pipeline.Transient)}, said: "b", mayFail: "b", answers: 1, lost: 1, fault: "said"},
		"failed as it should":   {records: []pipeline.Record{good, ended("b", pipeline.Failed, pipeline.Refused)}, mayFail: "b", answers: 1},
		"answered, should fail": {records: []pipeline.Record{good, done("b", "about marker-b")}, mayFail: "b", answers: 2, fault: "should have none"},
		"failed by a bug":       {records: []pipeline.Record{good, ended("b", pipeline.Failed, pipeline.Internal)}, mayFail: "b", answers: 1, fault: "bug"},
	} {
		t.Run(name, func(t *testing.T) {
			a := audit{docs: twoDocs, records: tt.records, acknowledged: map[string]bool{tt.said: true}, mayFail: map[string]bool{tt.mayFail: true}}
			a.work()
			if a.answers != tt.answers || a.lost != tt.lost || a.wrong != tt.wrong {
				t.Errorf("answers %d, lost %d, wrong %d; want %d, %d, %d", a.answers, a.lost, a.wrong, tt.answers, tt.lost, tt.wrong)
			}
			if got := strings.Join(a.faults, "\n"); (got == "") != (tt.fault == "") || !strings.Contains(got, tt.fault) {
				t.Errorf("faults %q, want %q", got, tt.fault)
			}
		})
	}
}

func TestCountRequests(t *testing.T) {
	byHash := map[string]document{"ha": twoDocs[0], "hb": twoDocs[1]}
	entry := func(hash, key string, ok bool) demo.Entry {
		return demo.Entry{Message: hash, IdempotencyKey: key, Answered: ok}
	}
	for name, tt := range map[string]struct {
		entries []demo.Entry
		moments []moment
		want    asked
		err     bool
	}{
		"one each":             {entries: []demo.Entry{entry("ha", "1", true), entry("hb", "2", true)}},
		"again after an error": {entries: []demo.Entry{entry("ha", "1", false), entry("ha", "1", true)}},
		"again after an answer": {
			entries: []demo.Entry{entry("ha", "1", true), entry("ha", "1", true), entry("ha", "1", true)},
			want:    asked{repeated: 2},
		},
		"again after it was stored": {
			entries: []demo.Entry{entry("ha", "1", true), entry("hb", "2", true), entry("ha", "1", true)},
			moments: []moment{{entries: 0}, {entries: 2, stored: map[string]bool{"a": true}}},
			want:    asked{repeated: 1, stored: 1},
		},
		"with another key":         {entries: []demo.Entry{entry("ha", "1", false), entry("ha", "2", true)}, want: asked{keys: 1}},
		"without a key":            {entries: []demo.Entry{entry("ha", "", false), entry("ha", "", true)}, want: asked{keys: 1}},
		"refused before it's read": {entries: []demo.Entry{entry("", "", false), entry("ha", "1", true)}},
		"what is no document":      {entries: []demo.Entry{entry("hx", "1", true)}, err: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := countRequests(tt.entries, byHash, tt.moments)
			if got != tt.want || (err != nil) != tt.err {
				t.Errorf("got %+v, %v; want %+v, error %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestMostWithin(t *testing.T) {
	at := func(offsets ...time.Duration) (entries []demo.Entry) {
		for _, d := range offsets {
			entries = append(entries, demo.Entry{Time: time.Unix(1000, 0).Add(d)})
		}
		return entries
	}
	const ms = time.Millisecond
	for name, tt := range map[string]struct {
		entries []demo.Entry
		want    int
	}{
		"none":                {nil, 0},
		"apart":               {at(0, 1000*ms, 2000*ms), 1},
		"over a second's end": {at(0, 900*ms, 1100*ms, 1200*ms, 3000*ms), 3},
	} {
		if got := mostWithin(tt.entries, time.Second); got != tt.want {
			t.Errorf("%s: %d within a second, want %d", name, got, tt.want)
		}
	}
}

func TestCheckRows(t *testing.T) {
	header, a, b := []string{"id", "answer"}, []string{"a", "marker-a"}, []string{"b", "marker-b"}
	for name, tt := range map[string]struct {
		rows [][]string
		ok   bool
	}{
		"all well":     {[][]string{header, a, b}, true},
		"out of order": {[][]string{header, b, a}, false},
		"one missing":  {[][]string{header, a}, false},
		"swapped":      {[][]string{header, {"a", "marker-b"}, {"b", "marker-a"}}, false},
		"no answers":   {[][]string{{"id"}, {"a"}, {"b"}}, false},
	} {
		if err := checkRows(tt.rows, twoDocs, nil); (err == nil) != tt.ok {
			t.Errorf("%s: %v, want ok %v", name, err, tt.ok)
		}
	}
}

func TestSearchFile(t *testing.T) {
	const secret = "0123456789abcdef"
	long := strings.Repeat("x", 1<<20-5)
	for name, tt := range map[string]struct {
		content []byte
		file    string
		want    bool
	}{
		"not there":          {[]byte(long), "out.txt", false},
		"at the start":       {[]byte(secret + long), "out.txt", true},
		"over a piece's end": {[]byte(long + secret + long), "out.txt", true},
		"in a workbook":      {packed(t, long+secret), "out.xlsx", true},
		"in no workbook":     {packed(t, long), "out.xlsx", false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.file)
			if err := os.WriteFile(path, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := searchFile(path, []byte(secret))
			if got != tt.want || err != nil {
				t.Errorf("found %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func packed(t *testing.T, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("xl/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestVerdict shows that a row that falls short makes the matrix fall short, whatever the other runs of it were.
func TestVerdict(t *testing.T) {
	pass := result{name: "row", elapsed: 2 * time.Second, searched: 3}
	slow := result{name: "row", elapsed: 3 * time.Second, searched: 3}
	short := result{name: "row", elapsed: time.Second, faults: []string{"1 lost"}, searched: 3, leaks: 1}
	for name, tt := range map[string]struct {
		runs []result
		ok   bool
		say  string
	}{
		"all pass, the slowest counts": {[]result{pass, slow}, true, "3.0s"},
		"the first falls short":        {[]result{short, slow}, false, "! 1 lost"},
		"the last falls short":         {[]result{slow, short}, false, "! 1 lost"},
		"the key was seen":             {[]result{short}, false, "! the key was seen"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p := &printer{w: &out}
			p.begin(options{})
			var worst result
			for _, r := range tt.runs {
				worst = worst.worse(r)
			}
			p.row(worst)
			if got := p.end("", false); got != tt.ok || !strings.Contains(out.String(), tt.say) {
				t.Errorf("ok %v, want %v, and %q in\n%s", got, tt.ok, tt.say, out.String())
			}
		})
	}
}

// TestRowNames: -run and folders tell rows apart by their names.
func TestRowNames(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows() {
		folder := strings.Map(fileLetter, r.name)
		if seen[folder] || r.run == nil {
			t.Errorf("row %q: its folder %s is another's too, or it does nothing", r.name, folder)
		}
		seen[folder] = true
	}
}

func TestSizes(t *testing.T) {
	for place, want := range map[float64]int{0: 400, 1: 24_000} {
		if got := sizeAt(place); got < want*98/100 || got > want*102/100 {
			t.Errorf("at %v: %d bytes, want about %d", place, got, want)
		}
	}
}
