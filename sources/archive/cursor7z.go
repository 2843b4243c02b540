package archive

import (
	"encoding/binary"
	"errors"

	"docbatch/pipeline"
)

var errDirectory7z = errors.New("its directory contradicts itself")

// A cursor reads a directory. After its first error it gives nothing more, and whatever it counts is no more than the bound.
type cursor struct {
	left []byte
	err  error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.left = nil
}

func (c *cursor) bytes(n int64) []byte {
	if n < 0 || n > int64(len(c.left)) {
		c.fail(errDirectory7z)
		return nil
	}
	b := c.left[:n]
	c.left = c.left[n:]
	return b
}

func (c *cursor) byte() byte {
	if b := c.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) expect(id byte) {
	if c.byte() != id {
		c.fail(errDirectory7z)
	}
}

// number reads a number of one to nine bytes: the ones that the first begins with say how many follow.
func (c *cursor) number() int64 {
	first := c.byte()
	var n uint64
	for i, mask := 0, byte(0x80); i < 8; i, mask = i+1, mask>>1 {
		if first&mask == 0 {
			n |= uint64(first&(mask-1)) << (8 * i)
			break
		}
		n |= uint64(c.byte()) << (8 * i)
	}
	if n > 1<<62 {
		c.fail(errDirectory7z)
		return 0
	}
	return int64(n)
}

// count reads how many there are of what a directory may have as many of as of members.
func (c *cursor) count() int {
	n := c.number()
	if n > maxMembers {
		c.fail(fault(pipeline.KindTooLarge, "more than %d members (the bound on members)", maxMembers))
		return 0
	}
	return int(n)
}

// bits reads n of them, the highest of a byte first.
func (c *cursor) bits(n int) []bool {
	b := c.bytes(int64(n+7) / 8)
	bits := make([]bool, n)
	for i := range min(n, len(b)*8) {
		bits[i] = b[i/8]&(0x80>>(i%8)) != 0
	}
	return bits
}

// defined reads for which of n something follows; a byte says first whether it does for all.
func (c *cursor) defined(n int) []bool {
	if c.byte() == 0 {
		return c.bits(n)
	}
	bits := make([]bool, n)
	for i := range bits {
		bits[i] = true
	}
	return bits
}

func (c *cursor) uint32() uint32 {
	if b := c.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// external fails where what follows lies elsewhere, which 7-Zip never writes.
func (c *cursor) external() { c.expect(0) }
