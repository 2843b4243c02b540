package csv

import (
	"bytes"
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"docbatch/sources/table"
)

// read reads all records of text as "line: cell|cell" or "line! fault".
func read(t testing.TB, in io.Reader, want int) []string {
	t.Helper()
	return readBy(t, in, want, firstBufferBytes)
}

// readBy reads as read does, with a buffer that is small at first: records go over its end in every way.
func readBy(t testing.TB, in io.Reader, want, bufferBytes int) []string {
	t.Helper()
	r := newReader(in, []byte(","), '\n')
	r.buf = make([]byte, 0, bufferBytes)
	r.want, r.wantBy = want, "the header has"
	var got []string
	for {
		rec, err := r.next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, show(rec))
	}
}

func show(rec record) string {
	if rec.fault != "" {
		return fmt.Sprintf("%d! %s", rec.line, rec.fault)
	}
	return fmt.Sprintf("%d: %s", rec.line, bytes.Join(rec.cells, []byte("|")))
}

func TestReader(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		want []string
	}{
		"plain":                        {"a,b\nc,d\n", []string{"1: a|b", "2: c|d"}},
		"no line end at the end":       {"a,b\nc,d", []string{"1: a|b", "2: c|d"}},
		"CRLF":                         {"a,b\r\n\"c\",\"d\"\r\n", []string{"1: a|b", "2: c|d"}},
		"CRLF, the last one cut":       {"a,\"b\"\r", []string{"1: a|b"}},
		"empty values":                 {",b\nc,\n\"\",d\n", []string{"1: |b", "2: c|", "3: |d"}},
		"quoted delimiter":             {"\"a,1\",b\n", []string{"1: a,1|b"}},
		"quoted line ends":             {"\"a\n\n1\",b\nc,d\n", []string{"1: a\n\n1|b", "4: c|d"}},
		"doubled quotes":               {"\"\"\"a\"\" 1\",\"\"\"\"\n", []string{"1: \"a\" 1|\""}},
		"a quote as a letter":          {"5\" pipe,b \"x\"\nc,d\n", []string{"1: 5\" pipe|b \"x\"", "2: c|d"}},
		"blank lines":                  {"\n\r\na,b\n  \n,\nc,d\n\n", []string{"3: a|b", "6: c|d"}},
		"too few":                      {"a\nc,d\n", []string{"1! 1 column where the header has 2", "2: c|d"}},
		"too many":                     {"a,b,\nc,d\n", []string{"1! 3 columns where the header has 2", "2: c|d"}},
		"never closed":                 {"a,\"b\nc,d\ne,f\n", []string{"1! the quote that opens column 2 is never closed", "2: c|d", "3: e|f"}},
		"never closed, last":           {"a,b\nc,\"d", []string{"1: a|b", "2! the quote that opens column 2 is never closed"}},
		"never closed, quotes follow":  {"a,\"b\nc,\"d\"\n\"e\",f\n", []string{"1! a quote inside the quoted column 2 is not doubled", "2: c|d", "3: e|f"}},
		"closed by chance":             {"\"a,b\nc,d\ne\",f\ng,h\n", []string{"1: a,b\nc,d\ne|f", "4: g|h"}},
		"closed by chance, ragged":     {"a,\"b\nc,d\ne,\",f\ng,h\n", []string{"1! 3 columns where the header has 2, over 3 lines: a quote is missing", "2: c|d", "3! the quote that opens column 2 is never closed", "4: g|h"}},
		"a ragged one of several":      {"a,\"b\nb\",c\nd,e\n", []string{"1! 3 columns where the header has 2, over 2 lines: a quote is missing", "2: b\"|c", "3: d|e"}},
		"ragged, its lines no records": {"a,\"b\nb\nb\",c\nd,e\n", []string{"1! 3 columns where the header has 2", "4: d|e"}},
		"letters behind a quote":       {"\"a\"x,b\nc,d\n", []string{"1! a quote inside the quoted column 1 is not doubled", "2: c|d"}},
		"a lone CR is a letter":        {"a\rb,c\n", []string{"1: a\rb|c"}},
		"empty":                        {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(t, strings.NewReader(tt.in), 2); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			for size := range 8 {
				if got := readBy(t, strings.NewReader(tt.in), 2, size+1); !slices.Equal(got, tt.want) {
					t.Errorf("buffer of %d bytes: got %q, want %q", size+1, got, tt.want)
				}
			}
		})
	}
}

func TestReaderCR(t *testing.T) {
	r := newReader(strings.NewReader("a,\"b\rb\"\rc,d"), []byte(","), '\r')
	for _, want := range []string{"1: a|b\rb", "3: c|d"} {
		rec, err := r.next()
		if err != nil || show(rec) != want {
			t.Errorf("got %q, %v, want %q", show(rec), err, want)
		}
	}
}

func TestReaderLongDelimiter(t *testing.T) {
	r := newReader(strings.NewReader("\"a\"§b\n"), []byte("§"), '\n')
	r.buf = make([]byte, 0, 4) // ends within the delimiter
	rec, err := r.next()
	if err != nil || show(rec) != "1: a|b" {
		t.Errorf("got %q, %v", show(rec), err)
	}
}

