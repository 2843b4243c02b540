package ooxml

import (
	"time"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// properties are the elements of the parts of properties and the keys of Content.Meta that they become.
var properties = map[string]string{
	"dc:title":         content.MetaTitle,
	"dc:creator":       content.MetaAuthor,
	"dc:subject":       content.MetaSubject,
	"cp:keywords":      content.MetaKeywords,
	"dc:language":      content.MetaLanguage,
	"dcterms:created":  content.MetaCreated,
	"dcterms:modified": content.MetaModified,
	"ep:Pages":         content.MetaPages,
	"ep:Slides":        content.MetaPages,
}

// readMeta notes what the core and the extended properties say of the document.
func (c *container) readMeta() error {
	list, err := c.relations("")
	if err != nil {
		return err
	}
	for _, r := range list {
		switch r.kind {
		case "core-properties", "extended-properties", "extendedProperties":
			if err := c.read(r.target, c.readProperties); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *container) readProperties(x *pack.Decoder, _ *pack.Node) error {
	return x.Children(func(n *pack.Node) error {
		key := properties[n.Name]
		if key == "" {
			return nil
		}
		text, err := x.Text()
		switch key {
		case content.MetaCreated, content.MetaModified:
			text = date(text)
		case content.MetaPages:
			if text == "0" {
				text = ""
			}
		}
		c.content.SetMeta(key, text)
		return err
	})
}

// date makes RFC 3339 of a W3CDTF date, as exact as it is; "" of what is none.
func date(text string) string {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", time.DateOnly} {
		t, err := time.Parse(layout, text)
		switch {
		case err != nil:
		case layout == time.DateOnly:
			return text
		default:
			return t.Format(time.RFC3339)
		}
	}
	return ""
}
