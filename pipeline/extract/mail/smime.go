package mail

import (
	"bytes"
	"context"
	"strings"
)

func isSMIME(kind string) bool {
	return kind == "application/pkcs7-mime" || kind == "application/x-pkcs7-mime"
}

// smime reads a part of S/MIME (RFC 8551): what was signed is an entity of its own, what is encrypted stays closed.
func (r *reader) smime(ctx context.Context, e entity, s scope) error {
	signed, ok := signedData(e.data())
	switch {
	case ok:
		s.depth++
		return r.entity(ctx, r.parse(signed, "text/plain"), s, true)
	case strings.EqualFold(e.param["smime-type"], "certs-only"):
		return nil
	case strings.EqualFold(e.param["smime-type"], "compressed-data"):
		return r.attachment(ctx, e, s)
	}
	r.out.Lock()
	return nil
}

// The tags of ASN.1 that CMS is made of.
const (
	tagOctets      = 0x04
	tagOID         = 0x06
	tagSequence    = 0x30
	tagSet         = 0x31
	tagContext0    = 0xa0
	tagConstructed = 0x24 // a string of octets in pieces
)

// oidSignedData is 1.2.840.113549.1.7.2.
var oidSignedData = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}

// signedData is the content of a SignedData of CMS (RFC 5652, section 5.1). Only as much of BER is read as lies before it.
func signedData(data []byte) (signed []byte, ok bool) {
	info, ok := enter(data, tagSequence)
	if !ok || !bytes.HasPrefix(info, append([]byte{tagOID, byte(len(oidSignedData))}, oidSignedData...)) {
		return nil, false
	}
	explicit, ok1 := enter(info[2+len(oidSignedData):], tagContext0)
	body, ok2 := enter(explicit, tagSequence)
	version, ok3 := next(body)
	digests, ok4 := next(version)
	encap, ok5 := enter(digests, tagSequence)
	kind, ok6 := next(encap)
	octets, ok7 := enter(kind, tagContext0)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || !ok7 {
		return nil, false
	}
	return joinOctets(octets)
}

// joinOctets reads a string of octets, in one piece or in many.
func joinOctets(data []byte) (octets []byte, ok bool) {
	if octets, ok = enter(data, tagOctets); ok {
		return octets, true
	}
	rest, ok := enter(data, tagConstructed)
	for ok && len(rest) > 0 && rest[0] == tagOctets {
		var piece []byte
		if piece, ok = enter(rest, tagOctets); !ok {
			break
		}
		octets = append(octets, piece...)
		rest, ok = next(rest)
	}
	return octets, len(octets) > 0
}

// enter gives the content of the element that data begins with, if it has that tag; of an indefinite length all that follows. A length
// beyond the end is cut.
func enter(data []byte, tag byte) (inside []byte, ok bool) {
	if len(data) == 0 || data[0] != tag {
		return nil, false
	}
	length, rest, ok := berLength(data[1:])
	if !ok {
		return nil, false
	}
	return rest[:min(length, len(rest))], true
}

// next gives what follows the element that data begins with, which must have a length.
func next(data []byte) (rest []byte, ok bool) {
	if len(data) == 0 {
		return nil, false
	}
	length, rest, ok := berLength(data[1:])
	if !ok || length > len(rest) {
		return nil, false
	}
	return rest[length:], true
}

// berLength reads a length (X.690, section 8.1.3); an indefinite one is that of all the rest.
func berLength(data []byte) (length int, rest []byte, ok bool) {
	if len(data) == 0 {
		return 0, nil, false
	}
	first, rest := data[0], data[1:]
	if first < 0x80 {
		return int(first), rest, true
	}
	if first == 0x80 {
		return len(rest), rest, true
	}
	n := int(first & 0x7f)
	if n > 4 || n > len(rest) {
		return 0, nil, false
	}
	for _, c := range rest[:n] {
		length = length<<8 | int(c)
	}
	return length, rest[n:], true
}
