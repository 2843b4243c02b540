// Package cfbtest makes compound files (MS-CFB) for tests: small ones that are right, from which a test may then break something.
package cfbtest

import (
	"encoding/binary"
	"maps"
	"slices"
	"unicode/utf16"
)

// A Storage is what a storage holds, by name: streams ([]byte) and storages (Storage).
type Storage map[string]any

const (
	sector     = 512
	miniSector = 64
	miniCutoff = 4096
	endOfChain = 0xfffffffe
	fatSector  = 0xfffffffd
	free       = 0xffffffff
)

// Build writes a file of version 3 with root as its root.
func Build(root Storage) []byte {
	b := &builder{}
	b.add("Root Entry", root)
	for len(b.mini)%sector != 0 {
		b.mini = append(b.mini, 0)
	}
	le := binary.LittleEndian
	le.PutUint32(b.entries[0][116:], b.chain(b.mini))
	le.PutUint32(b.entries[0][120:], uint32(len(b.mini)))
	miniFAT := b.chain(bytesOf(b.miniFAT))
	directory := b.chain(slices.Concat(b.entries...))
	return b.finish(directory, miniFAT)
}

type builder struct {
	data    []byte // the sectors
	fat     []uint32
	mini    []byte
	miniFAT []uint32
	entries [][]byte
}

// add writes a storage or a stream, and gives the number of its entry.
func (b *builder) add(name string, what any) uint32 {
	n := len(b.entries)
	e := make([]byte, 128)
	b.entries = append(b.entries, e)
	units := utf16.Encode([]rune(name))
	for i, u := range units {
		binary.LittleEndian.PutUint16(e[2*i:], u)
	}
	binary.LittleEndian.PutUint16(e[64:], uint16(2*len(units)+2))
	for _, at := range []int{68, 72, 76} {
		binary.LittleEndian.PutUint32(e[at:], free)
	}
	switch what := what.(type) {
	case []byte:
		e[66] = 2
		binary.LittleEndian.PutUint32(e[120:], uint32(len(what)))
		binary.LittleEndian.PutUint32(e[116:], b.stream(what))
	case Storage:
		e[66] = 1
		if n == 0 {
			e[66] = 5
		}
		last, at := e, 76
		for _, child := range slices.Sorted(maps.Keys(what)) {
			c := b.add(child, what[child])
			binary.LittleEndian.PutUint32(last[at:], c)
			last, at = b.entries[c], 72
		}
	}
	return uint32(n)
}

// stream writes a stream where its length says, and gives its first sector.
func (b *builder) stream(data []byte) uint32 {
	if len(data) == 0 {
		return endOfChain
	}
	if len(data) >= miniCutoff {
		return b.chain(data)
	}
	first := uint32(len(b.miniFAT))
	for len(data) > 0 {
		b.miniFAT = append(b.miniFAT, uint32(len(b.miniFAT)+1))
		var s [miniSector]byte
		data = data[copy(s[:], data):]
		b.mini = append(b.mini, s[:]...)
	}
	b.miniFAT[len(b.miniFAT)-1] = endOfChain
	return first
}

// chain writes data into sectors that follow each other.
func (b *builder) chain(data []byte) uint32 {
	if len(data) == 0 {
		return endOfChain
	}
	first := uint32(len(b.fat))
	for len(data) > 0 {
		b.fat = append(b.fat, uint32(len(b.fat)+1))
		var s [sector]byte
		data = data[copy(s[:], data):]
		b.data = append(b.data, s[:]...)
	}
	b.fat[len(b.fat)-1] = endOfChain
	return first
}

// finish adds the allocation table, which the header can name 109 sectors of: 7 MB.
func (b *builder) finish(directory, miniFAT uint32) []byte {
	le := binary.LittleEndian
	header := make([]byte, sector)
	copy(header, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	le.PutUint16(header[24:], 0x3e)
	le.PutUint16(header[26:], 3)
	le.PutUint16(header[28:], 0xfffe)
	le.PutUint16(header[30:], 9)
	le.PutUint16(header[32:], 6)
	le.PutUint32(header[48:], directory)
	le.PutUint32(header[56:], miniCutoff)
	le.PutUint32(header[60:], miniFAT)
	le.PutUint32(header[64:], uint32((len(b.miniFAT)*4+sector-1)/sector))
	le.PutUint32(header[68:], endOfChain)
	for at := 76; at < sector; at += 4 {
		le.PutUint32(header[at:], free)
	}
	first := len(b.fat)
	count := 0
	for count*sector/4 < len(b.fat) {
		le.PutUint32(header[76+4*count:], uint32(first+count))
		b.fat = append(b.fat, fatSector)
		count++
	}
	le.PutUint32(header[44:], uint32(count))
	table := bytesOf(b.fat)
	for len(table) < count*sector {
		table = append(table, 0xff)
	}
	return slices.Concat(header, b.data, table)
}

func bytesOf(numbers []uint32) (b []byte) {
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}
