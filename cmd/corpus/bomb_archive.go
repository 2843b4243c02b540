package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
)

func archiveBombs() []bomb {
	return []bomb{
		{name: "nested-42.zip", refusal: theBound, write: nestedZip(6, 16)},
		{name: "overlap.zip", write: overlappingZip(1000)},
		{name: "200000-entries.zip", write: manyEntries(200_000)},
		{name: "names-that-leave.zip", write: zipped(part{"../../outside.txt", text("a file outside")}, part{"/etc/absolute.txt", text("another")}, part{`..\..\windows.txt`, text("a third")})},
		{name: "10gb-of-zeros.txt.gz", write: zeros("", 160)},
		{name: "10gb-of-zeros.tar.gz", write: zeros(tarHeader("zeros.txt", 160*zeroBlock), 160)},
		{name: "endless-name.zip", write: zipped(part{string(bytes.Repeat([]byte("a/"), 32_000)) + "x.txt", text("deep in folders")})},
	}
}

// nestedZip is a ZIP of so many ZIPs, each of as many, down to files of 16 MiB: https://www.unforgettable.dk
func nestedZip(levels, width int) func(io.Writer) error {
	return func(w io.Writer) error {
		inner, name := []byte(nil), "zeros.txt"
		for level := range levels {
			var parts []part
			for i := range width {
				content := many("\n", 16<<20)
				if level > 0 {
					content, name = text(string(inner)), "lib.zip"
				}
				parts = append(parts, part{fmt.Sprintf("%d-%s", i, name), content})
			}
			var b bytes.Buffer
			if err := zipped(parts...)(&b); err != nil {
				return err
			}
			inner = b.Bytes()
		}
		_, err := w.Write(inner)
		return err
	}
}

// overlappingZip is a ZIP whose n entries are all the same bytes of the file, 256 MiB unpacked: https://www.bamsoftware.com/hacks/zipbomb/
func overlappingZip(n int) func(io.Writer) error {
	return func(w io.Writer) error {
		var b bytes.Buffer
		if err := zipped(part{"00000.txt", many("\n", 256<<20)})(&b); err != nil {
			return err
		}
		r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			return err
		}
		entry := r.File[0]
		directory := bytes.Index(b.Bytes(), []byte("PK\x01\x02"))
		out := bytes.NewBuffer(b.Bytes()[:directory:directory])
		for i := range n {
			name := fmt.Sprintf("%05d.txt", i)
			head := []any{uint32(0x02014b50), uint16(20), uint16(20), entry.Flags, entry.Method, uint32(0), entry.CRC32, uint32(entry.CompressedSize64),
				uint32(entry.UncompressedSize64), uint16(len(name)), uint16(0), uint16(0), uint16(0), uint16(0), uint32(0), uint32(0)}
			for _, field := range head {
				_ = binary.Write(out, binary.LittleEndian, field) // to memory
			}
			out.WriteString(name)
		}
		size := out.Len() - directory
		for _, field := range []any{uint32(0x06054b50), uint16(0), uint16(0), uint16(n), uint16(n), uint32(size), uint32(directory), uint16(0)} {
			_ = binary.Write(out, binary.LittleEndian, field) // to memory
		}
		_, err = out.WriteTo(w)
		return err
	}
}

func manyEntries(n int) func(io.Writer) error {
	var parts []part
	for i := range n {
		parts = append(parts, part{fmt.Sprintf("%d.txt", i), text("a file")})
	}
	return zipped(parts...)
}

const zeroBlock = 64 << 20

// zeros is a gzip file of a beginning and so many blocks of zeros; a gzip file may be several, one after the other (RFC 1952).
func zeros(beginning string, blocks int) func(io.Writer) error {
	return func(w io.Writer) error {
		var block bytes.Buffer
		if err := gzipped(&block, many("\x00", zeroBlock)); err != nil {
			return err
		}
		if err := gzipped(w, text(beginning)); err != nil {
			return err
		}
		for range blocks {
			if _, err := w.Write(block.Bytes()); err != nil {
				return err
			}
		}
		return nil
	}
}

func gzipped(w io.Writer, content piece) error {
	packed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := content(packed); err != nil {
		return err
	}
	return packed.Close()
}

func tarHeader(name string, size int64) string {
	var b bytes.Buffer
	_ = tar.NewWriter(&b).WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o644}) // to memory
	return b.String()
}
