// Package cfb reads compound files (MS-CFB), which hold storages and streams as a file system holds folders and files. It is small because
// it is for hostile bytes only: it holds the file's own sectors and nothing that grows faster than the file.
//
// The usual library was measured first: a file of 1.7 MB whose 13,000 storages lie within one another makes it take 1.4 GB and 4 s,
// because it keeps each one's path, and it refuses files that end early.
package cfb

import (
	"encoding/binary"
	"errors"
	"iter"
	"unicode/utf16"
)

// endOfChain is the least number that is of no sector.
const endOfChain = 0xfffffffe

const (
	headerBytes    = 512
	entryBytes     = 128
	miniBytes      = 64
	miniCutoff     = 4096 // shorter streams lie in the mini stream
	headerFATs     = 109  // sectors of the allocation table that the header names
	maxEntries     = 100_000
	kindStorage    = 1
	kindStream     = 2
	kindRoot       = 5
	maxNesting     = 64 // of storages; Outlook makes three a message
	maxSectorShift = 12
)

// The errors of New.
var (
	ErrFormat  = errors.New("it is no compound file")
	ErrEntries = errors.New("it has more than 100,000 entries (the bound on entries of a compound file)")
)

// A File is a compound file.
type File struct {
	data    []byte
	sector  int      // bytes of one
	fat     []uint32 // of each sector, the one after it
	miniFAT []uint32
	mini    []byte // the mini stream
	entries []entry
	seen    []bool // the entries that a storage was found to hold: each lies in one, whatever the file says
}

type entry struct {
	name               string
	kind               byte
	left, right, child uint32
	start              uint32
	size               uint64
}

// New reads the tables of a compound file, whose data it keeps. What is missing at the end of a file that was cut is taken for empty. The
// error is ErrFormat or ErrEntries.
func New(data []byte) (*File, error) {
	if len(data) < headerBytes || string(data[:8]) != "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" {
		return nil, ErrFormat
	}
	shift := binary.LittleEndian.Uint16(data[30:])
	if shift != 9 && shift != maxSectorShift {
		return nil, ErrFormat
	}
	f := &File{data: data, sector: 1 << shift}
	f.readFAT()
	directory := f.chain(binary.LittleEndian.Uint32(data[48:]), len(data))
	if len(directory)/entryBytes > maxEntries {
		return nil, ErrEntries
	}
	for ; len(directory) >= entryBytes; directory = directory[entryBytes:] {
		f.entries = append(f.entries, readEntry(directory, shift))
	}
	if len(f.entries) == 0 {
		return nil, ErrFormat
	}
	f.seen = make([]bool, len(f.entries))
	f.miniFAT = numbers(f.chain(binary.LittleEndian.Uint32(data[60:]), len(data)))
	f.mini = f.chain(f.entries[0].start, int(min(f.entries[0].size, uint64(len(data)))))
	return f, nil
}

// readFAT reads the allocation table through the list of its sectors, which begins in the header and goes on in a chain of its own.
func (f *File) readFAT() {
	list := numbers(f.data[headerBytes-4*headerFATs : headerBytes])
	next := binary.LittleEndian.Uint32(f.data[68:])
	for range len(f.data) / f.sector { // no chain is longer: this ends circles
		more := numbers(f.at(next))
		if len(more) == 0 {
			break
		}
		list, next = append(list, more[:len(more)-1]...), more[len(more)-1]
	}
	for _, n := range list {
		if len(f.fat) > len(f.data)/f.sector {
			break
		}
		f.fat = append(f.fat, numbers(f.at(n))...)
	}
}

// at is the sector n, nil where there is none; the last one of a file may be cut.
func (f *File) at(n uint32) []byte {
	start := (int64(n) + 1) * int64(f.sector)
	if n >= endOfChain || start >= int64(len(f.data)) {
		return nil
	}
	return f.data[start:min(start+int64(f.sector), int64(len(f.data)))]
}

// chain is what the sectors from start on hold, size bytes of it at most. It ends where a chain is broken or runs in a circle.
func (f *File) chain(start uint32, size int) []byte {
	length := 0
	for sector := range f.sectors(start) {
		if length += len(sector); length >= size {
			break
		}
	}
	out := make([]byte, 0, min(length, size))
	for sector := range f.sectors(start) {
		out = append(out, sector[:min(len(sector), cap(out)-len(out))]...)
		if len(out) == cap(out) {
			break
		}
	}
	return out
}

