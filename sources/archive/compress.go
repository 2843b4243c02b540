package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"

	"docbatch/sources/pathname"
)

// A decoder unpacks a stream, remembering at most max bytes of it. What it gives is closed, where it can be.
type decoder func(in io.Reader, max int64) (io.Reader, error)

// compression is the decoder for what a file begins with; nil where it is not compressed.
func compression(head []byte) decoder {
	for magic, d := range map[string]decoder{
		"\x1f\x8b\x08":     func(in io.Reader, _ int64) (io.Reader, error) { return gzip.NewReader(in) },
		"BZh":              func(in io.Reader, _ int64) (io.Reader, error) { return bzip2.NewReader(in), nil },
		"\xfd7zXZ\x00":     func(in io.Reader, max int64) (io.Reader, error) { return xz.NewReader(in, uint32(max)) },
		"\x28\xb5\x2f\xfd": unpackZstd,
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return d
		}
	}
	return nil
}

func unpackZstd(in io.Reader, max int64) (io.Reader, error) {
	d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(max)))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// walkCompressed walks what is compressed as one stream: a tar, or else a single file, called like the archive without its extension.
func walkCompressed(ctx context.Context, in *input, each func(*entry) error) error {
	head := make([]byte, 8)
	if _, err := in.section().ReadAt(head, 0); err != nil && err != io.EOF {
		return err
	}
	unpacked, err := compression(head)(bufio.NewReader(in.section()), dictionary(in.depth))
	if err != nil {
		return in.tooMuchMemory(err)
	}
	if c, ok := unpacked.(io.Closer); ok {
		defer c.Close()
	}
	stream := bufio.NewReader(&metered{&checked{ctx, unpacked}, in.budget})
	block, err := stream.Peek(tarBlock)
	if err != nil && err != io.EOF {
		return in.tooMuchMemory(err)
	}
	if isTar(block) {
		return in.tooMuchMemory(walkTar(ctx, in, stream, nil, each))
	}
	name := pathname.Unescape(path.Base(in.id))
	return each(&entry{name: strings.TrimSuffix(name, path.Ext(name)), size: -1,
		packed: func() io.Reader { return in.section() },
		open:   func() (io.Reader, error) { return stream, nil }})
}

// tooMuchMemory names the bound where a decoder ended because of it.
func (in *input) tooMuchMemory(err error) error {
	if errors.Is(err, xz.ErrMemlimit) || errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return dictionaryFault(in.depth)
	}
	return err
}

// digest is a mark of what r reads: half of its SHA-256, in hexadecimal digits.
func digest(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:sha256.Size/2]), nil
}
