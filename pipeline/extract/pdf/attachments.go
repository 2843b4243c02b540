package pdf

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"docbatch/pipeline/extract/content"
)

// maxName bounds the name of an embedded file, in bytes of UTF-16.
const maxName = 4 << 10

// An attachment is a file that a document embeds.
type attachment struct {
	name string
	data []byte
	size int64 // which may be more than data holds, where that is too large
}

// attachments reads the embedded files, under headings, where files within files may be read.
func (d *document) attachments(ctx context.Context) error {
	if d.in == nil || d.file.Within == nil {
		return nil
	}
	if d.late() {
		d.content.Warn("there was no time for embedded files")
		return nil
	}
	count, err := within(ctx, d, func(in *instance) (int, error) { return in.count("FPDFDoc_GetAttachmentCount", d.handle), in.err })
	if count > d.file.Bounds.Parts {
		return content.TooLarge("it embeds %d files (the bound on parts is %d)", count, d.file.Bounds.Parts)
	}
	left := d.file.Bounds.Unpacked
	for n := 0; n < count && err == nil && d.text.Err() == nil; n++ {
		var a attachment
		a, err = within(ctx, d, func(in *instance) (attachment, error) { return in.attachment(d.handle, n, d.file.Bounds.Part), in.err })
		if left -= a.size; left < 0 {
			return content.TooLarge("its embedded files take more than %s (the bound on what is unpacked)", content.Bytes(d.file.Bounds.Unpacked))
		}
		if err == nil {
			err = d.attach(ctx, a)
		}
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	if err != nil {
		d.content.Warn(fmt.Sprintf("not all embedded files could be read: %v", err))
	}
	return nil
}

// attachment fetches an embedded file; one of more than max bytes without its data.
func (in *instance) attachment(doc pointer, n int, max int64) attachment {
	handle := in.call("FPDFDoc_GetAttachment", doc, uint64(n))
	if handle == 0 {
		return attachment{}
	}
	a := attachment{name: in.text16(maxName, "FPDFAttachment_GetName", handle)}
	size := in.alloc(4)
	defer in.call("free", size)
	if in.call("FPDFAttachment_GetFile", handle, 0, 0, size) == 0 {
		return a
	}
	a.size = int64(in.uint32(size))
	if a.size > max {
		return a
	}
	at := in.alloc(int(a.size))
	defer in.call("free", at)
	if at != 0 && in.call("FPDFAttachment_GetFile", handle, at, uint64(a.size), size) != 0 {
		a.data = append([]byte(nil), in.bytes(at, int(a.size))...)
	}
	return a
}

func (in *instance) uint32(at pointer) uint32 {
	raw := in.bytes(at, 4)
	if len(raw) < 4 {
		return 0
	}
	return binary.LittleEndian.Uint32(raw)
}

// attach reads an embedded file and adds what it holds. Its error is ctx's.
func (d *document) attach(ctx context.Context, a attachment) error {
	if a.size > d.file.Bounds.Part {
		d.content.Warn(fmt.Sprintf("the embedded file %q has %s (the bound on a part is %s)", a.name, content.Bytes(a.size), content.Bytes(d.file.Bounds.Part)))
		return nil
	}
	if len(a.data) == 0 {
		return nil
	}
	c, err := d.file.Within(ctx, &content.File{Name: a.name, Data: a.data})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		d.content.Warn(fmt.Sprintf("the embedded file %q could not be read: %v", a.name, err))
		return nil
	}
	for _, warning := range c.Warnings {
		d.content.Warn(fmt.Sprintf("the embedded file %q: %s", a.name, warning))
	}
	d.text.Break()
	d.text.Printf("## Embedded file: %s\n\n%s\n", a.name, c.Text)
	return nil
}
