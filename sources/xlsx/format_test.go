package xlsx

import (
	"fmt"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// TestFormatsOfAWorkbook reads formats from a workbook, built-in ones and others.
func TestFormatsOfAWorkbook(t *testing.T) {
	when := time.Date(2026, 11, 23, 18, 30, 0, 0, time.UTC)
	euro, iso := `#,##0.00 "€"`, "dd/mm/yyyy"
	f := sheetOf(t, []any{"v"})
	for i, c := range []struct {
		value any
		style excelize.Style
	}{
		{when, excelize.Style{NumFmt: 14}},
		{when, excelize.Style{CustomNumFmt: &iso}},
		{-1234.5, excelize.Style{CustomNumFmt: &euro}},
		{0.25, excelize.Style{NumFmt: 9}},
	} {
		cell := fmt.Sprintf("A%d", i+2)
		style, err := f.NewStyle(&c.style)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetCellValue("Sheet1", cell, c.value); err != nil {
			t.Fatal(err)
		}
		if err := f.SetCellStyle("Sheet1", cell, cell, style); err != nil {
			t.Fatal(err)
		}
	}
	check(t, open(t, Options{Path: save(t, f)}), "v", "2: 2026-11-23", "3: 23/11/2026", "4: -1,234.50 €", "5: 25%")
}
