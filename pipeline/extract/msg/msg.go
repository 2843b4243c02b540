// Package msg reads what Outlook keeps a letter in: its message files (MS-OXMSG) and the winmail.dat that Exchange attaches to mail (TNEF,
// MS-OXTNEF). Both hold the same properties (MS-OXPROPS), in a compound file or in a row. Letters, appointments, contacts and
// tasks come out in the layout of all mail, that of package letter.
package msg

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mail/letter"
	"docbatch/pipeline/extract/msg/cfb"
)

// maxDepth bounds messages within one another.
const maxDepth = 20

var (
	_ content.Reader = Read
	_ content.Reader = ReadTNEF
)

// Read reads a message file: sender and recipients with their addresses, date and subject as lines, the text, which is the plain one, else
// (and where it has tables of data) the HTML or the RTF, then the attachments, messages among them with all that they hold. A message of
// which nothing can be read because it is encrypted gives the error Encrypted.
func Read(ctx context.Context, f *content.File) (*content.Content, error) {
	file, err := cfb.New(f.Data)
	if err != nil {
		return nil, refuse(err)
	}
	r := &reader{file: f, out: letter.NewWriter(f), left: f.Bounds.Unpacked}
	root := file.Root()
	r.named = readNames(r, root.Storage(storageNames))
	item := r.open(root, headerRoot)
	head := item.header(r.recipients(root, item.encoding))
	if err := r.message(ctx, root, item, head, 0); err != nil {
		return nil, err
	}
	r.out.Meta(head)
	if r.err != nil {
		return nil, r.err
	}
	return r.out.Content()
}

func refuse(err error) error {
	if errors.Is(err, cfb.ErrEntries) {
		return content.TooLarge("%w", err)
	}
	return content.Damaged("%w", err)
}

// The storages and streams of a message file, and the bytes before the fixed properties in each kind of them.
const (
	storageNames      = "__nameid_version1.0"
	storageRecipient  = "__recip_version1.0_#"
	storageAttachment = "__attach_version1.0_#"
	streamFixed       = "__properties_version1.0"

	headerRoot     = 32
	headerEmbedded = 24
	headerOther    = 8
	fixedBytes     = 16 // of a property
)

// A reader reads one message file.
type reader struct {
	file    *content.File
	out     *letter.Writer
	decoder letter.Decoder
	named   map[uint32]uint16
	left    int64 // bytes that streams may still give
	parts   int
	err     error // the bound that was met
}

// stream reads a stream of a storage and counts it.
func (r *reader) stream(s *cfb.Storage, name string) []byte {
	if s == nil || r.err != nil {
		return nil
	}
	data := s.Stream(name)
	if r.left -= int64(len(data)); r.left < 0 {
		r.err = content.TooLarge("its streams hold more than %s (the bound on all parts together)", content.Bytes(r.file.Bounds.Unpacked))
		return nil
	}
	return data
}

// open gives the properties of a storage: those of a fixed size lie in one stream, after a header, each other in a stream of its own.
func (r *reader) open(s *cfb.Storage, header int) properties {
	fixed := map[uint16]property{}
	data := r.stream(s, streamFixed)
	for data = data[min(header, len(data)):]; len(data) >= fixedBytes; data = data[fixedBytes:] {
		tag := binary.LittleEndian.Uint32(data)
		fixed[uint16(tag>>16)] = property{uint16(tag), data[8:fixedBytes]}
	}
	find := func(id uint16) (property, bool) {
		if p, ok := fixed[id]; ok && isFixed(p.kind) {
			return p, true
		}
		for _, kind := range []uint16{typeUnicode, typeANSI, typeBinary} {
			if data := r.stream(s, streamName(id, kind)); len(data) > 0 {
				return property{kind, data}, true
			}
		}
		return property{}, false
	}
	p := properties{find: find, named: r.named, decoder: &r.decoder}
	p.encoding = p.codePage(pidMessageCodePage, pidInternetCodePage)
	return p
}

func streamName(id, kind uint16) string { return fmt.Sprintf("__substg1.0_%04X%04X", id, kind) }

// within are the storages of s that begin so, by their numbers.
func within(s *cfb.Storage, prefix string) (names []string) {
	for _, name := range s.Storages() {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	number := func(name string) uint64 {
		n, _ := strconv.ParseUint(name[len(prefix):], 16, 32) // what has no number comes first
		return n
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
	return names
}

// message writes a message: head, its fields, its text, its attachments.
func (r *reader) message(ctx context.Context, s *cfb.Storage, p properties, head letter.Header, depth int) error {
	r.out.Header(head)
	r.out.Fields(p.fields())
	var attachments []*cfb.Storage
	for _, name := range within(s, storageAttachment) {
		if storage := s.Storage(name); storage != nil {
			attachments = append(attachments, storage)
		}
	}
	if p.isSMIME() && len(attachments) == 1 {
		if done, err := r.smime(ctx, attachments[0]); done || err != nil {
			return err
		}
	}
	if err := writeBody(ctx, r.out, p, r.file.Bounds.Part); err != nil {
		return err
	}
	for _, storage := range attachments {
		if err := r.attachment(ctx, storage, p.encoding, depth); err != nil {
			return err
		}
	}
	return nil
}

// attachment writes an attachment: a file, or a message with all that it holds.
func (r *reader) attachment(ctx context.Context, s *cfb.Storage, encoding string, depth int) error {
	if r.parts++; r.parts > r.file.Bounds.Parts {
		return content.TooLarge("it holds more than %d attachments (the bound on parts)", r.file.Bounds.Parts)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p := r.open(s, headerOther)
	p.encoding = encoding
	part := p.attachment()
	embedded := s.Storage(streamName(pidAttachData, typeObject))
	switch {
	case embedded == nil:
		return r.out.Attachment(ctx, part)
	case embedded.Stream(streamFixed) == nil:
		r.out.Mark("attachment: " + part.Name + " (an object of another program)")
		return nil
	case depth >= maxDepth:
		r.out.Warn("its messages lie more than 20 deep within one another (the bound on nesting of mail); what lies deeper was left out")
		return nil
	}
	r.out.Mark("message")
	item := r.open(embedded, headerEmbedded)
	return r.message(ctx, embedded, item, item.header(r.recipients(embedded, item.encoding)), depth+1)
}

// smime writes a letter of S/MIME, which is its only attachment: a part of MIME where it was signed in clear, else the bytes of CMS,
// which become one. It reports whether that is all there is to write.
func (r *reader) smime(ctx context.Context, s *cfb.Storage) (done bool, err error) {
	part := r.open(s, headerOther).attachment()
	if part.Data == nil || r.file.Within == nil {
		return false, nil
	}
	part.Name, part.MediaType = "smime.eml", "message/rfc822"
	if part.Data[0] == tagSequence {
		head := []byte("Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n") // in text, so that it looks like a mail
		part.Data = base64.StdEncoding.AppendEncode(head, part.Data)
	}
	read, err := r.file.Within(ctx, part)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil && pipeline.AsError(err).Kind == pipeline.KindEncrypted:
		r.out.Lock()
		return true, nil
	case err != nil, strings.TrimSpace(read.Text) == "":
		return false, nil
	}
	r.out.Text(read.Text)
	return true, nil
}

// tagSequence is how the DER of CMS begins.
const tagSequence = 0x30
