package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
)

// tarBlock is the size of a header.
const tarBlock = 512

// isTar reports whether block begins a tar, by the header's checksum: see POSIX, pax, "ustar Interchange Format".
func isTar(block []byte) bool {
	if len(block) < tarBlock || block[0] == 0 {
		return false
	}
	const from, to = 148, 156
	want, err := strconv.ParseInt(string(bytes.Trim(block[from:to], " \x00")), 8, 64)
	if err != nil {
		return false
	}
	sum := int64((to - from) * ' ')
	for i, b := range block[:tarBlock] {
		if i < from || i >= to {
			sum += int64(b)
		}
	}
	return sum == want
}

// walkTarFile walks a tar that is not compressed: its members are read from where they lie.
func walkTarFile(ctx context.Context, in *input, each func(*entry) error) error {
	section := in.section()
	return walkTar(ctx, in, section, func() int64 {
		at, _ := section.Seek(0, io.SeekCurrent) // it has no error
		return at
	}, each)
}

// walkTar walks the tar that stream reads from in; at, where it is not nil, says how far that is.
func walkTar(ctx context.Context, in *input, stream io.Reader, at func() int64, each func(*entry) error) error {
	tr := tar.NewReader(&checked{ctx, stream})
	if at != nil {
		tr = tar.NewReader(stream) // which it seeks in
	}
	for {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg && header.Typeflag != tar.TypeGNUSparse {
			if err := errors.Join(ctx.Err(), in.budget.member()); err != nil {
				return err
			}
			continue
		}
		e := &entry{name: header.Name, size: header.Size, open: func() (io.Reader, error) { return tr, nil }}
		if at != nil && !sparse(header) {
			e.at = at()
		}
		if err := each(e); err != nil {
			return err
		}
	}
}

// sparse reports whether the bytes of a member do not lie in the archive as they are.
func sparse(header *tar.Header) bool {
	if header.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// A checked reader ends with its context.
type checked struct {
	ctx context.Context
	in  io.Reader
}

func (c *checked) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.in.Read(p)
}
