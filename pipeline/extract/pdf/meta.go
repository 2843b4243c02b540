package pdf

import (
	"strconv"
	"strings"
	"time"

	"docbatch/pipeline/extract/content"
)

// maxMeta bounds one entry of a document's information, in bytes of UTF-16.
const maxMeta = 64 << 10

// entries are those of the document information dictionary (ISO 32000-1, 14.3.3) that are words.
var entries = []struct{ entry, key string }{
	{"Title", content.MetaTitle},
	{"Author", content.MetaAuthor},
	{"Subject", content.MetaSubject},
	{"Keywords", content.MetaKeywords},
}

// info is what a document says of itself, and the number of its pages.
type info struct {
	meta  map[string]string
	pages int
}

func (in *instance) info(doc pointer) info {
	var c content.Content
	entry := func(name string) string {
		at := in.put([]byte(name))
		defer in.call("free", at)
		return in.text16(maxMeta, "FPDF_GetMetaText", doc, at)
	}
	for _, e := range entries {
		c.SetMeta(e.key, entry(e.entry))
	}
	c.SetMeta(content.MetaCreated, date(entry("CreationDate")))
	c.SetMeta(content.MetaModified, date(entry("ModDate")))
	c.SetMeta(content.MetaLanguage, in.text16(maxMeta, "FPDFCatalog_GetLanguage", doc))
	pages := in.count("FPDF_GetPageCount", doc)
	c.SetMeta(content.MetaPages, strconv.Itoa(pages))
	return info{c.Meta, pages}
}

// date is a date of PDF, "D:YYYYMMDDHHmmSSOHH'mm'" (ISO 32000-1, 7.9.4), in RFC 3339, as exact as it is: "2024", "2024-03",
// "2024-03-01", and with a time only where its zone is known too. It is "" for what is no date.
func date(text string) string {
	digits := strings.TrimPrefix(strings.TrimSpace(text), "D:")
	zone := strings.TrimLeft(digits, "0123456789")
	digits = digits[:len(digits)-len(zone)]
	layout := "20060102150405"[:min(14, len(digits))&^1]
	if len(layout) < 4 {
		return ""
	}
	when, err := time.Parse(layout, digits[:len(layout)])
	if err != nil {
		return ""
	}
	offset, known := zoneOffset(zone)
	switch {
	case len(layout) == 4:
		return when.Format("2006")
	case len(layout) == 6:
		return when.Format("2006-01")
	case len(layout) < 12 || !known:
		return when.Format(time.DateOnly)
	}
	return when.Format("2006-01-02T15:04:05") + offset
}

// zoneOffset is the zone of a date as RFC 3339 has it: "+02'00'" is "+02:00".
func zoneOffset(zone string) (offset string, known bool) {
	if strings.HasPrefix(zone, "Z") {
		return "Z", true
	}
	parts := strings.Split(strings.Trim(zone, "'"), "'")
	if len(parts) < 2 {
		parts = append(parts, "00")
	}
	offset = parts[0] + ":" + parts[1]
	_, err := time.Parse("-07:00", offset)
	return offset, err == nil
}
