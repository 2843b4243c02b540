package xlsx

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"docbatch/pipeline"
	"docbatch/sources/pathname"
	"docbatch/sources/table"
)

// The bounds on what a workbook may unpack to. A workbook of 1,000,000 rows has about 600 MB of XML, ten times its size.
const (
	maxPartBytes      = 4 << 30  // one part: a sheet, the shared strings
	maxSmallPartBytes = 16 << 20 // one part that lists names: the workbook, its relations, its styles
	maxPartRatio      = 250      // a part to its size in the archive; deflate can do 1,032
	ratioFreeBytes    = 32 << 20 // under which the ratio does not matter
	maxDirectoryBytes = 8 << 20  // the archive's directory
)

// An archive is the ZIP file that a workbook is, of which only parts within the bounds can be read.
type archive struct {
	file  *table.File
	parts map[string]*zip.File // by lower-case name
}

// openArchive reads the directory of an open file. Its errors say what the file is instead.
func openArchive(f *table.File) (*archive, error) {
	if err := foreign(f); err != nil {
		return nil, err
	}
	in := &bounded{in: f, left: maxDirectoryBytes}
	zr, err := zip.NewReader(in, f.Info.Size())
	if in.left < 0 {
		return nil, fault(pipeline.KindTooLarge, "open %s: the archive's directory is over the bound of %d bytes", f.Name(), maxDirectoryBytes)
	}
	if err != nil {
		return nil, fault(pipeline.KindDamaged, "open %s: the workbook is damaged: %w", f.Name(), err)
	}
	in.free = true
	a := &archive{file: f, parts: make(map[string]*zip.File, len(zr.File))}
	for _, part := range zr.File {
		name := partName(part.Name)
		if _, ok := a.parts[name]; !ok {
			a.parts[name] = part
		}
	}
	return a, nil
}

// foreign returns an error if f is no ZIP file; it names what people take for a workbook.
func foreign(f *table.File) error {
	head := make([]byte, 8)
	if n, err := io.ReadFull(io.NewSectionReader(f, 0, f.Info.Size()), head); n == 0 {
		if err == io.EOF {
			return fault(pipeline.KindDamaged, "open %s: it is empty", f.Name())
		}
		return table.ReadError("open", f.Name(), err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK")):
		return nil
	case !bytes.Equal(head, []byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}):
		return fault(pipeline.KindDamaged, "open %s: it is not an XLSX workbook", f.Name())
	}
	encrypted, err := contains(io.NewSectionReader(f, 0, f.Info.Size()), utf16LE("EncryptedPackage"))
	if err != nil {
		return table.ReadError("open", f.Name(), err)
	}
	if encrypted {
		return fault(pipeline.KindEncrypted, "open %s: the workbook is protected by a password: save it without one", f.Name())
	}
	return fault(pipeline.KindDamaged, "open %s: it is a workbook of the old format XLS: save it as XLSX", f.Name())
}

func utf16LE(ascii string) []byte {
	var b []byte
	for _, c := range []byte(ascii) {
		b = append(b, c, 0)
	}
	return b
}

// contains looks for word in a stream, holding one block of it.
func contains(in io.Reader, word []byte) (bool, error) {
	block := make([]byte, 64<<10)
	kept := 0
	for {
		n, err := io.ReadFull(in, block[kept:])
		if bytes.Contains(block[:kept+n], word) {
			return true, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(block, block[kept+n-len(word)+1:kept+n])
	}
}

// partName is a part's name in the form in which all are compared: some writers use backslashes or another case.
func partName(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/"))
}

// has reports whether there is a part of that name.
func (a *archive) has(name string) bool { return a.parts[partName(name)] != nil }

// open opens a part to be read once. A part that is larger than the directory says ends with an error there: archive/zip sees to that.
func (a *archive) open(name string, maxBytes uint64) (io.ReadCloser, error) {
	part := a.parts[partName(name)]
	if part == nil {
		return nil, fault(pipeline.KindDamaged, "open %s: the workbook is damaged: it has no part %s", a.file.Name(), pathname.Escape(name))
	}
	size, packed := part.UncompressedSize64, max(part.CompressedSize64, 1)
	if size > maxBytes {
		return nil, fault(pipeline.KindTooLarge, "open %s: %s unpacks to %d bytes, over the bound of %d", a.file.Name(), pathname.Escape(name), size, maxBytes)
	}
	if size > ratioFreeBytes && size/packed > maxPartRatio {
		return nil, fault(pipeline.KindTooLarge, "open %s: %s unpacks to %d bytes, %d times its size in the archive, over the bound of %d times",
			a.file.Name(), pathname.Escape(name), size, size/packed, maxPartRatio)
	}
	in, err := part.Open()
	if err != nil {
		return nil, fault(pipeline.KindDamaged, "open %s: the workbook is damaged: %s: %w", a.file.Name(), pathname.Escape(name), err)
	}
	return in, nil
}

// bounded counts what is read until it is free of its bound.
type bounded struct {
	in   io.ReaderAt
	left int64
	free bool
}

func (b *bounded) ReadAt(p []byte, off int64) (int, error) {
	if !b.free {
		if b.left -= int64(len(p)); b.left < 0 {
			return 0, errors.New("over the bound")
		}
	}
	return b.in.ReadAt(p, off)
}

// fault is an error of the workbook as a whole.
func fault(kind, format string, args ...any) error {
	return &pipeline.Error{Class: pipeline.Fatal, Kind: kind, Err: fmt.Errorf(format, args...)}
}
