package cfb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"docbatch/pipeline/extract/msg/cfb"
	"docbatch/pipeline/extract/msg/cfb/cfbtest"
)

func TestStreams(t *testing.T) {
	long := bytes.Repeat([]byte("0123456789abcdef"), 1000)
	file := cfbtest.Build(cfbtest.Storage{
		"short": []byte("in the mini stream"),
		"long":  long,
		"edge":  long[:4096],
		"empty": []byte{},
		"inner": cfbtest.Storage{"short": []byte("within"), "deeper": cfbtest.Storage{"x": []byte("y")}},
	})
	f, err := cfb.New(file)
	if err != nil {
		t.Fatal(err)
	}
	root := f.Root()
	for name, want := range map[string]string{
		"short": "in the mini stream", "long": string(long), "edge": string(long[:4096]), "empty": "", "none": "",
	} {
		if got := string(root.Stream(name)); got != want {
			t.Errorf("stream %s: got %d bytes, want %d", name, len(got), len(want))
		}
	}
	if got := root.Storages(); !slices.Equal(got, []string{"inner"}) {
		t.Errorf("storages %q, want inner", got)
	}
	inner := root.Storage("inner")
	if got := string(inner.Stream("short")); got != "within" {
		t.Errorf("inner stream %q, want within", got)
	}
	if got := string(inner.Storage("deeper").Stream("x")); got != "y" {
		t.Errorf("deeper stream %q, want y", got)
	}
	if root.Storage("none") != nil {
		t.Error("a storage that is not there was opened")
	}
}

func TestNewRefuses(t *testing.T) {
	good := cfbtest.Build(cfbtest.Storage{"a": []byte("b")})
	shift := bytes.Clone(good)
	shift[30] = 31
	for name, data := range map[string][]byte{
		"nothing":     nil,
		"header only": good[:300],
		"text":        []byte(strings.Repeat("hello ", 200)),
		"sector size": shift,
		"no sectors":  good[:512],
	} {
		if _, err := cfb.New(data); !errors.Is(err, cfb.ErrFormat) {
			t.Errorf("%s: got %v, want %v", name, err, cfb.ErrFormat)
		}
	}
}

// Chains and trees that run in circles end, and what is right stays readable.
func TestCircles(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 10_000)
	for _, tt := range []struct {
		name string
		make func(file []byte)
	}{
		{"allocation table", func(file []byte) {
			fat := file[len(file)-512:]
			for i := 0; i < 20; i++ {
				binary.LittleEndian.PutUint32(fat[4*i:], 0) // each sector is followed by the first
			}
		}},
		{"siblings", func(file []byte) { point(file, "a", 72, 0) }},
		{"child of itself", func(file []byte) { point(file, "s", 76, entryOf(file, "s")) }},
		{"child is the root", func(file []byte) { point(file, "s", 76, 0) }},
		{"list of the table's sectors", func(file []byte) { binary.LittleEndian.PutUint32(file[68:], 0) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := cfbtest.Build(cfbtest.Storage{"a": []byte("small"), "big": big, "s": cfbtest.Storage{"b": []byte("c")}})
			tt.make(file)
			f, err := cfb.New(file)
			if err != nil {
				return
			}
			if n := walk(f.Root()); n > 10*len(file) {
				t.Errorf("the streams of %d bytes give %d", len(file), n)
			}
		})
	}
}

// walk reads everything and counts it.
func walk(s *cfb.Storage) (n int) {
	for _, name := range []string{"a", "b", "big"} {
		n += len(s.Stream(name))
	}
	for _, name := range s.Storages() {
		if inner := s.Storage(name); inner != nil {
			n += walk(inner)
		}
	}
	return n
}

// entryOf finds an entry of the directory by its name of one letter.
func entryOf(file []byte, name string) uint32 {
	start := 512 * (1 + int(binary.LittleEndian.Uint32(file[48:])))
	for n := 0; ; n++ {
		e := file[start+128*n:]
		if e[0] == name[0] && e[64] == 4 {
			return uint32(n)
		}
	}
}

func point(file []byte, name string, field int, to uint32) {
	start := 512 * (1 + int(binary.LittleEndian.Uint32(file[48:])))
	binary.LittleEndian.PutUint32(file[start+128*int(entryOf(file, name))+field:], to)
}

// A chain of storages within storages costs no more than its entries: kept paths would take 1 GB here.
func TestDeepStorages(t *testing.T) {
	const deep = 10_000
	inner := cfbtest.Storage{}
	for i := range deep {
		inner = cfbtest.Storage{fmt.Sprint(i % 10): inner}
	}
	file := cfbtest.Build(inner)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := cfb.New(file)
	if err != nil {
		t.Fatal(err)
	}
	walk(f.Root())
	runtime.ReadMemStats(&after)
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(20*len(file)); got > limit {
		t.Errorf("%d bytes were allocated for %d, want at most %d", got, len(file), limit)
	}
}

// A file of sectors of 4096 bytes: the header, four of the allocation table, and a directory of all the others.
func TestTooManyEntries(t *testing.T) {
	const sector, table, directory = 4096, 4, 100_000*128/4096 + 1
	file := make([]byte, sector*(1+table+directory))
	put := func(at, value int) { binary.LittleEndian.PutUint32(file[at:], uint32(value)) }
	copy(file, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	file[30] = 12
	put(48, table)
	put(68, 0xfffffffe)
	for i := range table {
		put(76+4*i, i)
	}
	for i := range directory {
		put(sector+4*(table+i), table+i+1)
	}
	if _, err := cfb.New(file); !errors.Is(err, cfb.ErrEntries) {
		t.Errorf("got %v, want %v", err, cfb.ErrEntries)
	}
}
