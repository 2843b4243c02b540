package msg

import (
	"context"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mail/letter"
)

// writeBody writes the text of a message: the plain one, which Outlook always makes of the others, unless there is none or another has tables
// of data; else the HTML, else the RTF.
func writeBody(ctx context.Context, out *letter.Writer, p properties, limit int64) error {
	plain := p.text(pidBody)
	said := strings.TrimSpace(plain) != ""
	rtf, err := p.rtf(limit)
	if err != nil && !said {
		out.Warn("the text: " + err.Error())
	}
	for _, part := range []*content.File{p.html(), rtf} {
		if part == nil || said && !out.HasTables(ctx, part, plain) {
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
	out.Text(strings.ReplaceAll(plain, "\r\n", "\n"))
	return ctx.Err()
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
func (p properties) rtf(limit int64) (*content.File, error) {
	v, ok := p.find(pidCompressedRTF)
	if !ok || len(v.data) == 0 {
		return nil, nil
	}
	data, err := decompressRTF(v.data, limit)
	if err != nil {
		return nil, err
	}
	return &content.File{Name: "body.rtf", MediaType: "application/rtf", Data: data}, nil
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
