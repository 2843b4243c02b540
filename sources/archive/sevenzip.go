package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"

	"github.com/ulikunitz/xz/lzma"

	"docbatch/pipeline"
)

// magic7z is what a 7z archive begins with: see 7zFormat.txt of the LZMA SDK.
const magic7z = "7z\xbc\xaf\x27\x1c"

// sizeStart7z is the size of the header at the beginning, behind which the bytes of the members lie.
const sizeStart7z = 32

func is7z(head []byte) bool { return bytes.HasPrefix(head, []byte(magic7z)) }

// walk7z walks a 7z archive by its directory. Members lie in streams, a stream is unpacked from its beginning to the members that are opened.
//
// The reader is our own: the one of bodgit/sevenzip allocates as much as a directory of 50 bytes asks it to.
func walk7z(ctx context.Context, in *input, each func(*entry) error) error {
	dir, err := directory7z(ctx, in)
	if err != nil {
		return err
	}
	if dir.encrypted() {
		return fault(pipeline.KindEncrypted, "it is protected by a password")
	}
	s := &solid{ctx: ctx, in: in}
	for _, f := range dir.files {
		if !f.regular {
			if err := in.budget.member(); err != nil {
				return err
			}
			continue
		}
		e := &entry{name: f.name, size: f.size, open: func() (io.Reader, error) { return s.open(f) }}
		if f.folder != nil {
			e.fault = f.folder.fault(in.depth)
		}
		if f.hasCRC {
			e.stamp = fmt.Sprintf("%08x", f.crc)
		}
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

// directory7z reads the directory, which is packed itself in most archives.
func directory7z(ctx context.Context, in *input) (*directory, error) {
	start := make([]byte, sizeStart7z)
	if _, err := in.bytes.ReadAt(start, 0); err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(start[12:]) != binary.LittleEndian.Uint32(start[8:]) {
		return nil, errors.New("the checksum of its header is wrong")
	}
	offset, size := binary.LittleEndian.Uint64(start[12:]), binary.LittleEndian.Uint64(start[20:])
	if size == 0 {
		return &directory{}, nil
	}
	if offset > math.MaxInt64-sizeStart7z || size > uint64(in.size) || offset+sizeStart7z > uint64(in.size)-size {
		return nil, errors.New("its directory lies behind its end, as in a file that was cut")
	}
	if size > maxDirectory {
		return nil, largeDirectory()
	}
	header := make([]byte, size)
	if _, err := in.bytes.ReadAt(header, sizeStart7z+int64(offset)); err != nil && err != io.EOF {
		return nil, err
	}
	if crc32.ChecksumIEEE(header) != binary.LittleEndian.Uint32(start[28:]) {
		return nil, errors.New("the checksum of its directory is wrong")
	}
	return parse7z(ctx, in, header)
}

func largeDirectory() error {
	return fault(pipeline.KindTooLarge, "its directory is larger than %s (the bound on a directory)", mebibytes(maxDirectory))
}

// parse7z reads a directory; where it is packed, again and again, what it is packed in.
func parse7z(ctx context.Context, in *input, header []byte) (*directory, error) {
	for range 4 { // one is usual
		c := &cursor{left: header}
		switch c.byte() {
		case idHeader:
			dir := c.directory()
			return dir, c.err
		case idEncodedHeader:
		default:
			return nil, errors.New("its directory is none")
		}
		folders := c.streams()
		if c.err != nil {
			return nil, c.err
		}
		if len(folders) != 1 {
			return nil, errors.New("its directory does not lie in one stream")
		}
		f := folders[0]
		if f.size > maxDirectory {
			return nil, largeDirectory()
		}
		if why := f.fault(in.depth); why != nil {
			return nil, why
		}
		r, err := f.unpack(in)
		if err != nil {
			return nil, err
		}
		header = make([]byte, f.size)
		if _, err := io.ReadFull(&metered{&checked{ctx, r}, in.budget}, header); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("its directory is packed more than 4 times")
}

// Methods of compression, by their IDs in a 7z archive: see Methods.txt of the LZMA SDK.
const (
	codeCopy    = "\x00"
	codeLZMA    = "\x03\x01\x01"
	codeLZMA2   = "\x21"
	codeDeflate = "\x04\x01\x08"
	codeBzip2   = "\x04\x02\x02"
	codeZstd    = "\x04\xf7\x11\x01"
	codeAES     = "\x06\xf1\x07\x01"
)

// codes are the methods that can be read.
var codes = []string{codeCopy, codeLZMA, codeLZMA2, codeDeflate, codeBzip2, codeZstd}

// A folder is what 7zFormat.txt calls so: a stream of members that are packed as one.
type folder struct {
	coders  []coder
	inputs  int     // streams that it is packed in
	outputs int     // streams that its coders give
	last    int     // the output that is the folder's
	at      int64   // where it lies in the archive
	packed  int64   // its bytes there
	size    int64   // its bytes unpacked
	pieces  []piece // the members in it
}

// A coder is one method of those that a folder is packed by.
type coder struct {
	id         string
	properties []byte
}

func (f *folder) encrypted() bool {
	return slices.ContainsFunc(f.coders, func(c coder) bool { return c.id == codeAES })
}

// encrypted reports whether no member with bytes can be had without a password.
func (d *directory) encrypted() bool {
	some := false
	for _, f := range d.files {
		if f.folder != nil {
			if !f.folder.encrypted() {
				return false
			}
			some = true
		}
	}
	return some
}

// fault says why a folder can't be read; nil where it can. What several methods pack are programs.
func (f *folder) fault(depth int) *pipeline.Error {
	if f.encrypted() {
		return fault(pipeline.KindEncrypted, "it is protected by a password")
	}
	if len(f.coders) != 1 || f.inputs != 1 || !slices.Contains(codes, f.coders[0].id) {
		return fault(pipeline.KindUnsupported, "it is compressed by a method that docbatch can't read: repack the archive")
	}
	if f.dictionary() > dictionary(depth) {
		return dictionaryFault(depth)
	}
	return nil
}

// dictionary is how much of itself a folder's decoder has to remember: never more than there is.
func (f *folder) dictionary() int64 {
	c := f.coders[0]
	var size int64
	switch {
	case c.id == codeLZMA && len(c.properties) == 5:
		size = int64(binary.LittleEndian.Uint32(c.properties[1:]))
	case c.id == codeLZMA2 && len(c.properties) == 1 && c.properties[0] < 40:
		size = (2 | int64(c.properties[0]&1)) << (c.properties[0]/2 + 11)
	case c.id == codeLZMA2:
		size = math.MaxUint32
	}
	return max(lzma.MinDictCap, min(size, f.size))
}

// unpack reads a folder that has no fault.
func (f *folder) unpack(in *input) (io.Reader, error) {
	if f.at > in.size-f.packed {
		return nil, io.ErrUnexpectedEOF
	}
	packed := bufio.NewReader(io.NewSectionReader(in.bytes, f.at, f.packed))
	switch c := f.coders[0]; c.id {
	case codeLZMA:
		return f.unpackLZMA(packed)
	case codeLZMA2:
		return lzma.Reader2Config{DictCap: int(f.dictionary())}.NewReader2(packed)
	case codeDeflate:
		return flate.NewReader(packed), nil
	case codeBzip2:
		return bzip2.NewReader(packed), nil
	case codeZstd:
		return unpackZstd(packed, dictionary(in.depth))
	default:
		return packed, nil
	}
}

// unpackLZMA writes the header of a file in the old format, which the decoder takes: properties, dictionary, size.
func (f *folder) unpackLZMA(packed io.Reader) (io.Reader, error) {
	properties := f.coders[0].properties
	if len(properties) != 5 {
		return nil, errors.New("its properties of LZMA are none")
	}
	header := binary.LittleEndian.AppendUint32([]byte{properties[0]}, uint32(f.dictionary()))
	header = binary.LittleEndian.AppendUint64(header, uint64(f.size))
	return lzma.NewReader(io.MultiReader(bytes.NewReader(header), packed))
}

// A solid unpacks the folders of an archive, going on where it stood as long as members are opened in their order.
type solid struct {
	ctx    context.Context
	in     *input
	folder *folder
	stream io.Reader
	at     int64
}

func (s *solid) Read(p []byte) (int, error) {
	n, err := s.stream.Read(p)
	s.at += int64(n)
	return n, err
}

func (s *solid) open(f file7z) (io.Reader, error) {
	if f.folder == nil {
		return bytes.NewReader(nil), nil
	}
	if s.folder != f.folder || s.at > f.at {
		r, err := f.folder.unpack(s.in)
		if err != nil {
			return nil, err
		}
		s.folder, s.stream, s.at = f.folder, &metered{&checked{s.ctx, r}, s.in.budget}, 0
	}
	if _, err := io.CopyN(io.Discard, s, f.at-s.at); err != nil {
		return nil, err
	}
	r := io.LimitReader(s, f.size)
	if f.hasCRC {
		r = &summed{in: r, left: f.size, want: f.crc}
	}
	return r, nil
}

// A summed reader compares the checksum of what it read, once that is all.
type summed struct {
	in        io.Reader
	left      int64
	crc, want uint32
}

func (s *summed) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	s.crc = crc32.Update(s.crc, crc32.IEEETable, p[:n])
	if s.left -= int64(n); s.left == 0 && s.crc != s.want {
		return n, errors.New("its checksum is wrong")
	}
	if err == io.EOF && s.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
