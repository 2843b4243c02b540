// Package extract is the step that turns a document's bytes into text: it finds out what the bytes are and hands them to the extractor of
// that media type. Each format is one file; to add one, write its extractor and name it in the table of New.
//
// It opens nothing and asks nobody: what it needs is in the document.
package extract

import (
	"context"
	"path"
	"strings"

	"docbatch/pipeline"
)

// An extractor gives the text of doc.Data, of the media type that it is registered for, and may note in doc.Meta what the format says of
// the document. It bounds what it builds; its errors are of class Invalid where the document is at fault.
type extractor func(ctx context.Context, doc *pipeline.Document) (text string, err error)

// A Step is the extract step. It fills Document.Text and MediaType from Data and then drops Data.
type Step struct {
	extractors map[string]extractor // by media type
}

var _ pipeline.Step = (*Step)(nil)

// New makes the step with all the extractors there are.
func New() *Step {
	return &Step{extractors: map[string]extractor{
		"text/plain":                plain,
		"text/markdown":             plain,
		"text/csv":                  plain,
		"text/tab-separated-values": plain,
		"application/json":          plain,
		"application/x-ndjson":      plain,
		"application/yaml":          plain,
		"application/xml":           plain,
		"message/rfc822":            plain,
	}}
}

// Name is "extract".
func (s *Step) Name() string { return "extract" }

// Do leaves in doc.Text the document's text with LF line ends and without control characters other than newline and tab. A
// document that has Text already, a row, keeps it but for those. Errors are of class Invalid: KindUnsupported where there is no
// extractor for what the bytes are, KindNoText where nothing but white space is in it.
func (s *Step) Do(ctx context.Context, doc *pipeline.Document, _ *pipeline.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.extract(ctx, doc); err != nil {
		return err
	}
	doc.Text = clean(doc.Text)
	doc.Data = nil
	if strings.TrimSpace(doc.Text) == "" {
		return pipeline.Errorf(pipeline.Invalid, pipeline.KindNoText, "%s: there is no text in it", doc.Name)
	}
	return nil
}

// extract fills in MediaType, and Text where there is none yet.
func (s *Step) extract(ctx context.Context, doc *pipeline.Document) error {
	if doc.Text != "" || len(doc.Data) == 0 {
		doc.MediaType = "text/plain"
		return nil
	}
	doc.MediaType = mediaType(doc.Name, doc.Data)
	extract, ok := s.extractors[doc.MediaType]
	if !ok {
		return pipeline.Errorf(pipeline.Invalid, pipeline.KindUnsupported,
			"%s: no extractor for %s yet; convert it to text first%s", doc.Name, describe(doc.MediaType), excludeHint(doc.Name))
	}
	text, err := extract(ctx, doc)
	if err != nil {
		return err
	}
	doc.Text = text
	return nil
}

// excludeHint says how all the files of a name's extension are left out; "" where the extension would be a bad pattern.
func excludeHint(name string) string {
	ext := path.Ext(name)
	if len(ext) < 2 || len(ext) > 16 || strings.ContainsAny(ext, "\"*?[]{}\\/ ") {
		return ""
	}
	return `, or leave it out with --exclude "*` + ext + `"`
}
