package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
	"strings"
)

// png is a picture of so many pixels in black and white, of which there is one line.
func png(width, height uint32) string {
	var b strings.Builder
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		data = append([]byte(kind), data...)
		length := binary.BigEndian.AppendUint32(nil, uint32(len(data)-4))
		b.Write(binary.BigEndian.AppendUint32(append(length, data...), crc32.ChecksumIEEE(data)))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	chunk("IHDR", append(head, 1, 0, 0, 0, 0))
	chunk("IDAT", []byte(deflated(many("\x00", int(width)))))
	chunk("IEND", nil)
	return b.String()
}

// deflated is a piece in the form of zlib.
func deflated(content piece) string {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.BestSpeed) // a level that there is
	_ = content(w)                                  // to memory
	_ = w.Close()
	return b.String()
}

// The numbers that stand for no sector, in a compound file: https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb
const (
	sectorEnd  = 0xFFFFFFFE
	sectorFAT  = 0xFFFFFFFD
	sectorFree = 0xFFFFFFFF
	noEntry    = 0xFFFFFFFF

	sectorBytes = 512
)

// A compound is an OLE compound file of three sectors: the allocation table, the directory, and one of a stream. What is not set is
// as it should be.
type compound struct {
	next   map[int]uint32 // of a sector, the one after it
	difats uint32         // how many sectors list those of the allocation table, from sector 2 on
	left   uint32         // of the stream's entry
	child  uint32         // of the stream's entry
	size   uint64         // of the stream
}

func outlookBombs() []bomb {
	return []bomb{
		{name: "fat-loop.msg", write: compound{next: map[int]uint32{2: 2}, size: 1 << 30, left: noEntry, child: noEntry}.write},
		{name: "directory-loop.msg", write: compound{next: map[int]uint32{1: 1}, left: noEntry, child: noEntry}.write},
		{name: "difat-loop.msg", write: compound{next: map[int]uint32{2: 2}, difats: 0xFFFFFF, left: noEntry, child: noEntry}.write},
		{name: "entries-loop.msg", write: compound{left: 1, child: 0, size: 64}.write},
		{name: "huge-stream.msg", write: compound{size: 1 << 62, left: noEntry, child: noEntry}.write},
		{name: "not-a-message.doc", write: compound{next: map[int]uint32{2: 1, 1: 2}, size: 1 << 31, left: noEntry, child: noEntry}.write},
	}
}

func (c compound) write(w io.Writer) error {
	_, err := w.Write(slicesOf(c.header(), c.table(), c.directory(), make([]byte, sectorBytes)))
	return err
}

func slicesOf(sectors ...[]byte) []byte { return bytes.Join(sectors, nil) }

func (c compound) header() []byte {
	b := make([]byte, sectorBytes)
	copy(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	put16 := binary.LittleEndian.PutUint16
	put32 := binary.LittleEndian.PutUint32
	put16(b[0x18:], 0x3e)
	put16(b[0x1a:], 3)
	put16(b[0x1c:], 0xfffe)
	put16(b[0x1e:], 9) // sectors of 512 bytes
	put16(b[0x20:], 6)
	put32(b[0x2c:], 1)    // sectors of the allocation table
	put32(b[0x30:], 1)    // the directory begins there
	put32(b[0x38:], 4096) // streams below are in the small table
	put32(b[0x3c:], sectorEnd)
	put32(b[0x44:], sectorEnd)
	if c.difats > 0 {
		put32(b[0x44:], 2)
		put32(b[0x48:], c.difats)
	}
	for i := range 109 {
		put32(b[0x4c+4*i:], sectorFree)
	}
	put32(b[0x4c:], 0)
	return b
}

func (c compound) table() []byte {
	var b []byte
	for i := range sectorBytes / 4 {
		next := map[int]uint32{0: sectorFAT, 1: sectorEnd, 2: sectorEnd}
		if to, ok := c.next[i]; ok {
			next[i] = to
		} else if i > 2 {
			next[i] = sectorFree
		}
		b = binary.LittleEndian.AppendUint32(b, next[i])
	}
	return b
}

// directory has a root and the stream of a message's properties.
func (c compound) directory() []byte {
	entry := func(name string, kind byte, left, child, start uint32, size uint64) []byte {
		b := make([]byte, 128)
		for i, r := range name {
			b[2*i] = byte(r)
		}
		binary.LittleEndian.PutUint16(b[64:], uint16(2*len(name)+2))
		b[66], b[67] = kind, 1
		binary.LittleEndian.PutUint32(b[68:], left)
		binary.LittleEndian.PutUint32(b[72:], noEntry)
		binary.LittleEndian.PutUint32(b[76:], child)
		binary.LittleEndian.PutUint32(b[116:], start)
		binary.LittleEndian.PutUint64(b[120:], size)
		return b
	}
	b := slicesOf(
		entry("Root Entry", 5, noEntry, 1, sectorEnd, 0),
		entry("__properties_version1.0", 2, c.left, c.child, 2, max(c.size, 4096)))
	return append(b, make([]byte, sectorBytes-len(b))...)
}
