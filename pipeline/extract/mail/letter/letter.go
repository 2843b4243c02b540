// Package letter is the layout that the readers of mail share, whatever the format: a block of header lines, the text, and each attachment
// under a mark of its own with what could be read of it. It knows no format.
package letter

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// A Header is what stands above a letter. Its texts are for people: names and addresses as they were written, decoded.
type Header struct {
	From, To, Cc, Bcc string
	ReplyTo           string // left out where From says it
	Date              string // as a person reads it
	Sent              time.Time
	Subject           string
}

// A Writer writes letters, one within the other, and their attachments, into one text.
type Writer struct {
	file    *content.File
	out     *content.Writer
	content *content.Content
	body    int  // bytes that are no header
	locked  bool // something is encrypted
}

// NewWriter makes the Writer of the document f, whose Bounds and Within it uses.
func NewWriter(f *content.File) *Writer {
	return &Writer{file: f, out: content.NewWriter(f.Bounds.Text), content: &content.Content{}}
}

// Header writes h as lines, "From: Jo Doe <jo@example.org>", without those that are empty.
func (w *Writer) Header(h Header) {
	if strings.Contains(h.From, strings.Trim(h.ReplyTo, " <>")) {
		h.ReplyTo = ""
	}
	w.out.Break()
	for _, line := range []Field{
		{"From", h.From}, {"Reply-To", h.ReplyTo}, {"To", h.To}, {"Cc", h.Cc}, {"Bcc", h.Bcc}, {"Date", h.Date}, {"Subject", h.Subject},
	} {
		w.line(line.Name, line.Value)
	}
	w.out.Break()
}

func (w *Writer) line(name, value string) {
	if value = oneLine(value); value != "" {
		w.out.WriteString(name + ": " + value + "\n")
	}
}

// A Field is one more thing that is known of a letter.
type Field struct{ Name, Value string }

// Fields writes fields as lines, "Location: room 7", without those that are empty.
func (w *Writer) Fields(fields []Field) {
	before := w.out.Len()
	for _, f := range fields {
		w.line(f.Name, f.Value)
	}
	w.body += w.out.Len() - before
	w.out.Break()
}

// Meta notes h as the metadata of the document: what the outermost letter does.
func (w *Writer) Meta(h Header) {
	w.content.SetMeta(content.MetaTitle, h.Subject)
	w.content.SetMeta(content.MetaFrom, h.From)
	w.content.SetMeta(content.MetaAuthor, h.From)
	w.content.SetMeta(content.MetaTo, h.To)
	w.content.SetMeta(content.MetaCc, h.Cc)
	if !h.Sent.IsZero() {
		w.content.SetMeta(content.MetaDate, h.Sent.Format(time.RFC3339))
	}
}

// Page begins one of several letters: "--- message 3 ---".
func (w *Writer) Page(n int) { w.out.Page("message", n) }

// Mark begins a part: "--- attachment: minutes.pdf ---".
func (w *Writer) Mark(words string) {
	w.out.Break()
	w.out.WriteString("--- " + oneLine(words) + " ---\n\n")
}

// Text writes what a letter says as a paragraph of its own. Several empty lines, which Outlook leaves between paragraphs, are one.
func (w *Writer) Text(text string) {
	var closer strings.Builder
	empty := true
	for line := range strings.Lines(text) {
		switch {
		case strings.TrimSpace(line) != "":
			empty = false
			closer.WriteString(line)
		case !empty:
			empty = true
			closer.WriteString("\n")
		}
	}
	w.block(closer.String())
}

// block writes text as it is, and nothing for white space.
func (w *Writer) block(text string) {
	text = strings.TrimRight(text, " \t\r\n")
	if strings.TrimSpace(text) == "" {
		return
	}
	w.out.Break()
	w.out.WriteString(text)
	w.body += len(text)
	w.out.Break()
}

// Lock notes that a part is encrypted, which is an error where there turns out to be no other.
func (w *Writer) Lock() {
	if !w.locked {
		w.Warn("a part of it is encrypted (PGP or S/MIME) and was left out")
	}
	w.locked = true
}

// Warn adds a warning, up to a number of them that a person may still read.
func (w *Writer) Warn(text string) {
	switch n := len(w.content.Warnings); {
	case n < maxWarnings:
		w.content.Warn(text)
	case n == maxWarnings:
		w.content.Warn("there were more warnings than these")
	}
}

const maxWarnings = 100

// Read gives the text of a part that is no attachment, such as an HTML body. What can't be read is a warning and no text.
// The error is ctx's.
func (w *Writer) Read(ctx context.Context, part *content.File, what string) (text string, err error) {
	read, err := w.within(ctx, part)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		if pipeline.AsError(err).Kind != pipeline.KindNoText {
			w.Warn(what + ": " + err.Error())
		}
		return "", nil
	}
	for _, text := range read.Warnings {
		w.Warn(what + ": " + text)
	}
	return read.Text, nil
}

