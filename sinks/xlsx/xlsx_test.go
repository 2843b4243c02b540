package xlsx

import (
	"archive/zip"
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"docbatch/pipeline"
	"docbatch/sinks/sinkstest"
)

var format = sinkstest.Format{
	Ext:  ".xlsx",
	Open: func(path string, fields []string) (pipeline.Sink, error) { return Open(path, fields) },
	Read: readRows,
	Text: fit,
}

func TestSink(t *testing.T) { sinkstest.Test(t, format) }

func BenchmarkSink(b *testing.B) { sinkstest.Benchmark(b, format) }

func openBook(t testing.TB, path string) *excelize.File {
	t.Helper()
	book, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	return book
}

func readRows(t testing.TB, path string) (rows []sinkstest.Row) {
	t.Helper()
	book := openBook(t, path)
	for _, sheet := range book.GetSheetList() {
		lines, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, cells := range lines[1:] {
			row := sinkstest.Row{}
			for i, cell := range cells {
				row[lines[0][i]] = cell
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// small opens a sink with other limits than Excel's.
func small(t *testing.T, rows int, bytes int64) (*Sink, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.xlsx")
	s, err := Open(path, []string{"n"})
	if err != nil {
		t.Fatal(err)
	}
	s.maxRows, s.maxBytes = rows, bytes
	return s, path
}

func writeAll(t *testing.T, s *Sink, n int) {
	t.Helper()
	for i := range n {
		if err := s.Write(sinkstest.Record(i, []pipeline.Field{{Name: "n", Value: fmt.Sprint(i)}}, "answer")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestFurtherSheets(t *testing.T) {
	header := xmlBytes([]string{"id", "name", "n", "answer", "state", "class", "error", "model", "prompt_tokens",
		"completion_tokens", "tokens", "duration_ms", "attempts", "source"})
	for _, tt := range []struct {
		name    string
		rows    int
		bytes   int64
		records int
		want    []int // rows of each sheet
	}{
		{"none", 4, maxSheetBytes, 0, []int{1}},
		{"just full", 4, maxSheetBytes, 3, []int{4}},
		{"one more", 4, maxSheetBytes, 4, []int{4, 2}},
		{"beyond the sample", 61, maxSheetBytes, 130, []int{61, 61, 11}},
		{"by bytes", 1000, header + 2*1700, 5, []int{3, 3, 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, path := small(t, tt.rows, tt.bytes)
			writeAll(t, s, tt.records)
			checkSheets(t, path, tt.want)
			for i, row := range readRows(t, path) {
				if row["n"] != fmt.Sprint(i) {
					t.Fatalf("row %d is that of record %s", i, row["n"])
				}
			}
		})
	}
}

// checkSheets compares the names, rows and dress of all sheets.
func checkSheets(t *testing.T, path string, want []int) {
	t.Helper()
	book := openBook(t, path)
	if got := len(book.GetSheetList()); got != len(want) {
		t.Fatalf("got %d sheets, want %d", got, len(want))
	}
	names := book.GetDefinedName()
	for i, sheet := range book.GetSheetList() {
		if sheet != sheetName(i+1) {
			t.Errorf("sheet %d is called %q", i+1, sheet)
		}
		lines, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != want[i] {
			t.Errorf("%s: got %d rows, want %d", sheet, len(lines), want[i])
		}
		if lines[0][0] != "id" {
			t.Errorf("%s begins with %q, want the header", sheet, lines[0])
		}
		panes, err := book.GetPanes(sheet)
		if err != nil || !panes.Freeze || panes.YSplit != 1 {
			t.Errorf("%s: the header is not frozen: %+v, %v", sheet, panes, err)
		}
		ref := fmt.Sprintf("'%s'!$A$1:$O$%d", sheet, want[i])
		if names[i].RefersTo != ref || names[i].Scope != sheet {
			t.Errorf("%s: filter on %s of %s, want %s", sheet, names[i].RefersTo, names[i].Scope, ref)
		}
	}
}

func TestLook(t *testing.T) {
	s, path := small(t, maxRows, maxSheetBytes)
	long := strings.Repeat("word ", 2000)
	for _, answer := range []string{"short", long} {
		rec := sinkstest.Record(7, []pipeline.Field{{Name: "n", Value: "a value that is a bit longer"}}, answer)
		if err := s.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	book := openBook(t, path)
	for column, want := range map[string]float64{"A": 9, "B": 18, "C": 29, "D": answerWidth} {
		if got, err := book.GetColWidth("results", column); err != nil || got != want {
			t.Errorf("width of %s: got %v, %v, want %v", column, got, err, want)
		}
	}
	for row, want := range map[int]float64{2: 15, 3: maxLines * lineHeight} {
		if got, err := book.GetRowHeight("results", row); err != nil || got != want {
			t.Errorf("height of row %d: got %v, %v, want %v", row, got, err, want)
		}
	}
	for cell, check := range map[string]func(*excelize.Style) bool{
		"A1": func(s *excelize.Style) bool { return s.Font != nil && s.Font.Bold },
		"A2": func(s *excelize.Style) bool { return !s.Alignment.WrapText && s.Alignment.Vertical == "top" },
		"D2": func(s *excelize.Style) bool { return s.Alignment.WrapText && s.Alignment.Vertical == "top" },
	} {
		id, err := book.GetCellStyle("results", cell)
		if err != nil {
			t.Fatal(err)
		}
		style, err := book.GetStyle(id)
		if err != nil || !check(style) {
			t.Errorf("style of %s: got %+v, %v", cell, style, err)
		}
	}
	for _, cell := range []string{"A2", "C2", "I2", "L2"} {
		kind, err := book.GetCellType("results", cell)
		if err != nil || kind != excelize.CellTypeInlineString {
			t.Errorf("type of %s: got %v, %v, want a string", cell, kind, err)
		}
	}
}

func TestFit(t *testing.T) {
	full := strings.Repeat("a", maxCellUnits)
	room := maxCellUnits - units(cutMark)
	for _, tt := range []struct{ name, text, want string }{
		{"short", "a\r\nb\rc\n", "a\nb\nc\n"},
		{"just full", full, full},
		{"one more", full + "b", full[:room] + cutMark},
		{"bytes are not units", strings.Repeat("é", maxCellUnits), strings.Repeat("é", maxCellUnits)},
		{"pairs stay whole", strings.Repeat("🙂", maxCellUnits), strings.Repeat("🙂", room/2) + cutMark},
		{"one pair too many", strings.Repeat("🙂", maxCellUnits/2) + "🙂", strings.Repeat("🙂", room/2) + cutMark},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := fit(tt.text)
			if got != tt.want {
				t.Errorf("got %.20q…, %d bytes; want %.20q…, %d bytes", got, len(got), tt.want, len(tt.want))
			}
			if n := units(got); n > maxCellUnits {
				t.Errorf("%d units", n)
			}
		})
	}
}

func TestTooManyColumns(t *testing.T) {
	fields := make([]string, maxColumns)
	for i := range fields {
		fields[i] = fmt.Sprint("c", i)
	}
	path := filepath.Join(t.TempDir(), "out.xlsx")
	_, err := Open(path, fields)
	if err == nil || !strings.Contains(err.Error(), "columns") {
		t.Errorf("got %v, want an error about columns", err)
	}
}

// FuzzText checks that what looks like an escape survives: the text read back is the one written, but for word joiners.
func FuzzText(f *testing.F) {
	for _, text := range sinkstest.Hostile() {
		if len(text) < 1000 {
			f.Add(text)
		}
	}
	for _, text := range []string{
		"_x000D_x000A_", "_x000D_x000A_x000B_", "_x005F_x000D_x000A_x000B_", "_x000D_x005F_x000A_", "_x005f_x000d_", "_x005F_x005F_x005F_",
		"_xD800_", "_xDC00_x000D_x000A_", "__x000D__x000D__", "_x_x0041_x",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, path := small(t, maxRows, maxSheetBytes)
		if err := s.Write(sinkstest.Record(1, []pipeline.Field{{Name: "n", Value: "x" + text}}, "")); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
		got := readRows(t, path)[0]["n"]
		plain := func(s string) string { return strings.ReplaceAll(s, wordJoiner, "") }
		if want := fit("x" + text); plain(got) != plain(want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestEscapesSurvive tries what FuzzText does on many texts made of parts of escapes, in one workbook.
func TestEscapesSurvive(t *testing.T) {
	parts := []string{"_", "x", "_x000D_", "x000A_", "_x005F_", "x005F_", "_x005f_", "x005F", "_xD800_", "xDFFF_", "é", "_x00"}
	random := rand.New(rand.NewPCG(1, 2))
	s, path := small(t, maxRows, maxSheetBytes)
	texts := make([]string, 5000)
	for i := range texts {
		texts[i] = "x"
		for range 1 + random.IntN(8) {
			texts[i] += parts[random.IntN(len(parts))]
		}
		if err := s.Write(sinkstest.Record(i, []pipeline.Field{{Name: "n", Value: texts[i]}}, "")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	for i, row := range readRows(t, path) {
		if got := strings.ReplaceAll(row["n"], wordJoiner, ""); got != texts[i] {
			t.Errorf("got %q, want %q", row["n"], texts[i])
		}
	}
}

// TestMillion writes more rows than a sheet can hold.
func TestMillion(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 1,100,000 rows")
	}
	s, path := small(t, maxRows, maxSheetBytes)
	const records = 1_100_000
	writeAll(t, s, records)
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	for i, want := range []int{maxRows, records - maxRows + 2} {
		if got := countRows(t, &archive.Reader, i+1); got != want {
			t.Errorf("sheet %d: got %d rows, want %d", i+1, got, want)
		}
	}
}

// countRows doesn't use excelize, which takes a minute for a million rows.
func countRows(t *testing.T, archive *zip.Reader, sheet int) int {
	t.Helper()
	f, err := archive.Open(fmt.Sprintf("xl/worksheets/sheet%d.xml", sheet))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := bufio.NewScanner(f)
	rows.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		if i := bytes.Index(data, []byte("</row>")); i >= 0 {
			return i + len("</row>"), data[:i], nil
		}
		return 0, nil, nil
	})
	n := 0
	for rows.Scan() {
		n++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}
