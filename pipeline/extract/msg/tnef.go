package msg

import (
	"cmp"
	"context"
	"encoding/binary"
	"time"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mail/letter"
)

const (
	tnefSignature = 0x223e9f78 // begins a TNEF stream
	guidBytes     = 16
)

// Attributes of TNEF (MS-OXTNEF, section 2.1.3.2), those that are read.
const (
	attrSubject           = 0x00018004
	attrDateSent          = 0x00038005
	attrBody              = 0x0002800c
	attrMessageProperties = 0x00069003
	attrOEMCodePage       = 0x00069007
	attrAttachRendData    = 0x00069002 // begins an attachment
	attrAttachData        = 0x0006800f
	attrAttachTitle       = 0x00018010
	attrAttachProperties  = 0x00069005
)

// maxTNEF bounds the attributes of a stream and the properties of one of them.
const maxTNEF = 50_000

// ReadTNEF reads a winmail.dat: the text and the attachments that Exchange put into it, and of the header only what is there, since the mail
// around it has its own. A stream that was cut gives what it holds.
func ReadTNEF(ctx context.Context, f *content.File) (*content.Content, error) {
	t, err := parseTNEF(f.Data)
	if err != nil {
		return nil, err
	}
	out := letter.NewWriter(f)
	head := t.header()
	out.Header(head)
	out.Meta(head)
	out.Fields(t.message.fields())
	if err := writeBody(ctx, out, t.message, f.Bounds.Part); err != nil {
		return nil, err
	}
	for i, a := range t.attachments {
		if i >= f.Bounds.Parts {
			return nil, content.TooLarge("it holds more than %d attachments (the bound on parts)", f.Bounds.Parts)
		}
		if err := out.Attachment(ctx, a.file()); err != nil {
			return nil, err
		}
	}
	return out.Content()
}

// A tnef is what a stream of TNEF holds.
type tnef struct {
	message     properties
	sent        time.Time
	attachments []*tnefAttachment
}

// A tnefAttachment is an attachment: what its properties say counts for more than its attributes.
type tnefAttachment struct {
	properties
	title string
	data  []byte
}

func (a *tnefAttachment) file() *content.File {
	part := a.attachment()
	part.Name = cmp.Or(part.Name, a.title)
	if len(part.Data) == 0 {
		part.Data = a.data
	}
	if v, ok := a.find(pidAttachData); ok && v.kind == typeObject {
		part.Data = v.data[min(guidBytes, len(v.data)):] // a message is a TNEF stream after the identifier of its interface
	}
	return part
}

// header is what stands above the text: a subject and a date, for Exchange leaves the people to the mail.
func (t *tnef) header() letter.Header {
	head := t.message.header(nil)
	if head.Sent.IsZero() && !t.sent.IsZero() {
		head.Sent, head.Date = t.sent, t.sent.Format(time.RFC1123Z)
	}
	return head
}

// attributeBytes are those of an attribute before its data: level, identifier and type, length.
const attributeBytes = 1 + 4 + 4

func parseTNEF(data []byte) (*tnef, error) {
	if len(data) < 6 || binary.LittleEndian.Uint32(data) != tnefSignature {
		return nil, content.Damaged("it is no TNEF stream")
	}
	t := &tnef{message: newBag("", new(letter.Decoder))}
	rest := data[6:]
	for range maxTNEF {
		if len(rest) < attributeBytes {
			return t, nil
		}
		id := binary.LittleEndian.Uint32(rest[1:])
		length := int64(binary.LittleEndian.Uint32(rest[5:]))
		rest = rest[attributeBytes:]
		value := rest[:min(length, int64(len(rest)))]
		t.attribute(id, value)
		rest = rest[min(length+2, int64(len(rest))):] // a checksum follows
	}
	return nil, content.TooLarge("it holds more than %d attributes (the bound on attributes of TNEF)", maxTNEF)
}

