package extract

import (
	"context"
	"strings"

	"docbatch/pipeline"
	"docbatch/pipeline/charset"
)

// plain is the extractor of everything that is text as it lies there.
func plain(_ context.Context, doc *pipeline.Document) (string, error) {
	text, _ := charset.Decode(doc.Data)
	return text, nil
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
