package csv

import (
	"bytes"
	stdcsv "encoding/csv"
	"os"
	"regexp"
	"strings"
	"testing"

	"docbatch/pipeline"
	"docbatch/sinks/sinkstest"
	"docbatch/sinks/table"
)

var format = sinkstest.Format{
	Ext:  ".csv",
	Open: func(path string, fields []string) (pipeline.Sink, error) { return Open(path, fields) },
	Read: readRows,
	Text: func(s string) string { return Neutral(table.Clean(s)) },
}

func TestSink(t *testing.T) { sinkstest.Test(t, format) }

func BenchmarkSink(b *testing.B) { sinkstest.Benchmark(b, format) }

func readRows(t testing.TB, path string) []sinkstest.Row {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(b), "id,") {
		t.Fatalf("the file begins with %.10q, not with the header", b)
	}
	lines := parse(t, string(b))
	rows := make([]sinkstest.Row, 0, len(lines)-1)
	for _, cells := range lines[1:] {
		row := sinkstest.Row{}
		for i, cell := range cells {
			row[lines[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

// parse reads RFC 4180 to the letter: encoding/csv changes line ends within cells.
func parse(t testing.TB, text string) (lines [][]string) {
	t.Helper()
	var cells []string
	for text != "" {
		var cell, end string
		cell, end, text = parseCell(t, text)
		cells = append(cells, cell)
		if end == "\r\n" {
			lines, cells = append(lines, cells), nil
			if n := len(lines[len(lines)-1]); n != len(lines[0]) {
				t.Fatalf("line %d has %d cells, the header %d", len(lines), n, len(lines[0]))
			}
		}
	}
	if cells != nil {
		t.Fatal("the last line does not end")
	}
	return lines
}

func parseCell(t testing.TB, text string) (cell, end, rest string) {
	t.Helper()
	if !strings.HasPrefix(text, `"`) {
		i := strings.IndexAny(text, "\",\r\n")
		if i < 0 || text[i] == '"' {
			t.Fatalf("bare cell without end: %.40q", text)
		}
		return splitEnd(t, text[:i], text[i:])
	}
	var b strings.Builder
	for text = text[1:]; ; {
		i := strings.IndexByte(text, '"')
		if i < 0 {
			t.Fatal("quote without end")
		}
		b.WriteString(text[:i])
		if !strings.HasPrefix(text[i:], `""`) {
			return splitEnd(t, b.String(), text[i+1:])
		}
		b.WriteByte('"')
		text = text[i+2:]
	}
}

func splitEnd(t testing.TB, cell, text string) (string, string, string) {
	t.Helper()
	for _, end := range []string{",", "\r\n"} {
		if rest, ok := strings.CutPrefix(text, end); ok {
			return cell, end, rest
		}
	}
	t.Fatalf("after a cell comes %.20q", text)
	return "", "", ""
}

func TestStream(t *testing.T) {
	var buf bytes.Buffer
	s, err := New(&buf, []string{"Name", "=x"})
	if err != nil {
		t.Fatal(err)
	}
	rec := sinkstest.Record(1, []pipeline.Field{{Name: "Name", Value: "Zoë"}, {Name: "=x", Value: "a,b"}}, "one\ntwo")
	if err := s.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	want := "id,name,Name_2,'=x,answer,state,class,error,warnings,model,prompt_tokens,completion_tokens,tokens,duration_ms,attempts,source\r\n" +
		"1,tickets.csv row 2,Zoë,\"a,b\",\"one\ntwo\",done,,,,demo-1,101,7,108,1234,2,tickets.csv\r\n"
	if got := buf.String(); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// The standard library is the reader that docbatch's own users are most likely to have; it must at least see the same cells.
func TestStandardReader(t *testing.T) {
	var buf bytes.Buffer
	s, err := New(&buf, []string{"text"})
	if err != nil {
		t.Fatal(err)
	}
	texts := sinkstest.Hostile()
	for i, text := range texts {
		if err := s.Write(sinkstest.Record(i, []pipeline.Field{{Name: "text", Value: text}}, "a")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	lines, err := stdcsv.NewReader(&buf).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != len(texts)+1 {
		t.Fatalf("got %d lines, want %d", len(lines), len(texts)+1)
	}
	for i, text := range texts {
		want := strings.ReplaceAll(Neutral(table.Clean(text)), "\r\n", "\n")
		if got := lines[i+1][2]; got != want {
			t.Errorf("got %.60q, want %.60q", got, want)
		}
	}
}

func TestNeutral(t *testing.T) {
	for _, tt := range []struct {
		name    string
		cells   []string
		guarded bool
	}{
		{"formulas", []string{"=1+1", "=cmd|' /C calc'!A0", "+SUM(A1)", "-1+1|cmd", "-A1", "+A1", "-ABC1", "@SUM(1)", "@handle", "="}, true},
		{"tab, carriage return", []string{"\tx", "\rx", "\t-5"}, true},
		{"behind blanks", []string{" =1", "\u00a0=1", "\ufeff=1", "\u200b=1", "\u202e=1", "  @x"}, true},
		{"wide forms", []string{"＝1+1", "＋SUM(1)", "－A1", "＠SUM(1)", "﹦1", "﹣A1"}, true},
		{"operators in what looks like a number", []string{"-1+1", "-1-1", "+1*2", "-1/2", "+33-6-12", "-2024-01-02", "-(5)", "-5%%", "-1e", "--5"}, true},
		{"not a number", []string{"- a point", "+", "-€", "-5 EURO", "-1E5X", "-.", "-5\n", "-" + strings.Repeat("1", 100)}, true},
		{"numbers", []string{"-12.5", "+3", "-1.234,56 €", "-1,234.56", "- 5", "-.5", "-5.", "-1e5", "+1.5E-3", "-12,5 %", "-5%", "-€5", "-$1,000.00", "-1'234.50 CHF", "-1 234,56\u00a0€", "－5", " -5 "}, false},
		{"phone numbers", []string{"+33 6 12 34 56 78", "+41442345678"}, false},
		{"dashes", []string{"-", "--", "---"}, false},
		{"harmless", []string{"", "a", "1+1", "2026-01-02", "007", "'=1", "a=b", "«x»", "(1)", "\n", " ", "#N/A"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, cell := range tt.cells {
				want := cell
				if tt.guarded {
					want = "'" + cell
				}
				if got := Neutral(cell); got != want {
					t.Errorf("Neutral(%q): got %q, want %q", cell, got, want)
				}
			}
		})
	}
}

// TestNeutralInside is about what a spreadsheet sees that splits the file at semicolons or tabs.
func TestNeutralInside(t *testing.T) {
	for _, tt := range []struct{ name, cell, want string }{
		{"formula after a semicolon", "x;=cmd|' /C calc'!A0;y", "x;'=cmd|' /C calc'!A0;y"},
		{"behind blanks and quotes", "x; \"\u200b=1+1", "x;' \"\u200b=1+1"},
		{"after a tab", "x\t=1", "x\t'=1"},
		{"after line ends", "a\n=1\r\n=2\r=3", "a\n'=1\r\n'=2\r'=3"},
		{"wide", "a;＝1;－SUM(1);＠SUM(1)", "a;'＝1;'－SUM(1);'＠SUM(1)"},
		{"a function", "a;-SUM(1);+HYPERLINK(A1)\n@SUM(1)", "a;'-SUM(1);'+HYPERLINK(A1)\n'@SUM(1)"},
		{"another program", "a\n-cmd|'/C calc'!A0", "a\n'-cmd|'/C calc'!A0"},
		{"the first part too", "=1;=2", "'=1;'=2"},
		{"first and second", "\t=1\n=2", "'\t'=1\n'=2"},
		{"after a number", "-1\n=2", "'-1\n'=2"},
		{"many", ";=1" + strings.Repeat("\n=1", 3), ";'=1\n'=1\n'=1\n'=1"},
		{"list", "Facts:\n- one\n- two (see 2)\n  - a | b\n+ three\n@anna", "Facts:\n- one\n- two (see 2)\n  - a | b\n+ three\n@anna"},
		{"numbers", "a;-5;+3\n-12.5", "a;-5;+3\n-12.5"},
		{"title", "Title\n=====\n-----\n", "Title\n=====\n-----\n"},
		{"later in a part", "a; b=1\nc = d", "a; b=1\nc = d"},
		{"ends", "a;", "a;"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Neutral(tt.cell); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// innerFormula is what a spreadsheet takes for a formula that splits a cell; only = are a rule under a title.
var innerFormula = regexp.MustCompile(`[;\t\r\n][ "]*=[^;\t\r\n]*[^=;\t\r\n]`)

// FuzzLine checks that every text comes back from the format as Neutral and Clean leave it, and that no cell begins as a formula.
func FuzzLine(f *testing.F) {
	for _, text := range sinkstest.Hostile() {
		f.Add(text, "x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		var buf bytes.Buffer
		s, err := New(&buf, []string{"a"})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Write(sinkstest.Record(1, []pipeline.Field{{Name: "a", Value: a}}, b)); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
		got := parse(t, buf.String())[1][2:4]
		for i, text := range []string{a, b} {
			if clean := table.Clean(text); strings.ReplaceAll(got[i], "'", "") != strings.ReplaceAll(clean, "'", "") || len(got[i]) < len(clean) {
				t.Errorf("%q came back as %q", text, got[i])
			}
			if part := innerFormula.FindString(got[i]); part != "" {
				t.Errorf("%q has the part %q", got[i], part)
			}
			if strings.HasPrefix(got[i], "=") || strings.HasPrefix(got[i], "@") || strings.HasPrefix(got[i], "\t") {
				t.Errorf("%q begins as a formula", got[i])
			}
		}
	})
}
