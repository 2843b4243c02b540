package xlsx

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"docbatch/pipeline"
	"docbatch/sources/sourcestest"
)

// save writes a workbook of excelize and returns its path.
func save(t testing.TB, f *excelize.File) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "invoices.xlsx")
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// sheetOf is a workbook with one sheet of rows, from row 1.
func sheetOf(t testing.TB, rows ...[]any) *excelize.File {
	t.Helper()
	f := excelize.NewFile()
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	return f
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

// listed shows refs as "ID: value|value" or "ID! error", see shown, and the error that ended the listing.
func listed(t testing.TB, s *Source) (got []string, end error) {
	t.Helper()
	for ref, err := range s.List(t.Context()) {
		if err != nil {
			return got, err
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
	return got, nil
}

func check(t *testing.T, s *Source, columns string, want ...string) {
	t.Helper()
	if got := strings.Join(s.Columns(), "|"); got != columns {
		t.Errorf("columns: got %q, want %q", got, columns)
	}
	got, err := listed(t, s)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// repack writes a workbook anew with one part changed by edit; "" for a part removes it.
func repack(t testing.TB, path, part string, edit func(string) string) string {
	t.Helper()
	zr, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer zr.Close()
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for _, f := range zr.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if f.Name == part {
			if text = edit(text); text == "" {
				continue
			}
		}
		w, err := zw.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return bytesFile(t, out.Bytes())
}

func bytesFile(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "invoices.xlsx")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sheetXML is a workbook whose sheet has this for its data.
func sheetXML(t testing.TB, data string) string {
	t.Helper()
	return repack(t, save(t, sheetOf(t)), "xl/worksheets/sheet1.xml", func(string) string {
		return `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` + data + `</worksheet>`
	})
}

func TestSource(t *testing.T) {
	f := sheetOf(t, []any{"id", "text"}, []any{"A", "one"}, []any{"B", "two", "stray"}, []any{nil, "no key"}, []any{"C", "three"})
	for i := 6; i < 200; i++ {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i), &[]any{fmt.Sprint("K", i), "more"}); err != nil {
			t.Fatal(err)
		}
	}
	path := save(t, f)
	for _, key := range []string{"", "ID"} {
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

func TestRows(t *testing.T) {
	f := sheetOf(t, []any{"Invoices"}, nil, []any{"id", "name", "", "name"}, []any{1, "Ann"}, nil, []any{2, "Bob", true, "x"})
	path := save(t, f)
	t.Run("header row", func(t *testing.T) {
		check(t, open(t, Options{Path: path, HeaderRow: 3}), "id|name|col_3|name_2", "4: 1|Ann||", "6: 2|Bob|TRUE|x")
	})
	t.Run("the first row with a value is the header", func(t *testing.T) {
		check(t, open(t, Options{Path: path}), "Invoices|col_2|col_3|col_4", "3: id|name||name", "4: 1|Ann||", "6: 2|Bob|TRUE|x")
	})
	t.Run("no header", func(t *testing.T) {
		check(t, open(t, Options{Path: path, NoHeader: true}), "col_1|col_2|col_3|col_4", "1: Invoices|||", "3: id|name||name", "4: 1|Ann||", "6: 2|Bob|TRUE|x")
	})
	t.Run("header only", func(t *testing.T) {
		check(t, open(t, Options{Path: path, HeaderRow: 6}), "2|Bob|TRUE|x")
	})
}

func TestValueBeyondTheColumns(t *testing.T) {
	f := sheetOf(t, []any{"id"})
	for i := 2; i < lookAhead+10; i++ {
		row := []any{i}
		if i == lookAhead+5 {
			row = []any{i, nil, "stray"}
		}
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i), &row); err != nil {
			t.Fatal(err)
		}
	}
	got, err := listed(t, open(t, Options{Path: save(t, f)}))
	want := "1005! invoices.xlsx row 1005: there is a value in column C, and the columns end at A"
	if err != nil || got[1003] != want || got[1004] != "1006: 1006" {
		t.Errorf("got %q, %q, %v, want %q", got[1003], got[1004], err, want)
	}
}

func TestMerged(t *testing.T) {
	f := sheetOf(t,
		[]any{"region", "quarter", nil, "note"},
		[]any{"North", "Q1", 5},
		[]any{nil, "Q2", 6, "n"},
		[]any{"South", "Q1", 7})
	for _, r := range [][2]string{{"B1", "C1"}, {"A2", "A3"}, {"D4", "F9"}} {
		if err := f.MergeCell("Sheet1", r[0], r[1]); err != nil {
			t.Fatal(err)
		}
	}
	path := save(t, f)
	check(t, open(t, Options{Path: path}), "region|quarter|quarter_2|note", "2: North|Q1|5|", "3: North|Q2|6|n", "4: South|Q1|7|")
	s := open(t, Options{Path: path})
	first, _ := listed(t, s)
	if again, _ := listed(t, s); !slices.Equal(first, again) {
		t.Errorf("listed again: got %q, want %q", again, first)
	}
}

func TestSheets(t *testing.T) {
	f := sheetOf(t, []any{"hidden"})
	for _, name := range []string{"Data", "Other", "2"} {
		if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		if err := f.SetSheetRow(name, "A1", &[]any{"in " + name}); err != nil {
			t.Fatal(err)
		}
	}
	f.SetActiveSheet(1)
	if err := f.SetSheetVisible("Sheet1", false); err != nil {
		t.Fatal(err)
	}
	path := save(t, f)
	for sheet, want := range map[string]string{"": "in Data", "Other": "in Other", "other": "in Other", "1": "hidden", "3": "in Other", "2": "in 2", "Sheet1": "hidden"} {
		t.Run("sheet "+sheet, func(t *testing.T) { check(t, open(t, Options{Path: path, Sheet: sheet}), want) })
	}
	_, err := Open(t.Context(), Options{Path: path, Sheet: "Dat"})
	want := "open " + path + `: no sheet "Dat"; did you mean "Data"? (the sheets are: Sheet1, Data, Other, 2)`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestValues(t *testing.T) {
	path := sheetXML(t, `<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>v</t></is></c></row>`+
		`<row r="3"><c r="A3" t="b"><v>1</v></c></row>`+
		`<row><c t="b"><v>0</v></c></row>`+
		`<row><c t="e"><f>NA()</f><v>#N/A</v></c></row>`+
		`<row><c t="str"><f>A1&amp;"x"</f><v>vx_x000D_</v></c></row>`+
		`<row><c><f>1+1</f><v>2</v></c></row>`+
		`<row><c t="inlineStr"><is><r><t>rich </t></r><r><rPr><b/></rPr><t>text</t></r><rPh sb="0" eb="1"><t>aid</t></rPh></is></c></row>`+
		`<row><c t="d"><v>2026-11-23T10:00:00</v></c></row>`+
		`<row><c t="s"><v>99</v></c></row>`+
		`<row><c><v>0.30000000000000004</v></c></row>`+
		`<row><c><f>A1</f></c></row>`+
		`<row><c t="str"><v>  </v></c></row>`+
		`<row hidden="1"><c><v>not a number</v></c></row></sheetData>`)
	check(t, open(t, Options{Path: path}), "v", "3: TRUE", "4: FALSE", "5: #N/A", "6: vx\r", "7: 2", "8: rich text", "9: 2026-11-23T10:00:00",
		`10! invoices.xlsx row 10: column A: there is no shared string "99"`, "11: 0.3", "14: not a number")
}

func TestNamespacePrefix(t *testing.T) {
	path := repack(t, save(t, sheetOf(t)), "xl/worksheets/sheet1.xml", func(string) string {
		return `<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>` +
			`<x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c></x:row><x:row r="2"><x:c r="A2"><x:v>2</x:v></x:c></x:row><x:row r="3"><x:c r="B3"><x:v>3</x:v></x:c></x:row>` +
			`</x:sheetData><x:mergeCells><x:mergeCell ref="A2:A3"/></x:mergeCells></x:worksheet>`
	})
	check(t, open(t, Options{Path: path}), "1|col_2", "2: 2|", "3: 2|3")
}

func TestKeys(t *testing.T) {
	path := save(t, sheetOf(t, []any{"no", "text"}, []any{7, "a"}, []any{"x", "b"}, []any{7, "c"}))
	_, err := Open(t.Context(), Options{Path: path, Key: "no"})
	want := `invoices.xlsx: the key "7" of column "no" is in row 2 and again in row 4`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	check(t, open(t, Options{Path: path, Key: "TEXT"}), "no|text", "a: 7|a", "b: x|b", "c: 7|c")
}

func TestOpenErrors(t *testing.T) {
	good := save(t, sheetOf(t, []any{"id"}, []any{strings.Repeat("text ", 1000)}))
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	ole := append([]byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}, make([]byte, 100_000)...)
	encrypted := filepath.Join(t.TempDir(), "secret.xlsx")
	if err := sheetOf(t, []any{"id"}).SaveAs(encrypted, excelize.Options{Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	none := func(string) string { return "" }
	for name, tt := range map[string]struct {
		opts Options
		kind string
		want string
	}{
		"no such file":          {Options{Path: "no.xlsx"}, pipeline.KindRead, "open no.xlsx: "},
		"a folder":              {Options{Path: t.TempDir()}, pipeline.KindRead, "it is a folder"},
		"empty file":            {Options{Path: bytesFile(t, nil)}, pipeline.KindDamaged, "it is empty"},
		"a text":                {Options{Path: bytesFile(t, []byte("id,name\n1,2\n"))}, pipeline.KindDamaged, "it is not an XLSX workbook"},
		"password":              {Options{Path: encrypted}, pipeline.KindEncrypted, "protected by a password: save it without one"},
		"old format":            {Options{Path: bytesFile(t, ole)}, pipeline.KindDamaged, "old format XLS: save it as XLSX"},
		"cut off":               {Options{Path: bytesFile(t, whole[:len(whole)/2])}, pipeline.KindDamaged, "the workbook is damaged: zip: not a valid zip file"},
		"a ZIP of others":       {Options{Path: repack(t, good, "xl/workbook.xml", none)}, pipeline.KindUnsupported, "a ZIP file without a workbook"},
		"no sheet part":         {Options{Path: repack(t, good, "xl/worksheets/sheet1.xml", none)}, pipeline.KindDamaged, "it has no part xl/worksheets/sheet1.xml"},
		"broken workbook part":  {Options{Path: repack(t, good, "xl/workbook.xml", func(s string) string { return s[:len(s)/2] })}, pipeline.KindDamaged, "the workbook is damaged: xl/workbook.xml: "},
		"broken shared strings": {Options{Path: repack(t, good, "xl/sharedStrings.xml", func(s string) string { return s[:len(s)/2] })}, pipeline.KindDamaged, "the workbook is damaged: xl/sharedstrings.xml: "},
		"flipped bytes":         {Options{Path: bytesFile(t, flip(t, good, "xl/worksheets/sheet1.xml"))}, pipeline.KindDamaged, "the workbook is damaged: xl/worksheets/sheet1.xml: "},
		"empty sheet":           {Options{Path: save(t, sheetOf(t))}, pipeline.KindRead, `sheet "Sheet1" is empty`},
		"empty header row":      {Options{Path: good, HeaderRow: 5}, pipeline.KindRead, `row 5 of sheet "Sheet1" is empty`},
		"no header and one":     {Options{Path: good, HeaderRow: 5, NoHeader: true}, pipeline.KindRead, "row 5 can't be the header"},
		"no such column":        {Options{Path: good, Text: "body"}, pipeline.KindRead, `no column "body" for the text (the columns are: id)`},
		"nested":                {Options{Path: repack(t, good, "xl/styles.xml", func(string) string { return strings.Repeat("<a>", 1<<20) })}, pipeline.KindDamaged, "nested over the bound of 64"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), tt.opts)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if e := pipeline.AsError(err); e.Class != pipeline.Fatal || e.Kind != tt.kind {
				t.Errorf("got class %s, kind %s, want fatal and %s (%v)", e.Class, e.Kind, tt.kind, err)
			}
		})
	}
}

// flip gives the bytes of a workbook with some of a part's turned over.
func flip(t *testing.T, path, part string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	zr, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range zr.File {
		if f.Name == part {
			at, err := f.DataOffset()
			if err != nil {
				t.Fatal(err)
			}
			for i := range min(20, int64(f.CompressedSize64)/2) {
				b[at+int64(f.CompressedSize64)/2+i] ^= 0x5a
			}
		}
	}
	return b
}

func TestDamagedSheet(t *testing.T) {
	row := func(n int) string { return fmt.Sprintf(`<row r="%d"><c r="A%d"><v>%d</v></c></row>`, n, n, n) }
	for name, tt := range map[string]struct{ data, want string }{
		"cut in a row":        {`<sheetData>` + row(1) + row(2) + `<row r="3"><c r="A3"><v>3`, `sheet "Sheet1" is damaged in row 3: `},
		"cut between rows":    {`<sheetData>` + row(1) + row(2), `sheet "Sheet1" is damaged after row 2: `},
		"broken tag":          {`<sheetData>` + row(1) + row(2) + `<row r="3"><c r="A3"<v>3</v></c></row></sheetData>`, `sheet "Sheet1" is damaged in row 3: `},
		"rows back":           {`<sheetData>` + row(1) + row(2) + row(2) + `</sheetData>`, "row 2 comes after row 2"},
		"a row of no number":  {`<sheetData>` + row(1) + row(2) + `<row r="x"></row></sheetData>`, `a row has the number "x"`},
		"a cell of no column": {`<sheetData>` + row(1) + row(2) + `<row r="3"><c r="3A"><v>1</v></c></row></sheetData>`, `a cell has the reference "3A"`},
		"a piece too long":    {`<sheetData>` + row(1) + row(2) + `<row r="3"><c r="A3"><v>` + strings.Repeat("x", 2*maxTokenBytes) + `</v></c></row></sheetData>`, "a piece of the XML is over the bound"},
		"nested":              {`<sheetData>` + row(1) + row(2) + `<row r="3"><c r="A3">` + strings.Repeat("<v>", 100) + `</sheetData>`, "nested over the bound"},
	} {
		t.Run(name, func(t *testing.T) {
			path := repack(t, save(t, sheetOf(t)), "xl/worksheets/sheet1.xml", func(string) string { return "<worksheet>" + tt.data })
			got, err := listed(t, open(t, Options{Path: path}))
			if !slices.Equal(got, []string{"2: 2"}) {
				t.Errorf("got %q, want row 2", got)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || pipeline.ClassOf(err) != pipeline.Fatal {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestRowTooLong(t *testing.T) {
	var rows strings.Builder
	rows.WriteString(`<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="2">`)
	for range 600 {
		rows.WriteString(`<c t="s"><v>0</v></c>`)
	}
	rows.WriteString(`</row><row r="3"><c r="A3"><v>3</v></c></row></sheetData>`)
	path := save(t, sheetOf(t, []any{strings.Repeat("long ", 6000)}))
	path = repack(t, path, "xl/worksheets/sheet1.xml", func(string) string { return "<worksheet>" + rows.String() + "</worksheet>" })
	s := open(t, Options{Path: path})
	var got []string
	for ref, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if ref.Err != nil {
			got = append(got, shown(s, ref)+" "+ref.Err.Kind)
			continue
		}
		got = append(got, shown(s, ref))
	}
	if want := []string{"2 too_large", "3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBomb opens workbooks of which one part unpacks to 512 MB.
func TestBomb(t *testing.T) {
	good := save(t, sheetOf(t, []any{"id"}, []any{"text"}))
	const size = 512 << 20
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		part string
		said uint64 // the size that the directory gives
		want string
	}{
		"sheet":                  {"xl/worksheets/sheet1.xml", size, "over the bound of 250 times"},
		"strings":                {"xl/sharedStrings.xml", size, "over the bound of 250 times"},
		"styles":                 {"xl/styles.xml", size, "over the bound of 16777216"},
		"workbook":               {"xl/workbook.xml", size, "over the bound of 16777216"},
		"sheet, said to be less": {"xl/worksheets/sheet1.xml", 1 << 20, "the workbook is damaged: xl/worksheets/sheet1.xml: zip: not a valid zip file"},
	} {
		t.Run(name, func(t *testing.T) {
			path := replacePart(t, good, tt.part, packed.Bytes(), tt.said)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Open(t.Context(), Options{Path: path})
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tt.want) || pipeline.ClassOf(err) != pipeline.Fatal {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
				t.Errorf("allocated %d bytes", used)
			}
		})
	}
}

// TestLargeDirectory opens an archive whose directory alone is too much to hold.
func TestLargeDirectory(t *testing.T) {
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for i := range maxDirectoryBytes/1000 + 1 {
		if _, err := zw.Create(fmt.Sprintf("%0*d", 1000, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Path: bytesFile(t, out.Bytes())})
	if err == nil || !strings.Contains(err.Error(), "the archive's directory is over the bound of 8388608 bytes") {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// replacePart writes a workbook with packed bytes, said to unpack to a size, in the place of a part.
func replacePart(t *testing.T, path, part string, packed []byte, said uint64) string {
	t.Helper()
	zr, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer zr.Close()
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for _, f := range zr.File {
		if f.Name != part {
			if err := zw.Copy(f); err != nil {
				t.Fatal(err)
			}
			continue
		}
		w, err := zw.CreateRaw(&zip.FileHeader{Name: part, Method: zip.Deflate, CompressedSize64: uint64(len(packed)), UncompressedSize64: said})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(packed); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return bytesFile(t, out.Bytes())
}

// TestManyStrings reads more text than is held in memory, and looks for what stays behind.
func TestManyStrings(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	text := func(i int) string { return fmt.Sprintf("%d %s", i, strings.Repeat("lorem ", 2000)) }
	const rows = 2500 // two blocks of offsets and a half
	var strs, data strings.Builder
	strs.WriteString("<sst>")
	data.WriteString("<sheetData>")
	for i := range rows {
		fmt.Fprintf(&strs, "<si><t>%s</t></si>", text(i))
		fmt.Fprintf(&data, `<row><c t="s"><v>%d</v></c></row>`, i)
	}
	path := save(t, sheetOf(t, []any{"x"}))
	path = repack(t, path, "xl/sharedStrings.xml", func(string) string { return strs.String() + "</sst>" })
	path = repack(t, path, "xl/worksheets/sheet1.xml", func(string) string { return "<worksheet>" + data.String() + "</sheetData></worksheet>" })
	s, err := Open(t.Context(), Options{Path: path, NoHeader: true})
	if err != nil {
		t.Fatal(err)
	}
	if s.strings.file == nil {
		t.Error("the strings are in memory")
	}
	n := 0
	for ref, err := range s.List(t.Context()) {
		if err != nil || ref.Fields[0].Value != text(n) {
			t.Fatalf("row %d: got %.50q, %v", n, ref.Fields[0].Value, err)
		}
		n++
	}
	if n != rows {
		t.Errorf("got %d rows, want %d", n, rows)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "docbatch-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestChangedAndReplaced(t *testing.T) {
	path := save(t, sheetOf(t, []any{"id"}, []any{1}))
	s := open(t, Options{Path: path})
	if err := os.Chtimes(path, time.Time{}, time.Unix(1_000_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := listed(t, s); err == nil || !strings.Contains(err.Error(), "it changed") {
		t.Errorf("changed: got %v", err)
	}
	if runtime.GOOS == "windows" {
		return // an open file can't be replaced there
	}
	s = open(t, Options{Path: path})
	if err := os.Rename(save(t, sheetOf(t, []any{"other"})), path); err != nil {
		t.Fatal(err)
	}
	check(t, s, "id", "2: 1")
}

func TestCancelled(t *testing.T) {
	path := save(t, sheetOf(t, []any{"id"}, []any{"a"}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Options{Path: path}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
