// Package extract is the step that turns a document's bytes into text. It finds out what the bytes are (mediatype), and hands them to the
// reader of that format, a package below this one; to add a format, write its reader and name it in the table of NewReaders. Readers run
// in child processes (Pool, Serve), so that no file can harm more than its own reading; text as it lies there is read right here.
// What no reader reads, a program of the machine may convert (convert).
package extract

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/convert"
	"docbatch/pipeline/extract/mediatype"
)

// What is done with a document that is a picture, or has pages that are: the values of Options.Images.
const (
	ImagesOCR    = "ocr"    // tesseract reads them, where it is installed
	ImagesAttach = "attach" // the agent is shown them
	ImagesNone   = "none"   // they are not read
)

// Options say how documents are read.
type Options struct {
	Pool       *Pool
	Images     string                     // one of the constants; "" for ImagesOCR
	Languages  string                     // that OCR expects, as tesseract names them: "deu+fra"; "" for its default
	Converters map[string]convert.Command // by extension (".doc") or media type; they come before readers and before what is found
}

// A Step is the extract step. It fills Document.Text, Images, Meta and MediaType from Data and then drops Data.
type Step struct {
	Options
}

var _ pipeline.Step = (*Step)(nil)

// New makes the step.
func New(o Options) *Step {
	if o.Images == "" {
		o.Images = ImagesOCR
	}
	return &Step{o}
}

// Name is "extract".
func (s *Step) Name() string { return "extract" }

// Do leaves in doc.Text the document's text with LF line ends and without control characters other than newline and tab, and in
// rec.Warnings what could not be read of it. A document that has Text already, a row, keeps it but for those characters. Errors are of class Invalid
// and tell apart: KindUnsupported where nothing reads what the bytes are, KindNothing where there are none, KindNoText where nothing but white space is
// in it, and KindEncrypted, KindDamaged, KindTooLarge and KindSlow.
func (s *Step) Do(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if doc.Text != "" || doc.Fields != nil {
		doc.MediaType, doc.Text = mediatype.Text, clean(doc.Text)
	} else if err := s.extract(ctx, doc, rec); err != nil {
		return err
	}
	doc.Data = nil
	if strings.TrimSpace(doc.Text) == "" && len(doc.Images) == 0 {
		return named(doc.Name, NoText(rec.Warnings))
	}
	return nil
}

// NoText is the error of a document without text; the first of its warnings may say why.
func NoText(warnings []string) error {
	if len(warnings) == 0 {
		return content.NoText("there is no text in it")
	}
	return content.NoText("there is no text in it: %s", warnings[0])
}

// extract reads the document of a file.
func (s *Step) extract(ctx context.Context, doc *pipeline.Document, rec *pipeline.Record) error {
	r, err := s.Read(ctx, doc.Name, doc.Data)
	doc.MediaType = r.MediaType
	if err != nil {
		return named(doc.Name, err)
	}
	doc.Text, doc.Images, rec.Warnings = r.Text, r.Images, r.Warnings
	if doc.Meta == nil {
		doc.Meta = map[string]string{}
	}
	maps.Copy(doc.Meta, r.Meta)
	return nil
}

