package html

import (
	"strings"
	"time"

	"docbatch/pipeline/extract/content"
)

// A meta is what a page says of itself. What is said first counts.
type meta struct {
	values    map[string]string // by the key of content.Meta
	secondary map[string]string // of what stands in where nothing better is said
}

// metaNames are the names of meta elements (of HTML, Dublin Core, Open Graph and others) that say something for content.Meta.
var metaNames = map[string]string{
	"author": content.MetaAuthor, "dc.creator": content.MetaAuthor, "dcterms.creator": content.MetaAuthor,
	"description": content.MetaSubject, "dc.description": content.MetaSubject, "dcterms.description": content.MetaSubject,
	"keywords": content.MetaKeywords, "dc.subject": content.MetaKeywords, "dcterms.subject": content.MetaKeywords,
	"article:published_time": content.MetaCreated, "dcterms.created": content.MetaCreated, "dc.date.created": content.MetaCreated,
	"dcterms.issued": content.MetaCreated, "datepublished": content.MetaCreated, "created": content.MetaCreated,
	"article:modified_time": content.MetaModified, "dcterms.modified": content.MetaModified, "dc.date.modified": content.MetaModified,
	"datemodified": content.MetaModified, "last-modified": content.MetaModified, "changed": content.MetaModified,
	"content-language": content.MetaLanguage, "dc.language": content.MetaLanguage, "dcterms.language": content.MetaLanguage,
}

// secondaryNames are names for when there is none of the others.
var secondaryNames = map[string]string{
	"dc.title": content.MetaTitle, "dcterms.title": content.MetaTitle, "og:title": content.MetaTitle,
	"og:description": content.MetaSubject, "dc.date": content.MetaCreated, "date": content.MetaCreated,
}

// add takes the element html or meta.
func (m *meta) add(t tag) {
	if t.name == "html" {
		m.set(content.MetaLanguage, t.attr["lang"])
		m.set(content.MetaLanguage, t.attr["xml:lang"])
		return
	}
	for _, key := range []string{"name", "property", "itemprop", "http-equiv"} {
		name := strings.ToLower(strings.TrimSpace(t.attr[key]))
		if to, ok := metaNames[name]; ok {
			m.set(to, t.attr["content"])
		}
		if to, ok := secondaryNames[name]; ok {
			put(&m.secondary, to, t.attr["content"])
		}
	}
}

// setTitle takes the text of the element title.
func (m *meta) setTitle(text string) { m.set(content.MetaTitle, text) }

// set notes a value, unless there is one.
func (m *meta) set(key, value string) { put(&m.values, key, value) }

// put notes a value, unless there is one or it says nothing.
func put(values *map[string]string, key, value string) {
	if key == content.MetaCreated || key == content.MetaModified {
		value = date(value)
	}
	value = strings.TrimSpace(value)
	if _, ok := (*values)[key]; ok || value == "" {
		return
	}
	if *values == nil {
		*values = map[string]string{}
	}
	(*values)[key] = value
}

// fill gives c what the page says of itself.
func (m *meta) fill(c *content.Content) {
	for key, value := range m.secondary {
		c.SetMeta(key, value)
	}
	for key, value := range m.values {
		c.SetMeta(key, value)
	}
}

// date turns a date of the usual forms into one of RFC 3339, as exact as it is; "" where it is of no such form.
func date(text string) string {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05-0700", "2006-01-02T15:04Z07:00", time.RFC1123Z, time.RFC1123, "Mon, 2 Jan 2006 15:04:05 MST"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Format(time.RFC3339)
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Format("2006-01-02T15:04:05")
		}
	}
	for _, layout := range []string{time.DateOnly, "2006/01/02", "20060102", "January 2, 2006", "Jan 2, 2006", "2 January 2006", "2 Jan 2006"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Format(time.DateOnly)
		}
	}
	return ""
}
