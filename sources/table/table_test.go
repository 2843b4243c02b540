package table

import (
	"context"
	"encoding/hex"
	"errors"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"

	"docbatch/pipeline"
)

func TestNames(t *testing.T) {
	for name, tt := range map[string]struct{ in, want []string }{
		"as they are":                   {[]string{"id", "body"}, []string{"id", "body"}},
		"white space":                   {[]string{" id\t", "due\n date", "a b"}, []string{"id", "due date", "a b"}},
		"empty":                         {[]string{"id", "", " "}, []string{"id", "col_2", "col_3"}},
		"repeated":                      {[]string{"name", "name", "name"}, []string{"name", "name_2", "name_3"}},
		"a real column has the new one": {[]string{"name", "name", "name_2"}, []string{"name", "name_3", "name_2"}},
		"a real column is called col_1": {[]string{"", "col_1"}, []string{"col_1_2", "col_1"}},
		"repeated col":                  {[]string{"", "col_1", "col_1"}, []string{"col_1_2", "col_1", "col_1_3"}},
		"case tells apart":              {[]string{"ID", "id"}, []string{"ID", "id"}},
		"NUL":                           {[]string{"i\x00d"}, []string{"id"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Names(tt.in)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	if _, err := Names([]string{"id", strings.Repeat("x", maxNameBytes+1)}); err == nil {
		t.Error("a text as a name: got no error")
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"id\nname\nname", "\n\n", "name\nname\nname_2\nname_2", "\ncol_1\ncol_1_2", " a \na"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		header := strings.Split(s, "\n")
		names, err := Names(header)
		if err != nil {
			return
		}
		seen := make(map[string]bool)
		for i, n := range names {
			if n == "" || seen[n] {
				t.Fatalf("header %q: name %d is %q, empty or repeated, in %q", header, i, n, names)
			}
			seen[n] = true
		}
		for _, h := range header {
			if h = clean(h); h != "" && names[slices.IndexFunc(header, func(o string) bool { return clean(o) == h })] != h {
				t.Fatalf("header %q: the first %q is not called so in %q", header, h, names)
			}
		}
	})
}

// rowsOf hands over cells as rows numbered from 2.
func rowsOf(rows ...[]string) func() iter.Seq2[Row, error] {
	return func() iter.Seq2[Row, error] {
		return func(yield func(Row, error) bool) {
			for i, cells := range rows {
				row := Row{Number: i + 2}
				for _, c := range cells {
					row.Cells = append(row.Cells, []byte(c))
				}
				if cells == nil {
					row.Raw = []byte("raw")
					row.Err = pipeline.Errorf(pipeline.Invalid, pipeline.KindDamaged, "broken")
				}
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

func newTable(t *testing.T, opts Options) *Table {
	t.Helper()
	opts.Source, opts.File, opts.Unit = "src", "tickets.csv", "line"
	tab, err := New([]string{"id", "body"}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func refs(t *testing.T, tab *Table, rows iter.Seq2[Row, error]) []pipeline.Ref {
	t.Helper()
	var all []pipeline.Ref
	for ref, err := range tab.List(rows) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ref)
	}
	return all
}

func TestRef(t *testing.T) {
	rows := rowsOf([]string{" A-1 ", "hello"}, []string{"", "x"}, nil, []string{strings.Repeat("k", maxKeyBytes+1), "y"}, []string{"A\x00-2", "z"})
	got := refs(t, newTable(t, Options{Key: "ID"}), rows())
	for i, want := range []struct{ id, name, err string }{
		{"A-1", "tickets.csv row 2", ""},
		{"row 3", "tickets.csv row 3", `tickets.csv line 3: the key column "id" is empty`},
		{"row 4", "tickets.csv row 4", "broken"},
		{"row 5", "tickets.csv row 5", `tickets.csv line 5: the key in column "id" has 1025 bytes, over the bound of 1024`},
		{"A-2", "tickets.csv row 6", ""},
	} {
		ref := got[i]
		msg := ""
		if ref.Err != nil {
			msg = ref.Err.Error()
			if ref.Err.Class != pipeline.Invalid || ref.Err.Kind != pipeline.KindDamaged {
				t.Errorf("row %d: got class %s, kind %s", ref.Row, ref.Err.Class, ref.Err.Kind)
			}
		}
		if ref.ID != want.id || ref.Name != want.name || msg != want.err || ref.Source != "src" || ref.Row != i+2 || len(ref.Stamp) != 2*stampBytes {
			t.Errorf("got %+v (error %q), want %+v", ref, msg, want)
		}
	}
	if f := got[0].Fields; len(f) != 2 || f[0] != (pipeline.Field{Name: "id", Value: " A-1 "}) || f[1] != (pipeline.Field{Name: "body", Value: "hello"}) {
		t.Errorf("got fields %q", f)
	}
	if got[2].Fields != nil {
		t.Errorf("a broken row has fields %q", got[2].Fields)
	}
}

// TestContentID lists a table without a key column. Letters stand for IDs, in the order in which they come first.
func TestContentID(t *testing.T) {
	a, b, broken := []string{"1", "x"}, []string{"2", "y"}, []string(nil)
	for name, tt := range map[string]struct {
		rows [][]string
		want string
	}{
		"different rows":             {[][]string{a, b}, "A B"},
		"a letter in the next cell":  {[][]string{{"1x", ""}, a, {"", "1x"}}, "A B C"},
		"equal rows":                 {[][]string{a, b, a, a, b}, "A B A-2 A-3 B-2"},
		"broken rows":                {[][]string{broken, a, broken}, "A B A-2"},
		"a row of a broken one's":    {[][]string{broken, {"raw", ""}, {"", "raw"}}, "A B C"},
		"a NUL, which no text keeps": {[][]string{a, {"1\x00", "x"}}, "A A-2"},
		"white space is content":     {[][]string{a, {"1 ", "x"}}, "A B"},
	} {
		t.Run(name, func(t *testing.T) {
			letters := map[string]string{}
			var got []string
			for _, ref := range refs(t, newTable(t, Options{}), rowsOf(tt.rows...)()) {
				hash, count, _ := strings.Cut(ref.ID, "-")
				if _, err := hex.DecodeString(hash); err != nil || len(hash) != 2*idBytes {
					t.Errorf("ID %q, want %d hexadecimal digits at its front", ref.ID, 2*idBytes)
				}
				if letters[hash] == "" {
					letters[hash] = string(rune('A' + len(letters)))
				}
				got = append(got, strings.TrimSuffix(letters[hash]+"-"+count, "-"))
			}
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestContentIDIsOfTheValues has one row in different surroundings.
func TestContentIDIsOfTheValues(t *testing.T) {
	first := func(columns []string, opts Options, rows ...[]string) pipeline.Ref {
		tab, err := New(columns, opts)
		if err != nil {
			t.Fatal(err)
		}
		all := refs(t, tab, rowsOf(rows...)())
		return all[len(all)-1]
	}
	row, names := []string{"1", "x"}, []string{"id", "body"}
	base := first(names, Options{Source: "src", File: "a.csv"}, row)
	const known = "6903eb93c19378c1" // in state files: it never changes
	if base.ID != known {
		t.Errorf("got ID %s, want %s", base.ID, known)
	}
	for name, tt := range map[string]struct {
		ref       pipeline.Ref
		sameStamp bool
	}{
		"another file":        {first(names, Options{Source: "other", File: "b.csv"}, row), true},
		"further down":        {first(names, Options{}, []string{"2", "y"}, []string{"3", "z"}, row), true},
		"a renamed column":    {first([]string{"id", "text"}, Options{}, row), false},
		"another text column": {first(names, Options{Text: "body"}, row), false},
	} {
		if tt.ref.ID != base.ID || (tt.ref.Stamp == base.Stamp) != tt.sameStamp {
			t.Errorf("%s: ID %s, want %s; stamp %s, was %s, want the same: %v", name, tt.ref.ID, base.ID, tt.ref.Stamp, base.Stamp, tt.sameStamp)
		}
	}
}

// TestListCountsAnew lists a table twice: what was equal in one listing is not counted in the next, nor in one that was broken off.
func TestListCountsAnew(t *testing.T) {
	tab, rows := newTable(t, Options{}), rowsOf([]string{"1", "x"}, []string{"1", "x"})
	first := refs(t, tab, rows())
	for range tab.List(rows()) {
		break
	}
	if again := refs(t, tab, rows()); !reflect.DeepEqual(first, again) {
		t.Errorf("got %+v, want %+v as before", again, first)
	}
}

func TestStamp(t *testing.T) {
	one := func(opts Options, cells ...string) string {
		return refs(t, newTable(t, opts), rowsOf(cells)())[0].Stamp
	}
	base := one(Options{}, "ab", "c")
	if again := one(Options{}, "ab", "c"); again != base {
		t.Errorf("the same row: got %s and %s", base, again)
	}
	for name, other := range map[string]string{
		"a letter moved to the next column": one(Options{}, "a", "bc"),
		"a value changed":                   one(Options{}, "ab", "d"),
		"another text column":               one(Options{Text: "body"}, "ab", "c"),
	} {
		if other == base {
			t.Errorf("%s: the stamp is the same", name)
		}
	}
}

func TestRefOwnsItsStrings(t *testing.T) {
	cell := []byte("value")
	tab := newTable(t, Options{Key: "id"})
	ref := tab.ref(Row{Number: 2, Cells: [][]byte{cell, cell}}, &repeats{})
	copy(cell, "XXXXX")
	tab.ref(Row{Number: 3, Cells: [][]byte{[]byte("other"), cell}}, &repeats{})
	if ref.ID != "value" || ref.Fields[0].Value != "value" || ref.Name != "tickets.csv row 2" {
		t.Errorf("the ref changed with its row: %+v", ref)
	}
}

func TestDocument(t *testing.T) {
	row := rowsOf([]string{"7", "5 > 3\nreally"}, []string{"8", "  "}, nil)
	for name, tt := range map[string]struct {
		text string
		at   int
		want string
		kind string
	}{
		"all columns":          {"", 0, "id: 7\nbody: 5 > 3\nreally\n", ""},
		"one":                  {"Body", 0, "5 > 3\nreally", ""},
		"an empty one":         {"body", 1, "", pipeline.KindNoText},
		"a broken row":         {"", 2, "", pipeline.KindDamaged},
		"all, one of it empty": {"", 1, "id: 8\nbody:   \n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tab := newTable(t, Options{Text: tt.text})
			doc, err := tab.Document(t.Context(), refs(t, tab, row())[tt.at], "/in/tickets.csv")
			if tt.kind != "" {
				if e := pipeline.AsError(err); e == nil || e.Kind != tt.kind || e.Class != pipeline.Invalid {
					t.Errorf("got error %v, want kind %s", err, tt.kind)
				}
				return
			}
			if err != nil || doc.Text != tt.want || doc.Path != "/in/tickets.csv" || doc.Data != nil {
				t.Errorf("got %+v, %v, want text %q", doc, err, tt.want)
			}
		})
	}
	gone := pipeline.Ref{Name: "tickets.csv row 9", Fields: []pipeline.Field{{Name: "id", Value: "9"}}}
	if _, err := newTable(t, Options{Text: "body"}).Document(t.Context(), gone, ""); pipeline.ClassOf(err) != pipeline.Invalid {
		t.Errorf("a column that was renamed: got %v, want an error of class invalid", err)
	}
}

func TestNoSuchColumn(t *testing.T) {
	_, err := New([]string{"id", "Priority"}, Options{File: "t.csv", Key: "pirority"})
	want := `t.csv: no column "pirority" for the key; did you mean "Priority"? (the columns are: id, Priority)`
	if err == nil || err.Error() != want || pipeline.ClassOf(err) != pipeline.Fatal {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCheckKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		rows func() iter.Seq2[Row, error]
		want string
	}{
		"different":            {rowsOf([]string{"1", ""}, []string{"2", ""}), ""},
		"the same":             {rowsOf([]string{"1", ""}, []string{"2", ""}, []string{" 1", ""}), `tickets.csv: the key "1" of column "id" is in line 2 and again in line 4`},
		"two that are empty":   {rowsOf([]string{"", "a"}, []string{"", "b"}), ""},
		"two that are broken":  {rowsOf(nil, nil), ""},
		"one like an empty's":  {rowsOf([]string{"", "a"}, []string{"row 2", "b"}), `tickets.csv: the key "row 2" of column "id" is in line 2 and again in line 3`},
		"no rows":              {rowsOf(), ""},
		"one after broken one": {rowsOf([]string{"1", ""}, nil, []string{"1", ""}), `tickets.csv: the key "1" of column "id" is in line 2 and again in line 4`},
	} {
		t.Run(name, func(t *testing.T) {
			err := newTable(t, Options{Key: "id"}).CheckKeys(t.Context(), tt.rows)
			if got := errorText(err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if err := newTable(t, Options{}).CheckKeys(t.Context(), tt.rows); err != nil {
				t.Errorf("without a key: got %v", err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newTable(t, Options{Key: "id"}).CheckKeys(ctx, rowsOf()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
