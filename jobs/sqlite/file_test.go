package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"docbatch/pipeline"
)

// sound makes a closed state file with some items and gives its bytes.
func sound(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	list(t, s, rows(500))
	l := join(t, s)
	items, err := l.Claim(t.Context(), 50)
	must(t, err)
	for _, it := range items {
		must(t, work(t.Context(), s, l, it))
	}
	must(t, s.Close())
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

// foreign makes another application's database.
func foreign(t *testing.T, pragmas string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "foreign.db")
	db, err := sql.Open("sqlite", path)
	must(t, err)
	_, err = db.Exec(`CREATE TABLE items (a); INSERT INTO items VALUES (1);` + pragmas)
	must(t, err)
	must(t, db.Close())
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

func TestUnusableFiles(t *testing.T) {
	good := sound(t)
	newer := bytes.Clone(good)
	newer[63] = 99 // the last byte of user_version
	wiped := bytes.Clone(good)
	clear(wiped[100:4096]) // the first page holds the schema
	tests := []struct {
		name  string
		bytes []byte
		want  error
	}{
		{"text", []byte("dear diary"), ErrNotState},
		{"a long text", bytes.Repeat([]byte("dear diary\n"), 1000), ErrNotState},
		{"a database without a mark", foreign(t, ""), ErrNotState},
		{"another application's", foreign(t, "PRAGMA application_id = 42; PRAGMA user_version = 1"), ErrNotState},
		{"from a newer docbatch", newer, ErrNewer},
		{"cut", good[:len(good)/2], ErrDamaged},
		{"cut after the header", good[:100], ErrDamaged},
		{"without its schema", wiped, ErrDamaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			must(t, os.WriteFile(path, tt.bytes, 0o600))
			_, readErr := OpenReader(t.Context(), path)
			_, writeErr := Open(t.Context(), path, Options{})
			for how, err := range map[string]error{"reader": readErr, "writer": writeErr, "check": Check(t.Context(), path)} {
				if !errors.Is(err, tt.want) || pipeline.AsError(err).Kind != pipeline.KindState {
					t.Errorf("%s: got error %v, want %v", how, err, tt.want)
				}
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, tt.bytes) {
				t.Errorf("the file was changed (error %v)", err)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReader(t.Context(), filepath.Join(dir, "none.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reader: got error %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "no", "state.db"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("writer in a folder that is not there: got error %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := Open(t.Context(), dir, Options{}); !errors.Is(err, ErrNotState) {
		t.Errorf("a folder: got error %v, want %v", err, ErrNotState)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("the folder has %v, error %v, want nothing", entries, err)
	}
}

func TestEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	must(t, os.WriteFile(path, nil, 0o600))
	if _, err := OpenReader(t.Context(), path); !errors.Is(err, ErrNotState) {
		t.Errorf("reader: got error %v, want %v", err, ErrNotState)
	}
	s := open(t, path, Options{})
	var got int
	must(t, s.query(t.Context(), "read version", "PRAGMA user_version", nil, func(rows *sql.Rows) error { return rows.Scan(&got) }))
	if got != schemaVersion {
		t.Errorf("version: got %d, want %d", got, schemaVersion)
	}
}

func TestPragmas(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "wal_autocheckpoint": "10000", "busy_timeout": "1000", "trusted_schema": "0",
	} {
		var got string
		must(t, s.writer.do(t.Context(), 0, func(tx *tx) error {
			_, err := tx.get("PRAGMA "+pragma, nil, &got)
			return err
		}))
		if got != want {
			t.Errorf("%s: got %s, want %s", pragma, got, want)
		}
	}
	if _, err := s.Reader.db.Exec("DELETE FROM items"); err == nil {
		t.Error("a reader could write")
	}
}

// Rows that make no sense can't be stored, whatever the code above does.
func TestIllegalRows(t *testing.T) {
	s, _ := mixed(t)
	for _, illegal := range []string{
		`UPDATE items SET state = 'lost' WHERE num = 1`,
		`UPDATE items SET state = 'claimed' WHERE num = 1`,
		`UPDATE items SET owner = 1 WHERE num = 1`,
		`UPDATE items SET record = NULL WHERE num = 1`,
		`UPDATE items SET state = 'done' WHERE num = 6`,
		`UPDATE items SET fault = 'x' WHERE num = 1`,
		`UPDATE items SET source = source, id = '3' WHERE num = 1`,
		`UPDATE items SET row = 'seven' WHERE num = 1`,
		`UPDATE records SET answer = NULL WHERE item = 1`,
		`UPDATE records SET class = 'odd', error = 'x' WHERE item = 2`,
		`UPDATE records SET class = NULL, error = NULL WHERE item = 3`,
		`UPDATE answers SET request = x'00'`,
		`INSERT INTO answers SELECT num + 10, request, text, model, '', 0, 0, 0, NULL FROM answers`,
	} {
		err := s.writer.do(t.Context(), 0, func(tx *tx) error {
			_, err := tx.exec(illegal)
			return err
		})
		if err == nil {
			t.Errorf("%s: got no error", illegal)
		} else if pipeline.ClassOf(err) != pipeline.Internal {
			t.Errorf("%s: got class %s, want %s", illegal, pipeline.ClassOf(err), pipeline.Internal)
		}
	}
}

func TestCheckFindsDamage(t *testing.T) {
	for name, damage := range map[string]string{
		"answer gone":       `DELETE FROM answers`,
		"record gone":       `DELETE FROM records WHERE item = 1`,
		"question gone":     `DELETE FROM questions`,
		"fields gone":       `DELETE FROM documents WHERE item = 3`,
		"fields of nothing": `INSERT INTO documents VALUES (9999, '[]')`,
		"runs gone":         `DELETE FROM runs`,
		"unknown owner":     `UPDATE items SET state = 'claimed', owner = 77 WHERE num = 400`,
		"unknown answer":    `UPDATE records SET answer = 999 WHERE item = 1`,
		"dead owner":        `UPDATE items SET state = 'claimed', owner = 1 WHERE num = 400`,
		"gap in attempts":   `INSERT INTO attempts VALUES (1, 2, 1, 0, 0, 0, 'transient', 'network', 'x')`,
		"gap in records":    `UPDATE records SET num = 2 WHERE item = 1; UPDATE items SET record = 2 WHERE num = 1`,
		"no such state":     `PRAGMA ignore_check_constraints = 1; UPDATE items SET state = 'dnne' WHERE num = 1`,
		"no such class":     `PRAGMA ignore_check_constraints = 1; UPDATE records SET class = 'odd', error = 'x' WHERE item = 1`,
		"limits not JSON":   `PRAGMA ignore_check_constraints = 1; INSERT INTO limits VALUES ('s', 'x', 0)`,
		"wrong answer":      `UPDATE records SET request = zeroblob(32) WHERE item = 1`,
	} {
		path := filepath.Join(t.TempDir(), "state.db")
		must(t, os.WriteFile(path, sound(t), 0o600))
		must(t, Check(t.Context(), path))
		db, err := sql.Open("sqlite", path)
		must(t, err)
		_, err = db.Exec(`UPDATE runs SET lease_until_at = NULL;` + damage)
		must(t, err)
		must(t, db.Close())
		if err := Check(t.Context(), path); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrDamaged)
		}
	}
	t.Run("bytes", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		b := sound(t)
		for i := len(b) / 2; i < len(b)/2+5000; i++ {
			b[i] ^= 0x55
		}
		must(t, os.WriteFile(path, b, 0o600))
		if err := Check(t.Context(), path); !errors.Is(err, ErrDamaged) {
			t.Errorf("got error %v, want %v", err, ErrDamaged)
		}
	})
}

// A reader sees what the writer has committed, while it writes and after it, and leaves the file as it is.
func TestReaderBesideWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, Options{})
	r, err := OpenReader(t.Context(), path)
	must(t, err)
	defer r.Close()
	for n := 100; n <= 300; n += 100 {
		list(t, s, rows(n))
		got, err := r.Counts(t.Context())
		if err != nil || got.Pending != n {
			t.Errorf("counts: got %+v, error %v, want %d pending", got, err, n)
		}
	}
}

func TestReaderOfClosedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	b := sound(t)
	must(t, os.WriteFile(path, b, 0o600))
	r, err := OpenReader(t.Context(), path)
	must(t, err)
	got, err := r.Counts(t.Context())
	if err != nil || got.Done != 50 || got.Pending != 450 {
		t.Errorf("counts: got %+v, error %v, want 50 done and 450 pending", got, err)
	}
	must(t, r.Close())
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, b) {
		t.Errorf("the file was changed (error %v)", err)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("SQLite format 3\x00"))
	f.Add(append([]byte("SQLite format 3\x00"), make([]byte, 84)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "state.db")
		must(t, os.WriteFile(path, b, 0o600))
		r, err := OpenReader(context.Background(), path)
		if err == nil {
			r.Close()
			t.Fatalf("a file of %d arbitrary bytes was taken for a state file", len(b))
		}
	})
}