// HasTables reports whether the rich form of a letter shows tables of data and says all else that plain says: what stands in columns has no order
// in the plain text that programs make of it.
func (w *Writer) HasTables(ctx context.Context, rich *content.File, plain string) bool {
	if len(plain) > maxPlain || len(rich.Data) > maxRich || !slices.ContainsFunc(tableMarks, func(mark string) bool { return bytes.Contains(rich.Data, []byte(mark)) }) {
		return false
	}
	read, err := w.within(ctx, rich)
	return err == nil && hasGrid(read.Text) && letters(read.Text) >= letters(links.ReplaceAllString(plain, ""))*9/10
}

// hasGrid reports whether a text has a table of three rows and more, of which three cells of four are filled: those of a signature, or of
// pictures with words beside them, are not.
func hasGrid(text string) bool {
	rows, cells, empty := 0, 0, 0
	for line := range strings.Lines(text + "\n\n") {
		switch {
		case strings.HasPrefix(line, "| ---"):
		case strings.HasPrefix(line, "| "):
			rows++
			cells += strings.Count(line, " |")
			empty += strings.Count(line, "| |")
		case rows >= 3 && empty*4 <= cells:
			return true
		default:
			rows, cells, empty = 0, 0, 0
		}
	}
	return false
}

// The bounds on what is compared: larger letters were made by programs, of which the plain text is as good.
const (
	maxPlain = 1 << 20
	maxRich  = 4 << 20
)

// tableMarks begin tables: of HTML, which may lie within RTF, and of RTF.
var tableMarks = []string{"<table", "<TABLE", `\trowd`}

// links are what plain text shows of where a link goes.
var links = regexp.MustCompile(`(?i)\b(?:https?|mailto|cid|file):[^\s>\])]*`)

// letters counts the letters and digits of a text.
func letters(text string) (n int) {
	for _, c := range text {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			n++
		}
	}
	return n
}

// Attachment writes a part under its name and, where it can be read, its text. Where it can't, its name, type and size stay in the text
// and there is a warning; pictures, sound and films are named only. The error is ctx's.
func (w *Writer) Attachment(ctx context.Context, part *content.File) error {
	mark := "attachment"
	if part.Name != "" {
		mark += ": " + part.Name
	}
	mediaType := mediaType(part)
	named := mark + " (" + mediaType + ", " + content.Bytes(int64(len(part.Data))) + ")"
	switch {
	case mediaType == "application/pgp-encrypted": // says only that what follows is
		return nil
	case bytes.HasPrefix(part.Data, []byte("-----BEGIN PGP MESSAGE-----")):
		w.Lock()
		w.Mark(named)
		return nil
	case isMedia(mediaType), len(part.Data) == 0:
		w.Mark(named)
		return nil
	}
	text, err := w.Read(ctx, part, mark)
	switch {
	case err != nil:
		return err
	case strings.TrimSpace(text) == "":
		w.Mark(named)
	case w.out.Len()+len(text)+len(mark)+marginBytes > w.file.Bounds.Text:
		w.Mark(named)
		w.Warn(mark + ": left out, the mail holds more than " + content.Bytes(int64(w.file.Bounds.Text)) + " of text (the bound on text)")
	default:
		w.Mark(mark)
		w.block(text)
	}
	return nil
}

// marginBytes is what a mark and the empty lines take at most beside their words.
const marginBytes = 64

// Content is what was written. The error is TooLarge where the letters themselves are over the bound on text, and Encrypted where nothing
// of them but headers and names could be read for that reason.
func (w *Writer) Content() (*content.Content, error) {
	if err := w.out.Err(); err != nil {
		return nil, err
	}
	if w.locked && w.body == 0 {
		return nil, content.Encrypted("the mail is encrypted (PGP or S/MIME) and docbatch has no key to it")
	}
	w.content.Text = w.out.String()
	return w.content, nil
}

var errNothingWithin = errors.New("nothing may be read within this document")

func (w *Writer) within(ctx context.Context, part *content.File) (*content.Content, error) {
	if w.file.Within == nil {
		return nil, errNothingWithin
	}
	return w.file.Within(ctx, part)
}

func isMedia(mediaType string) bool {
	for _, kind := range []string{"image/", "audio/", "video/", "font/"} {
		if strings.HasPrefix(mediaType, kind) && mediaType != "image/svg+xml" {
			return true
		}
	}
	return false
}

// mediaType is what the part is said to be; where nothing is said, what its bytes look like.
func mediaType(part *content.File) string {
	if part.MediaType != "" && part.MediaType != "application/octet-stream" {
		return part.MediaType
	}
	kind, _, _ := strings.Cut(http.DetectContentType(part.Data), ";")
	return kind
}

// oneLine makes one line of a text in which hostile bytes may have put line breaks.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
