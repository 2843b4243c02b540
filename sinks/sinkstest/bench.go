package sinkstest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"docbatch/pipeline"
)

const benchRecords = 100_000

// Benchmark writes an output of 100,000 records with 5 fields and answers of 500 characters, and reports records a second and
// what each took of memory and disk.
func Benchmark(b *testing.B, f Format) {
	columns := []string{"ticket", "customer", "opened", "subject", "amount"}
	answer := strings.Repeat("The customer asks for the invoice, with VAT shown. ", 10)[:500]
	path := filepath.Join(b.TempDir(), "out"+f.Ext)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		s, err := f.Open(path, columns)
		must(b, err)
		for n := range benchRecords {
			must(b, s.Write(Record(n, []pipeline.Field{
				{Name: "ticket", Value: fmt.Sprint("T-", n)}, {Name: "customer", Value: "Müller & Söhne GmbH"},
				{Name: "opened", Value: "2026-01-02"}, {Name: "subject", Value: "Rechnung fehlt, bitte senden"}, {Name: "amount", Value: "-12.50"},
			}, answer)))
		}
		must(b, s.Commit())
	}
	runtime.ReadMemStats(&after)
	info, err := os.Stat(path)
	must(b, err)
	records := float64(b.N) * benchRecords
	b.ReportMetric(records/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/records, "allocs/record")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/records, "B/record")
	b.ReportMetric(float64(info.Size())/benchRecords, "disk-B/record")
}
