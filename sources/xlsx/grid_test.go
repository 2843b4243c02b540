package xlsx

import (
	"io"
	"strings"
	"testing"

	"docbatch/pipeline/extract/workbook/numfmt"
	"docbatch/sources/table"
)

// FuzzGrid checks that a sheet of foreign XML ends, with rows in order and within the bounds.
func FuzzGrid(f *testing.F) {
	for _, s := range []string{
		`<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c><v>1.5</v></c></row><row><c t="b"><v>1</v></c></row></sheetData></worksheet>`,
		`<sheetData><row r="7"><c r="XFD7" s="1"><v>45365</v></c></row>`,
		`<sheetData><row><c t="inlineStr"><is><t>a_x000D_b</t><rPh><t>x</t></rPh></is></c></row></sheetData><mergeCells><mergeCell ref="A1:B2"/></mergeCells>`,
		`<sheetData/>`, `<!DOCTYPE a [<!ENTITY b "c">]><sheetData><row><c><v>&b;</v></c></row></sheetData>`, `<a><b></a></b>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		strs, err := readStrings(t.Context(), strings.NewReader(`<sst><si><t>zero</t></si></sst>`))
		if err != nil {
			t.Fatal(err)
		}
		merged, err := readMerged(t.Context(), strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		fill := filler{waiting: merged}
		g := newGrid(strings.NewReader(text), strs, numfmt.New([]string{"General", "yyyy-mm-dd"}, false, 0))
		last := 0
		for {
			row, err := g.next()
			if err == io.EOF {
				return
			}
			if err != nil {
				if err.Error() == "" {
					t.Fatal("an error says nothing")
				}
				return
			}
			if row.number <= last || row.number > maxRows || len(row.cells) > table.MaxColumns {
				t.Fatalf("row %d of %d cells after row %d", row.number, len(row.cells), last)
			}
			last = row.number
			fill.fill(row.number, row.cells)
		}
	})
}

// FuzzStrings checks that each string of foreign XML can be had.
func FuzzStrings(f *testing.F) {
	for _, s := range []string{"<sst><si><t>a</t></si><si><r><t>b</t></r></si></sst>", "<si/>", "<si><t>_x0041__xD800_</t>", "<si></t></si>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := readStrings(t.Context(), strings.NewReader(text))
		if err != nil {
			return
		}
		all, err := s.append(nil, "0")
		if len(s.ends) > 0 && err != nil || len(s.ends) == 0 && err == nil || int64(len(all)) > s.size {
			t.Fatalf("%d strings of %d bytes: got %q, %v", len(s.ends), s.size, all, err)
		}
	})
}

func TestReferences(t *testing.T) {
	for _, tt := range []struct {
		ref         string
		column, row int
		ok          bool
	}{
		{"A1", 0, 1, true}, {"$B$7", 1, 7, true}, {"aa10", 26, 10, true}, {"XFD1048576", 16383, 1048576, true},
		{"XFE1", 16384, 1, false}, {"A0", 0, 0, false}, {"A1048577", 0, 0, false}, {"1", 0, 0, false}, {"A", 0, 0, false}, {"", 0, 0, false}, {"AAAAA1", 0, 0, false},
	} {
		column, row, ok := parseRef(tt.ref)
		if ok != tt.ok || ok && (column != tt.column || row != tt.row) {
			t.Errorf("%q: got %d, %d, %v", tt.ref, column, row, ok)
		}
		if ok && tt.column < 1000 && columnName(column) != strings.ToUpper(strings.Trim(strings.ReplaceAll(tt.ref, "$", ""), "0123456789")) {
			t.Errorf("%q: the column's name is %q", tt.ref, columnName(column))
		}
	}
}