func (t *tnef) attribute(id uint32, value []byte) {
	if id == attrAttachRendData {
		t.attachments = append(t.attachments, &tnefAttachment{properties: newBag(t.message.encoding, t.message.decoder)})
		return
	}
	if n := len(t.attachments); n > 0 {
		t.attachments[n-1].attribute(id, value)
		return
	}
	switch id {
	case attrOEMCodePage:
		if len(value) >= 4 {
			t.message.encoding = codePageName(int(binary.LittleEndian.Uint32(value)))
		}
	case attrSubject:
		t.message.set(pidSubject, property{typeANSI, value})
	case attrBody:
		t.message.set(pidBody, property{typeANSI, value})
	case attrDateSent:
		t.sent = tnefDate(value)
	case attrMessageProperties:
		t.message.parse(value)
	}
}

func (a *tnefAttachment) attribute(id uint32, value []byte) {
	switch id {
	case attrAttachTitle:
		a.title = a.decode(value)
	case attrAttachData:
		a.data = value
	case attrAttachProperties:
		a.parse(value)
	}
}

// tnefDate reads year, month, day, hour, minute, second of 16 bits each.
func tnefDate(b []byte) time.Time {
	if len(b) < 12 {
		return time.Time{}
	}
	var n [6]int
	for i := range n {
		n[i] = int(binary.LittleEndian.Uint16(b[2*i:]))
	}
	if n[0] < 1602 || n[0] > 4500 || n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 31 {
		return time.Time{}
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
}

// A cursor reads a row of properties. Beyond its end it gives nothing and says so.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.bad = true
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) uint32() int {
	b := c.take(4)
	if b == nil {
		return 0
	}
	return int(binary.LittleEndian.Uint32(b))
}

// padded takes n bytes and those that fill them up to a multiple of four, which may lack at the end.
func (c *cursor) padded(n int) []byte {
	b := c.take(n)
	c.rest = c.rest[min(-n&3, len(c.rest)):]
	return b
}

// parse reads a row of properties (MS-OXTNEF, section 2.1.3.4) as far as it can be followed.
func (p properties) parse(data []byte) {
	c := &cursor{rest: data}
	for range min(c.uint32(), maxTNEF) {
		tag := c.uint32()
		kind, id := uint16(tag), uint16(tag>>16)
		if id >= firstNamed {
			c.name(p.named, id)
		}
		v := c.value(kind)
		if c.bad {
			return
		}
		p.set(id, property{kind &^ typeMany, v})
	}
}

// name reads the name of a property: a set, then a number or a text.
func (c *cursor) name(named map[uint32]uint16, id uint16) {
	c.take(guidBytes)
	if byText := c.uint32() == 1; byText {
		c.padded(c.uint32())
		return
	}
	named[uint32(c.uint32())] = id
}

// value reads a value; of many the first.
func (c *cursor) value(kind uint16) []byte {
	switch kind &^ typeMany {
	case typeANSI, typeUnicode, typeBinary, typeObject:
		return c.first(c.uint32(), func() []byte { return c.padded(c.uint32()) })
	}
	count := 1
	if kind&typeMany != 0 {
		count = c.uint32()
	}
	return c.first(count, func() []byte { return c.take(fixedSize(kind &^ typeMany)) })
}

// first reads count values and gives the first.
func (c *cursor) first(count int, read func() []byte) (first []byte) {
	for i := 0; i < count && !c.bad; i++ {
		if v := read(); i == 0 {
			first = v
		}
	}
	return first
}

// fixedSize is the size of a value of a type of fixed size, in a row that keeps to multiples of four.
func fixedSize(kind uint16) int {
	switch kind {
	case 0x0005, 0x0006, 0x0007, 0x0014, typeTime: // floating point, currency, application time, 64 bits
		return 8
	case 0x0048: // GUID
		return guidBytes
	}
	return 4
}

// newBag makes properties that are put into it.
func newBag(encoding string, decoder *letter.Decoder) properties {
	bag := map[uint16]property{}
	return properties{
		find:     func(id uint16) (property, bool) { v, ok := bag[id]; return v, ok },
		set:      func(id uint16, v property) { bag[id] = v },
		named:    map[uint32]uint16{},
		encoding: encoding,
		decoder:  decoder,
	}
}
