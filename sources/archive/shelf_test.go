package archive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"docbatch/pipeline"
)

// checkError fails unless err is of a class and kind and says want.
func checkError(t testing.TB, err error, class pipeline.Class, kind, want string) {
	t.Helper()
	e, ok := errors.AsType[*pipeline.Error](err)
	if !ok || e.Class != class || e.Kind != kind || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want class %s, kind %s and %q in it", err, class, kind, want)
	}
}

// noise is text that does not compress.
func noise(seed uint64, n int) string {
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// TestStamps: a member's stamp is its own, whatever becomes of the archive.
func TestStamps(t *testing.T) {
	pack := map[string]func(t testing.TB, files ...file) string{
		"x.zip":    makeZip,
		"x.tar":    makeTar,
		"x.tar.gz": func(t testing.TB, files ...file) string { return makeGzip(t, makeTar(t, files...)) },
		"x.gz":     func(t testing.TB, files ...file) string { return makeGzip(t, files[len(files)-1].text) },
	}
	for name, pack := range pack {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			last := func(files ...file) string {
				write(t, path, pack(t, files...))
				members := list(t, newShelf(t), path)
				return members[len(members)-1].Stamp
			}
			a, b := file{"a", "first"}, file{"b", "second"}
			stamp := last(a, b)
			if got := last(file{"a", "other"}, file{"c", "new"}, b); got != stamp {
				t.Errorf("rewritten with other members: got %q, want %q as before", got, stamp)
			}
			if got := last(a, file{"b", "SECOND"}); got == stamp {
				t.Errorf("with other bytes of the same length: still %q", got)
			}
		})
	}
}

func TestStampOf7zIsInItsDirectory(t *testing.T) {
	a, b := list(t, newShelf(t), "testdata/lzma.7z"), list(t, newShelf(t), "testdata/copy.7z")
	for i := range a {
		if a[i].Stamp == "" || a[i].Stamp != b[i].Stamp {
			t.Errorf("%s: stamps %q and %q, want the same", a[i].ID, a[i].Stamp, b[i].Stamp)
		}
	}
}

func TestDamaged(t *testing.T) {
	big := []file{{"a", noise(1, 5000)}, {"b", noise(2, 5000)}, {"c", noise(3, 5000)}}
	tar, zip := makeTar(t, big...), makeZip(t, big...)
	const at = "invalid damaged: open in/FILE: the archive is damaged"
	for _, tt := range []struct {
		name, file, data string
		good             int
		want             []string
	}{
		{"tar cut in a header", "x.tar", tar[:512+5120+100], 1, []string{"FILE: " + at + " after member 1: unexpected EOF"}},
		{"tar cut in a member", "x.tar", tar[:512+5120+512+100], 1, []string{"FILE: " + at + " after member 1: unexpected EOF"}},
		{"tar that ends without its end", "x.tar", tar[:3*(512+5120)], 3, nil},
		{"tar.gz cut", "x.tar.gz", makeGzip(t, tar)[:8000], 1, []string{"FILE: " + at + " after member 1: unexpected EOF"}},
		{"tar.xz cut", "x.tar.xz", makeXZ(t, tar)[:100], 0, []string{"FILE: " + at + ": xz: data is truncated or corrupt"}},
		{"gz cut", "x.gz", makeGzip(t, big[0].text)[:3000], 0,
			[]string{"FILE!/x: invalid damaged: open in/FILE!/x: the archive is damaged: unexpected EOF"}},
		{"zip cut", "x.zip", zip[:9000], 0, []string{"FILE: " + at + ": the directory at its end is missing or broken, as in a file that was cut"}},
		{"zip with a broken member", "x.zip", strings.Replace(zip, big[1].text[100:110], "0123456789", 1), 2,
			[]string{"FILE!/b: invalid damaged: open in/FILE!/b: it is damaged: zip: checksum error"}},
		{"7z cut", "x.7z", testdata(t, "lzma.7z")[:200], 0, []string{"FILE: " + at + ": its directory lies behind its end, as in a file that was cut"}},
		{"7z with a broken header", "x.7z", strings.Replace(testdata(t, "lzma.7z"), "\x00", "\x01", 2), 0,
			[]string{"FILE: " + at + ": the checksum of its header is wrong"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var bad []string
			good := 0
			for _, doc := range archived(t, tt.file, tt.data) {
				if strings.Contains(doc, ": invalid ") {
					bad = append(bad, strings.ReplaceAll(doc, tt.file, "FILE"))
				} else {
					good++
				}
			}
			if good != tt.good || !reflect.DeepEqual(bad, tt.want) {
				t.Errorf("got %d good ones and %q, want %d and %q", good, bad, tt.good, tt.want)
			}
		})
	}
}

