// Package sinkstest is what every sink must pass: Test runs the promises of pipeline.Sink, and those of sinks that write
// files, against one format; Benchmark measures it. It is imported by tests only.
package sinkstest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/sinks/output"
	"docbatch/sinks/table"
)

// A Format is what Test needs to know of a sink.
type Format struct {
	Ext string // of its files, with the dot

	// Open begins the output at path with the original columns fields.
	Open func(path string, fields []string) (pipeline.Sink, error)

	// Read reads a finished output back.
	Read func(t testing.TB, path string) []Row

	// Text is what becomes of a text in this format; nil where it stays as it is but for NUL and bytes that are not UTF-8.
	Text func(string) string
}

// A Row is what an output says of one record, by column; numbers as decimal text. A column that is not there is empty.
type Row map[string]string

// fields are the original columns of the suite's records.
var fields = []string{"Invoice No", "montant €", "note"}

// Test runs the suite.
func Test(t *testing.T, f Format) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, Format)
	}{
		{"columns", testColumns},
		{"no records", testEmpty},
		{"order", testOrder},
		{"states", testStates},
		{"missing fields", testMissingFields},
		{"hostile texts", testHostile},
		{"commit replaces in one step", testCommitReplaces},
		{"commit twice", testCommitTwice},
		{"discard keeps the old output", testDiscardKeeps},
		{"discard after commit", testDiscardAfterCommit},
		{"ended", testEnded},
		{"same bytes for same records", testDeterministic},
		{"no folder", testNoFolder},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, f) })
	}
}

// Record makes the nth record of a job: a row of a source "tickets.csv" with the given fields, answered.
func Record(n int, fields []pipeline.Field, answer string) *pipeline.Record {
	return &pipeline.Record{
		Ref: pipeline.Ref{
			Source: "tickets.csv", ID: fmt.Sprint(n), Name: fmt.Sprintf("tickets.csv row %d", n+1),
			Row: n + 1, Fields: fields,
		},
		State: pipeline.Done, Answer: answer, Model: "demo-1",
		Tokens: pipeline.Tokens{Prompt: 100 + n, Completion: 7}, Duration: 1234567 * time.Microsecond, Tries: 2,
	}
}

func row(n int, fields []pipeline.Field, answer string) Row {
	r := Row{
		table.ID: fmt.Sprint(n), table.Name: fmt.Sprintf("tickets.csv row %d", n+1), table.Answer: answer, table.State: "done",
		table.Class: "", table.Error: "", table.Model: "demo-1", table.PromptTokens: fmt.Sprint(100 + n), table.CompletionTokens: "7",
		table.Tokens: fmt.Sprint(107 + n), table.Duration: "1234", table.Attempts: "2", table.Source: "tickets.csv",
	}
	for _, f := range fields {
		r[f.Name] = f.Value
	}
	return r
}

func values(text ...string) []pipeline.Field {
	made := make([]pipeline.Field, len(text))
	for i, v := range text {
		made[i] = pipeline.Field{Name: fields[i], Value: v}
	}
	return made
}

func testColumns(t *testing.T, f Format) {
	own := values("007", "-12.5", "2026-01-02")
	check(t, f, f.write(t, Record(1, own, "An answer.")), row(1, own, "An answer."))
}

func testEmpty(t *testing.T, f Format) { check(t, f, f.write(t)) }

func testOrder(t *testing.T, f Format) {
	var recs []*pipeline.Record
	var want []Row
	for n := range 3000 {
		own := values(fmt.Sprint(n*7), "", strings.Repeat("x", n%50))
		recs = append(recs, Record(n, own, fmt.Sprintf("answer %d", n)))
		want = append(want, row(n, own, fmt.Sprintf("answer %d", n)))
	}
	check(t, f, f.write(t, recs...), want...)
}