func TestReaderLongRecords(t *testing.T) {
	long := strings.Repeat("x", maxRecordBytes+1)
	half := strings.Repeat("y\n", maxRecordBytes/4)
	for name, tt := range map[string]struct {
		in   string
		want []string
	}{
		"a line":        {"a,b\n" + long + ",b\nc,d\n", []string{"1: a|b", "2! the line is longer than the bound of 16777216 bytes", "3: c|d"}},
		"the last line": {"a,b\n" + long, []string{"1: a|b", "2! the line is longer than the bound of 16777216 bytes"}},
		"a quoted line": {"a,b\n\"" + long + "\",b\nc,d\n", []string{"1: a|b", "2! the line is longer than the bound of 16777216 bytes", "3: c|d"}},
		"half of that":  {"a,\"" + half + "\"\nc,d\n", []string{"1: a|" + half, "4194306: c|d"}},
		"never closed":  {"a,\"b\nc,d\n\n\n" + strings.Repeat("\n", maxRecordBytes) + "e,f\n", []string{"1! the quote that opens column 2 is not closed within 16777216 bytes", "2: c|d", "16777221: e|f"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(t, strings.NewReader(tt.in), 2); !slices.Equal(got, tt.want) {
				t.Errorf("got %.300q, want %.300q", got, tt.want)
			}
		})
	}
}

func TestReaderBoundsVainWork(t *testing.T) {
	// Each line leaves the quote open that the line before it opened: no record ever ends.
	const lines = 300_000
	in := strings.Repeat("x\",\"\n", lines)
	r := newReader(strings.NewReader(in), []byte(","), '\n')
	n, worst := 0, 0
	for ; ; n++ {
		rec, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.line != n+1 || rec.fault == "" {
			t.Fatalf("record %d: got %s", n, show(rec))
		}
		worst = min(worst, r.credit)
	}
	if n != lines {
		t.Errorf("got %d records, want %d", n, lines)
	}
	if worst < -2*firstBufferBytes {
		t.Errorf("looked at %d bytes more than the credit allows", -worst)
	}
}

func TestReaderStreamErrors(t *testing.T) {
	broken := errors.New("broken")
	r := newReader(io.MultiReader(strings.NewReader("a,b\nc,"), iotest.ErrReader(broken)), []byte(","), '\n')
	if rec, err := r.next(); err != nil || show(rec) != "1: a|b" {
		t.Errorf("got %q, %v", show(rec), err)
	}
	if _, err := r.next(); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if _, err := r.next(); !errors.Is(err, broken) {
		t.Errorf("again: got %v, want %v", err, broken)
	}
}

func TestReaderManyColumns(t *testing.T) {
	rec, err := newReader(strings.NewReader("x"+strings.Repeat(",", 100_000)+"\n"), []byte(","), '\n').next()
	if err != nil || len(rec.cells) != table.MaxColumns+1 {
		t.Errorf("got %d columns, %v", len(rec.cells), err)
	}
}

// FuzzReader checks that what is read is right whatever surrounds it: every line is accounted for; where nothing is broken
// the records are those of encoding/csv; and a row after the bytes is read as it is, unless a quote in them reaches it.
func FuzzReader(f *testing.F) {
	for _, s := range []string{"a,b\n", "\"a\nb\",c\n", "a,\"b\n", "\"a\"b,c\n", "a\n\n,\nb,c,d\n", "\"\"\"\",\"", "x\",\"\nx\",\"\n", "\r\n\r", "a\"b,c\"\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		whole := readBy(t, bytes.NewReader(b), 0, 1<<10)
		if pieces := readBy(t, bytes.NewReader(b), 0, 1); !slices.Equal(whole, pieces) {
			t.Fatalf("at once %q, in pieces %q", whole, pieces)
		}
		lines := bytes.Count(b, []byte("\n")) + 1
		if len(whole) > lines {
			t.Fatalf("%d records of %d lines", len(whole), lines)
		}
		checkAgainstStandard(t, b, whole)
		if bytes.IndexByte(b, '"') >= 0 {
			return
		}
		after := readBy(t, bytes.NewReader(append(slices.Clone(b), "\nlast,\"row\nof\",3\n"...)), 0, 1<<10)
		if want := fmt.Sprintf("%d: last|row\nof|3", lines+1); len(after) == 0 || after[len(after)-1] != want {
			t.Fatalf("the row after %q: got %q, want %q", b, after, want)
		}
	})
}

// FuzzReaderResync checks that rows after a broken one are read as in a file without it.
func FuzzReaderResync(f *testing.F) {
	for _, s := range []string{"a", "a,\"b", "\"a\"b", "1,2,3,4", "\"", "a,\"b,\"\"", "x,\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\r\n") {
			return
		}
		clean := "k,\"v\",w\nl,\"two\nlines\",x\n"
		got := readBy(t, strings.NewReader(line+"\n"+clean), 3, 1<<10)
		want := readBy(t, strings.NewReader("\n"+clean), 3, 1<<10)
		if len(got) < 2 {
			t.Fatalf("after %q: got %q, want %q", line, got, want)
		}
		if swallowed := strings.HasPrefix(got[0], "1: ") && strings.Contains(got[0], "\n"); swallowed {
			return // the quotes happen to make a good row of several lines
		}
		if !slices.Equal(got[len(got)-2:], want) {
			t.Fatalf("after %q: got %q, want %q", line, got, want)
		}
	})
}

// checkAgainstStandard compares with encoding/csv where both take the bytes for whole.
func checkAgainstStandard(t *testing.T, b []byte, got []string) {
	if bytes.IndexByte(b, '\r') >= 0 {
		return // encoding/csv drops a CR inside quotes and at the end
	}
	std := stdcsv.NewReader(bytes.NewReader(b))
	std.FieldsPerRecord = -1
	var want []string
	for {
		cells, err := std.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return
		}
		if blank(cells) {
			continue
		}
		line, _ := std.FieldPos(0)
		want = append(want, fmt.Sprintf("%d: %s", line, strings.Join(cells, "|")))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, encoding/csv %q", got, want)
	}
}

func blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(s string) bool { return strings.TrimSpace(s) != "" })
}
