package sqlite

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"docbatch/jobs"
)

// BenchmarkWork is what storing costs for each document of a run: PutAnswer, then Finish, each waited for.
func BenchmarkWork(b *testing.B) {
	for _, producers := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(producers, " producers"), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "state.db"), Options{})
			list(b, s, rows(b.N))
			l := join(b, s)
			var items []jobs.Item
			for {
				claimed, err := l.Claim(b.Context(), 1000)
				must(b, err)
				if len(claimed) == 0 {
					break
				}
				items = append(items, claimed...)
			}
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			u := start()
			for range producers {
				wg.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						if err := work(b.Context(), s, l, items[i]); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			u.report(b, b.N)
		})
	}
}

func BenchmarkClaim(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.db"), Options{})
	list(b, s, rows(b.N))
	l := join(b, s)
	b.ResetTimer()
	u := start()
	for n := 0; n < b.N; {
		items, err := l.Claim(b.Context(), 64)
		must(b, err)
		n += len(items)
	}
	u.report(b, b.N)
}

// BenchmarkListNew lists documents that were never there; BenchmarkListUnchanged the same documents again.
func BenchmarkListNew(b *testing.B) {
	refs := rows(b.N)
	s := open(b, filepath.Join(b.TempDir(), "state.db"), Options{})
	b.ResetTimer()
	u := start()
	list(b, s, refs)
	u.report(b, b.N)
}

func BenchmarkListUnchanged(b *testing.B) {
	refs := rows(200_000)
	s := open(b, filepath.Join(b.TempDir(), "state.db"), Options{})
	list(b, s, refs)
	for b.Loop() {
		u := start()
		list(b, s, refs)
		u.report(b, len(refs))
	}
}

func BenchmarkRecords(b *testing.B) {
	const n = 100_000
	s := open(b, filepath.Join(b.TempDir(), "state.db"), Options{})
	list(b, s, rows(n))
	l := join(b, s)
	for {
		items, err := l.Claim(b.Context(), 1000)
		must(b, err)
		if len(items) == 0 {
			break
		}
		var outcomes []jobs.Outcome
		for _, it := range items {
			outcomes = append(outcomes, doneWith(it, answerFor(it)))
		}
		_, err = l.Finish(b.Context(), outcomes)
		must(b, err)
	}
	for b.Loop() {
		u := start()
		for _, err := range s.Records(b.Context()) {
			must(b, err)
		}
		u.report(b, n)
	}
}

// used is what a benchmark has used so far.
type used struct {
	cpu  time.Duration
	wall time.Time
}

func start() used { return used{cpuTime(), time.Now()} }

// report gives the time a row. On a shared machine the CPU time of the process is the figure that can be compared.
func (u used) report(b *testing.B, rows int) {
	b.ReportMetric(float64((cpuTime()-u.cpu).Nanoseconds())/1000/float64(rows), "cpu-µs/row")
	b.ReportMetric(float64(rows)/time.Since(u.wall).Seconds(), "rows/s")
}
