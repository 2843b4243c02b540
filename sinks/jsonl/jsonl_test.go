package jsonl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode"

	"docbatch/pipeline"
	"docbatch/sinks/sinkstest"
)

var format = sinkstest.Format{
	Ext:  ".jsonl",
	Open: func(path string, _ []string) (pipeline.Sink, error) { return Open(path) },
	Read: readRows,
}

func TestSink(t *testing.T) { sinkstest.Test(t, format) }

func BenchmarkSink(b *testing.B) { sinkstest.Benchmark(b, format) }

func readRows(t testing.TB, path string) []sinkstest.Row {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rows []sinkstest.Row
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 10<<20)
	for lines.Scan() {
		rows = append(rows, parse(t, lines.Bytes()))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func parse(t testing.TB, line []byte) sinkstest.Row {
	t.Helper()
	var object map[string]any
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	if err := dec.Decode(&object); err != nil {
		t.Fatalf("line %.80q: %v", line, err)
	}
	row := sinkstest.Row{}
	for key, value := range object {
		switch v := value.(type) {
		case string:
			row[key] = v
		case json.Number:
			row[key] = v.String()
		case map[string]any:
			for name, field := range v {
				row[name] = field.(string)
			}
		default:
			t.Fatalf("key %s holds a %T", key, value)
		}
	}
	return row
}

func TestLine(t *testing.T) {
	var buf bytes.Buffer
	s := New(&buf)
	rec := sinkstest.Record(1, []pipeline.Field{{Name: "ID", Value: "<1>"}, {Name: "answer", Value: "mine & yours"}}, "one\n\"two\"\u2028")
	for _, err := range []error{s.Write(rec), s.Commit()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := `{"id":"1","name":"tickets.csv row 2","fields":{"ID":"<1>","answer":"mine & yours"},"answer":"one\n\"two\"\u2028",` +
		`"state":"done","class":"","error":"","warnings":"","model":"demo-1","prompt_tokens":101,"completion_tokens":7,"tokens":108,` +
		`"duration_ms":1234,"attempts":2,"source":"tickets.csv"}` + "\n"
	if got := buf.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestUnseen(t *testing.T) {
	got := string(appendString(nil, "a\u009b31m\u0085\u202e\u200b\u200d\ufeff\u061c\u00ad\U000e0041\u2028é請👩"))
	want := `"a\u009b31m\u0085\u202e\u200b\u200d\ufeff\u061c\u00ad\udb40\udc41\u2028é請👩"`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzString compares with encoding/json, which replaces bad bytes in the same way.
func FuzzString(f *testing.F) {
	for _, text := range sinkstest.Hostile() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b := appendString(nil, text)
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q became %q: %v", text, b, err)
		}
		if want := strings.ReplaceAll(string([]rune(text)), "\x00", ""); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if i := bytes.IndexFunc(b, func(r rune) bool { return unicode.Is(unseen, r) }); i >= 0 {
			t.Errorf("something unseen at %d in %q", i, b)
		}
	})
}
