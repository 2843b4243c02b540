package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"docbatch/jobs"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// hold keeps the writer busy until the returned function is called, so that what is written meanwhile becomes one group.
func hold(t *testing.T, s *Store) (letGo func()) {
	t.Helper()
	busy, free, over := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		first := true
		over <- s.writer.do(context.Background(), 0, func(*tx) error {
			if first {
				first = false
				close(busy)
				<-free
			}
			return nil
		})
	}()
	<-busy
	return func() {
		close(free)
		must(t, <-over)
	}
}

// queued waits until n ops wait for the writer.
func queued(s *Store, n int) {
	for len(s.writer.ops) < n {
		runtime.Gosched() // the goroutines are on their way into the channel, which gives no signal
	}
}

func TestGroupCommit(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	letGo := hold(t, s)
	var wg sync.WaitGroup
	var ran []int // appended to by the writer alone
	for i := range 50 {
		wg.Go(func() {
			err := s.writer.do(t.Context(), 0, func(tx *tx) error {
				ran = append(ran, i)
				if i == 13 {
					return errors.New("thirteen")
				}
				_, err := tx.exec(`INSERT INTO sources (name) VALUES (?)`, fmt.Sprint(i))
				return err
			})
			if (err != nil) != (i == 13) {
				t.Errorf("op %d: got error %v", i, err)
			}
		})
	}
	queued(s, 50)
	letGo()
	wg.Wait()
	// The group ran as far as the culprit, and then each op alone.
	if alone := ran[len(ran)-50:]; !slices.Contains(ran[:len(ran)-50], 13) || len(slices.Compact(slices.Sorted(slices.Values(alone)))) != 50 {
		t.Errorf("ops ran in the order %d", ran)
	}
	var n int
	must(t, s.writer.do(t.Context(), 0, func(tx *tx) error {
		_, err := tx.get(`SELECT count(*) FROM sources`, nil, &n)
		return err
	}))
	if n != 49 {
		t.Errorf("rows: got %d, want 49", n)
	}
}

func TestGroupIsBounded(t *testing.T) {
	w := &writer{ops: make(chan *op, maxWaiting)}
	for range 10 {
		w.ops <- &op{bytes: maxGroupBytes / 4}
	}
	if got := len(w.collect(nil)); got != 4 {
		t.Errorf("group of large ops: got %d, want 4", got)
	}
}

// An op whose waiter gave up before it was taken is not run; one that was taken is waited for.
func TestCanceledWaiter(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	letGo := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error)
	go func() {
		over <- s.writer.do(ctx, 0, func(*tx) error {
			t.Error("the op of a waiter who gave up was run")
			return nil
		})
	}()
	queued(s, 1)
	cancel()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Errorf("waiter that gave up: got error %v, want %v", err, context.Canceled)
	}
	letGo()

	ctx, cancel = context.WithCancel(t.Context())
	err := s.writer.do(ctx, 0, func(*tx) error {
		cancel()
		return nil
	})
	if err != nil {
		t.Errorf("waiter of an op that was taken: got error %v, want that of the op", err)
	}
}

func TestClosed(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), Options{})
	must(t, err)
	must(t, s.Close())
	if _, err := s.Join(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("join after close: got error %v, want %v", err, errClosed)
	}
}

// While the store closes, every write is either stored or refused.
func TestCloseWhileWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	var wg sync.WaitGroup
	var stored atomic.Int32
	started := make(chan struct{}, 1000)
	for i := range 100 {
		wg.Go(func() {
			for j := 0; ; j++ {
				err := s.PutAnswer(context.Background(), requestOf(jobs.Item{Ref: pipeline.Ref{ID: fmt.Sprint(i, " ", j)}}), 0, &agent.Answer{Text: "x"})
				if errors.Is(err, errClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				stored.Add(1)
				select {
				case started <- struct{}{}:
				default:
				}
			}
		})
	}
	<-started
	must(t, s.Close())
	wg.Wait()
	s = open(t, path, Options{})
	var n int32
	must(t, s.writer.do(t.Context(), 0, func(tx *tx) error {
		_, err := tx.get(`SELECT count(*) FROM answers`, nil, &n)
		return err
	}))
	if n != stored.Load() {
		t.Errorf("answers: got %d, want the %d that were acknowledged", n, stored.Load())
	}
}

// A full disk: every waiter hears of it, nothing is reported as stored that is not, and when there is room again it goes on.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, Options{})
	list(t, s, rows(200))
	l := join(t, s)
	items, err := l.Claim(t.Context(), 200)
	must(t, err)
	limit := func(pages string) {
		t.Helper()
		must(t, s.writer.do(t.Context(), 0, func(tx *tx) error {
			_, err := tx.exec(`PRAGMA max_page_count = ` + pages)
			return err
		}))
	}
	limit("1") // SQLite takes the size that the file has
	var wg sync.WaitGroup
	var mu sync.Mutex
	stored := map[string]bool{}
	letGo := hold(t, s)
	for _, it := range items {
		wg.Go(func() {
			err := s.PutAnswer(t.Context(), requestOf(it), 0, &agent.Answer{Text: strings.Repeat("long ", 2000)})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				stored[it.ID] = true
				return
			}
			e := pipeline.AsError(err)
			if e.Class != pipeline.Fatal || e.Kind != pipeline.KindMachine || !strings.Contains(err.Error(), "full") {
				t.Errorf("full disk: got class %s, kind %s, error %v", e.Class, e.Kind, err)
			}
		})
	}
	queued(s, len(items))
	letGo()
	wg.Wait()
	if len(stored) == len(items) {
		t.Fatal("the disk was never full")
	}
	for _, it := range items {
		a, err := s.Answer(t.Context(), requestOf(it), 0)
		if err != nil || (a != nil) != stored[it.ID] {
			t.Errorf("answer of %s: there is one: %v, reported as stored: %v, error %v", it.ID, a != nil, stored[it.ID], err)
		}
	}
	limit("1000000")
	for _, it := range items {
		must(t, work(t.Context(), s, l, it))
	}
	got, err := s.Counts(t.Context())
	if err != nil || got.Done != len(items) {
		t.Errorf("counts with room again: got %+v, error %v, want %d done", got, err, len(items))
	}
}
