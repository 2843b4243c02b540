package folder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline"
)

// A meddler is a context that does something each time a reader looks at it, which is before each piece that it reads.
type meddler struct {
	context.Context
	meddle func(look int)
	looks  int
}

func (m *meddler) Err() error {
	m.looks++
	m.meddle(m.looks)
	return m.Context.Err()
}

// A read of a short file looks at its context before it opens the file, before it reads it, and before it finds its end.
const (
	opening   = 1 // modulo looksEach
	reading   = 2
	looksEach = 3
)

func TestChangesWhileRead(t *testing.T) {
	write := func(t *testing.T, path, text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	old := func(t *testing.T, path string, age time.Duration) {
		t.Helper()
		at := time.Now().Add(-age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		meddle func(t *testing.T, path string, look int)
		want   string // what is read; "" for an error
		pauses int
	}{
		{"as it was", func(*testing.T, string, int) {}, "first", 0},
		{"written once, of another size", func(t *testing.T, path string, look int) {
			if look == reading {
				write(t, path, "second one")
				old(t, path, time.Hour)
			}
		}, "second one", 1},
		{"written once, of the same size", func(t *testing.T, path string, look int) {
			if look == reading {
				write(t, path, "later")
				old(t, path, time.Hour)
			}
		}, "later", 1},
		{"written twice", func(t *testing.T, path string, look int) {
			if look == reading || look == reading+looksEach {
				write(t, path, strings.Repeat("x", look))
				old(t, path, time.Duration(look)*time.Hour)
			}
		}, "xxxxx", 2},
		{"written each time", func(t *testing.T, path string, look int) {
			if look%looksEach == reading {
				write(t, path, strings.Repeat("x", look))
			}
		}, "", 2},
		{"cut each time", func(t *testing.T, path string, look int) {
			if look%looksEach == reading {
				if err := os.Truncate(path, int64(4-look/looksEach)); err != nil {
					t.Fatal(err)
				}
			}
		}, "", 2},
		{"written just before", func(t *testing.T, path string, look int) {
			if look == opening {
				old(t, path, clockTick/2)
			}
		}, "first", 1},
		{"written just before, each time", func(t *testing.T, path string, look int) {
			if look%looksEach == opening {
				old(t, path, 0)
			}
		}, "", 2},
		{"a time in the future", func(t *testing.T, path string, look int) {
			if look == opening {
				old(t, path, -time.Hour)
			}
		}, "first", 0},
		{"replaced by another of the name", func(t *testing.T, path string, look int) {
			if look == reading {
				if err := os.WriteFile(path+".new", []byte("another"), 0o644); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(path+".new", path); err != nil {
					t.Fatal(err)
				}
			}
		}, "first", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			path := filepath.Join(root, "a.txt")
			if err := os.WriteFile(path, []byte("first"), 0o644); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				old(t, path, 48*time.Hour)
				s := open(t, Options{Root: root})
				began := time.Now()
				ctx := &meddler{Context: context.Background(), meddle: func(look int) { tt.meddle(t, path, look) }}
				doc, err := s.Open(ctx, pipeline.Ref{ID: "a.txt"})
				var want time.Duration
				for _, pause := range pauses[:tt.pauses] {
					want += pause
				}
				if got := time.Since(began); got != want {
					t.Errorf("it waited %v, want %v", got, want)
				}
				if tt.want == "" {
					check(t, err, pipeline.Transient, pipeline.KindRead, "read "+path+": the file changed while it was read, 3 times in a row")
					return
				}
				if err != nil || string(doc.Data) != tt.want {
					t.Errorf("got %v, %v, want %q", doc, err, tt.want)
				}
			})
		})
	}
}

// A run that stops does not wait for a file to settle, and does not blame the file.
func TestChangesWhenStopping(t *testing.T) {
	root := tree(t, "a")
	stop := make(chan struct{})
	close(stop)
	s := open(t, Options{Root: root})
	ctx := &meddler{Context: pipeline.WithStopping(t.Context(), stop), meddle: func(look int) {
		if look == reading {
			os.Truncate(filepath.Join(root, "a"), 100)
		}
	}}
	if _, err := s.Open(ctx, pipeline.Ref{ID: "a"}); !errors.Is(err, pipeline.ErrStopping) {
		t.Errorf("got %v, want %v", err, pipeline.ErrStopping)
	}
}

// A file that is written for ever in place, always of the same size, must never be read as parts of two states.
func TestNeverTorn(t *testing.T) {
	if testing.Short() {
		t.Skip("reads for half a second")
	}
	path := filepath.Join(t.TempDir(), "a")
	pages := [2][]byte{[]byte(strings.Repeat("a", 2<<20)), []byte(strings.Repeat("b", 2<<20))}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(pages[0]); err != nil {
		t.Fatal(err)
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-end:
				return
			default:
				f.WriteAt(pages[i%2], 0)
			}
		}
	}()
	whole, changed := 0, 0
	for began := time.Now(); time.Since(began) < 500*time.Millisecond; {
		data, err := readOnce(t.Context(), anywhere{}, path, 4<<20)
		switch {
		case errors.Is(err, errChanged):
			changed++
		case err != nil:
			t.Fatal(err)
		case strings.Count(string(data), string(data[:1])) != len(data):
			t.Fatalf("parts of two states after %d whole and %d changed ones", whole, changed)
		default:
			whole++
		}
	}
	close(end)
	<-ended
	if changed == 0 {
		t.Error("no change was seen")
	}
}
