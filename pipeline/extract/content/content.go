// Package content is what the readers of the document formats have in common: what they are given (File), what they give (Content),
// the bounds that they keep to, and the errors by which the outcomes are told apart.
//
// A reader is a function of one format: func(ctx, *File) (*Content, error). It opens nothing and asks nobody: what it needs is in the
// File. It treats every byte as hostile, keeps to File.Bounds whatever the bytes say, and looks at ctx now and then.
package content

import (
	"context"
	"time"

	"docbatch/pipeline"
)

// A Reader turns the bytes of one format into text. An error is made by Damaged, Encrypted, TooLarge, Unsupported or NoText of this
// package, or is ctx's. What could be read of a document that is damaged in part is no error: it is a Content with a warning. A reader
// whose document holds no text gives a Content without Text.
type Reader func(ctx context.Context, f *File) (*Content, error)

// A File is a document as a reader is given it.
type File struct {
	Name      string   // for what the extension says, and as the title of a part; may be ""
	MediaType string   // what the bytes are; a mail's part may come with what the mail says it is, until Within has looked at it
	Charset   string   // the encoding of text as something outside the bytes declares it, a mail's part for example; "" where nothing does
	Data      []byte   // the bytes; the reader does not change them
	Passwords []string // to try on an encrypted document, in order

	Options Options
	Bounds  *Bounds // never nil

	// Within reads a document that lies within this one: a mail's attachment, a picture's text. It finds out itself what the bytes are, and
	// keeps to what is left of Bounds.Nesting. Its errors are those of a reader. Nil where nothing may be read within.
	Within func(ctx context.Context, part *File) (*Content, error)
}

// Options are what a person may choose of how documents are read.
type Options struct {
	Article bool // of a web page, only what a reader would take for the article
	Images  bool // pages without text and pictures are wanted as Content.Images
}

// A Content is what was read of a document.
type Content struct {
	Text     string            // UTF-8; headings, lists, tables and links as Markdown where the format has them
	Meta     map[string]string // what the format says of the document: see the Meta constants; nil where it says nothing
	Warnings []string          // what could not be read, for a person: "page 7 took longer than 10s and was left out"
	Images   []Image           // what an agent that sees, or OCR, may read: the pages without text; only with Options.Images
}

// An Image is a picture of a page, or a document that is a picture.
type Image = pipeline.Image

// The keys of Content.Meta. Dates are RFC 3339, as exact as the format has them.
const (
	MetaTitle    = "title" // of a mail: its subject
	MetaAuthor   = "author"
	MetaSubject  = "subject"
	MetaKeywords = "keywords"
	MetaLanguage = "language"
	MetaCreated  = "created"
	MetaModified = "modified"
	MetaPages    = "pages" // pages, slides or sheets, as a number
	MetaFrom     = "from"  // of a mail; so are the others that follow
	MetaTo       = "to"
	MetaCc       = "cc"
	MetaDate     = "date"
)

// Warn adds a warning.
func (c *Content) Warn(text string) { c.Warnings = append(c.Warnings, text) }

// SetMeta notes what the format says of the document, unless it says nothing.
func (c *Content) SetMeta(key, value string) {
	value = oneLine(value)
	if value == "" {
		return
	}
	if c.Meta == nil {
		c.Meta = map[string]string{}
	}
	c.Meta[key] = value
}

// Bounds are what reading one document may take. A document over one of them is refused with the bound's name.
type Bounds struct {
	Text     int           // bytes of text that a document may give
	Part     int64         // bytes of one part, unpacked
	Unpacked int64         // bytes of all parts together, unpacked
	Parts    int           // parts: entries of a container, parts of a mail
	Nesting  int           // documents within documents; 0: none
	Depth    int           // elements within elements
	Pages    int           // pages, slides, sheets
	PageTime time.Duration // for one page; what takes longer is left out, with a warning
	Pixels   int           // of one picture
}

// DefaultBounds are those of the program: no document of the 5,588 that they were chosen by needs more.
func DefaultBounds() *Bounds {
	return &Bounds{
		Text:     16 << 20,
		Part:     64 << 20,
		Unpacked: 256 << 20,
		Parts:    20_000,
		Nesting:  3,
		Depth:    512,
		Pages:    10_000,
		PageTime: 10 * time.Second,
		Pixels:   50_000_000,
	}
}
