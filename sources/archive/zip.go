package archive

import (
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"docbatch/pipeline"
)

// isZip reports whether head begins a zip file, also one without members or one that was split: see APPNOTE.TXT of PKWARE.
func isZip(head []byte) bool {
	for _, magic := range []string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// Methods of compression beside those of archive/zip.
const (
	methodBzip2 = 12
	methodZstd  = 93
)

// walkZip walks a zip by its directory; no member is unpacked.
func walkZip(_ context.Context, in *input, each func(*entry) error) error {
	zr, err := openZip(in)
	if err != nil {
		return err
	}
	decode := legacyNames(zr.File)
	for _, f := range zr.File {
		if strings.HasSuffix(f.Name, "/") || !f.Mode().IsRegular() {
			if err := in.budget.member(); err != nil {
				return err
			}
			continue
		}
		e := &entry{name: zipName(f, decode), size: int64(min(f.UncompressedSize64, 1<<62)), stamp: fmt.Sprintf("%08x", f.CRC32)}
		if encrypted(f) {
			e.fault = fault(pipeline.KindEncrypted, "it is protected by a password")
		}
		e.reopen = func() (io.ReadCloser, error) { return openMember(f) }
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

// openZip reads the directory. A file that is a document by what lies in it is no archive, and one that unpacks the same bytes again and
// again is refused.
func openZip(in *input) (*zip.Reader, error) {
	directory := &bounded{in: in.bytes, left: maxDirectory}
	zr, err := zip.NewReader(directory, in.size)
	if directory.left < 0 {
		return nil, fault(pipeline.KindTooLarge, "its directory is larger than %s (the bound on a directory)", mebibytes(maxDirectory))
	}
	if errors.Is(err, zip.ErrFormat) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.New("the directory at its end is missing or broken, as in a file that was cut")
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, err
	}
	directory.free = true
	zr.RegisterDecompressor(methodBzip2, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	zr.RegisterDecompressor(methodZstd, func(r io.Reader) io.ReadCloser { return unpackMember(r, in.depth) })
	if isDocument(zr.File) {
		return nil, ErrNotArchive
	}
	return zr, refuse(zr.File, in.size)
}

// isDocument reports whether a zip is one document: by the parts that the formats of Office (ECMA-376 part 2), OpenDocument and EPUB (OCF)
// require, or a program in Java.
func isDocument(files []*zip.File) bool {
	for i, f := range files {
		switch f.Name {
		case "[Content_Types].xml", "META-INF/container.xml", "META-INF/MANIFEST.MF":
			return true
		case "mimetype":
			if i == 0 {
				return true
			}
		}
	}
	return false
}

// refuse says what is wrong with a zip as a whole: its members lie over each other, or none can be had without a password.
func refuse(files []*zip.File, size int64) error {
	var packed uint64
	open := false
	for _, f := range files {
		if packed += f.CompressedSize64; f.CompressedSize64 > uint64(size) || packed > uint64(size) {
			return fault(pipeline.KindDamaged, "its members take more room than there is: they lie over each other, as in a bomb")
		}
		open = open || !encrypted(f) && f.Mode().IsRegular()
	}
	if len(files) > 0 && !open && anyEncrypted(files) {
		return fault(pipeline.KindEncrypted, "it is protected by a password")
	}
	return nil
}

func encrypted(f *zip.File) bool { return f.Flags&1 != 0 }

func anyEncrypted(files []*zip.File) bool {
	for _, f := range files {
		if encrypted(f) {
			return true
		}
	}
	return false
}

func openMember(f *zip.File) (io.ReadCloser, error) {
	r, err := f.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return nil, fault(pipeline.KindUnsupported, "it is compressed by method %d, which docbatch can't read: repack the archive", f.Method)
	}
	return r, err
}

// unpackMember unpacks a member; what is wrong with it the first read says.
func unpackMember(in io.Reader, depth int) io.ReadCloser {
	r, err := unpackZstd(in, dictionary(depth))
	if err != nil {
		return io.NopCloser(broken{err})
	}
	return r.(io.ReadCloser)
}

// broken is a reader of nothing but an error.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// zipName is the name of a member: the one in Unicode that Info-ZIP adds to an old one, or the name decoded.
func zipName(f *zip.File, decode func(string) string) string {
	if utf8.ValidString(f.Name) {
		return f.Name
	}
	if name := unicodePath(f.Extra); name != "" {
		return name
	}
	return decode(f.Name)
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
