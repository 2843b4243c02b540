package main

import (
	"encoding/csv"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"docbatch/pipeline"
	"docbatch/pipeline/agent/demo"
)

// rowText is a cell that an answer repeats the mark of.
func rowText(mark string) string {
	return fmt.Sprintf("Report %s\n\nThe %s shipment left the harbour on Monday. It is expected on Friday. Nothing else is known.", mark, mark)
}

// writeTable writes a CSV or, by its extension, an XLSX file of rows, the header first.
func writeTable(t *testing.T, path string, rows [][]string) {
	t.Helper()
	if filepath.Ext(path) == ".xlsx" {
		writeWorkbook(t, path, rows)
		return
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := csv.NewWriter(f).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func writeWorkbook(t *testing.T, path string, rows [][]string) {
	t.Helper()
	book := excelize.NewFile()
	w, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		cells := make([]any, len(row))
		for j, value := range row {
			cells[j] = value
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), cells); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := book.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
}

// asksTheRow is a prompt that is another one for a row that moved: whoever asks such a row again sends another request.
const asksTheRow = "Sum up row {{.Row}}, which is {{.Name}}.\n{{.Text}}"

// TestRowsInsertedAndEdited is a table that changes from one night to the next: rows that only moved are not asked again, even where the
// prompt prints where they are, and the output has every row in its place with its own answer.
func TestRowsInsertedAndEdited(t *testing.T) {
	takesLong(t)
	const documents = 10_000
	for _, tt := range []struct {
		name, file string
		flags      []string
	}{
		{"CSV", "rows.csv", nil},
		{"CSV with a key column", "rows.csv", []string{"--key", "no"}},
		{"XLSX", "rows.xlsx", nil},
		{"XLSX with a key column", "rows.xlsx", []string{"--key", "no"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, dir := &journal{}, t.TempDir()
			args := append([]string{"run", tt.file, "--agent", "analyst", "--base-url", startAgent(t, demo.Options{Journal: j}),
				"--workers", "64", "--text", "text", "--prompt", asksTheRow, "-o", "out.csv", "-q"}, tt.flags...)
			night := func(what string, rows [][]string, requests int) {
				t.Helper()
				before := len(j.entries(t))
				writeTable(t, filepath.Join(dir, tt.file), rows)
				if code, out := exitOf(t, process(dir, args...)); code != exitOK {
					t.Fatalf("%s: exit %d\n%s", what, code, out)
				}
				if got := len(j.entries(t)) - before; got != requests {
					t.Errorf("%s: %d requests, want %d", what, got, requests)
				}
				wantRows(t, filepath.Join(dir, "out.csv"), rows)
			}

			rows := [][]string{{"no", "mark", "text"}}
			row := func(id int, mark string) []string { return []string{fmt.Sprint("K", id), mark, rowText(mark)} }
			for i := range documents {
				rows = append(rows, row(i, marker(i)))
			}
			night("the first run", rows, documents)
			for i := range 5 {
				at := 1 + i*documents/5
				rows[at] = row(at-1, fmt.Sprintf("mark%dedited", i))
			}
			var added [][]string
			for i := range 5 {
				added = append(added, row(documents+i, marker(documents+i)))
			}
			rows = slices.Insert(rows, documents/2, added...)
			night("5 inserted, 5 edited", rows, 10)
			night("the same once more", rows, 0)
		})
	}
}

// wantRows checks that an output has the rows of a table in their order, each with its columns and an answer that repeats its mark, which
// is in the column before the last.
func wantRows(t *testing.T, output string, rows [][]string) {
	t.Helper()
	header, got := rows[0], readCSV(t, output)
	if len(got) != len(rows)-1 {
		t.Fatalf("%d rows in the output, want %d", len(got), len(rows)-1)
	}
	for i, row := range rows[1:] {
		for j, column := range header {
			if got[i][column] != row[j] {
				t.Fatalf("row %d: column %s is %q, want %q", i+2, column, got[i][column], row[j])
			}
		}
		if mark := row[len(row)-2]; got[i]["state"] != string(pipeline.Done) || !strings.Contains(got[i]["answer"], mark) {
			t.Fatalf("row %d is %s with the answer %q, want its own with %s", i+2, got[i]["state"], got[i]["answer"], mark)
		}
	}
}

// TestRowsOfNoKey changes small tables without a key column. A letter is a row of that mark, "-" one that is broken; the output has the
// rows in their order, each with its own answer.
func TestRowsOfNoKey(t *testing.T) {
	takesLong(t)
	for name, tt := range map[string]struct {
		before, after string
		prompt        string
		columns       [2]string // what the second one is called before and after; "" for "text"
		requests      [2]int
		gone          int
	}{
		"equal rows":                        {before: "AABACB", after: "AABACB", requests: [2]int{3, 0}},
		"one inserted, one removed":         {before: "AABACB", after: "AAABAC", requests: [2]int{3, 0}, gone: 1},
		"and each asked about its place":    {before: "AABACB", after: "AAABAC", prompt: asksTheRow, requests: [2]int{6, 1}, gone: 1},
		"upside down":                       {before: "ABCDE", after: "EDCBA", prompt: asksTheRow, requests: [2]int{5, 0}},
		"all but one removed":               {before: "ABACA", after: "A", prompt: asksTheRow, requests: [2]int{5, 0}, gone: 4},
		"broken rows inserted and moved":    {before: "A-BC", after: "-AB-C", prompt: asksTheRow, requests: [2]int{3, 0}},
		"a broken row mended":               {before: "A-C", after: "ABC", prompt: asksTheRow, requests: [2]int{2, 1}, gone: 1},
		"a renamed column is a changed row": {before: "ABC", after: "ABC", columns: [2]string{1: "body"}, requests: [2]int{3, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			j, dir := &journal{}, t.TempDir()
			args := []string{"run", "rows.csv", "--agent", "analyst", "--base-url", startAgent(t, demo.Options{Journal: j}), "-o", "out.csv"}
			if tt.prompt != "" {
				args = append(args, "--prompt", tt.prompt)
			}
			for night, letters := range []string{tt.before, tt.after} {
				before := len(j.entries(t))
				writeLetters(t, filepath.Join(dir, "rows.csv"), tt.columns[night], letters)
				want := exitOK
				if strings.Contains(letters, "-") {
					want = exitDocuments
				}
				if code, out := exitOf(t, process(dir, args...)); code != want {
					t.Errorf("night %d: exit %d, want %d\n%s", night+1, code, want, out)
				}
				if got := len(j.entries(t)) - before; got != tt.requests[night] {
					t.Errorf("night %d: %d requests, want %d", night+1, got, tt.requests[night])
				}
				wantLetters(t, filepath.Join(dir, "out.csv"), letters)
			}
			if got := countsIn(t, filepath.Join(dir, defaultState)).Gone; got != tt.gone {
				t.Errorf("%d documents are gone, want %d", got, tt.gone)
			}
		})
	}
}

// writeLetters writes a CSV with a row for each letter; column is the name of the second one.
func writeLetters(t *testing.T, path, column, letters string) {
	t.Helper()
	var b strings.Builder
	if column == "" {
		column = "text"
	}
	fmt.Fprintf(&b, "kind,%s\n", column)
	for _, letter := range letters {
		if letter == '-' {
			fmt.Fprintln(&b, "ragged")
			continue
		}
		fmt.Fprintf(&b, "report,%q\n", strings.Join(strings.Fields(rowText(letterMark(letter))), " "))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func letterMark(letter rune) string { return "mark" + string(letter) + "mark" }

func wantLetters(t *testing.T, output, letters string) {
	t.Helper()
	var got strings.Builder
	for _, row := range readCSV(t, output) {
		switch at := strings.Index(row["answer"], "mark"); {
		case row["state"] == string(pipeline.Failed):
			got.WriteByte('-')
		case at < 0:
			t.Fatalf("%s is %s with the answer %q", row["name"], row["state"], row["answer"])
		default:
			got.WriteByte(row["answer"][at+len("mark")])
		}
	}
	if got.String() != letters {
		t.Errorf("the answers in the output are those of %s, want %s", got.String(), letters)
	}
}

// BenchmarkSecondRunOfFolder is a run over 200,000 files that are all finished, as a multiple of a bare walk over them with lstat: the best
// of five of each.
func BenchmarkSecondRunOfFolder(b *testing.B) {
	inbox, dir := b.TempDir(), b.TempDir()
	for i := range 200_000 {
		folder := filepath.Join(inbox, fmt.Sprintf("folder%03d", i/1000))
		if i%1000 == 0 {
			if err := os.Mkdir(folder, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(folder, documentName(i)), []byte("The goods were found complete."), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	base, _ := benchServer(b, 0)
	run := func() {
		cmd := process(dir, "run", inbox, "--agent", "bench", "--base-url", base, "--workers", "64", "--prompt", "Sum up.", "-q")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("docbatch: %v\n%s", err, out)
		}
	}
	walk := func() {
		err := filepath.WalkDir(inbox, func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				_, err = os.Lstat(path)
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	timed := func(f func()) float64 {
		started := time.Now()
		f()
		return time.Since(started).Seconds()
	}
	run()
	second, bare := math.Inf(1), math.Inf(1)
	for b.Loop() {
		for range 5 {
			second, bare = min(second, timed(run)), min(bare, timed(walk))
		}
	}
	b.ReportMetric(1000*second, "ms-second-run")
	b.ReportMetric(second/bare, "x-bare-walk")
	b.ReportMetric(0, "ns/op")
}
