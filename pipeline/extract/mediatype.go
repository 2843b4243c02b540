package extract

import (
	"bytes"
	"net/http"
	"path"
	"strings"

	"docbatch/pipeline/charset"
)

// headBytes is how much of a readable document is looked at to tell what it is.
const headBytes = 4 << 10

// A signature is how the bytes of a format begin. Only formats are here that net/http does not know, or whose beginning is itself
// readable text; what such a look at a few bytes can't tell apart is told apart by bytes further in, or by the name.
type signature struct {
	magic     string
	mediaType string
}

var signatures = []signature{
	{"%PDF-", "application/pdf"},
	{"{\\rtf", "application/rtf"},
	{"%!PS-Adobe-", "application/postscript"},
	{"PK\x03\x04", "application/zip"},
	{"PK\x05\x06", "application/zip"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"},
	{"\x89PNG\r\n\x1a\n", "image/png"},
	{"\xff\xd8\xff", "image/jpeg"},
	{"II*\x00", "image/tiff"},
	{"MM\x00*", "image/tiff"},
	{"\x1f\x8b\x08", "application/gzip"},
	{"BZh91AY&SY", "application/x-bzip2"},
	{"\xfd7zXZ\x00", "application/x-xz"},
	{"\x28\xb5\x2f\xfd", "application/zstd"},
	{"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
	{"SQLite format 3\x00", "application/vnd.sqlite3"},
	{"\x7fELF", "application/x-executable"},
}

// packed are the formats inside ZIP, by a string that the archive's list of names must hold.
var packed = []signature{
	{"word/document.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	{"xl/workbook.", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	{"ppt/presentation.xml", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	{"mimetypeapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"},
	{"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"},
	{"mimetypeapplication/vnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument.presentation"},
	{"mimetypeapplication/epub+zip", "application/epub+zip"},
}

// ole are the formats inside OLE storage, by extension: telling them apart by content takes a parser.
var ole = map[string]string{
	".doc": "application/msword",
	".dot": "application/msword",
	".xls": "application/vnd.ms-excel",
	".ppt": "application/vnd.ms-powerpoint",
	".msg": "application/vnd.ms-outlook",
}

// texts are the formats of what is readable text, by extension; without one it is text/plain.
var texts = map[string]string{
	".md":       "text/markdown",
	".markdown": "text/markdown",
	".csv":      "text/csv",
	".tsv":      "text/tab-separated-values",
	".json":     "application/json",
	".jsonl":    "application/x-ndjson",
	".ndjson":   "application/x-ndjson",
	".yaml":     "application/yaml",
	".yml":      "application/yaml",
	".xml":      "application/xml",
	".eml":      "message/rfc822",
	".html":     "text/html",
	".htm":      "text/html",
	".xhtml":    "text/html",
}

// mediaType says what data is. The content decides; the name only where formats look alike.
func mediaType(name string, data []byte) string {
	ext := strings.ToLower(path.Ext(name))
	for _, s := range signatures {
		if bytes.HasPrefix(data, []byte(s.magic)) {
			return inside(s.mediaType, ext, data)
		}
	}
	if charset.IsBinary(data) {
		return binaryType(data)
	}
	text, _ := charset.Decode(data[:min(len(data), headBytes)])
	return textType(ext, text)
}

// inside tells apart the formats that share a container.
func inside(container, ext string, data []byte) string {
	switch container {
	case "application/zip":
		for _, s := range packed {
			if bytes.Contains(data, []byte(s.magic)) {
				return s.mediaType
			}
		}
	case "application/x-ole-storage":
		if t, ok := ole[ext]; ok {
			return t
		}
	}
	return container
}

// binaryType leaves the rest to net/http, which knows images, sound, films, fonts and archives. It takes any NUL for binary but not the
// other way round, so what it calls text is not.
func binaryType(data []byte) string {
	t := http.DetectContentType(data)
	if strings.HasPrefix(t, "text/") {
		return "application/octet-stream"
	}
	return t
}

// textType tells apart what is readable text. HTML that begins as such is HTML under any name; a fragment only under a name for it,
// since Markdown may begin with a tag or a comment too.
func textType(ext, text string) string {
	text = strings.TrimSpace(text)
	start := strings.ToLower(text[:min(len(text), 1024)])
	switch {
	case strings.HasPrefix(start, "{\\rtf"):
		return "application/rtf"
	case strings.HasPrefix(start, "%pdf-"):
		return "application/pdf"
	case strings.HasPrefix(start, "<!doctype html"), strings.HasPrefix(start, "<html"):
		return "text/html"
	case strings.HasPrefix(start, "<?xml"):
		if strings.Contains(start, "<!doctype html") || strings.Contains(start, "<html") {
			return "text/html"
		}
		return "application/xml"
	}
	if t, ok := texts[ext]; ok {
		return t
	}
	return "text/plain"
}

// formats are the words for media types that a person does not read easily.
var formats = map[string]string{
	"application/pdf":           "PDF",
	"application/rtf":           "RTF",
	"application/postscript":    "PostScript",
	"text/html":                 "HTML",
	"application/zip":           "ZIP archives",
	"application/gzip":          "gzip files",
	"application/x-gzip":        "gzip files",
	"application/msword":        "Word 97 documents",
	"application/vnd.ms-excel":  "Excel 97 workbooks as documents",
	"application/octet-stream":  "binary data",
	"application/x-ole-storage": "Office 97 files",
	"application/epub+zip":      "EPUB books",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   "Word documents",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         "Excel workbooks inside a folder",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint presentations",
	"application/vnd.oasis.opendocument.text":                                   "OpenDocument texts",
	"application/vnd.oasis.opendocument.spreadsheet":                            "OpenDocument spreadsheets",
	"application/vnd.oasis.opendocument.presentation":                           "OpenDocument presentations",
}

// describe names a media type for people: "PDF (application/pdf)".
func describe(mediaType string) string {
	if word, ok := formats[mediaType]; ok {
		return word + " (" + mediaType + ")"
	}
	return mediaType
}