// named puts the document's name before an error.
func named(name string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// A Reading is what became of reading one document.
type Reading struct {
	content.Content
	MediaType string // what the bytes are
	Memory    int64  // the most that the process took that read it, in bytes; 0 where that was this one

	took time.Duration // by the process that read it
}

// Read reads a document as the step does; name tells what its extension says. The Reading is never nil; its MediaType is also set with an error.
// Errors are those of Do, without the document's name.
func (s *Step) Read(ctx context.Context, name string, data []byte) (*Reading, error) {
	r := &Reading{MediaType: mediatype.Text}
	if len(data) == 0 {
		return r, pipeline.Errorf(pipeline.Invalid, pipeline.KindNothing, "the file is empty")
	}
	r.MediaType = mediatype.Detect(name, data)
	err := s.read(ctx, r, name, data)
	if err == nil {
		err = s.see(ctx, r)
	}
	return r, err
}

// read fills r in, whatever reads it.
func (s *Step) read(ctx context.Context, r *Reading, name string, data []byte) error {
	if c, ok := s.converter(name, r.MediaType); ok {
		return s.convert(ctx, r, c, name, data)
	}
	switch {
	case isPlain(r.MediaType):
		return r.fill(readPlain(data, s.Pool.bounds()))
	case isRead(r.MediaType):
		return s.readIn(ctx, r, name, r.MediaType, data)
	case strings.HasPrefix(r.MediaType, "image/"):
		return s.picture(ctx, r, name, data)
	}
	c, missing := convert.Found(r.MediaType, data)
	if missing == "" {
		return s.convert(ctx, r, c, name, data)
	}
	switch {
	case isArchive(r.MediaType) && !slices.Contains(archiveNames, strings.ToLower(path.Ext(name))):
		missing = "with the extension of an archive, such as .zip, its members are documents"
	case r.MediaType == mediatype.Binary:
		name = "" // its extension is that of other documents
	}
	return content.Unsupported("no reader for %s; %s%s", mediatype.Describe(r.MediaType), missing, excludeHint(name))
}

// run runs a converter, on the core of one of the processes, within the time for a document.
func (s *Step) run(ctx context.Context, c convert.Command, name string, data []byte) (out []byte, outName string, err error) {
	release, err := s.Pool.hold(ctx)
	if err != nil {
		return nil, "", err
	}
	defer release()
	limited, cancel := context.WithTimeout(ctx, s.Pool.opts.Time)
	defer cancel()
	out, outName, err = c.Run(limited, name, data)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = timedOut(s.Pool.opts.Time)
	}
	return out, outName, err
}

// archiveNames are extensions by which the sources know archives: what comes here with one of them they could not open.
var archiveNames = []string{".zip", ".tar", ".tgz", ".gz", ".tbz2", ".bz2", ".txz", ".xz", ".zst", ".7z"}

// isArchive reports whether the sources would open a document of a media type, if its name said what it is.
func isArchive(mediaType string) bool {
	switch mediaType {
	case mediatype.ZIP, "application/x-tar", "application/gzip", "application/x-bzip2", "application/x-xz", "application/zstd", "application/x-7z-compressed":
		return true
	}
	return false
}

// fill takes over what was read.
func (r *Reading) fill(c *content.Content, err error) error {
	if err == nil {
		r.Content = *c
	}
	return err
}

// readIn reads data in a child process.
func (s *Step) readIn(ctx context.Context, r *Reading, name, mediaType string, data []byte) error {
	got, err := s.Pool.read(ctx, name, mediaType, data)
	if got != nil {
		r.Memory, r.took = got.Memory, got.took
	}
	if err != nil {
		return err
	}
	r.Content = *got.Content
	return nil
}

// converter is the program that the user names for such a document.
func (s *Step) converter(name, mediaType string) (convert.Command, bool) {
	if c, ok := s.Converters[strings.ToLower(path.Ext(name))]; ok {
		return c, true
	}
	c, ok := s.Converters[mediaType]
	return c, ok
}

// convert has a program make a document that a reader reads.
func (s *Step) convert(ctx context.Context, r *Reading, c convert.Command, name string, data []byte) error {
	out, outName, err := s.run(ctx, c, name, data)
	if err != nil {
		return err
	}
	made := mediatype.Detect(outName, out)
	switch {
	case len(out) == 0:
		return r.fill(&content.Content{}, nil)
	case isPlain(made):
		return r.fill(readPlain(out, s.Pool.bounds()))
	case isRead(made):
		return s.readIn(ctx, r, outName, made, out)
	}
	return content.Damaged("the converter made %s of it, which no reader reads", mediatype.Describe(made))
}

// excludeHint says how all the files of a name's extension are left out; "" where the extension would be a bad pattern.
func excludeHint(name string) string {
	ext := path.Ext(name)
	if len(ext) < 2 || len(ext) > 16 || strings.ContainsAny(ext, "\"*?[]{}\\/ ") {
		return ""
	}
	return `, or leave it out with --exclude "*` + ext + `"`
}
