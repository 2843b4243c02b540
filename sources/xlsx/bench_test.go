package xlsx

import (
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

const benchRows = 100_000

// BenchmarkRows compares the ways to the rows of a workbook with numbers, a category, a text, a date and an amount: the iterator
// of excelize, and List with all that Open does. Peak memory is that of the process: run each alone.
func BenchmarkRows(b *testing.B) {
	path := benchBook(b)
	for _, bench := range []struct {
		name string
		rows func(b *testing.B, path string) (int, error)
	}{
		{"excelize", excelizeRows},
		{"List", listRows},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			rows := 0
			for b.Loop() {
				n, err := bench.rows(b, path)
				if err != nil {
					b.Fatal(err)
				}
				rows += n
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func excelizeRows(_ *testing.B, path string) (n int, err error) {
	f, err := excelize.OpenFile(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	rows, err := f.Rows("Sheet1")
	if err != nil {
		return 0, err
	}
	for rows.Next() {
		if _, err := rows.Columns(); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Close()
}

func listRows(b *testing.B, path string) (n int, err error) {
	s, err := Open(b.Context(), Options{Path: path})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	for _, err := range s.List(b.Context()) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// benchBook writes the workbook, with shared strings as Excel does.
func benchBook(b *testing.B) string {
	b.Helper()
	f := sheetOf(b, []any{"no", "category", "text", "date", "amount"})
	day, err := f.NewStyle(&excelize.Style{NumFmt: 14})
	if err != nil {
		b.Fatal(err)
	}
	money := "#,##0.00"
	amount, err := f.NewStyle(&excelize.Style{CustomNumFmt: &money})
	if err != nil {
		b.Fatal(err)
	}
	words := strings.Repeat("lorem ipsum dolor sit amet, ", 7)
	for i := range benchRows {
		row := []any{i, "support", fmt.Sprint(words, i), 43831 + float64(i)/1440, float64(i) * 1.37}
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+2), &row); err != nil {
			b.Fatal(err)
		}
	}
	for column, style := range map[string]int{"D": day, "E": amount} {
		if err := f.SetCellStyle("Sheet1", column+"2", fmt.Sprintf("%s%d", column, benchRows+1), style); err != nil {
			b.Fatal(err)
		}
	}
	return save(b, f)
}
