package table

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"docbatch/pipeline"
)

func TestHeader(t *testing.T) {
	for _, tt := range []struct {
		name         string
		fields, want []string
	}{
		{"none", nil, nil},
		{"as they are", []string{"b", "a", "Ä"}, []string{"b", "a", "Ä"}},
		{"like ours", []string{"id", "Tokens", "SOURCE"}, []string{"id_2", "Tokens_2", "SOURCE_2"}},
		{"second name taken", []string{"id", "id_2"}, []string{"id_3", "id_2"}},
		{"second name taken in another case", []string{"ID_2", "id", "Id"}, []string{"ID_2", "id_3", "Id_4"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := slices.Concat(before, tt.want, after)
			got := New(tt.fields).Header()
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func FuzzHeader(f *testing.F) {
	f.Add("id,ID,id_2,Id_3,answer,a")
	f.Fuzz(func(t *testing.T, joined string) {
		fields := strings.Split(joined, ",")
		slices.Sort(fields)
		fields = slices.Compact(fields)
		header := New(fields).Header()
		seen := map[string]bool{}
		for _, name := range header {
			if seen[name] {
				t.Fatalf("%q is there twice in %q", name, header)
			}
			seen[name] = true
		}
	})
}

func TestAppendCells(t *testing.T) {
	rec := &pipeline.Record{
		Ref:   pipeline.Ref{Source: "s", ID: "7", Name: "n", Fields: []pipeline.Field{{Name: "b", Value: "B"}, {Name: "gone", Value: "G"}}},
		State: pipeline.Failed, Err: pipeline.Errorf(pipeline.Invalid, pipeline.KindRead, "open n:\tno"),
		Model: "m", Tokens: pipeline.Tokens{Prompt: 1, Completion: 2}, Duration: 1999 * time.Microsecond, Tries: 3,
	}
	got := New([]string{"a", "b"}).AppendCells(nil, rec)
	want := []string{"7", "n", "", "B", "", "failed", "invalid", "open n: no", "", "m", "1", "2", "3", "1", "3", "s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "a\tb\r\nc", "a\tb\r\nc"},
		{"controls", "a\x00\x01\x1b[2J\x7f\u0080\u009b31m\u009fb", "a[2J31mb"},
		{"line ends", "a\u0085b", "a\nb"},
		{"no characters", "a\ufffe\uffffb", "ab"},
		{"not UTF-8", "a\xff\xc3b", "a\ufffd\ufffdb"},
		{"kept", "é👍\u202e\u00a0\ufffd", "é👍\u202e\u00a0\ufffd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Clean(tt.text)
			if got != tt.want || !utf8.ValidString(got) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
