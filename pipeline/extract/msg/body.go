package msg

import (
	"context"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mail/letter"
)

// writeBody writes the text of a message: the plain one, which Outlook always makes of the others, else the HTML, else the RTF.
func writeBody(ctx context.Context, out *letter.Writer, p properties, limit int64) error {
	if text := p.text(pidBody); strings.TrimSpace(text) != "" {
		out.Text(strings.ReplaceAll(text, "\r\n", "\n"))
		return nil
	}
	for _, part := range []*content.File{p.html(), p.rtf(out, limit)} {
		if part == nil {
			continue
		}
		text, err := out.Read(ctx, part, "the text")
		if err != nil {
			return err
		}
		if strings.TrimSpace(text) != "" {
			out.Text(text)
			return nil
		}
	}
	return nil
}

// html is the text as HTML; nil where there is none. Its bytes are in the code page of the Internet, not of the message.
func (p properties) html() *content.File {
	v, ok := p.find(pidHTML)
	if !ok || len(v.data) == 0 {
		return nil
	}
	part := &content.File{Name: "body.html", MediaType: "text/html", Data: v.data, Charset: p.codePage(pidInternetCodePage)}
	if v.kind != typeBinary {
		part.Data, part.Charset = []byte(p.text(pidHTML)), "utf-8"
	}
	return part
}

// rtf is the text as RTF; nil where there is none.
func (p properties) rtf(out *letter.Writer, limit int64) *content.File {
	v, ok := p.find(pidCompressedRTF)
	if !ok || len(v.data) == 0 {
		return nil
	}
	data, err := decompressRTF(v.data, limit)
	if err != nil {
		out.Warn("the text: " + err.Error())
		return nil
	}
	return &content.File{Name: "body.rtf", MediaType: "application/rtf", Data: data}
}

// attachment is an attachment as a file; without bytes where it is none.
func (p properties) attachment() *content.File {
	part := &content.File{
		Name:      p.first(pidAttachLongFileName, pidAttachFileName, pidDisplayName),
		MediaType: strings.ToLower(p.first(pidAttachMIMEType)),
	}
	if v, ok := p.find(pidAttachData); ok && v.kind == typeBinary {
		part.Data = v.data
	}
	return part
}

// isSMIME reports whether a message is one of S/MIME, signed or encrypted.
func (p properties) isSMIME() bool {
	return strings.HasPrefix(strings.ToUpper(p.text(pidMessageClass)), "IPM.NOTE.SMIME")
}

// codePage is the name of the encoding that the first of several properties gives as a number of Windows; "" where none does.
func (p properties) codePage(ids ...uint16) string {
	for _, id := range ids {
		if n := p.number(id); n != 0 {
			return codePageName(n)
		}
	}
	return ""
}
