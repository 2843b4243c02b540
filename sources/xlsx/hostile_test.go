package xlsx

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
)

// TestOverlappingMerges has a sheet whose merged ranges all lie upon each other: the first counts, and no row costs more for the others.
func TestOverlappingMerges(t *testing.T) {
	wide := merged{top: 1, bottom: maxRows, left: 0, right: 16383}
	f := filler{waiting: []merged{{top: 1, bottom: 2, left: 5, right: 6}}}
	for range 50_000 {
		f.waiting = append(f.waiting, wide)
	}
	f.waiting = append(f.waiting, merged{top: 1, bottom: 1, left: 0, right: 1}, merged{top: 3, bottom: 4, left: 5, right: 7})
	row := func(n int, values map[int]string) string {
		cells := make([][]byte, 16384)
		for i, v := range values {
			cells[i] = []byte(v)
		}
		f.fill(n, cells)
		return string(bytes.Join(cells[:10], []byte(",")))
	}
	for n, tt := range []struct {
		values map[int]string
		want   string
	}{
		{map[int]string{0: "a", 5: "f"}, "a,a,,,,f,f,,,"},
		{nil, ",,,,,f,f,,,"},
		{map[int]string{5: "g", 6: "own"}, ",,,,,g,own,g,,"},
		{nil, ",,,,,g,g,g,,"},
	} {
		if got := row(n+1, tt.values); got != tt.want {
			t.Errorf("row %d: got %q, want %q", n+1, got, tt.want)
		}
	}
	if len(f.active) != 1 {
		t.Errorf("%d ranges are active, want 1", len(f.active))
	}
}

// TestRowsOutOfProportion has small workbooks whose rows come to gigabytes; the listing ends with a reason before that.
func TestRowsOutOfProportion(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a gigabyte")
	}
	rows := func(first, n int, cells string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `<row r="%d">%s</row>`, first+i, cells)
		}
		return b.String()
	}
	const head = `<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>h</t></is></c></row>`
	for name, path := range map[string]string{
		"a value far to the right":     sheetXML(t, head+`<row r="2"><c r="XFD2"><v>1</v></c></row>`+rows(3, 5000, `<c><v>1</v></c>`)+`</sheetData>`),
		"a text that many cells share": withStrings(t, head+rows(2, 1000, `<c t="s"><v>0</v></c>`)+`</sheetData>`, `<sst><si><t>`+strings.Repeat("long text ", 300_000)+`</t></si></sst>`),
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Options{Path: path})
			var peak runtime.MemStats
			n := 0
			for _, err := range s.List(t.Context()) {
				if err == nil {
					n++
					continue
				}
				e := pipeline.AsError(err)
				if e.Kind != pipeline.KindTooLarge || !strings.Contains(err.Error(), "250 times the size of the file") {
					t.Fatalf("got %s %v, want it too large", e.Kind, err)
				}
				runtime.ReadMemStats(&peak)
				if got := peak.HeapInuse >> 20; got > 150 {
					t.Errorf("%d MiB in use after %d rows", got, n)
				}
				return
			}
			t.Fatalf("all %d rows were read", n)
		})
	}
}

// withStrings is a workbook whose sheet and whose shared strings have this for their data; what is "" stays as it is in one of two rows.
func withStrings(t *testing.T, data, texts string) string {
	t.Helper()
	path := repack(t, save(t, sheetOf(t, []any{"h"}, []any{"x"})), "xl/sharedStrings.xml", func(old string) string { return cmp.Or(texts, old) })
	if data == "" {
		return path
	}
	return repack(t, path, "xl/worksheets/sheet1.xml", func(string) string { return `<worksheet>` + data + `</worksheet>` })
}

// TestEntities has XML that defines entities of its own: they are never expanded, and no file is read for them.
func TestEntities(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString(`<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "lol">`)
	for i := range 9 {
		fmt.Fprintf(&laughs, `<!ENTITY l%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&l%d;", i), 10))
	}
	laughs.WriteString("]>")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ head, entity string }{
		"a billion laughs": {laughs.String(), "&l9;"},
		"another file":     {`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file://` + secret + `">]>`, "&f;"},
	} {
		for where, part := range map[string]string{"a cell": "xl/worksheets/sheet1.xml", "the strings": "xl/sharedStrings.xml"} {
			t.Run(name+" in "+where, func(t *testing.T) {
				path := withStrings(t, "", "")
				path = repack(t, path, part, func(string) string {
					if part == "xl/sharedStrings.xml" {
						return tt.head + `<sst><si><t>` + tt.entity + `</t></si></sst>`
					}
					return tt.head + `<worksheet><sheetData><row><c t="inlineStr"><is><t>h</t></is></c></row><row><c t="inlineStr"><is><t>` + tt.entity +
						`</t></is></c></row></sheetData></worksheet>`
				})
				began := time.Now()
				s, err := Open(t.Context(), Options{Path: path})
				if err == nil {
					defer s.Close()
					var got []string
					got, err = listed(t, s)
					if len(got) > 0 {
						t.Errorf("got the rows %q", got)
					}
				}
				if e := pipeline.AsError(err); err == nil || e.Kind != pipeline.KindDamaged || !strings.Contains(err.Error(), "invalid character entity") {
					t.Errorf("got %v, want it damaged by an entity", err)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		}
	}
}
