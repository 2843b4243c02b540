// Package mail reads letters as they travel: Internet messages (RFC 5322 with MIME, RFC 2045 to 2049), mailboxes of them, and web pages
// saved as MHTML (RFC 2557), which are messages too. It takes what real mail programs wrote for twenty-five years, so next to no byte
// of it needs to keep to these documents.
//
// Every step is linear in the bytes: a multipart is cut at its own boundary first and its parts are read afterwards, each within its own
// slice, to a depth of 20. HTML bodies and attachments are read through File.Within.
package mail

import (
	"bytes"
	"context"

	"docbatch/pipeline/charset"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mail/letter"
)

// maxDepth bounds multiparts and messages within one another.
const maxDepth = 20

// A reader reads one document.
type reader struct {
	file    *content.File
	out     *letter.Writer
	decoder letter.Decoder
	parts   int  // read so far
	utf8    bool // the document was turned into UTF-8 as a whole, so what its parts say of their encodings is void
}

var (
	_ content.Reader = Read
	_ content.Reader = ReadMBOX
)

// Read reads one message, or a web page saved as one: its From, To, Cc, Date and Subject as lines, the better one of its bodies, then its
// attachments, each under "--- attachment: name ---". Of text and HTML alternatives it takes the text unless that is a mere stub, or the
// HTML has tables of data.
// A message of which nothing but the header is not encrypted gives the error Encrypted.
func Read(ctx context.Context, f *content.File) (*content.Content, error) {
	r, data := newReader(f)
	e, err := r.message(ctx, data, scope{})
	if err != nil {
		return nil, err
	}
	r.out.Meta(envelope(&r.decoder, e.header))
	return r.out.Content()
}

// ReadMBOX reads a mailbox: its messages one after the other, each as Read gives it and, where there are several, under
// "--- message N ---".
func ReadMBOX(ctx context.Context, f *content.File) (*content.Content, error) {
	r, data := newReader(f)
	messages := splitMBOX(data)
	for i, data := range messages {
		if len(messages) > 1 {
			r.out.Page(i + 1)
		}
		if _, err := r.message(ctx, data, scope{}); err != nil {
			return nil, err
		}
	}
	return r.out.Content()
}

// newReader makes the reader of f and gives its bytes, without a byte order mark and as UTF-8 where the whole of them is UTF-16 or UTF-32.
func newReader(f *content.File) (*reader, []byte) {
	r := &reader{file: f, out: letter.NewWriter(f)}
	if wide(f.Data) {
		text, _ := charset.Decode(f.Data)
		r.utf8 = true
		return r, []byte(text)
	}
	return r, bytes.TrimPrefix(f.Data, []byte("\xef\xbb\xbf"))
}

// headBytes is how much of a document is looked at to tell that it is UTF-16 or UTF-32: the header, which is ASCII.
const headBytes = 4 << 10

func wide(data []byte) bool {
	switch _, encoding := charset.Decode(data[:min(len(data), headBytes)]); encoding {
	case charset.UTF16LE, charset.UTF16BE, charset.UTF32LE, charset.UTF32BE:
		return true
	}
	return false
}

// enter counts a part; the error is of the bound on parts, or ctx's.
func (r *reader) enter(ctx context.Context) error {
	if r.parts++; r.parts > r.file.Bounds.Parts {
		return content.TooLarge("it holds more than %d parts (the bound on parts)", r.file.Bounds.Parts)
	}
	return ctx.Err()
}
