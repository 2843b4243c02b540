package mediatype

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"strings"
)

// maxEntries bounds how many names of a ZIP archive are looked at. A document of an office program has its own before that.
const maxEntries = 20_000

// zipType tells apart the formats that lie in ZIP archives. OpenDocument and EPUB say what they are in an entry "mimetype"; the formats
// of Microsoft are told by the folder that their parts lie in. Where the names say nothing, the archive being damaged, the extension does.
func zipType(ext string, data []byte) string {
	entries := zipEntries(data)
	if e, ok := entries["mimetype"]; ok {
		if t := declaredType(e.content(data, 256)); t != "" {
			return t
		}
	}
	types, isOOXML := entries["[content_types].xml"]
	for _, kind := range packed {
		if _, ok := entries[kind.main]; ok || isOOXML && kind.folder != "" && entries.has(kind.folder) {
			return kind.mediaType
		}
	}
	if isOOXML {
		return contentType(types.content(data, 64<<10))
	}
	if e, ok := entries["meta-inf/manifest.xml"]; ok {
		if t := manifestType(e.content(data, 64<<10)); t != "" {
			return t
		}
	}
	return claimed(ext, ZIP)
}

// packed are the formats that are told by the name of an entry or by the folder beside [Content_Types].xml.
var packed = []struct{ main, folder, mediaType string }{
	{"xl/workbook.bin", "", XLSB},
	{"word/document.xml", "word/", DOCX},
	{"xl/workbook.xml", "xl/", XLSX},
	{"ppt/presentation.xml", "ppt/", PPTX},
	{"meta-inf/container.xml", "", EPUB},
	{"visio/document.xml", "visio/", "application/vnd.ms-visio.drawing.main+xml"},
	{"fixeddocseq.fdseq", "", "application/vnd.ms-xpsdocument"},
	{"index/document.iwa", "", "application/vnd.apple.iwork"},
	{"androidmanifest.xml", "", "application/vnd.android.package-archive"},
	{"meta-inf/manifest.mf", "", "application/java-archive"},
}

// declaredType is what an entry "mimetype" says, without the kinds that are read alike.
func declaredType(content []byte) string {
	t, _, _ := strings.Cut(strings.TrimSpace(string(content)), ";")
	t = strings.ToLower(strings.TrimSpace(t))
	if !isMediaType(t) {
		return ""
	}
	if strings.HasPrefix(t, odf) {
		for _, kind := range []string{"-template", "-master", "-web"} {
			t = strings.TrimSuffix(t, kind)
		}
	}
	return t
}

func isMediaType(t string) bool {
	major, minor, ok := strings.Cut(t, "/")
	return ok && major == "application" && minor != "" &&
		strings.Trim(minor, "abcdefghijklmnopqrstuvwxyz0123456789.+-_") == ""
}

// contentType is what [Content_Types].xml says: some writers put the parts elsewhere.
func contentType(content []byte) string {
	for _, kind := range []struct{ word, mediaType string }{
		{"wordprocessingml.", DOCX}, {"ms-word.", DOCX},
		{"presentationml.", PPTX}, {"ms-powerpoint.", PPTX},
		{"spreadsheetml.", XLSX}, {"ms-excel.", XLSX},
	} {
		if bytes.Contains(content, []byte(kind.word)) {
			return kind.mediaType
		}
	}
	return ZIP
}

// manifestType is what the manifest of OpenDocument says of the whole: the first type in it, as far as it is one of OpenDocument's.
func manifestType(content []byte) string {
	_, after, ok := strings.Cut(string(content), odf)
	if !ok {
		return ""
	}
	end := strings.IndexAny(after, "\"'")
	if end < 0 {
		return ""
	}
	return declaredType([]byte(odf + after[:end]))
}

// A zipEntry is where an entry's content lies, and how.
type zipEntry struct {
	header     int // the offset of the local header
	method     uint16
	compressed int64 // 0 where the header does not know
}

type zipNames map[string]zipEntry

// has reports whether there is an entry in folder.
func (names zipNames) has(folder string) bool {
	for name := range names {
		if strings.HasPrefix(name, folder) {
			return true
		}
	}
	return false
}

// add notes an entry, in small letters and with slashes, as few writers have it otherwise.
func (names zipNames) add(name []byte, e zipEntry) {
	key := strings.TrimPrefix(strings.ReplaceAll(strings.ToLower(string(name)), `\`, "/"), "/")
	if _, ok := names[key]; !ok {
		names[key] = e
	}
}

// zipEntries lists the entries by the central directory, or by their own headers where there is none that can be read: the archive
// is damaged, or cut. See APPNOTE.TXT, 4.3.
func zipEntries(data []byte) zipNames {
	if names := centralEntries(data); len(names) > 0 {
		return names
	}
	return localEntries(data)
}

func centralEntries(data []byte) zipNames {
	const trailer, header = 22, 46
	tail := max(0, len(data)-trailer-1<<16)
	end := bytes.LastIndex(data[tail:], []byte("PK\x05\x06"))
	if end < 0 || len(data)-tail-end < trailer {
		return nil
	}
	end += tail
	size := int(binary.LittleEndian.Uint32(data[end+12:]))
	start := end - size // and not where it says: there may be junk before the archive
	if start < 0 {
		return nil
	}
	shift := start - int(binary.LittleEndian.Uint32(data[end+16:]))
	names := zipNames{}
	for at := start; at+header <= end && string(data[at:at+4]) == "PK\x01\x02" && len(names) < maxEntries; {
		h := data[at:]
		n := int(binary.LittleEndian.Uint16(h[28:]))
		if at+header+n > end {
			break
		}
		names.add(h[header:header+n], zipEntry{
			header:     int(binary.LittleEndian.Uint32(h[42:])) + shift,
			method:     binary.LittleEndian.Uint16(h[10:]),
			compressed: int64(binary.LittleEndian.Uint32(h[20:])),
		})
		at += header + n + int(binary.LittleEndian.Uint16(h[30:])) + int(binary.LittleEndian.Uint16(h[32:]))
	}
	return names
}

// localEntries finds one header after the other. It steps over content whose length is known, so that an archive within is not
// taken for part of this one.
func localEntries(data []byte) zipNames {
	const header = 30
	names := zipNames{}
	for at := 0; len(names) < maxEntries; {
		next := bytes.Index(data[at:], []byte("PK\x03\x04"))
		if next < 0 || at+next+header > len(data) {
			break
		}
		at += next
		h := data[at:]
		n := int(binary.LittleEndian.Uint16(h[26:]))
		if at+header+n > len(data) {
			break
		}
		e := zipEntry{header: at, method: binary.LittleEndian.Uint16(h[8:]), compressed: int64(binary.LittleEndian.Uint32(h[18:]))}
		names.add(h[header:header+n], e)
		at += header + n
		if e.compressed <= int64(len(data)-at) {
			at += int(e.compressed)
		}
	}
	return names
}

// content unpacks up to limit bytes of the entry; what is damaged in it ends it.
func (e zipEntry) content(data []byte, limit int64) []byte {
	const header = 30
	if e.header < 0 || e.header > len(data)-header {
		return nil
	}
	h := data[e.header:]
	skip := header + int(binary.LittleEndian.Uint16(h[26:])) + int(binary.LittleEndian.Uint16(h[28:]))
	if skip > len(h) {
		return nil
	}
	body := h[skip:]
	if e.compressed > 0 {
		body = body[:min(int64(len(body)), e.compressed)]
	}
	switch e.method {
	case 0:
		return body[:min(int64(len(body)), limit)]
	case 8:
		out, _ := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(body)), limit))
		return out
	}
	return nil
}
