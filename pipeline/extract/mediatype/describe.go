package mediatype

// words are the names of media types that a person does not read easily.
var words = map[string]string{
	PDF:        "PDF",
	RTF:        "RTF",
	PostScript: "PostScript",
	HTML:       "HTML",
	XML:        "XML",
	Mail:       "mails",
	Mbox:       "boxes of mails",
	MHTML:      "web archives",
	TNEF:       "winmail.dat of Outlook",
	DOCX:       "Word documents",
	XLSX:       "Excel workbooks",
	XLSB:       "binary Excel workbooks",
	PPTX:       "PowerPoint presentations",
	EPUB:       "EPUB books",
	ODT:        "OpenDocument texts",
	ODS:        "OpenDocument spreadsheets",
	ODP:        "OpenDocument presentations",
	DOC:        "Word 97 documents",
	XLS:        "Excel 97 workbooks",
	PPT:        "PowerPoint 97 presentations",
	MSG:        "Outlook messages",
	OLE:        "Office 97 files",
	Encrypted:  "encrypted Office documents",
	ZIP:        "ZIP archives",
	Text:       "text",
	Markdown:   "Markdown",
	CSV:        "CSV",
	TSV:        "TSV",
	JSON:       "JSON",
	YAML:       "YAML",
	Binary:     "binary data",

	"application/x-tar":            "tar archives",
	"application/gzip":             "gzip files",
	"application/x-bzip2":          "bzip2 files",
	"application/x-xz":             "xz files",
	"application/zstd":             "Zstandard files",
	"application/x-7z-compressed":  "7z archives",
	"application/vnd.rar":          "RAR archives",
	"application/vnd.sqlite3":      "SQLite databases",
	"application/x-hwp":            "Hangul documents",
	"application/vnd.visio":        "Visio drawings",
	"application/vnd.ms-publisher": "Publisher documents",

	ODT + "-flat-xml": "flat OpenDocument texts",
	ODS + "-flat-xml": "flat OpenDocument spreadsheets",
	ODP + "-flat-xml": "flat OpenDocument presentations",
}

// Describe names a media type to a person: "PDF (application/pdf)"; the media type alone where it says enough.
func Describe(mediaType string) string {
	if word, ok := words[mediaType]; ok {
		return word + " (" + mediaType + ")"
	}
	return mediaType
}
