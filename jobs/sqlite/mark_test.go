package sqlite

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"docbatch/pipeline"
)

// killed makes a state file of 500 documents whose process was killed after it acknowledged some answers.
func killed(t *testing.T) (path string, acknowledged map[int64]bool) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	list(t, s, rows(500))
	must(t, s.Close())
	acknowledged = map[int64]bool{}
	killAfter(t, path, 100, acknowledged)
	return path, acknowledged
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, b, 0o600))
}

// wantLost checks that a file is refused because it lost something, and left as it is.
func wantLost(t *testing.T, path, want string) {
	t.Helper()
	before, err := os.ReadFile(path)
	must(t, err)
	for how, open := range map[string]func() error{
		"open":  func() error { _, err := Open(t.Context(), path, Options{}); return err },
		"check": func() error { return Check(t.Context(), path) },
	} {
		err := open()
		if !errors.Is(err, ErrLost) || !errors.Is(err, ErrDamaged) || pipeline.ClassOf(err) != pipeline.Fatal || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %v with %q", how, err, ErrLost, want)
		}
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, before) {
		t.Errorf("the file was changed (error %v)", err)
	}
}

// A log that was deleted is noticed, and when it is put back nothing is lost.
func TestDeletedLog(t *testing.T) {
	path, acknowledged := killed(t)
	must(t, os.Rename(path+"-wal", path+"-away"))
	wantLost(t, path, "it holds 0 answers, ")
	must(t, os.Rename(path+"-away", path+"-wal"))
	checkAcknowledged(t, path, acknowledged)
}

// Who deletes the lock file says that what is missing is lost for good.
func TestDeletedLogAndLock(t *testing.T) {
	path, _ := killed(t)
	must(t, os.Remove(path+"-wal"))
	must(t, os.Remove(path+".lock"))
	s := open(t, path, Options{})
	if got, err := s.Counts(t.Context()); err != nil || got.Pending != 500 {
		t.Errorf("counts: got %+v, error %v, want 500 pending", got, err)
	}
}

// An older copy is noticed, even where its answers are the same: it does not know of the run after it.
func TestOlderCopy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	list(t, s, rows(50))
	must(t, s.Close())
	copyFile(t, path, path+".copy")
	s, err = Open(t.Context(), path, Options{})
	must(t, err)
	join(t, s)
	must(t, s.Close())
	copyFile(t, path+".copy", path)
	wantLost(t, path, "it holds 0 runs, 1 were stored")
}

// A file that was emptied is not taken for a new one: its log may hold everything.
func TestEmptied(t *testing.T) {
	path, acknowledged := killed(t)
	copyFile(t, path, path+".copy")
	must(t, os.Truncate(path, 0))
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrLost) {
		t.Errorf("got error %v, want %v", err, ErrLost)
	}
	copyFile(t, path+".copy", path)
	checkAcknowledged(t, path, acknowledged)
}

// What is not a loss gives no alarm.
func TestNothingLost(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, path string)
		anew   bool // it begins anew
	}{
		{"killed", func(t *testing.T, path string) {}, false},
		{"killed twice", func(t *testing.T, path string) { killAfter(t, path, 50, map[int64]bool{}) }, false},
		{"another program empties the log", func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			must(t, err)
			_, err = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
			must(t, errors.Join(err, db.Close()))
		}, false},
		{"another program leaves no log", func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			must(t, err)
			_, err = db.Exec("PRAGMA journal_mode = DELETE")
			must(t, errors.Join(err, db.Close()))
		}, false},
		{"the lock file is gone", func(t *testing.T, path string) { must(t, os.Remove(path+".lock")) }, false},
		{"the lock file is garbage", func(t *testing.T, path string) {
			must(t, os.WriteFile(path+".lock", bytes.Repeat([]byte{'7'}, 5000), 0o600))
		}, false},
		{"the lock file is cut", func(t *testing.T, path string) { must(t, os.Truncate(path+".lock", markAt+20)) }, false},
		{"the file was deleted", func(t *testing.T, path string) { must(t, os.Remove(path)) }, true},
		{"the file and its log were deleted", func(t *testing.T, path string) {
			must(t, errors.Join(os.Remove(path), os.Remove(path+"-wal"), os.Remove(path+"-shm")))
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, acknowledged := killed(t)
			tt.change(t, path)
			for _, round := range []string{"first", "second"} {
				s, err := Open(t.Context(), path, Options{})
				if err != nil {
					t.Fatalf("%s open: %v", round, err)
				}
				got, err := s.Counts(t.Context())
				must(t, errors.Join(err, s.Close()))
				if tt.anew && got.Total() != 0 || !tt.anew && got.Done < len(acknowledged) {
					t.Errorf("%s open: got %+v, acknowledged %d", round, got, len(acknowledged))
				}
			}
		})
	}
}

// A run that was killed as it began anew, before it stored anything, gives no alarm either.
func TestKilledAsItBeganAnew(t *testing.T) {
	path, _ := killed(t)
	must(t, errors.Join(os.Remove(path), os.Remove(path+"-wal"), os.Remove(path+"-shm")))
	l, err := takeLock(t.Context(), path, Options{}.withDefaults())
	must(t, err)
	if l.noted == (mark{}) {
		t.Fatal("nothing was noted of the file before")
	}
	must(t, prepare(t.Context(), path, l))
	must(t, l.release())
	open(t, path, Options{})
}

// A file that is moved or deleted while it is written to stops the run: what was stored in it is nowhere.
func TestMovedWhileWriting(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file can't be moved")
	}
	for name, change := range map[string]func(t *testing.T, path string){
		"deleted":     func(t *testing.T, path string) { must(t, os.Remove(path)) },
		"moved":       func(t *testing.T, path string) { must(t, os.Rename(path, path+".away")) },
		"log deleted": func(t *testing.T, path string) { must(t, os.Remove(path+"-wal")) },
		"replaced": func(t *testing.T, path string) {
			copyFile(t, path, path+".copy")
			must(t, os.Rename(path+".copy", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			s, err := Open(t.Context(), path, Options{})
			must(t, err)
			must(t, s.SavePaceState(t.Context(), "s", []byte("1")))
			change(t, path)
			for range 2 {
				err := s.SavePaceState(t.Context(), "s", []byte("2"))
				if e := pipeline.AsError(err); !errors.Is(err, errMoved) || e.Class != pipeline.Fatal || e.Kind != pipeline.KindState {
					t.Errorf("got error %v, want %v", err, errMoved)
				}
			}
			must(t, s.Close())
		})
	}
}
