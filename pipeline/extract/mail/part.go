package mail

import (
	"bytes"
	"context"
	"strings"

	"docbatch/pipeline/extract/content"
)

// An entity is a message or a part of one (RFC 2045, section 2.4).
type entity struct {
	header header
	body   []byte // still encoded
	kind   string // its media type, in lower case
	param  map[string]string
	name   string // of the file that it is; "" for none
}

// parse reads the header of an entity. Parts of a digest are messages where they don't say what they are.
func (r *reader) parse(data []byte, otherwise string) entity {
	e := entity{}
	e.header, e.body = cutHeader(data)
	e.kind, e.param = params(&r.decoder, e.header.get("content-type"))
	_, disposition := params(&r.decoder, e.header.get("content-disposition"))
	e.name = fileName(disposition, e.param)
	if !strings.Contains(e.kind, "/") {
		e.kind = otherwise
	}
	return e
}

// data is the body without its transfer encoding.
func (e entity) data() []byte {
	return decodeTransfer(e.header.get("content-transfer-encoding"), e.body)
}

// isAttachment reports whether the entity is meant to be seen as a file of its own.
func (e entity) isAttachment() bool {
	return e.name != "" || firstWord(e.header.get("content-disposition")) == "attachment"
}

// isBody reports whether the entity is text that a mail program shows as the letter.
func (e entity) isBody(kind string) bool { return e.kind == kind && !e.isAttachment() }

func (e entity) isMultipart() bool { return strings.HasPrefix(e.kind, "multipart/") }

// A scope says how the entities in it are read.
type scope struct {
	depth    int    // multiparts and messages around it
	boundary string // of the innermost multipart around it
	page     bool   // among the parts of a page, where styles, scripts and nameless pictures are no attachments
	noText   bool   // the text was given already, by another alternative: only attachments are of interest
}

// message reads a message with its header block.
func (r *reader) message(ctx context.Context, data []byte, s scope) (entity, error) {
	if blank := bytes.TrimLeft(data, "\r\n"); folds(blank) {
		data = blank
	}
	e := r.parse(data, "text/plain")
	r.out.Header(envelope(&r.decoder, e.header))
	return e, r.entity(ctx, e, s, true)
}

// entity reads an entity of any kind. The root of a message is its text whatever name it has.
func (r *reader) entity(ctx context.Context, e entity, s scope, root bool) error {
	if err := r.enter(ctx); err != nil {
		return err
	}
	switch {
	case s.depth >= maxDepth:
		r.out.Warn("its parts lie more than 20 deep within one another (the bound on nesting of mail); what lies deeper was left out")
		return nil
	case e.isMultipart():
		return r.multipart(ctx, e, s)
	case e.kind == "message/rfc822", e.kind == "message/global", e.kind == "message/news":
		return r.forwarded(ctx, e, s)
	case isSMIME(e.kind):
		return r.smime(ctx, e, s)
	case isBookkeeping(e.kind):
		return nil
	case strings.HasPrefix(e.kind, "message/"):
		if s.noText {
			return nil
		}
		return r.asIs(e)
	case strings.HasPrefix(e.kind, "text/") && (root || !e.isAttachment()):
		return r.text(ctx, e, s)
	}
	return r.attachment(ctx, e, s)
}

// isBookkeeping reports whether a part is for programs only: signatures, and what a Macintosh kept of a file beside its bytes.
func isBookkeeping(kind string) bool {
	switch kind {
	case "application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature", "application/applefile":
		return true
	}
	return false
}

// forwarded reads a message within the message.
func (r *reader) forwarded(ctx context.Context, e entity, s scope) error {
	mark := "message"
	if e.name != "" {
		mark = "attachment: " + e.name
	}
	r.out.Mark(mark)
	_, err := r.message(ctx, e.data(), scope{depth: s.depth + 1})
	return err
}

// attachment reads a part that is a file.
func (r *reader) attachment(ctx context.Context, e entity, s scope) error {
	if s.page && e.name == "" && !strings.HasPrefix(e.kind, "text/html") {
		return nil
	}
	return r.out.Attachment(ctx, &content.File{Name: e.name, MediaType: e.kind, Charset: r.charset(e), Data: e.data()})
}

// multipart reads the parts of a multipart (RFC 2046, section 5.1). One without a part is text.
func (r *reader) multipart(ctx context.Context, e entity, s scope) error {
	otherwise := "text/plain"
	if e.kind == "multipart/digest" {
		otherwise = "message/rfc822"
	}
	var kids []entity
	for _, data := range split(e.body, e.param["boundary"], r.file.Bounds.Parts) {
		kids = append(kids, r.parse(data, otherwise))
	}
	around := s.boundary
	s.depth++
	s.boundary = e.param["boundary"]
	switch {
	case len(kids) == 0 && s.boundary == around && around != "": // its parts follow as those of the multipart around it
		return nil
	case len(kids) == 0:
		e.kind = "text/plain"
		return r.text(ctx, e, s)
	case e.kind == "multipart/alternative":
		return r.alternative(ctx, kids, s)
	case e.kind == "multipart/encrypted":
		r.out.Lock()
		return nil
	case e.kind == "multipart/related":
		return r.related(ctx, e, kids, s)
	}
	return r.each(ctx, kids, s)
}

func (r *reader) each(ctx context.Context, kids []entity, s scope) error {
	for _, kid := range kids {
		if err := r.entity(ctx, kid, s, false); err != nil {
			return err
		}
	}
	return nil
}

// related reads what one page or letter consists of (RFC 2387): the root, which is the first part unless "start" names another, then
// what goes with it.
func (r *reader) related(ctx context.Context, e entity, kids []entity, s scope) error {
	root := 0
	for i, kid := range kids {
		if start := e.param["start"]; start != "" && strings.TrimSpace(kid.header.get("content-id")) == start {
			root = i
		}
	}
	kids[0], kids[root] = kids[root], kids[0]
	if err := r.entity(ctx, kids[0], s, true); err != nil {
		return err
	}
	s.page = true
	return r.each(ctx, kids[1:], s)
}

// alternative reads the best of several forms of one text (RFC 2046, section 5.1.4) and of the others only what is attached to them, which
// is where Apple Mail puts attachments. Calendars and other kinds of data stand beside the text.
func (r *reader) alternative(ctx context.Context, kids []entity, s scope) error {
	plain, rich := -1, -1
	for i, kid := range kids {
		switch {
		case kid.isBody("text/plain") && plain < 0:
			plain = i
		case kid.isBody("text/html"), kid.isMultipart():
			rich = i
		}
	}
	best := plain
	switch {
	case plain < 0:
		best = rich
	case rich >= 0 && !s.noText:
		best = r.better(ctx, kids, plain, rich)
	}
	for i, kid := range kids {
		inner := s
		inner.noText = s.noText || best >= 0 && i != best && isForm(kid)
		if err := r.entity(ctx, kid, inner, false); err != nil {
			return err
		}
	}
	return nil
}

// isForm reports whether an alternative is another form of the same text, and not data such as a calendar.
func isForm(e entity) bool {
	switch e.kind {
	case "text/plain", "text/html", "text/x-amp-html", "text/watch-html", "text/enriched", "text/richtext":
		return true
	}
	return e.isMultipart()
}