// sectors goes through a chain, through as many sectors as the file has at most.
func (f *File) sectors(n uint32) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for range len(f.data)/f.sector + 1 {
			sector := f.at(n)
			if sector == nil || !yield(sector) || n >= uint32(len(f.fat)) {
				return
			}
			n = f.fat[n]
		}
	}
}

// miniChain is chain for the sectors of the mini stream.
func (f *File) miniChain(start uint32, size int) []byte {
	var out []byte
	for n := start; len(out) < size && n < uint32(len(f.miniFAT)); n = f.miniFAT[n] {
		at := int(n) * miniBytes
		if at >= len(f.mini) {
			break
		}
		out = append(out, f.mini[at:min(at+min(miniBytes, size-len(out)), len(f.mini))]...)
	}
	return out
}

func numbers(b []byte) []uint32 {
	out := make([]uint32, 0, len(b)/4)
	for ; len(b) >= 4; b = b[4:] {
		out = append(out, binary.LittleEndian.Uint32(b))
	}
	return out
}

// maxNameBytes is the room for a name.
const maxNameBytes = 64

func readEntry(b []byte, shift uint16) entry {
	e := entry{
		kind:  b[66],
		left:  binary.LittleEndian.Uint32(b[68:]),
		right: binary.LittleEndian.Uint32(b[72:]),
		child: binary.LittleEndian.Uint32(b[76:]),
		start: binary.LittleEndian.Uint32(b[116:]),
		size:  binary.LittleEndian.Uint64(b[120:]),
	}
	if shift < maxSectorShift {
		e.size &= 0xffffffff // the upper half may hold anything
	}
	length := min(int(binary.LittleEndian.Uint16(b[64:])), maxNameBytes) - 2 // without the NUL
	var units []uint16
	for i := 0; i+1 < length; i += 2 {
		units = append(units, binary.LittleEndian.Uint16(b[i:]))
	}
	e.name = string(utf16.Decode(units))
	return e
}

// A Storage is a folder of streams and storages.
type Storage struct {
	file     *File
	streams  map[string]uint32
	storages map[string]uint32
	names    []string // of the storages, in the order of the file
	depth    int
}

// Root opens the outermost storage.
func (f *File) Root() *Storage { return f.storage(0, 0) }

// storage lists the children of an entry, which are a tree of siblings. A child that was seen is passed over, which ends circles and keeps
// all listings together linear.
func (f *File) storage(n uint32, depth int) *Storage {
	s := &Storage{file: f, streams: map[string]uint32{}, storages: map[string]uint32{}, depth: depth}
	for pending := []uint32{f.entries[n].child}; len(pending) > 0; {
		n := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if n >= uint32(len(f.entries)) || f.seen[n] {
			continue
		}
		f.seen[n] = true
		e := f.entries[n]
		switch e.kind {
		case kindStream:
			s.streams[e.name] = n
		case kindStorage, kindRoot:
			if _, ok := s.storages[e.name]; !ok {
				s.names = append(s.names, e.name)
			}
			s.storages[e.name] = n
		}
		pending = append(pending, e.right, e.left)
	}
	return s
}

// Stream is what a stream of the storage holds; nil where there is no such stream. A stream is never longer than the file.
func (s *Storage) Stream(name string) []byte {
	n, ok := s.streams[name]
	if !ok {
		return nil
	}
	e := s.file.entries[n]
	size := int(min(e.size, uint64(len(s.file.data))))
	if e.size < miniCutoff {
		return s.file.miniChain(e.start, size)
	}
	return s.file.chain(e.start, size)
}

// Storages are the names of the storages within the storage, in no order that means anything.
func (s *Storage) Storages() []string { return s.names }

// Storage opens a storage within the storage; nil where there is none of that name or it lies more than 64 deep. What was opened before is
// empty the second time.
func (s *Storage) Storage(name string) *Storage {
	n, ok := s.storages[name]
	if !ok || s.depth >= maxNesting {
		return nil
	}
	return s.file.storage(n, s.depth+1)
}
