package csv

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/sources/sourcestest"
)

// write makes a file of text and returns its path.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, opts Options) *Source {
	t.Helper()
	s, err := Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// shown is the ID of a ref; without a key column the row's number in place of the hash that it is.
func shown(s *Source, ref pipeline.Ref) string {
	if s.opts.Key == "" {
		return strconv.Itoa(ref.Row)
	}
	return ref.ID
}

// listed shows refs as "ID: value|value" or "ID! error"; see shown.
func listed(t testing.TB, s *Source) []string {
	t.Helper()
	var got []string
	for ref, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if ref.Err != nil {
			got = append(got, shown(s, ref)+"! "+ref.Err.Error())
			continue
		}
		var values []string
		for _, f := range ref.Fields {
			values = append(values, f.Value)
		}
		got = append(got, shown(s, ref)+": "+strings.Join(values, "|"))
	}
	return got
}

// TestContentID has files that hold the same rows in another way.
func TestContentID(t *testing.T) {
	ids := func(text string) (ids []string) {
		for ref, err := range open(t, Options{Path: write(t, "a.csv", text)}).List(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, ref.ID)
		}
		return ids
	}
	want := ids("a,b\n1,x\nragged\n2,y\nragged\n")
	for name, text := range map[string]string{
		"other line ends":    "a,b\r\n1,x\r\nragged\r\n2,y\r\nragged\r\n",
		"no line end":        "a,b\n1,x\nragged\n2,y\nragged",
		"quotes":             "a,b\n\"1\",x\nragged\n2,\"y\"\nragged\n",
		"another delimiter":  "a;b\n1;x\nragged\n2;y\nragged\n",
		"an empty line":      "a,b\n1,x\n\nragged\n2,y\nragged\n",
		"other column names": "c,d\n1,x\nragged\n2,y\nragged\n",
	} {
		if got := ids(text); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

const tickets = "id,subject,body\nT-1,Printer,\"It says \"\"PC LOAD\"\"\nand stops\"\nT-2,Broken,\"never closed\nT-3,Mouse,dead\nT-4,ragged\n,no key,x\nT-5,Café,fine\n"

func TestSource(t *testing.T) {
	_, rows, _ := strings.Cut(tickets, "\n")
	for key, text := range map[string]string{"": tickets + rows, "id": tickets} { // without a key rows may be equal
		path := write(t, "tickets.csv", text)
		t.Run("key "+key, func(t *testing.T) {
			sourcestest.Test(t, func(t *testing.T) pipeline.Source {
				s, err := Open(t.Context(), Options{Path: path, Key: key})
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

func TestList(t *testing.T) {
	s := open(t, Options{Name: "in", Path: write(t, "tickets.csv", tickets), Key: "ID"})
	want := []string{
		"T-1: T-1|Printer|It says \"PC LOAD\"\nand stops",
		"row 4! tickets.csv line 4: the quote that opens column 3 is never closed",
		"T-3: T-3|Mouse|dead",
		"row 6! tickets.csv line 6: 2 columns where the header has 3",
		`row 7! tickets.csv line 7: the key column "id" is empty`,
		"T-5: T-5|Café|fine",
	}
	if got := listed(t, s); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := s.Columns(); !slices.Equal(got, []string{"id", "subject", "body"}) || s.Name() != "in" {
		t.Errorf("got name %q, columns %q", s.Name(), got)
	}
}

func TestLayouts(t *testing.T) {
	long := strings.Repeat("1;2,5;\"a;\nb\"\n", 8000)
	for name, tt := range map[string]struct {
		file, text string
		opts       Options
		columns    string
		first      string // row
	}{
		"comma":                         {"a.csv", "a,b\n1,2\n", Options{}, "a|b", "2: 1|2"},
		"semicolon and decimal commas":  {"a.csv", "name;price\nA;1,5\nB;2,5\n", Options{}, "name|price", "2: A|1,5"},
		"semicolon, comma in header":    {"a.csv", "name, first;price\nA;1,5\n", Options{}, "name, first|price", "2: A|1,5"},
		"no header, decimal commas":     {"a.csv", "1,5;2,5\n3,5;4,5\n", Options{NoHeader: true}, "col_1|col_2", "1: 1,5|2,5"},
		"tab":                           {"a.txt", "a\tb\n1, 2\t3; 4\n", Options{}, "a|b", "2: 1, 2|3; 4"},
		"TSV, commas everywhere":        {"a.tsv", "a,x\tb,y\n1,1\t2,2\n", Options{}, "a,x|b,y", "2: 1,1|2,2"},
		"pipe":                          {"a.csv", "a|b\n1,1|2\n", Options{}, "a|b", "2: 1,1|2"},
		"quoted other delimiters":       {"a.csv", "a,b\n\"1;2;3\",\"x;y;z\"\n\"4;5;6\",\"x;y;z\"\n", Options{}, "a|b", "2: 1;2;3|x;y;z"},
		"one column of prose":           {"a.csv", "comment\nHello, world\nWell; maybe, or not\n", Options{}, "comment", "2: Hello, world"},
		"one column, comma in header":   {"a.csv", "comment (good, bad)\nHello\nWell, yes\nNo\n", Options{}, "comment (good, bad)", "2: Hello"},
		"header only":                   {"a.csv", "a;b;c, d\n", Options{}, "a|b|c, d", ""},
		"one ragged row":                {"a.csv", "a,b,c\n1,2\n", Options{}, "a|b|c", "2! a.csv line 2: 2 columns where the header has 3"},
		"given":                         {"a.csv", "a;b,c\n1;2,3\n", Options{Delimiter: ';'}, "a|b,c", "2: 1|2,3"},
		"Excel's sep":                   {"a.csv", "sep=;\r\na;b,c\r\n1;2,3\r\n", Options{}, "a|b,c", "3: 1|2,3"},
		"Excel's sep, quoted":           {"a.csv", "\"sep=|\"\na|b\n1|2\n", Options{}, "a|b", "3: 1|2"},
		"Excel's sep and a given one":   {"a.csv", "sep=;\na,b\n1,2\n", Options{Delimiter: ','}, "a|b", "3: 1|2"},
		"a header called sep":           {"a.csv", "sep=,b\n1,2\n", Options{}, "sep=|b", "2: 1|2"},
		"BOM":                           {"a.csv", "\ufeffa,b\n1,2\n", Options{}, "a|b", "2: 1|2"},
		"BOM before a quote":            {"a.csv", "\ufeff\"a\",b\n1,2\n", Options{}, "a|b", "2: 1|2"},
		"Windows-1252":                  {"a.csv", "a;b\ncaf\xe9;2\n", Options{}, "a|b", "2: café|2"},
		"UTF-16":                        {"a.csv", "\xff\xfea\x00\t\x00b\x00\n\x001\x00\t\x002\x00\n\x00", Options{}, "a|b", "2: 1|2"},
		"line ends of old Macs":         {"a.csv", "a,b\r1,2\r3,4\r", Options{}, "a|b", "2: 1|2"},
		"repeated and empty names":      {"a.csv", "a,,a\n1,2,3\n", Options{}, "a|col_2|a_2", "2: 1|2|3"},
		"blank lines first":             {"a.csv", "\n\na,b\n1,2\n", Options{}, "a|b", "4: 1|2"},
		"larger than the sample":        {"a.csv", "n;x;t\n" + long, Options{}, "n|x|t", "2: 1|2,5|a;\nb"},
		"a quote never closed in it":    {"a.csv", "n;x;t\n1;\"2;3\n" + strings.ReplaceAll(long, "\"", ""), Options{}, "n|x|t", "2! a.csv line 2: the quote that opens column 2 is never closed"},
		"no header, ragged":             {"a.csv", "1,2\n3\n4,5\n", Options{NoHeader: true}, "col_1|col_2", "1: 1|2"},
		"quoted header with line break": {"a.csv", "\"a\nb\",c\n1,2\n", Options{}, "a b|c", "3: 1|2"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.opts.Path = write(t, tt.file, tt.text)
			s := open(t, tt.opts)
			if got := strings.Join(s.Columns(), "|"); got != tt.columns {
				t.Errorf("columns: got %q, want %q", got, tt.columns)
			}
			got := listed(t, s)
			if len(got) == 0 && tt.first != "" || len(got) > 0 && got[0] != tt.first {
				t.Errorf("got %.300q, want first %q", got, tt.first)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	folder := t.TempDir()
	for name, tt := range map[string]struct {
		opts Options
		want string
	}{
		"no such file":     {Options{Path: filepath.Join(folder, "no.csv")}, "open " + filepath.Join(folder, "no.csv") + ": "},
		"a folder":         {Options{Path: folder}, "it is a folder"},
		"a device":         {Options{Path: os.DevNull}, "it is not a regular file"},
		"empty":            {Options{Path: write(t, "e.csv", "")}, "it is empty"},
		"blank":            {Options{Path: write(t, "e.csv", "\n \n")}, "it is empty"},
		"a workbook":       {Options{Path: write(t, "e.csv", "PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00\x21\x00")}, "it is not a text file"},
		"no such key":      {Options{Path: write(t, "e.csv", "a,b\n"), Key: "c"}, `e.csv: no column "c" for the key`},
		"no such text":     {Options{Path: write(t, "e.csv", "body,b\n"), Text: "bdoy"}, `no column "bdoy" for the text; did you mean "body"?`},
		"bad delimiter":    {Options{Path: write(t, "e.csv", "a,b\n"), Delimiter: '"'}, `'"' can't be a delimiter`},
		"broken header":    {Options{Path: write(t, "e.csv", "a,\"b\n1,2\n")}, "e.csv line 1: the quote that opens column 2 is never closed"},
		"a key twice":      {Options{Path: write(t, "e.csv", "k,v\n1,a\n2,\"b\nc\"\n1,d\n"), Key: "k"}, `the key "1" of column "k" is in line 2 and again in line 5`},
		"too many columns": {Options{Path: write(t, "e.csv", "a"+strings.Repeat(",", 20000)+"\n")}, "over the bound of 16384 columns"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), tt.opts)
			if err == nil || !strings.Contains(err.Error(), tt.want) || pipeline.ClassOf(err) != pipeline.Fatal {
				t.Errorf("got %v (class %s), want class fatal and %q", err, pipeline.ClassOf(err), tt.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Options{Path: write(t, "a.csv", "k\n1\n"), Key: "k"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestChanged(t *testing.T) {
	path := write(t, "a.csv", "k\n1\n2\n")
	s := open(t, Options{Path: path})
	last := func() (err error) {
		for _, err = range s.List(t.Context()) {
		}
		return err
	}
	if err := last(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Unix(1_000_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	if err := last(); err == nil || !strings.Contains(err.Error(), "it changed") || pipeline.ClassOf(err) != pipeline.Fatal {
		t.Errorf("before List: got %v", err)
	}

	s = open(t, Options{Path: path})
	var got error
	for ref, err := range s.List(t.Context()) {
		got = err
		if ref.Row == 2 {
			if err := os.WriteFile(path, []byte("k\n1\n2\n3\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got == nil || !strings.Contains(got.Error(), "it changed") {
		t.Errorf("during List: got %v", got)
	}
}

func TestText(t *testing.T) {
	s := open(t, Options{Path: write(t, "a.csv", "id,body\n7,hello\n"), Text: "body"})
	for ref, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		doc, err := s.Open(t.Context(), ref)
		if err != nil || doc.Text != "hello" || doc.Path != s.opts.Path {
			t.Errorf("got %+v, %v", doc, err)
		}
	}
}
