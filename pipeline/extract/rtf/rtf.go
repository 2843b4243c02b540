// Package rtf reads the Rich Text Format, and gets back the HTML of a mail that Outlook wrapped in it.
//
// The reader goes over the tokens once and keeps a small record for each group that is open. Pictures and other binary data are passed over;
// nothing in a document is executed or opened.
package rtf

import (
	"bytes"
	"cmp"
	"context"

	"docbatch/pipeline/charset"
	"docbatch/pipeline/extract/content"
)

// Read gives the text of an RTF document (Rich Text Format Specification 1.9.1) in any of its encodings: paragraphs as lines, headings,
// tables and bullets as Markdown, the numbers of lists as they stand in the document, a link as its text, a field as its result, the text of text boxes
// where their anchor is. Footnotes and comments stand where they are referred to, "[footnote: ...]" and "[comment by ...: ...]", headers and
// footers where their section begins, each once. Text formatted as hidden is marked "[hidden: ...]"; what a revision deleted is left out.
//
// A mail's HTML within RTF (see HTML) is read by f.Within. What does not begin as RTF does is text for the programs that read RTF, whatever
// its name, and is given as it stands, with a warning; there is one too where the document ends too early. The only error is of the bound on text.
func Read(ctx context.Context, f *content.File) (*content.Content, error) {
	data, ok := source(f.Data)
	if !ok {
		return asText(f)
	}
	if page, ok := HTML(data); ok && f.Within != nil {
		c, err := f.Within(ctx, &content.File{MediaType: "text/html", Charset: "utf-8", Data: page})
		if err == nil || ctx.Err() != nil {
			return c, err
		}
	}
	r := newReader(data, f.Bounds.Text)
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	if err := r.out.Err(); err != nil {
		return nil, err
	}
	r.describe()
	r.content.Text = r.out.String()
	return r.content, nil
}

// junk is how many bytes before the document are passed over.
const junk = 1 << 10

// source is data from the beginning of the document on; not ok where there is none.
func source(data []byte) (document []byte, ok bool) {
	at := bytes.Index(data[:min(len(data), junk)], []byte(`{\rtf`))
	if at < 0 {
		return nil, false
	}
	return data[at:], true
}

// asText gives what is no RTF as it stands.
func asText(f *content.File) (*content.Content, error) {
	text, _ := charset.DecodeAs(f.Data, f.Charset)
	w := content.NewWriter(f.Bounds.Text)
	w.WriteString(text)
	c := &content.Content{Text: w.String()}
	c.Warn(`it does not begin with {\rtf as an RTF document does, and is given as it stands`)
	return c, w.Err()
}

// HTML gives the page that an RTF document was made from, where it was: Outlook keeps the HTML of a mail so, in the RTF body of an MSG file
// (MS-OXRTFEX). The page is UTF-8, whatever it declares of itself. It is not ok where the document was not made from HTML.
func HTML(data []byte) (page []byte, ok bool) {
	data, ok = source(data)
	if !ok || !bytes.Contains(data[:min(len(data), junk)], []byte(`\fromhtml1`)) {
		return nil, false
	}
	r := newReader(data, 4*len(data)) // a byte is three of UTF-8 at most, a special character as long as its name
	r.html = true
	if err := r.read(context.Background()); err != nil {
		return nil, false
	}
	return []byte(r.out.String()), true
}

// read reads the document, and those that were appended to it.
func (r *reader) read(ctx context.Context) error {
	for n := 0; ; n++ {
		if n%4096 == 0 {
			if err := cmp.Or(ctx.Err(), r.out.Err()); err != nil {
				return err
			}
		}
		t := r.lexer.next()
		if t.kind == end {
			break
		}
		r.token(t)
		if len(r.groups) > 0 {
			continue
		}
		next := bytes.Index(r.lexer.data[r.lexer.at:], []byte(`{\rtf`))
		if next < 0 {
			return nil
		}
		r.lexer.at += next
	}
	if len(r.groups) > 0 {
		r.finish()
		r.content.Warn("the document ends before its last group does: it may be cut off")
	}
	return nil
}
