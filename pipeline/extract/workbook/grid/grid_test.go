package grid

import (
	"errors"
	"strings"
	"testing"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// A cellAt is a cell that a test adds.
type cellAt struct {
	row, column int
	text        string
}

func TestGrid(t *testing.T) {
	for name, tt := range map[string]struct {
		cells []cellAt
		want  string
	}{
		"nothing":                 {nil, ""},
		"blank cells":             {[]cellAt{{1, 1, " "}, {2, 2, "\n"}}, ""},
		"off the sheet":           {[]cellAt{{0, 1, "a"}, {1, 0, "b"}, {1, MaxColumns + 1, "c"}, {MaxRows + 1, 1, "d"}}, ""},
		"a column":                {[]cellAt{{1, 3, "a"}, {2, 3, "b\nc"}}, "a\nb c"},
		"a row":                   {[]cellAt{{7, 1, "a"}, {7, 9, "b"}}, "a | b"},
		"a table, bars":           {[]cellAt{{1, 1, "a|b"}, {1, 5, "c"}, {2, 1, "d"}}, "| a\\|b | c |\n| --- | --- |\n| d | |"},
		"blocks":                  {[]cellAt{{1, 1, "a"}, {3, 1, "b"}, {2, 1, "c"}}, "a\n\nb\n\nc"},
		"mostly empty":            {[]cellAt{{1, 1, "a"}, {2, 2, "b"}, {3, 3, "c"}, {4, 4, "d e"}}, "A1: a\nB2: b\nC3: c\nD4: d e"},
		"the last cell of a kind": {[]cellAt{{1, 1, "a"}, {1, 1, "b"}, {2, 1, "c"}}, "b\nc"},
	} {
		t.Run(name, func(t *testing.T) {
			out := content.NewWriter(1000)
			g := New(out, 1000)
			for _, c := range tt.cells {
				if err := g.Add(c.row, c.column, c.text); err != nil {
					t.Fatal(err)
				}
			}
			g.Flush()
			if got := strings.TrimSpace(out.String()); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestBound(t *testing.T) {
	g := New(content.NewWriter(100), 100)
	if err := g.Add(1, 1, strings.Repeat("a", 97)); err != nil {
		t.Fatal(err)
	}
	err := g.Add(1, 2, "b")
	if e, ok := errors.AsType[*pipeline.Error](err); !ok || e.Kind != pipeline.KindTooLarge {
		t.Errorf("got %v, want an error of kind %s", err, pipeline.KindTooLarge)
	}
}

func TestRef(t *testing.T) {
	for want, at := range map[string][2]int{"A1": {1, 1}, "Z2": {2, 26}, "AA3": {3, 27}, "XFD1048576": {MaxRows, MaxColumns}} {
		if got := Ref(at[0], at[1]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
