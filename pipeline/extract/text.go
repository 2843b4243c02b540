package extract

import (
	"context"
	"strings"

	"docbatch/pipeline/charset"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mediatype"
)

// isPlain reports whether documents of a media type are text as they lie there.
func isPlain(mediaType string) bool {
	switch mediaType {
	case mediatype.JSON, mediatype.NDJSON, mediatype.YAML, mediatype.XML:
		return true
	case mediatype.HTML:
		return false
	}
	return strings.HasPrefix(mediaType, "text/")
}

// readPlain is what a document says that is text as it lies there.
func readPlain(data []byte, b *content.Bounds) (*content.Content, error) {
	return plain(context.Background(), &content.File{Data: data, Bounds: b})
}

// plain is the reader of everything that is text as it lies there.
func plain(_ context.Context, f *content.File) (*content.Content, error) {
	if len(f.Data) > f.Bounds.Text {
		return nil, tooMuchText(f.Bounds)
	}
	text, _ := charset.DecodeAs(f.Data, f.Charset)
	return &content.Content{Text: clean(text)}, nil
}

func tooMuchText(b *content.Bounds) error {
	return content.TooLarge("it holds more than %s of text (the bound on text)", content.Bytes(int64(b.Text)))
}

// clean makes every line end a single LF and removes the control characters that are neither newline nor tab. Form feed, vertical tab
// and NEL end a line too: without them two words would become one.
func clean(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if strings.IndexFunc(text, isUnclean) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r' || r == '\f' || r == '\v' || r == '\u0085':
			return '\n'
		case isUnclean(r):
			return -1
		}
		return r
	}, text)
}

func isUnclean(r rune) bool {
	return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0
}
