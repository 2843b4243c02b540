package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docbatch/jobs"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// holdFile holds a state file as another program does, until the returned function is called.
func holdFile(t *testing.T, path, begin string) (letGo func()) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	db.SetMaxOpenConns(1)
	_, err = db.Exec(begin)
	must(t, err)
	return func() {
		_, err := db.Exec("ROLLBACK")
		must(t, errors.Join(err, db.Close()))
	}
}

// putAnswers stores n answers at once, and gives their errors when they have all come.
func putAnswers(ctx context.Context, s *Store, n int) <-chan error {
	errs := make(chan error, n)
	for i := range n {
		go func() {
			errs <- s.PutAnswer(ctx, requestOf(jobs.Item{Ref: pipeline.Ref{ID: string(rune('a' + i))}}), 0, &agent.Answer{Text: "x"})
		}()
	}
	return errs
}

// While another program holds the file what is to be stored waits, and nothing is lost or fails.
func TestHeldForAWhile(t *testing.T) {
	for _, begin := range []string{"BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"} {
		t.Run(begin, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			held := make(chan time.Duration, 100)
			s := open(t, path, Options{Held: func(d time.Duration) { held <- d }})
			letGo := holdFile(t, path, begin)
			errs := putAnswers(t.Context(), s, 20)
			if first, second := <-held, <-held; second <= first {
				t.Errorf("waited %v, and then %v", first, second)
			}
			if len(errs) > 0 {
				t.Fatalf("an answer is stored in a file that is held (error %v)", <-errs)
			}
			letGo()
			for range 20 {
				must(t, <-errs)
			}
			if got := numberIn(t, path, "SELECT count(*) FROM answers"); got != 20 {
				t.Errorf("answers: got %d, want 20", got)
			}
		})
	}
}

// When another program holds the file for too long, all who wait hear of it together, and those who come later soon. When it
// lets go, it goes on.
func TestHeldForTooLong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, Options{})
	must(t, s.writer.do(t.Context(), 0, func(tx *tx) error {
		s.writer.patience = time.Nanosecond
		return nil
	}))
	letGo := holdFile(t, path, "BEGIN IMMEDIATE")
	errs := putAnswers(t.Context(), s, 20)
	for range 20 {
		err := <-errs
		if e := pipeline.AsError(err); !errors.Is(err, ErrBusy) || e.Class != pipeline.Fatal || e.Kind != pipeline.KindState ||
			!strings.HasPrefix(err.Error(), "state.db is held by another program: after ") {
			t.Errorf("got error %v, class %s, kind %s", err, e.Class, e.Kind)
		}
	}
	letGo()
	errs = putAnswers(t.Context(), s, 20)
	for range 20 {
		must(t, <-errs)
	}
}

// Who waits for a file that is held may give up.
func TestGivingUpOnAHeldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	ctx, cancel := context.WithCancel(t.Context())
	s := open(t, path, Options{Held: func(time.Duration) { cancel() }})
	letGo := holdFile(t, path, "BEGIN IMMEDIATE")
	if err := <-putAnswers(ctx, s, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
	letGo()
	must(t, s.SavePaceState(t.Context(), "s", []byte("1")))
	if got := numberIn(t, path, "SELECT count(*) FROM answers"); got != 0 {
		t.Errorf("answers: got %d, want none of one who gave up", got)
	}
}
