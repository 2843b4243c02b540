package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// Damage in the middle of a file is met late, or never. Whenever it is met it is called damage, and stops the run; it is no
// document's failure, and nothing wrong is given out.
func TestDamagedPages(t *testing.T) {
	const documents, page = 2000, 4096
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	list(t, s, rows(documents))
	l := join(t, s)
	items, err := l.Claim(t.Context(), documents/2)
	must(t, err)
	for _, it := range items {
		must(t, work(t.Context(), s, l, it))
	}
	must(t, l.Release(t.Context()))
	must(t, s.Close())
	good, err := os.ReadFile(path)
	must(t, err)

	met := 0
	for at := page; at < len(good); at += 17 * page {
		for name, spoil := range map[string]func(b []byte){
			"flipped": func(b []byte) {
				for i := range b {
					b[i] ^= 0x55
				}
			},
			"half zero":  func(b []byte) { clear(b[page/2:]) },
			"of another": func(b []byte) { copy(b, good[at-page:at]) },
		} {
			path := filepath.Join(t.TempDir(), "state.db")
			b := bytes.Clone(good)
			spoil(b[at : at+page])
			must(t, os.WriteFile(path, b, 0o600))
			err := finishAll(t.Context(), path, documents)
			if err == nil {
				continue
			}
			met++
			if e := pipeline.AsError(err); !errors.Is(err, ErrDamaged) || e.Class != pipeline.Fatal {
				t.Errorf("page %d, %s: got error %v, class %s, want %v", at/page+1, name, err, e.Class, ErrDamaged)
			}
		}
	}
	t.Logf("damage was met %d times in %d pages", met, len(good)/page)
	if met == 0 {
		t.Error("no damage was met")
	}
}

// finishAll makes a run over a file, and checks what it gives out.
func finishAll(ctx context.Context, path string, documents int) (err error) {
	s, err := Open(ctx, path, Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	listing, err := s.List(ctx, "question")
	if err != nil {
		return err
	}
	if _, err := listing.Add(ctx, rows(documents)); err != nil {
		return err
	}
	if _, err := listing.End(ctx); err != nil {
		return err
	}
	l, err := s.Join(ctx)
	if err != nil {
		return err
	}
	for {
		items, err := l.Claim(ctx, documents)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			break
		}
		outcomes := make([]jobs.Outcome, len(items))
		for i, it := range items {
			outcomes[i] = doneWith(it, answerFor(it))
		}
		if _, err := l.Finish(ctx, outcomes); err != nil {
			return err
		}
	}
	n := 0
	for rec, err := range s.Records(ctx) {
		if err != nil {
			return err
		}
		if want := "answer to " + rec.ID; rec.State != pipeline.Done || rec.Answer != want {
			return fmt.Errorf("document %s: %s with answer %q", rec.ID, rec.State, rec.Answer)
		}
		n++
	}
	if n != documents {
		return fmt.Errorf("%d records of %d", n, documents)
	}
	return nil
}

// A row that makes no sense is damage to who reads it, and not left out.
func TestDamagedRows(t *testing.T) {
	for name, damage := range map[string]string{
		"state":          `UPDATE items SET state = 'dnne' WHERE num = 1`,
		"answer missing": `DELETE FROM answers WHERE num = 1`,
		"record missing": `DELETE FROM records WHERE item = 1`,
		"fields":         `UPDATE documents SET fields = '["x' WHERE item = 1`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			must(t, os.WriteFile(path, sound(t), 0o600))
			db, err := sql.Open("sqlite", path)
			must(t, err)
			_, err = db.Exec(`PRAGMA ignore_check_constraints = 1; ` + damage)
			must(t, errors.Join(err, db.Close()))
			if err := finishAll(t.Context(), path, 500); !errors.Is(err, ErrDamaged) || pipeline.ClassOf(err) != pipeline.Fatal {
				t.Errorf("got error %v, want %v", err, ErrDamaged)
			}
		})
	}
}