func testStates(t *testing.T, f Format) {
	refused := pipeline.Errorf(pipeline.Refused, pipeline.KindFilter, "ask: refused\nsee \x1b[31mpolicy\a")
	cut := pipeline.Errorf(pipeline.Refused, pipeline.KindTruncated, "the answer was cut")
	for _, tt := range []struct {
		state                  pipeline.State
		err                    *pipeline.Error
		wantState, class, text string
	}{
		{pipeline.Done, nil, "done", "", ""},
		{pipeline.Pending, nil, "pending", "", ""},
		{pipeline.Claimed, nil, "pending", "", ""},
		{"", nil, "pending", "", ""},
		{pipeline.Truncated, cut, "truncated", "refused", "the answer was cut"},
		{pipeline.Failed, refused, "failed", "refused", "ask: refused\nsee [31mpolicy"},
	} {
		rec, want := Record(1, nil, "text"), row(1, nil, "text")
		rec.State, rec.Err = tt.state, tt.err
		want[table.State], want[table.Class], want[table.Error] = tt.wantState, tt.class, tt.text
		t.Run("state "+string(tt.state), func(t *testing.T) { check(t, f, f.write(t, rec), want) })
	}
}

func testMissingFields(t *testing.T, f Format) {
	first, last := values("A-1"), values("", "", "only a note")[2:]
	all := values("A-2", "1", "n")
	swapped := []pipeline.Field{all[2], all[0], all[1]}
	check(t, f, f.write(t, Record(1, first, "a"), Record(2, nil, "b"), Record(3, last, "c"), Record(4, swapped, "d")),
		row(1, first, "a"), row(2, nil, "b"), row(3, last, "c"), row(4, all, "d"))
}

// Hostile are texts that break formats; a sink must keep each as it is but for what its format can't hold.
func Hostile() []string {
	return []string{
		"=1+1", "=cmd|' /C calc'!A0", "+SUM(A1)", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1", "＝1+1", " =1",
		"-12.5", "+3", "-1.234,56 €", "007", "2026-01-02", "1e5", "TRUE", "#N/A",
		`say "hi", she said`, `""`, `"`, "a,b;c\td|e", "'quoted'", `back\slash`, `\N`, `\.`,
		"two\nlines", "two\r\nlines", "old\rmac", "\n\nfirst", "last\n", " blanks ", "\u00a0hard blank",
		"<a href=\"x\">&amp;</a>", "]]>", "_x000D_", "_x005F_", "_x005F_x000D_", "_x000d_ and _x0041_", "{{.Text}}", "%s%n",
		"emoji 👩‍👩‍👧 👍🏽", "שלום עולם", "\u202eevil\u202c", "日本語", "e\u0301", "\ufeffmark", "line\u2028para\u2029",
		"nul\x00byte", "bell\a esc\x1b[2J del\x7f", "c1\u0085\u009b", "not \xff\xfe utf-8 \xc3", "\ufffd\ufffe\uffff",
		strings.Repeat("long answer 🙂 ", 100_000/len("long answer 🙂 ")),
	}
}

func testHostile(t *testing.T, f Format) {
	var recs []*pipeline.Record
	var want []Row
	for i, text := range Hostile() {
		rec := Record(i, values(text, "x"+text, text+"x"), text)
		rec.Name, rec.Model, rec.Source = text, text, text
		recs = append(recs, rec)
		w := row(i, values(f.text(text), f.text("x"+text), f.text(text+"x")), f.text(text))
		w[table.Name], w[table.Model], w[table.Source] = f.text(text), f.text(text), f.text(text)
		want = append(want, w)
	}
	check(t, f, f.write(t, recs...), want...)
}

func testCommitReplaces(t *testing.T, f Format) {
	path := f.write(t, Record(1, nil, "old"))
	old := read(t, path)
	s := f.open(t, path)
	for n := range 2000 {
		must(t, s.Write(Record(n, nil, strings.Repeat("new ", 100))))
		if n%500 == 0 && !bytes.Equal(read(t, path), old) {
			t.Fatalf("after %d writes and before Commit the old output has changed", n+1)
		}
	}
	must(t, s.Commit())
	if got := len(f.Read(t, path)); got != 2000 {
		t.Errorf("after Commit: got %d rows, want 2000", got)
	}
	alone(t, path)
}

func testCommitTwice(t *testing.T, f Format) {
	path := f.path(t)
	s := f.open(t, path)
	must(t, s.Write(Record(1, nil, "a")))
	must(t, s.Commit())
	must(t, os.WriteFile(path, []byte("changed since"), 0o644))
	if err := s.Commit(); err != nil {
		t.Errorf("second Commit: got %v, want nil", err)
	}
	if got := string(read(t, path)); got != "changed since" {
		t.Errorf("second Commit wrote again: %.40q", got)
	}
	alone(t, path)
}