func testdata(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEncryptedZip(t *testing.T) {
	locked := func(data, name string) string { // sets the flag in the header and in the directory
		b := []byte(data)
		for i := 0; i+30 < len(b); i++ {
			flags, at := 6, 30
			if string(b[i:i+4]) == "PK\x01\x02" {
				flags, at = 8, 46
			} else if string(b[i:i+4]) != "PK\x03\x04" {
				continue
			}
			if strings.HasPrefix(string(b[i+at:]), name) {
				b[i+flags] |= 1
			}
		}
		return string(b)
	}
	data := makeZip(t, files("a", "b")...)
	want := []string{"x.zip!/a: invalid encrypted: open in/x.zip!/a: it is protected by a password", "x.zip!/b: text of b"}
	if got := archived(t, "x.zip", locked(data, "a")); !reflect.DeepEqual(got, want) {
		t.Errorf("one member: got %q, want %q", got, want)
	}
	want = []string{"x.zip: invalid encrypted: open in/x.zip: it is protected by a password"}
	if got := archived(t, "x.zip", locked(locked(data, "a"), "b")); !reflect.DeepEqual(got, want) {
		t.Errorf("all members: got %q, want %q", got, want)
	}
}

func TestTooLargeMembers(t *testing.T) {
	exact, over := file{"exact", strings.Repeat("x", testMaxBytes)}, file{"over", strings.Repeat("x", testMaxBytes+1)}
	const want = "invalid too_large: open in/FILE!/over: 1048577 bytes are more than 1048576 (the bound on size)"
	for name, data := range map[string]string{
		"x.zip":    makeZip(t, exact, over),
		"x.tar":    makeTar(t, exact, over),
		"x.tar.gz": makeGzip(t, makeTar(t, exact, over)),
	} {
		t.Run(name, func(t *testing.T) {
			got := archived(t, name, data)
			if len(got) != 2 || got[0] != name+"!/exact: "+exact.text || got[1] != name+"!/over: "+strings.ReplaceAll(want, "FILE", name) {
				t.Errorf("got %d documents, the last %q, want %q", len(got), got[len(got)-1], want)
			}
		})
	}
	t.Run("known only at the end", func(t *testing.T) {
		got := archived(t, "over.gz", makeGzip(t, over.text))
		if len(got) != 1 || !strings.Contains(got[0], "1048577 bytes are more than 1048576 (the bound on size)") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a zip that lies about it", func(t *testing.T) {
		data := strings.ReplaceAll(makeZip(t, over), "\x01\x00\x10\x00", "\x01\x00\x01\x00")
		got := archived(t, "x.zip", data)
		if len(got) != 1 || !strings.Contains(got[0], "x.zip!/over: invalid damaged") {
			t.Errorf("got %.100q", got)
		}
	})
}

// TestWanted: what is left out is not unpacked, and an archive that is left out not looked into.
func TestWanted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.zip")
	write(t, path, makeZip(t, file{"a.txt", ""}, file{"b.zip", makeZip(t, files("c.txt", "d.txt")...)}, file{"e.zip", "damaged PK"}))
	var asked []string
	members, err := newShelf(t).List(t.Context(), openFile(t, path), func(id string, archive bool) bool {
		asked = append(asked, fmt.Sprint(id, " ", archive))
		return id != "x.zip!/e.zip" && !strings.HasSuffix(id, "a.txt")
	})
	if err != nil || len(members) != 2 || members[1].ID != "x.zip!/b.zip!/d.txt" {
		t.Errorf("got %v, %v, want what is in b.zip", members, err)
	}
	want := []string{"x.zip!/a.txt false", "x.zip!/b.zip true", "x.zip!/b.zip!/c.txt false", "x.zip!/b.zip!/d.txt false", "x.zip!/e.zip true"}
	if !reflect.DeepEqual(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

// TestKeeps reads many archives by many goroutines: what is kept has bounds, and nothing is left behind.
func TestKeeps(t *testing.T) {
	dir, temp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	var paths []string
	for i := range 3 * maxKept {
		name, data := fmt.Sprintf("%d.zip", i), makeZip(t, files("a", "b")...)
		if i%2 == 1 {
			name, data = fmt.Sprintf("%d.tgz", i), makeGzip(t, makeTar(t, files("a", "b")...))
		}
		paths = append(paths, filepath.Join(dir, name))
		write(t, paths[i], data)
	}
	openFile(t, paths[0]).In.Close() // the first file opens what the runtime polls with
	before := openFiles()
	s := NewShelf(Options{MaxBytes: testMaxBytes, Stamp: testStamp})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range paths {
				path := paths[(i+g)%len(paths)]
				for _, name := range []string{"b", "a"} {
					data, err := s.Read(t.Context(), openFile(t, path), filepath.Base(path)+Border+name)
					if err != nil || string(data) != "text of "+name {
						t.Errorf("%s: got %q, %v", path, data, err)
					}
				}
			}
		})
	}
	wg.Wait()
	if len(s.kept) > maxKept {
		t.Errorf("%d archives are kept, want at most %d", len(s.kept), maxKept)
	}
	if after := openFiles(); after > before+2*maxKept {
		t.Errorf("%d files are open, %d were before", after, before)
	}
	if entries, err := os.ReadDir(temp); err != nil || len(entries) > 0 {
		t.Errorf("temporary files have names: %v, %v", entries, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if after := openFiles(); after > before {
		t.Errorf("%d files are open after Close, %d were before", after, before)
	}
}

// TestUnpacksOnce: the members of what can't be read in any order are unpacked once.
func TestUnpacksOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.zip")
	write(t, path, makeZip(t, file{"in.tgz", makeGzip(t, makeTar(t, files("a", "b", "c")...))}))
	s := newShelf(t)
	for range 2 {
		for _, m := range list(t, s, path) {
			if _, err := s.Read(t.Context(), openFile(t, path), m.ID); err != nil {
				t.Error(err)
			}
		}
	}
	if len(s.kept) != 2 {
		t.Fatalf("%d archives are kept, want x.zip and what is in it", len(s.kept))
	}
	for key, k := range s.kept {
		if want := int64(len("text of a") * 3); strings.Contains(key, "in.tgz") && k.opened.spool.size != want {
			t.Errorf("%q: %d bytes were unpacked, want %d", key, k.opened.spool.size, want)
		}
	}
}

