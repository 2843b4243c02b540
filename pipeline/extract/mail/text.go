package mail

import (
	"bytes"
	"context"
	"strings"
	"unicode"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mail/letter"
)

// text writes a part that is shown as text.
func (r *reader) text(ctx context.Context, e entity, s scope) error {
	switch {
	case s.noText && isForm(e), s.page && e.kind != "text/html" && e.kind != "text/plain":
		return nil
	case e.kind == "text/plain":
		return r.plain(ctx, e)
	case e.kind == "text/html":
		return r.within(ctx, e, e.data(), "body.html", "the HTML text")
	case e.kind == "text/rtf":
		return r.within(ctx, e, e.data(), "body.rtf", "the RTF text")
	}
	return r.asIs(e)
}

// asIs writes a part that is text whatever its type.
func (r *reader) asIs(e entity) error {
	text, err := r.decode(e, e.data())
	r.out.Text(text)
	return err
}

// within writes the text of a part that another reader reads.
func (r *reader) within(ctx context.Context, e entity, data []byte, name, what string) error {
	text, err := r.out.Read(ctx, &content.File{Name: name, MediaType: e.kind, Charset: r.charset(e), Data: data}, what)
	if err != nil {
		return err
	}
	r.out.Text(text)
	return nil
}

// plain writes plain text, then the files that are in it in the format of uuencode. Some programs send HTML and call it plain.
func (r *reader) plain(ctx context.Context, e entity) error {
	data := e.data()
	if isHTML(data) {
		e.kind = "text/html"
		return r.within(ctx, e, data, "body.html", "the HTML text")
	}
	data, files := cutFiles(&r.decoder, data)
	text, err := r.decode(e, data)
	if err != nil {
		return err
	}
	if strings.EqualFold(e.param["format"], "flowed") {
		text = unflow(text, strings.EqualFold(e.param["delsp"], "yes"))
	}
	if isPGP(text) {
		r.out.Lock()
	} else {
		r.out.Text(text)
	}
	for _, file := range files {
		if err := r.enter(ctx); err != nil {
			return err
		}
		if err := r.out.Attachment(ctx, &file); err != nil {
			return err
		}
	}
	return nil
}

// cutFiles takes the files in the format of uuencode out of a text.
func cutFiles(d *letter.Decoder, data []byte) (text []byte, files []content.File) {
	for {
		name, file, span, ok := cutUU(data)
		if !ok && len(files) == 0 {
			return data, nil
		}
		if !ok {
			return append(text, data...), files
		}
		text = append(text, data[:span[0]]...)
		data = data[span[1]:]
		files = append(files, content.File{Name: decodeWords(d, name), Data: file})
	}
}

// charset is what the bytes of a part are said to be encoded in; "" for nothing.
func (r *reader) charset(e entity) string {
	if r.utf8 && len(e.body) > 0 && !isEncoded(e) {
		return "utf-8"
	}
	return e.param["charset"]
}

func isEncoded(e entity) bool {
	switch firstWord(e.header.get("content-transfer-encoding")) {
	case "", "7bit", "8bit", "binary":
		return false
	}
	return true
}

// decode gives text as UTF-8 with LF line ends. What can't but be over the bound on text is refused before it takes more memory: no encoding
// in use takes more than two bytes for what UTF-8 has in one.
func (r *reader) decode(e entity, data []byte) (string, error) {
	if limit := r.file.Bounds.Text; len(data)/2 > limit {
		return "", content.TooLarge("it holds more than %s of text (the bound on text)", content.Bytes(int64(limit)))
	}
	text := r.decoder.Decode(data, r.charset(e))
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	return text, nil
}

// isHTML reports whether a text begins as a page does.
func isHTML(data []byte) bool {
	start := bytes.ToLower(bytes.TrimSpace(data[:min(len(data), 200)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// isPGP reports whether a text is nothing but a message of PGP (RFC 4880, section 6.2).
func isPGP(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "-----BEGIN PGP MESSAGE-----") && strings.HasSuffix(text, "-----END PGP MESSAGE-----")
}

// unflow puts together the lines of a paragraph that was sent as format=flowed (RFC 3676): a line that ends in a space goes on in the next
// one of the same quotation depth, but for the one before a signature. With delSp the space was added for that only.
func unflow(text string, delSp bool) string {
	var out strings.Builder
	open, depth := false, 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		body := strings.TrimLeft(line, ">")
		quoted := len(line) - len(body)
		body = strings.TrimPrefix(body, " ")
		if open && (quoted != depth || body == "-- ") {
			out.WriteString("\n")
			open = false
		}
		if !open {
			out.WriteString(strings.Repeat(">", quoted))
			if quoted > 0 {
				out.WriteString(" ")
			}
		}
		depth = quoted
		if open = strings.HasSuffix(body, " ") && body != "-- "; open && delSp {
			body = strings.TrimSuffix(body, " ")
		}
		out.WriteString(body)
		if !open {
			out.WriteString("\n")
		}
	}
	return out.String()
}

// Bounds of what is taken for a stub: "This is a message in HTML, please open it in your browser".
const (
	stubBytes = 400     // it is no longer
	stubRatio = 5       // and the HTML has at least so many times its text
	plainMax  = 1 << 20 // what is longer before it is decoded is taken as it is
	richDepth = 3       // how deep in the alternative the HTML is looked for
)

// better chooses between the plain and the rich alternative: the plain one, unless it is empty or a stub, or the rich one has tables, of which
// the plain one tells the cells one after the other.
func (r *reader) better(ctx context.Context, kids []entity, plain, rich int) int {
	if len(kids[plain].body) > plainMax {
		return plain
	}
	text, _ := r.decode(kids[plain], kids[plain].data()) // far from the bound
	page, _ := r.htmlIn(kids[rich], r.file.Bounds.Parts, richDepth)
	data := page.data()
	switch n := visible(text); {
	case n == 0, n < stubBytes && visibleHTML(string(data)) > stubRatio*n:
		return rich
	case r.out.HasTables(ctx, &content.File{Name: "body.html", MediaType: "text/html", Charset: r.charset(page), Data: data}, text):
		return rich
	}
	return plain
}

// htmlIn is the first HTML in a part.
func (r *reader) htmlIn(e entity, limit, depth int) (page entity, ok bool) {
	if e.kind == "text/html" {
		return e, true
	}
	if !e.isMultipart() || depth == 0 {
		return entity{}, false
	}
	for _, data := range split(e.body, e.param["boundary"], limit) {
		if page, ok := r.htmlIn(r.parse(data, "text/plain"), limit, depth-1); ok {
			return page, true
		}
	}
	return entity{}, false
}

// visible counts the bytes of text that are no white space.
func visible(text string) (n int) {
	for _, c := range text {
		if !unicode.IsSpace(c) {
			n++
		}
	}
	return n
}

// visibleHTML counts them roughly for HTML: outside of tags, styles and scripts.
func visibleHTML(page string) (n int) {
	for page != "" {
		text, tag, _ := strings.Cut(page, "<")
		n += visible(text)
		name := strings.ToLower(tag[:min(len(tag), 6)])
		end := ">"
		switch {
		case strings.HasPrefix(name, "style"):
			end = "</style>"
		case strings.HasPrefix(name, "script"):
			end = "</script>"
		case strings.HasPrefix(name, "!--"):
			end = "-->"
		}
		_, page, _ = strings.Cut(tag, end)
	}
	return n
}