func testDiscardKeeps(t *testing.T, f Format) {
	path := f.write(t, Record(1, nil, "old"))
	old := read(t, path)
	s := f.open(t, path)
	for n := range 5000 {
		must(t, s.Write(Record(n, nil, strings.Repeat("new ", 1000))))
	}
	must(t, s.Discard())
	if !bytes.Equal(read(t, path), old) {
		t.Error("Discard changed the old output")
	}
	alone(t, path)
	must(t, s.Discard())

	none := f.path(t)
	must(t, f.open(t, none).Discard())
	if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Discard of a new output: stat gives %v, want that it is not there", err)
	}
	alone(t, none)
}

func testDiscardAfterCommit(t *testing.T, f Format) {
	path := f.path(t)
	s := f.open(t, path)
	must(t, s.Write(Record(1, nil, "a")))
	must(t, s.Commit())
	must(t, s.Discard())
	check(t, f, path, row(1, nil, "a"))
	alone(t, path)
}

func testEnded(t *testing.T, f Format) {
	for _, end := range []struct {
		name string
		call func(pipeline.Sink) error
	}{{"Commit", pipeline.Sink.Commit}, {"Discard", pipeline.Sink.Discard}} {
		s := f.open(t, f.path(t))
		must(t, end.call(s))
		if s.Write(Record(1, nil, "a")) == nil {
			t.Errorf("Write after %s: got nil, want an error", end.name)
		}
		if end.name == "Discard" && s.Commit() == nil {
			t.Error("Commit after Discard: got nil, want an error")
		}
	}
}

func testDeterministic(t *testing.T, f Format) {
	recs := []*pipeline.Record{Record(1, values("1", "2", "3"), "a"), Record(2, values("4"), "b")}
	if !bytes.Equal(read(t, f.write(t, recs...)), read(t, f.write(t, recs...))) {
		t.Error("the same records gave different bytes")
	}
}

func testNoFolder(t *testing.T, f Format) {
	path := filepath.Join(t.TempDir(), "none", "out"+f.Ext)
	s, err := f.Open(path, fields)
	if err == nil {
		_ = s.Discard()
		t.Fatal("got nil, want an error")
	}
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %q, want one that names %s and is fs.ErrNotExist", err, path)
	}
}

func (f Format) path(t testing.TB) string { return filepath.Join(t.TempDir(), "out"+f.Ext) }

func (f Format) open(t testing.TB, path string) pipeline.Sink {
	t.Helper()
	s, err := f.Open(path, fields)
	must(t, err)
	return s
}

// write writes an output in a folder of its own and gives its path.
func (f Format) write(t testing.TB, recs ...*pipeline.Record) string {
	t.Helper()
	path := f.path(t)
	s := f.open(t, path)
	for _, rec := range recs {
		must(t, s.Write(rec))
	}
	must(t, s.Commit())
	return path
}

func (f Format) text(s string) string {
	if f.Text != nil {
		return f.Text(s)
	}
	return strings.ReplaceAll(string([]rune(s)), "\x00", "")
}

func check(t testing.TB, f Format, path string, want ...Row) {
	t.Helper()
	got := f.Read(t, path)
	if len(got) != len(want) {
		t.Fatalf("got %d rows, want %d", len(got), len(want))
	}
	for i := range want {
		for column := range columns(got[i], want[i]) {
			if g, w := got[i][column], want[i][column]; g != w {
				t.Errorf("row %d, %s: got %.80q (%d bytes), want %.80q (%d bytes)", i+1, column, g, len(g), w, len(w))
			}
		}
	}
}

func columns(rows ...Row) map[string]bool {
	all := map[string]bool{}
	for _, r := range rows {
		for column := range r {
			all[column] = true
		}
	}
	return all
}

// alone fails when there is anything but the output itself in its folder.
func alone(t testing.TB, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	for _, e := range entries {
		if e.Name() != filepath.Base(path) {
			t.Errorf("left behind: %s (temporary: %v)", e.Name(), output.Temporary(e.Name()))
		}
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
