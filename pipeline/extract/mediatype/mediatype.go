// Package mediatype finds out what a document is by looking at its bytes. The name decides only where formats look alike.
//
// It does not judge whether a document can be read: a damaged document keeps the type that it was meant to be, so that its reader can say
// what is wrong with it.
package mediatype

import (
	"bytes"
	"path"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"docbatch/pipeline/charset"
)

// The types that are told apart here, beside those that mimetype knows: pictures, sound, films, fonts, archives.
const (
	PDF        = "application/pdf"
	RTF        = "application/rtf"
	PostScript = "application/postscript"
	HTML       = "text/html"                             // XHTML too
	XML        = "application/xml"                       // any, Word 2003 and SVG included, but for XHTML and flat OpenDocument
	Mail       = "message/rfc822"                        // one message
	Mbox       = "application/mbox"                      // many
	MHTML      = "multipart/related"                     // a web page saved as a mail, with its pictures
	TNEF       = "application/vnd.ms-tnef"               // winmail.dat
	DOCX       = ooxml + "wordprocessingml.document"     // templates and documents with macros too
	XLSX       = ooxml + "spreadsheetml.sheet"           // templates and workbooks with macros too
	XLSB       = "application/vnd.ms-excel.sheet.binary" // the parts are not XML
	PPTX       = ooxml + "presentationml.presentation"   // templates, shows and presentations with macros too
	EPUB       = "application/epub+zip"
	ODT        = odf + "text" // templates and master documents too; "-flat-xml" is added for the form without ZIP
	ODS        = odf + "spreadsheet"
	ODP        = odf + "presentation"
	DOC        = "application/msword"
	XLS        = "application/vnd.ms-excel"
	PPT        = "application/vnd.ms-powerpoint"
	MSG        = "application/vnd.ms-outlook"
	OLE        = "application/x-ole-storage"     // of none of the known programs
	Encrypted  = "application/x-ooxml-encrypted" // a DOCX, XLSX or PPTX behind a password
	ZIP        = "application/zip"
	Text       = "text/plain" // source code and logs too
	Markdown   = "text/markdown"
	CSV        = "text/csv"
	TSV        = "text/tab-separated-values"
	JSON       = "application/json"
	NDJSON     = "application/x-ndjson"
	YAML       = "application/yaml"
	VCard      = "text/vcard"
	Calendar   = "text/calendar"
	Binary     = "application/octet-stream" // bytes that are neither text nor of a known format

	ooxml = "application/vnd.openxmlformats-officedocument."
	odf   = "application/vnd.oasis.opendocument."
)

// headBytes is how much of a text is looked at, and of any document where a format allows junk before its header: so ISO 32000-1,
// appendix H, says of PDF.
const headBytes = 4 << 10

// Detect says what data is: a media type without parameters, one of the constants or one that github.com/gabriel-vasile/mimetype knows.
// It looks at name's extension only where the bytes leave a choice. It never fails: what nothing is known of is Text or Binary.
func Detect(name string, data []byte) string {
	ext := strings.ToLower(path.Ext(name))
	switch {
	case bytes.HasPrefix(data, []byte(oleMagic)):
		return oleType(ext, data)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("PK\x05\x06")):
		return zipType(ext, data)
	case isPDF(ext, data):
		return PDF
	case bytes.HasPrefix(data, []byte("\x78\x9f\x3e\x22")):
		return TNEF
	case bytes.HasPrefix(data, []byte("\xdb\xa5-\x00")):
		return DOC // Word 2
	case isOldExcel(data):
		return XLS
	}
	isBinary := charset.IsBinary(data)
	if isBinary || unprintable(data) {
		if t := binaryType(data); t != Binary {
			return t
		}
	}
	text, _ := charset.Decode(data[:min(len(data), headBytes)])
	if !isBinary {
		return textType(ext, text)
	}
	if t := textType("", text); t != Text {
		return t // with binary data further in, as in mails and RTF
	}
	return claimed(ext, Binary)
}

// binaries are the formats of extensions whose documents are not text.
var binaries = map[string]string{
	".pdf": PDF, ".epub": EPUB,
	".docx": DOCX, ".docm": DOCX, ".dotx": DOCX, ".xlsx": XLSX, ".xlsm": XLSX, ".xltx": XLSX, ".pptx": PPTX, ".pptm": PPTX, ".ppsx": PPTX,
	".doc": DOC, ".dot": DOC, ".xls": XLS, ".xlt": XLS, ".ppt": PPT, ".pps": PPT, ".pot": PPT, ".msg": MSG,
	".odt": ODT, ".ott": ODT, ".ods": ODS, ".ots": ODS, ".odp": ODP, ".otp": ODP,
}

// claimed is what the extension says of bytes that are so damaged that they say nothing more than what is found; else it is found.
func claimed(ext, found string) string {
	if t, ok := binaries[ext]; ok {
		return t
	}
	return found
}

// isPDF looks for the header, which junk may come before. Words about PDF are no header: after junk, or under PDF's name without any
// header, something of PDF must follow.
func isPDF(ext string, data []byte) bool {
	at := bytes.Index(data[:min(len(data), headBytes/4)], []byte("%PDF-"))
	if at >= 0 && len(bytes.TrimSpace(bytes.TrimPrefix(data[:at], []byte("\xef\xbb\xbf")))) == 0 {
		return true
	}
	return (at >= 0 || ext == ".pdf") && bytes.Contains(data, []byte("endobj")) && bytes.Contains(data, []byte("startxref"))
}

// isOldExcel recognises the workbooks of Excel 2 to 4, which lie in no storage, by their first record, BOF, as MS-XLS 2.4.21 and
// OpenOffice.org's documentation of the format have it.
func isOldExcel(data []byte) bool {
	if len(data) < 8 || data[0] != 9 || data[3] != 0 || data[7] != 0 {
		return false
	}
	switch data[1] {
	case 0: // Excel 2
		return data[2] == 4
	case 2, 4: // Excel 3, 4
		return data[2] == 6
	}
	return false
}

// unprintable reports whether there is a control character in the first bytes, where formats have their marks. Some marks begin with
// letters, "BM" for one, and so does text.
func unprintable(data []byte) bool {
	return bytes.ContainsFunc(data[:min(len(data), 16)], func(r rune) bool { return r < '\t' || r > '\r' && r < ' ' && r != '\x1b' })
}

// binaryType asks mimetype. What it takes for text is not: it has seen less of it.
func binaryType(data []byte) string {
	m := mimetype.Detect(data)
	for up := m; up != nil; up = up.Parent() {
		if up.Is("text/plain") {
			return Binary
		}
	}
	t, _, _ := strings.Cut(m.String(), ";")
	return t
}
