package extract

import (
	"context"
	"runtime/debug"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/epub"
	"docbatch/pipeline/extract/html"
	"docbatch/pipeline/extract/mail"
	"docbatch/pipeline/extract/mediatype"
	"docbatch/pipeline/extract/msg"
	"docbatch/pipeline/extract/odf"
	"docbatch/pipeline/extract/ooxml"
	"docbatch/pipeline/extract/pdf"
	"docbatch/pipeline/extract/picture"
	"docbatch/pipeline/extract/rtf"
	"docbatch/pipeline/extract/workbook"
)

// readers are the readers of formats that are more than text, by media type: the table that a new format adds a line to.
var readers = map[string]content.Reader{
	mediatype.DOCX:  ooxml.ReadDOCX,
	mediatype.PPTX:  ooxml.ReadPPTX,
	mediatype.XLSX:  workbook.Read,
	mediatype.ODT:   odf.Read,
	mediatype.ODS:   odf.Read,
	mediatype.ODP:   odf.Read,
	mediatype.EPUB:  epub.Read,
	mediatype.RTF:   rtf.Read,
	mediatype.HTML:  html.Read,
	mediatype.Mail:  mail.Read,
	mediatype.Mbox:  mail.ReadMBOX,
	mediatype.MHTML: mail.Read,
	mediatype.MSG:   msg.Read,
	mediatype.TNEF:  msg.ReadTNEF,

	mediatype.ODT + "-flat-xml": odf.ReadFlat,
	mediatype.ODS + "-flat-xml": odf.ReadFlat,
	mediatype.ODP + "-flat-xml": odf.ReadFlat,
	"application/xhtml+xml":     html.Read,
}

// isRead reports whether Readers read a media type.
func isRead(mediaType string) bool {
	return readers[mediaType] != nil || mediaType == mediatype.PDF || mediaType == mediatype.Encrypted
}

// isPicture reports whether Readers make a picture of a media type one that agents can be shown.
func isPicture(mediaType string) bool { return mediaType == picture.TIFF || mediaType == picture.BMP }

// Readers are the readers of all formats. They read one document at a time.
type Readers struct {
	pdf    *pdf.Reader
	warmed bool
}

// NewReaders makes the readers. They keep what they compile in cacheDir, so that the next process is quicker; "" for nowhere.
func NewReaders(cacheDir string) *Readers { return &Readers{pdf: pdf.New(cacheDir)} }

// warm starts what documents of a media type need, which takes some seconds when nothing is kept of it yet, and reports whether there was anything
// to start. A failure shows when it is used.
func (r *Readers) warm(ctx context.Context, mediaType string) (started bool) {
	switch mediaType {
	case mediatype.PDF, mediatype.Mail, mediatype.Mbox, mediatype.MSG, mediatype.TNEF: // mails come with PDFs
		started = !r.warmed
		r.warmed = true
	}
	if started {
		_ = r.pdf.Start(ctx)
	}
	return started
}

// Close releases what the readers hold.
func (r *Readers) Close() { r.pdf.Close() }

// reader is what reads a media type; nil for nothing.
func (r *Readers) reader(mediaType string) content.Reader {
	switch {
	case mediaType == mediatype.PDF:
		return r.pdf.Read
	case mediaType == mediatype.Encrypted:
		return r.decrypt
	case isPicture(mediaType):
		return picture.Read
	case isPlain(mediaType):
		return plain
	}
	return readers[mediaType]
}

// decrypt reads an Office document behind a password.
func (r *Readers) decrypt(ctx context.Context, f *content.File) (*content.Content, error) {
	data, err := workbook.Decrypt(f.Data, f.Passwords)
	if err != nil {
		return nil, err
	}
	open := *f
	open.Data, open.MediaType = data, mediatype.Detect(f.Name, data)
	if open.MediaType == mediatype.Encrypted {
		return nil, content.Encrypted("it is encrypted more than once")
	}
	return r.Read(ctx, &open)
}

// Read reads f, and what lies within it, whatever the bytes are: a panic of a reader is an error of kind KindDamaged that names the place.
// Where f.MediaType is "" it finds out what the bytes are. Text is valid UTF-8 without control characters.
func (r *Readers) Read(ctx context.Context, f *content.File) (c *content.Content, err error) {
	defer func() {
		if p := recover(); p != nil {
			c, err = nil, content.Damaged("the reader of %s gave up: %v at %s; please report it", mediatype.Describe(f.MediaType), p, place(debug.Stack()))
		}
	}()
	if f.MediaType == "" {
		f.MediaType = mediatype.Detect(f.Name, f.Data)
	}
	read := r.reader(f.MediaType)
	if read == nil {
		return nil, content.Unsupported("%s within another document is not read", mediatype.Describe(f.MediaType))
	}
	f.Within = r.within(f)
	c, err = read(ctx, f)
	if err != nil {
		return nil, err
	}
	c.Text = clean(c.Text)
	if len(c.Text) > f.Bounds.Text {
		return nil, tooMuchText(f.Bounds)
	}
	return c, nil
}

// within reads the documents that lie within f: one level less may lie in them.
func (r *Readers) within(f *content.File) func(context.Context, *content.File) (*content.Content, error) {
	return func(ctx context.Context, part *content.File) (*content.Content, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if f.Bounds.Nesting <= 0 {
			return nil, content.TooLarge("documents lie too deep within one another (the bound on nesting)")
		}
		bounds := *f.Bounds
		bounds.Nesting--
		inner := *part
		inner.Bounds, inner.Passwords, inner.Options = &bounds, f.Passwords, f.Options
		inner.Options.Images = false // a mail's logos are not what it says
		if len(inner.Data) == 0 {
			return &content.Content{}, nil
		}
		inner.MediaType = partType(part)
		return r.Read(ctx, &inner)
	}
}

// partType is what the bytes of a part are; what it is said to be counts where the bytes are just text.
func partType(part *content.File) string {
	found := mediatype.Detect(part.Name, part.Data)
	said, _, _ := strings.Cut(strings.ToLower(part.MediaType), ";")
	said = strings.TrimSpace(said)
	switch {
	case said == "application/xhtml+xml" && (found == "application/xml" || found == "text/html"):
		return said
	case found == "text/plain" && (said == "text/html" || said == "application/xhtml+xml" || said == "message/rfc822" || said == "application/rtf"):
		return said
	}
	return found
}

// place is where in this repository a panic was, of its stack.
func place(stack []byte) string {
	_, frames, _ := strings.Cut(string(stack), "panic(")
	for line := range strings.Lines(frames) {
		if _, at, ok := strings.Cut(line, "/pipeline/extract/"); ok && strings.HasPrefix(line, "\t") {
			at, _, _ = strings.Cut(at, " +0x")
			return strings.TrimSpace(at)
		}
	}
	return "an unknown place"
}
