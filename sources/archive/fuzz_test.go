package archive

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/sources/pathname"
)

// FuzzList lists any bytes as an archive and reads what it finds: nothing is fatal, and IDs are what IDs have to be.
func FuzzList(f *testing.F) {
	for _, tt := range []string{
		makeZip(f, files("a.txt", "b/c.txt", "../d", "a.txt")...),
		makeZip(f, file{"b.tgz", makeGzip(f, makeTar(f, file{"c.zip", makeZip(f, files("d")...)}))}),
		makeTar(f, files("a.txt", "b/c.txt")...),
		makeGzip(f, makeTar(f, files("a.txt", "b/c.txt")...)),
		makeXZ(f, makeTar(f, files("a.txt")...)),
		makeZstd(f, "text"),
		unbase64(f, letterBzip2),
	} {
		f.Add([]byte(tt))
	}
	names, err := filepath.Glob("testdata/*.7z")
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x.zip")
		write(t, path, string(fixed7z(data)))
		s := newShelf(t)
		began := time.Now()
		members, err := s.List(t.Context(), openFile(t, path), all)
		if err != nil && err != ErrNotArchive {
			t.Fatalf("List: %v", err)
		}
		seen := map[string]bool{}
		for i, m := range members {
			if seen[m.ID] || !strings.HasPrefix(m.ID, "x.zip") || pathname.Controls(m.ID) {
				t.Errorf("ID %q is not an ID, or not the only one", m.ID)
			}
			seen[m.ID] = true
			if m.Err != nil {
				checkInvalid(t, m.Err)
			} else if i < 100 {
				_, err := s.Read(t.Context(), openFile(t, path), m.ID)
				checkInvalid(t, err)
			}
		}
		if took := time.Since(began); took > bombTime {
			t.Errorf("it took %v", took)
		}
	})
}

func checkInvalid(t *testing.T, err error) {
	t.Helper()
	if e, ok := errors.AsType[*pipeline.Error](err); err != nil && (!ok || e.Class != pipeline.Invalid || pathname.Controls(err.Error())) {
		t.Errorf("got %v, want an error of class invalid on one line", err)
	}
}

// fixed7z makes the checksums of a 7z archive right, which no fuzzer guesses.
func fixed7z(data []byte) []byte {
	if !is7z(data) || len(data) < sizeStart7z {
		return data
	}
	data = append([]byte(nil), data...)
	offset, size := binary.LittleEndian.Uint64(data[12:]), binary.LittleEndian.Uint64(data[20:])
	if end := uint64(len(data)); offset < end && size < end && offset+size+sizeStart7z <= end {
		directory := data[sizeStart7z+offset:][:size]
		binary.LittleEndian.PutUint32(data[28:], crc32.ChecksumIEEE(directory))
	}
	binary.LittleEndian.PutUint32(data[8:], crc32.ChecksumIEEE(data[12:sizeStart7z]))
	return data
}
