package msg

import (
	"encoding/binary"

	"docbatch/pipeline/extract/content"
)

// The kinds of compressed RTF, and its dictionary.
const (
	lzfuCompressed = 0x75465a4c // "LZFu"
	lzfuPlain      = 0x414c454d // "MELA"
	lzfuHeader     = 16
	lzfuWindow     = 4096
	lzfuStart      = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbol` +
		"ArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par " + `\pard\plain\f0\fs20\b\i\u\tab\tx`
)

// decompressRTF undoes the compression of RTF in Outlook's files (MS-OXRTFCP), up to limit bytes. It takes what there is of a stream that
// was cut, and does not mind a wrong checksum.
func decompressRTF(data []byte, limit int64) ([]byte, error) {
	if len(data) < lzfuHeader {
		return nil, content.Damaged("its compressed RTF is cut")
	}
	size := int64(binary.LittleEndian.Uint32(data[4:]))
	kind := binary.LittleEndian.Uint32(data[8:])
	data = data[lzfuHeader:]
	switch {
	case kind == lzfuPlain:
		return data[:min(int64(len(data)), size)], nil
	case kind != lzfuCompressed:
		return nil, content.Damaged("its compressed RTF is of an unknown kind")
	case size > limit:
		return nil, content.TooLarge("its RTF is larger than %s (the bound on one part)", content.Bytes(limit))
	}
	return inflateRTF(data, int(size)), nil
}

// inflateRTF reads runs of eight tokens, each run after a byte that says which of them are references into the last 4096 bytes. A
// reference to where the next byte goes is the end.
func inflateRTF(data []byte, size int) []byte {
	var window [lzfuWindow]byte
	at := copy(window[:], lzfuStart)
	out := make([]byte, 0, min(size, 9*len(data))) // a reference of 2 bytes gives 17
	put := func(c byte) {
		window[at] = c
		at = (at + 1) % lzfuWindow
		out = append(out, c)
	}
	for len(data) > 0 {
		flags := data[0]
		data = data[1:]
		for range 8 {
			switch {
			case len(data) == 0 || len(out) >= size:
				return out
			case flags&1 == 0:
				put(data[0])
				data = data[1:]
			case len(data) < 2:
				return out
			default:
				ref := int(data[0])<<8 | int(data[1])
				data = data[2:]
				from, n := ref>>4, ref&15+2
				if from == at {
					return out
				}
				for range min(n, size-len(out)) {
					put(window[from])
					from = (from + 1) % lzfuWindow
				}
			}
			flags >>= 1
		}
	}
	return out
}
