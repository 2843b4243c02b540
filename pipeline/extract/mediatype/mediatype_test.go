package mediatype

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

const junk = "\x00\x01\x02\x03\xff\xfe\x00\x00\x07\x08"

// zipped makes an archive of names and contents in turn.
func zipped(t testing.TB, files ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		method := zip.Deflate
		if files[i] == "mimetype" || strings.HasSuffix(files[i], ".docx") {
			method = zip.Store
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: files[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// ole makes a compound file of empty entries: those of top at its top, each the right sibling of the one before, and below the first
// of them those of deep.
func ole(top, deep []string) string {
	const free, end, fat = 0xffffffff, 0xfffffffe, 0xfffffffd
	le := binary.LittleEndian
	names := append(append([]string{"Root Entry"}, top...), deep...)
	sectors := (len(names) + 3) / 4
	header := bytes.Repeat([]byte{0xff}, 512)
	copy(header, oleMagic)
	copy(header[8:], make([]byte, 68))
	le.PutUint16(header[30:], 9)
	le.PutUint32(header[48:], 1)   // the directory's first sector
	le.PutUint32(header[68:], end) // no sectors with more of the table's list
	le.PutUint32(header[76:], 0)   // the table is sector 0
	table := bytes.Repeat([]byte{0xff}, 512)
	le.PutUint32(table, fat)
	for i := range sectors {
		le.PutUint32(table[4*(i+1):], uint32(i+2))
	}
	le.PutUint32(table[4*sectors:], end)
	directory := make([]byte, 512*sectors)
	for i, name := range names {
		e := directory[i*128:]
		for j, u := range utf16.Encode([]rune(name)) {
			le.PutUint16(e[2*j:], u)
		}
		le.PutUint16(e[64:], uint16(2*len(name)+2))
		for _, at := range []int{68, 72, 76} {
			le.PutUint32(e[at:], free)
		}
		if i > 0 && i != len(top) && i != len(names)-1 {
			le.PutUint32(e[72:], uint32(i+1))
		}
	}
	le.PutUint32(directory[76:], 1)
	if len(deep) > 0 {
		le.PutUint32(directory[128+76:], uint32(len(top)+1))
	}
	return string(header) + string(table) + string(directory)
}

func utf16le(s string) string { return "\xff\xfe" + string(utf16Bytes(s)) }

func TestDetect(t *testing.T) {
	docx := zipped(t, "[Content_Types].xml", "<Types/>", "word/document.xml", "<w:document/>")
	odt := zipped(t, "mimetype", ODT, "content.xml", "<x/>")
	doc := ole([]string{"ObjectPool", "\x05SummaryInformation", "1Table", "WordDocument"}, []string{"Workbook"})
	const header = "Received: from a by b\r\nFrom: jo@example.org\r\nTo: al@example.org\r\nSubject: x\r\nDate: Thu, 23 Nov 2026 10:00:00 +0000\r\n"
	for _, tt := range []struct {
		name, file, data, want string
	}{
		{"empty", "a.pdf", "", Text},
		{"plain", "a.txt", "hello\n", Text},
		{"no extension", "README", "hello", Text},
		{"markdown", "a.MD", "# Title", Markdown},
		{"markdown that begins with a tag", "a.md", "<div align=center>\nTitle", Markdown},
		{"markdown that begins with a comment", "a.md", "<!-- x -->\n# Title", Markdown},
		{"csv", "a.csv", "a,b\r\n1,2\r\n", CSV},
		{"csv in utf-16", "a.csv", utf16le("a,b\r\n1,2\r\n"), CSV},
		{"json", "a.json", `{"a": 1}`, JSON},
		{"yaml", "a.yml", "a: 1", YAML},
		{"yaml with the names of mail fields", "a.yml", "from: x\nto: y\n", YAML},
		{"notes that begin as a mail does", "a.txt", "Date: today\nSubject: the meeting\n\nWe met.\n", Text},
		{"source code", "main.go", "package main\n\tx\n", Text},
		{"script", "run", "#!/bin/sh\necho", Text},
		{"card", "a", "BEGIN:VCARD\r\nFN:Jo\r\n", VCard},
		{"calendar", "a.txt", "BEGIN:VCALENDAR\r\n", Calendar},
		{"text that calls itself a PDF", "a.pdf", "not found", Text},
		{"text that calls itself a DOCX", "a.docx", "not found", Text},
		{"text about PDF", "a.txt", "A file begins with %PDF-1.4 and ends with startxref.", Text},
		{"BMP begins with letters", "a.txt", "BMW sells cars", Text},
		{"windows-1252", "a.txt", "caf\xe9", Text},
		{"text with a NUL", "a.txt", "hello\x00 and more text", Text},

		{"xml", "feed", `<?xml version="1.0"?><a/>`, XML},
		{"svg", "a.svg", `<?xml version="1.0"?><svg/>`, XML},
		{"word 2003", "a.doc", `<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument/>`, XML},
		{"html", "a.html", "<p>hello", HTML},
		{"html by content", "a.txt", "\n<!DOCTYPE html><title>x", HTML},
		{"html after a comment", "a", "<!-- saved from url --><HTML>", HTML},
		{"html by its head", "a", "<head><title>x</title></head>", HTML},
		{"html in utf-16", "a.txt", utf16le("<html>"), HTML},
		{"html with a document type by name", "a", `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN"><html>`, HTML},
		{"xhtml", "page", `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">`, HTML},
		{"xhtml with a prefix", "page", `<?xml version="1.0"?><h:html xmlns:h="http://www.w3.org/1999/xhtml">`, HTML},
		{"xml that only holds html", "a.xml", `<?xml version="1.0"?><page><html></html></page>`, XML},
		{"flat odt", "a.fodt", `<?xml version="1.0"?><office:document xmlns:office="o" office:mimetype="application/vnd.oasis.opendocument.text">`, ODT + "-flat-xml"},
		{"flat odf of no known type", "a.xml", `<?xml version="1.0"?><office:document office:mimetype="text/evil">`, XML},
		{"flat odf cut", "a.xml", `<?xml version="1.0"?><office:document office:mimetype="`, XML},
		{"rtf", "a.rtf", `{\rtf1\ansi hello}`, RTF},
		{"rtf after white space", "a.doc", "\xef\xbb\xbf\r\n" + `{\rtf1 hello}`, RTF},
		{"rtf with binary data", "a", `{\rtf1 hello\bin500 ` + strings.Repeat(junk, 50) + "}", RTF},
		{"postscript", "a", "%!PS-Adobe-3.0\n", PostScript},

		{"mail", "a", header + "\r\nhi", Mail},
		{"mail by its name", "a.eml", "From: a@b\r\n\r\nhi", Mail},
		{"mail without proof of delivery", "a", "From: a@b\nTo: c@d\nSubject: x\n\nhi", Mail},
		{"mail in utf-16", "a", utf16le(header), Mail},
		{"mail with binary data", "a", header + "\r\n" + strings.Repeat(junk, 50), Mail},
		{"mail with html", "a", header + "Content-Type: text/html\r\n\r\n<html>", Mail},
		{"box", "a", "From jo Thu Nov 23 10:00:00 2026\nSubject: x\n\nhi", Mbox},
		{"box by its name", "a.mbox", "From jo Thu Nov 23 10:00:00 2026\n\nhi", Mbox},
		{"mail out of a box", "a.eml", "From jo Thu Nov 23 10:00:00 2026\nSubject: x\n\nhi", Mail},
		{"letter that begins as a box does", "a.txt", "From Paris with love at 10:00\nDear Jo,\n", Text},
		{"web archive", "a.txt", "From: <Saved by Blink>\r\nSnapshot-Content-Location: http://a\r\nMIME-Version: 1.0\r\n", MHTML},
		{"web archive by name", "a.mht", "From: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related\r\n", MHTML},
		{"winmail.dat", "winmail.dat", "\x78\x9f\x3e\x22\x01\x00\x06\x90", TNEF},

		{"pdf", "letter.pdf", "%PDF-1.7\n" + junk, PDF},
		{"pdf under another name", "letter.txt", "%PDF-1.4\nall readable", PDF},
		{"pdf after white space", "a", "\r\n%PDF-1.4\n", PDF},
		{"pdf after junk", "a", "HTTP/1.1 200 OK\r\n\r\n%PDF-1.4\n1 0 obj\nendobj\nstartxref\n9\n%%EOF", PDF},
		{"pdf without a header", "a.pdf", "1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF", PDF},
		{"damaged pdf", "a.pdf", junk, PDF},

		{"docx", "a", docx, DOCX},
		{"docx under another name", "a.xlsx", docx, DOCX},
		{"docx cut", "a", docx[:len(docx)-40], DOCX},
		{"docx of which little is left", "a.docx", "PK\x03\x04" + junk, DOCX},
		{"docx with backslashes", "a", zipped(t, "[Content_Types].xml", "", `word\document2.xml`, ""), DOCX},
		{"docx with its parts elsewhere", "a", zipped(t, "[Content_Types].xml",
			`<Override PartName="/x.xml" ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>`, "x.xml", ""), DOCX},
		{"xlsx", "a", zipped(t, "xl/workbook.xml", "", "[Content_Types].xml", ""), XLSX},
		{"xlsb", "a", zipped(t, "[Content_Types].xml", "", "xl/workbook.bin", ""), XLSB},
		{"pptx", "a", zipped(t, "[Content_Types].xml", "", "ppt/presentation.xml", "", "ppt/embeddings/a.xlsx", ""), PPTX},
		{"odt", "a", odt, ODT},
		{"odt template", "a", zipped(t, "mimetype", ODT+"-template\n", "content.xml", ""), ODT},
		{"ods without its type", "a", zipped(t, "content.xml", "", "META-INF/manifest.xml", `<m:file-entry m:media-type="`+ODS+`" m:full-path="/"/>`), ODS},
		{"epub", "a", zipped(t, "mimetype", EPUB, "META-INF/container.xml", ""), EPUB},
		{"epub without its type", "a", zipped(t, "META-INF/container.xml", ""), EPUB},
		{"type that is none", "a", zipped(t, "mimetype", "../../etc", "x", ""), ZIP},
		{"jar", "a", zipped(t, "META-INF/MANIFEST.MF", "", "A.class", ""), "application/java-archive"},
		{"zip", "a", zipped(t, "a.txt", "hi", "word/b.txt", "hi"), ZIP},
		{"zip of a docx", "a", zipped(t, "a.docx", docx), ZIP},
		{"empty zip", "a.zip", "PK\x05\x06" + strings.Repeat("\x00", 18), ZIP},
		{"damaged zip", "a.zip", "PK\x03\x04" + junk, ZIP},

		{"doc", "a", doc, DOC},
		{"doc under another name", "a.xls", doc, DOC},
		{"msg with a document in it", "a", ole([]string{"__attach_version1.0_#00000000", "__properties_version1.0"}, []string{"WordDocument"}), MSG},
		{"ppt", "a", ole([]string{"PowerPoint Document"}, nil), PPT},
		{"xls", "a", ole([]string{"a", "b", "c", "d", "e", "WORKBOOK"}, nil), XLS},
		{"encrypted", "a.docx", ole([]string{"EncryptionInfo", "EncryptedPackage"}, nil), Encrypted},
		{"storage of no known program", "a.doc", ole([]string{"Stuff"}, []string{"WordDocument"}), OLE},
		{"storage whose directory is gone", "a", oleMagic + junk + string(utf16Bytes("Workbook\x00")), XLS},
		{"storage of which little is left", "a.DOC", oleMagic + junk, DOC},
		{"storage without a name", "a", oleMagic, OLE},
		{"word 2", "a", "\xdb\xa5-\x00" + junk, DOC},
		{"excel 3", "a", "\x09\x02\x06\x00\x00\x00\x10\x00" + junk, XLS},

		{"png", "a.txt", "\x89PNG\r\n\x1a\n" + junk, "image/png"},
		{"jpeg", "a", "\xff\xd8\xff\xe0\x00\x10JFIF" + junk, "image/jpeg"},
		{"gif", "a", "GIF89a" + junk, "image/gif"},
		{"webp", "a", "RIFF\x00\x01\x00\x00WEBPVP8 " + junk, "image/webp"},
		{"tiff", "a", "II*\x00" + junk, "image/tiff"},
		{"bmp", "a", "BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00" + junk, "image/bmp"},
		{"heic", "a", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + junk, "image/heic"},
		{"gzip", "a.txt.gz", "\x1f\x8b\x08" + junk, "application/gzip"},
		{"bzip2", "a", "BZh91AY&SY" + junk, "application/x-bzip2"},
		{"xz", "a", "\xfd7zXZ\x00" + junk, "application/x-xz"},
		{"zstandard", "a", "\x28\xb5\x2f\xfd" + junk, "application/zstd"},
		{"7z", "a", "7z\xbc\xaf\x27\x1c" + junk, "application/x-7z-compressed"},
		{"rar", "a", "Rar!\x1a\x07\x01\x00" + junk, "application/vnd.rar"},
		{"tar", "a", tar(), "application/x-tar"},
		{"unknown binary", "blob", junk + junk, Binary},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Detect(tt.file, []byte(tt.data)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// tar makes an archive of one empty file.
func tar() string {
	block := make([]byte, 1536)
	copy(block, "a.txt")
	copy(block[100:], "0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00        0")
	copy(block[257:], "ustar\x0000")
	sum := 0
	for _, c := range block[:512] {
		sum += int(c)
	}
	for i := range 6 {
		block[153-i] = byte('0' + sum>>(3*i)&7)
	}
	block[154] = 0
	return string(block)
}

func TestDescribe(t *testing.T) {
	for _, tt := range []struct{ mediaType, want string }{
		{PDF, "PDF (application/pdf)"},
		{DOC, "Word 97 documents (application/msword)"},
		{"image/png", "image/png"},
		{"", ""},
	} {
		if got := Describe(tt.mediaType); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.mediaType, got, tt.want)
		}
	}
}

// TestLoops looks at storages whose sectors and entries point at themselves.
func TestLoops(t *testing.T) {
	loop := []byte(ole([]string{"a", "b"}, nil))
	binary.LittleEndian.PutUint32(loop[512+4:], 1)         // the directory goes on where it begins
	binary.LittleEndian.PutUint32(loop[68:], 0)            // the list of the table's sectors is the table
	binary.LittleEndian.PutUint32(loop[1024+128+68:], 1)   // an entry is its own left sibling
	loop = append(loop, bytes.Repeat([]byte{0}, 1<<20)...) // room to loop in
	if got := Detect("a", loop); got != OLE {
		t.Errorf("got %s, want %s", got, OLE)
	}
}

func FuzzDetect(f *testing.F) {
	f.Add("a.docx", []byte(zipped(f, "[Content_Types].xml", "<x/>", "mimetype", "y")))
	f.Add("a.doc", []byte(ole([]string{"a", "WordDocument"}, []string{"b"})))
	f.Add("a.eml", []byte("From: a\nTo: b\n c\n\nd"))
	f.Add("a.fodt", []byte(`<?xml?><!doctype x><!-- --><o:document office:mimetype="application/vnd.oasis.opendocument.text">`))
	f.Add("a", []byte("%PDF-1.4 endobj startxref"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		got := Detect(name, data)
		if major, minor, ok := strings.Cut(got, "/"); !ok || major == "" || minor == "" || strings.ContainsAny(got, "; \n\"") {
			t.Errorf("%q is no media type", got)
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	for _, bb := range []struct{ name, data string }{
		{"docx", zipped(b, "[Content_Types].xml", "<Types/>", "word/document.xml", "<w:document/>")},
		{"doc", ole([]string{"ObjectPool", "1Table", "WordDocument"}, nil)},
		{"text", strings.Repeat("plain text, line after line\n", 10_000)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				Detect("a", []byte(bb.data))
			}
		})
	}
}
