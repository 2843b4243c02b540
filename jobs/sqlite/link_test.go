package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"docbatch/pipeline"
)

// linked makes a folder with a link to where a state file is to be, in another folder.
func linked(t *testing.T) (link, target string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a link takes a privilege")
	}
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "here"), 0o700))
	must(t, os.MkdirAll(filepath.Join(dir, "there", "deep"), 0o700))
	must(t, os.Symlink("../short/../second.db", filepath.Join(dir, "here", "link.db")))
	must(t, os.Symlink(filepath.Join("there", "deep"), filepath.Join(dir, "short")))
	must(t, os.Symlink(filepath.Join(dir, "there", "state.db"), filepath.Join(dir, "there", "second.db")))
	return filepath.Join(dir, "here", "link.db"), filepath.Join(dir, "there", "state.db")
}

// A state file may be reached through links: it is one file with one lock, and all that belongs to it is beside it.
func TestLink(t *testing.T) {
	link, target := linked(t)
	if _, err := OpenReader(t.Context(), link); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reader of a link to nothing: got error %v, want %v", err, fs.ErrNotExist)
	}
	s, err := Open(t.Context(), link, Options{}) // makes the file
	must(t, err)
	list(t, s, rows(50))
	for _, path := range []string{link, target} {
		if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrLocked) {
			t.Errorf("a second writer of %s: got error %v, want %v", path, err, ErrLocked)
		}
		r, err := OpenReader(t.Context(), path)
		must(t, err)
		if got, err := r.Counts(t.Context()); err != nil || got.Pending != 50 {
			t.Errorf("counts of %s: got %+v, error %v, want 50 pending", path, got, err)
		}
		must(t, r.Close())
	}
	real, err := filepath.EvalSymlinks(target)
	must(t, err)
	if got, want := Files(link)[1:], Files(real); !slices.Equal(got, want) {
		t.Errorf("kept copies: got %q, want %q", got, want)
	}
	must(t, Copy(t.Context(), link, target+".copy"))
	join(t, s)
	must(t, s.Close())
	beside, err := filepath.Glob(filepath.Join(filepath.Dir(link), "*"))
	if err != nil || len(beside) != 1 {
		t.Errorf("beside the link: got %q, error %v, want nothing else", beside, err)
	}
	copyFile(t, target+".copy", target)
	wantLost(t, link, "it holds 0 runs, 1 were stored")
}

// A link that leads nowhere is told as that.
func TestLinkToNowhere(t *testing.T) {
	link, target := linked(t)
	must(t, os.RemoveAll(filepath.Dir(target)))
	loop := filepath.Join(filepath.Dir(link), "loop.db")
	must(t, os.Symlink("loop.db", loop))
	for _, tt := range []struct{ name, path, want string }{
		{"the folder is gone", link, "link.db is a link to "},
		{"a link to itself", loop, "loop.db is a link through more than 40 others"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, writeErr := Open(t.Context(), tt.path, Options{})
			_, readErr := OpenReader(t.Context(), tt.path)
			for how, err := range map[string]error{"writer": writeErr, "reader": readErr, "check": Check(t.Context(), tt.path)} {
				if err == nil || !strings.Contains(err.Error(), tt.want) || pipeline.AsError(err).Kind != pipeline.KindState {
					t.Errorf("%s: got error %v, want %q", how, err, tt.want)
				}
			}
		})
	}
}

// A log that someone takes away just as it was opened is told as that, not as a full disk.
func TestLogGoneAtOpen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file can't be moved")
	}
	path := filepath.Join(t.TempDir(), "state.db")
	must(t, os.WriteFile(path, nil, 0o600))
	_, err := lookAtFiles(path)
	if want := "state.db-wal was moved or deleted"; !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %v with %q", err, ErrBusy, want)
	}
}
