package csv

import (
	"bufio"
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docbatch/sources/table"
)

// bigFile writes 1,000,000 rows, about 200 MB.
func bigFile(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "big.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	text := bufio.NewWriter(f)
	text.WriteString("id,category,text,date,amount\n")
	words := strings.Repeat("lorem ipsum dolor sit amet, ", 6)
	for i := range 1_000_000 {
		fmt.Fprintf(text, "T-%07d,support,\"%s %d\",2026-11-23,%d.50\n", i, words, i, i%977)
	}
	if err := errors.Join(text.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkRows compares the ways to 1,000,000 rows: encoding/csv as it is fastest, this reader, and refs made of its rows.
func BenchmarkRows(b *testing.B) {
	path := bigFile(b)
	for _, bench := range []struct {
		name string
		rows func() (int, error)
	}{
		{"encoding/csv", func() (int, error) { return standardRows(path) }},
		{"reader", func() (int, error) { return readerRows(path) }},
		{"List", func() (int, error) { return listRows(b, Options{Path: path}) }},
		{"List with key", func() (int, error) { return listRows(b, Options{Path: path, Key: "id"}) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			rows := 0
			for b.Loop() {
				n, err := bench.rows()
				if err != nil {
					b.Fatal(err)
				}
				rows += n
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func standardRows(path string) (n int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := stdcsv.NewReader(bufio.NewReaderSize(f, 1<<20))
	r.ReuseRecord = true
	for {
		if _, err := r.Read(); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		n++
	}
}

func readerRows(path string) (n int, err error) {
	f, err := table.OpenFile(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := newReader(f, []byte(","), '\n')
	r.want = 5
	for {
		if _, err := r.next(); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		n++
	}
}

func listRows(b *testing.B, opts Options) (n int, err error) {
	s := open(b, opts)
	for _, err := range s.List(b.Context()) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
