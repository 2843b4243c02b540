package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"docbatch/pipeline"
)

// childVersion1 makes a state file as the first docbatch left it, with documents and answers most of which are only in its
// log, and waits to be killed.
func childVersion1(path string) error {
	ctx := context.Background()
	script, err := migrations.ReadFile(migrationNames()[0])
	if err != nil {
		return err
	}
	if err := create(path); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", prepareDSN(path))
	if err != nil {
		return err
	}
	if err := errors.Join(applyMigration(ctx, db, string(script), 1), db.Close()); err != nil {
		return err
	}
	if db, err = sql.Open("sqlite", writerDSN(path)); err != nil {
		return err
	}
	for i := range 100 {
		if _, err := db.Exec(version1Rows, i+1, fmt.Sprintf("%032d", i)); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// version1Rows are the rows of one answered document, in the schema of the first docbatch.
const version1Rows = `
	INSERT OR IGNORE INTO sources (num, name) VALUES (1, 'inbox');
	INSERT OR IGNORE INTO questions (num, fingerprint) VALUES (1, 'question');
	INSERT OR IGNORE INTO runs (num, started_at, ended_at, host, pid, command, exit) VALUES (1, 1000, 2000, 'h', 1, 'docbatch run', 0);
	INSERT INTO answers (num, request, text, model, finish_reason, prompt_tokens, completion_tokens, created_at)
		VALUES (?1, CAST(?2 AS BLOB), 'answer ' || ?1, 'm', 'stop', 1, 1, 1500);
	INSERT INTO records (item, num, run, state, request, answer, model, prompt_tokens, completion_tokens, cached, duration_ms, tries)
		VALUES (?1, 1, 1, 'done', CAST(?2 AS BLOB), ?1, 'm', 1, 1, 0, 5, 1);
	INSERT INTO items (num, source, id, name, row, pos, stamp, question, state, record)
		VALUES (?1, 1, 'doc' || ?1, 'doc', 0, ?1 * 1000, 's', 1, 'done', 1);`

// version1 makes a state file of version 1 whose process was killed.
func version1(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state.db")
	cmd, _, lines := child(t, "version1", path)
	if !lines.Scan() {
		t.Fatal("no file was made")
	}
	must(t, cmd.Process.Kill())
	cmd.Wait() // the error says that it was killed
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("the log of the killed process: %v, error %v, want one that is not empty", info, err)
	}
	return path
}

// A file of an older docbatch is brought up to date, and what it was is kept: also what was only in its log.
func TestMigrate(t *testing.T) {
	path := version1(t)
	_, readErr := OpenReader(t.Context(), path)
	for how, err := range map[string]error{"reader": readErr, "check": Check(t.Context(), path)} {
		if !errors.Is(err, ErrOlder) || errors.Is(err, ErrDamaged) || pipeline.AsError(err).Kind != pipeline.KindState {
			t.Errorf("%s of an older file: got error %v, want %v", how, err, ErrOlder)
		}
	}
	s := open(t, path, Options{})
	if got, err := s.Counts(t.Context()); err != nil || got.Done != 100 {
		t.Errorf("counts: got %+v, error %v, want 100 done", got, err)
	}
	must(t, s.SavePaceState(t.Context(), "s", []byte(`1`)))

	kept := path + ".v1.bak"
	info, err := os.Stat(kept)
	must(t, err)
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("permissions of the copy: got %v, want %v", info.Mode().Perm(), fs.FileMode(0o600))
	}
	for query, want := range map[string]int{"PRAGMA user_version": 1, "SELECT count(*) FROM answers": 100, "SELECT count(*) FROM items WHERE state = 'done'": 100} {
		if got := numberIn(t, kept, query); got != want {
			t.Errorf("the copy: %s: got %d, want %d", query, got, want)
		}
	}
	if left, err := filepath.Glob(kept + "?*"); err != nil || len(left) > 0 {
		t.Errorf("left beside the copy: %q, error %v", left, err)
	}
}

func numberIn(t *testing.T, path, query string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "mode=ro"))
	must(t, err)
	defer db.Close()
	must(t, db.QueryRow(query).Scan(&n))
	return n
}

// A copy that is there may be of anything: it stays, and is not taken for one of this file. What a try that was killed left
// of a copy is not.
func TestMigrateBesideCopies(t *testing.T) {
	path := version1(t)
	for _, there := range []string{".v1.bak", ".v1.2.bak"} {
		must(t, os.WriteFile(path+there, []byte("stale"), 0o600))
	}
	kept := path + ".v1.3.bak"
	must(t, os.WriteFile(kept+".tmp", []byte("half"), 0o600))
	open(t, path, Options{})
	for _, there := range []string{".v1.bak", ".v1.2.bak"} {
		if got, err := os.ReadFile(path + there); err != nil || string(got) != "stale" {
			t.Errorf("%s: got %q, error %v, want it as it was", there, got, err)
		}
	}
	for query, want := range map[string]int{"PRAGMA user_version": 1, "SELECT count(*) FROM answers": 100} {
		if got := numberIn(t, kept, query); got != want {
			t.Errorf("the copy: %s: got %d, want %d", query, got, want)
		}
	}
	found, err := filepath.Glob(path + ".*.bak*")
	must(t, err)
	if known := Files(path); len(found) != 3 || slices.ContainsFunc(found, func(f string) bool { return !slices.Contains(known, f) }) {
		t.Errorf("copies: got %q, want three of those in %q", found, known)
	}
}

// Where there are too many copies nothing is changed, and who makes room for one goes on.
func TestMigrateWithTooManyCopies(t *testing.T) {
	path := version1(t)
	for _, name := range keptNames(path, 1) {
		must(t, os.WriteFile(name, []byte("stale"), 0o600))
	}
	_, err := Open(t.Context(), path, Options{})
	want := "there are 9, state.db.v1.bak to state.db.v1.9.bak; move those away"
	if err == nil || !strings.Contains(err.Error(), want) || pipeline.ClassOf(err) != pipeline.Fatal {
		t.Errorf("got error %v, want %q", err, want)
	}
	if got := numberIn(t, path, "PRAGMA user_version"); got != 1 {
		t.Errorf("version: got %d, want 1", got)
	}
	must(t, os.Remove(path+".v1.4.bak"))
	open(t, path, Options{})
	if got := numberIn(t, path+".v1.4.bak", "PRAGMA user_version"); got != 1 {
		t.Errorf("version of the copy: got %d, want 1", got)
	}
}

// Without a copy nothing is changed.
func TestMigrateWithoutRoomForTheCopy(t *testing.T) {
	path := version1(t)
	must(t, os.MkdirAll(path+".v1.bak.tmp/x", 0o700))
	before, err := os.ReadFile(path)
	must(t, err)
	_, err = Open(t.Context(), path, Options{})
	if e := pipeline.AsError(err); err == nil || e.Class != pipeline.Fatal || !bytes.Contains([]byte(err.Error()), []byte("state.db: keep a copy")) {
		t.Errorf("got error %v", err)
	}
	if got := numberIn(t, path, "PRAGMA user_version"); got != 1 {
		t.Errorf("version: got %d, want 1", got)
	}
	if now, err := os.ReadFile(path); err != nil || len(now) < len(before) {
		t.Errorf("the file has %d bytes, error %v; it had %d", len(now), err, len(before))
	}
	must(t, os.RemoveAll(path+".v1.bak.tmp"))
	s := open(t, path, Options{})
	if got, err := s.Counts(t.Context()); err != nil || got.Done != 100 {
		t.Errorf("counts with room: got %+v, error %v, want 100 done", got, err)
	}
}
