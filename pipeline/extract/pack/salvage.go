package pack

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
)

// The layout of a local file header (APPNOTE 4.3.7) and of what may follow an entry's bytes.
const (
	localHeader    = "PK\x03\x04"
	localHeaderLen = 30
	centralHeader  = "PK\x01\x02"
	descriptor     = "PK\x07\x08"
	sizesLater     = 1 << 3 // of the flags: checksum and sizes are in a descriptor after the bytes
)

// salvage adds the entries whose own headers are in data and that the directory did not name.
func (a *Archive) salvage(data []byte) error {
	for found := 0; ; found++ {
		i := bytes.Index(data, []byte(localHeader))
		if i < 0 {
			return nil
		}
		if found >= a.bounds.Parts {
			return tooManyParts(a.bounds)
		}
		data = data[i+len(localHeader):]
		if name, e, rest := readLocal(data); e != nil {
			a.add(name, e)
			data = rest
		}
	}
}

// readLocal reads the entry whose local header goes on with data; nil where it cannot be one. rest is where the next may begin.
func readLocal(data []byte) (name string, e *entry, rest []byte) {
	const fixed = localHeaderLen - len(localHeader)
	if len(data) < fixed {
		return "", nil, data
	}
	le := binary.LittleEndian
	flags, method := le.Uint16(data[2:]), le.Uint16(data[4:])
	nameLen, extraLen := int(le.Uint16(data[22:])), int(le.Uint16(data[24:]))
	if nameLen == 0 || fixed+nameLen+extraLen > len(data) || method != zip.Store && method != zip.Deflate {
		return "", nil, data
	}
	name = string(data[fixed : fixed+nameLen])
	body := data[fixed+nameLen+extraLen:]
	if name[len(name)-1] == '/' {
		return "", nil, data
	}
	e = &entry{method: method, locked: flags&lockedFlag != 0, body: body}
	packed := int(le.Uint32(data[14:]))
	if flags&sizesLater == 0 && packed <= len(body) {
		e.crc, e.size = le.Uint32(data[10:]), int64(le.Uint32(data[18:]))
		e.body = body[:packed]
		return name, e, body[packed:]
	}
	if method == zip.Store {
		e.body = body[:nextHeader(body)]
	}
	return name, e, body
}

// nextHeader is where the next header of any kind begins, or the end.
func nextHeader(body []byte) int {
	end := len(body)
	for _, header := range []string{localHeader, centralHeader, descriptor} {
		if i := bytes.Index(body[:end], []byte(header)); i >= 0 {
			end = i
		}
	}
	return end
}