// TestChanges: a member is read as it is now, never as parts of two states.
func TestChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.zip")
	age := time.Hour
	rewrite := func(files ...file) {
		write(t, path, makeZip(t, files...))
		age -= time.Minute
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	rewrite(files("a", "b")...)
	s := newShelf(t)
	read := func(id string) (string, error) {
		data, err := s.Read(t.Context(), openFile(t, path), "x.zip!/"+id)
		return string(data), err
	}
	if got, err := read("a"); got != "text of a" {
		t.Errorf("at first: got %q, %v", got, err)
	}
	rewrite(file{"b", "new"}, file{"a", "newer"})
	if got, err := read("a"); got != "newer" {
		t.Errorf("rewritten: got %q, %v", got, err)
	}
	rewrite(files("b")...)
	_, err := read("a")
	checkError(t, err, pipeline.Invalid, pipeline.KindRead, "open in/x.zip!/a: the archive has no such member any more")

	in := openFile(t, path)
	meddler := &onErr{Context: t.Context(), do: func() { rewrite(files("a", "b", "c")...) }}
	if data, err := newShelf(t).Read(meddler, in, "x.zip!/b"); !errors.Is(err, ErrChanged) {
		t.Errorf("while it was read: got %q, %v, want %v", data, err, ErrChanged)
	}
	if members, err := s.List(meddler, openFile(t, path), all); !errors.Is(err, ErrChanged) {
		t.Errorf("while it was listed: got %v, %v, want %v", members, err, ErrChanged)
	}
}

// onErr is a context that does something when it is asked whether it has ended.
type onErr struct {
	context.Context
	do func()
}

func (c *onErr) Err() error {
	c.do()
	return c.Context.Err()
}

func TestEndedContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.tgz")
	write(t, path, makeGzip(t, makeTar(t, files("a", "b")...)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newShelf(t)
	if _, err := s.List(ctx, openFile(t, path), all); !errors.Is(err, context.Canceled) {
		t.Errorf("List: got %v, want %v", err, context.Canceled)
	}
	if _, err := s.Read(ctx, openFile(t, path), "x.tgz!/a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: got %v, want %v", err, context.Canceled)
	}
	if data, err := s.Read(t.Context(), openFile(t, path), "x.tgz!/a"); string(data) != "text of a" {
		t.Errorf("after that: got %q, %v", data, err)
	}
}

func TestNoRoomForSpool(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.tgz")
	write(t, path, makeGzip(t, makeTar(t, files("a")...)))
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	t.Setenv("TMP", filepath.Join(t.TempDir(), "none"))
	_, err := newShelf(t).Read(t.Context(), openFile(t, path), "x.tgz!/a")
	checkError(t, err, pipeline.Fatal, pipeline.KindMachine, "unpack an archive into a temporary file")
}
