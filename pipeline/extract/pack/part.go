package pack

import (
	"bytes"
	"compress/flate"
	"errors"
	"hash/crc32"
	"io"

	"docbatch/pipeline/extract/content"
)

// A part is the stream of an entry's bytes, unpacked.
type part struct {
	archive *Archive
	entry   *entry
	name    string
	src     io.Reader
	crc     uint32
	n       int64 // bytes unpacked
}

func inflate(packed []byte) io.Reader { return flate.NewReader(bytes.NewReader(packed)) }

// Read implements io.Reader within the bounds on parts.
func (p *part) Read(b []byte) (int, error) {
	n, err := p.src.Read(b)
	p.n += int64(n)
	p.archive.left -= int64(n)
	switch bounds := p.archive.bounds; {
	case p.n > bounds.Part:
		return 0, p.tooLarge()
	case p.archive.left < 0:
		return 0, content.TooLarge("its parts together are larger than %s (the bound on all parts)", content.Bytes(bounds.Unpacked))
	}
	p.crc = crc32.Update(p.crc, crc32.IEEETable, b[:n])
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return n, p.damaged()
	case p.entry.crc != 0 && p.entry.crc != p.crc:
		return n, p.damaged()
	}
	return n, io.EOF
}

func (p *part) damaged() error { return content.Damaged("part %s: %w", p.name, ErrDamaged) }

func (p *part) tooLarge() error {
	return content.TooLarge("its part %s is larger than %s (the bound on a part)", p.name, content.Bytes(p.archive.bounds.Part))
}
