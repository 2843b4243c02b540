package mail_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf16"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mail"
)

// file is a document whose parts are "read" by showing what was given to the reader of their type.
func file(data string) *content.File {
	f := &content.File{Name: "test.eml", Data: []byte(data), Bounds: content.DefaultBounds()}
	f.Within = func(_ context.Context, part *content.File) (*content.Content, error) {
		switch part.MediaType {
		case "text/html", "text/rtf":
			text := strings.ToValidUTF8(string(part.Data), "?")
			for _, tag := range []string{"<p>", "<html>"} {
				text = strings.ReplaceAll(text, tag, "")
			}
			return &content.Content{Text: text}, nil
		case "application/x-broken":
			return nil, content.Damaged("it is broken")
		case "application/x-empty":
			return nil, content.NoText("there is none")
		case "application/x-warned":
			return &content.Content{Text: "some", Warnings: []string{"page 2 is missing"}}, nil
		}
		return &content.Content{Text: strings.ToValidUTF8(string(part.Data), "?")}, nil
	}
	return f
}

// multipart puts parts together.
func multipart(kind, boundary string, parts ...string) string {
	text := "Content-Type: multipart/" + kind + "; boundary=\"" + boundary + "\"\n\npreamble\n"
	for _, p := range parts {
		text += "--" + boundary + "\n" + p + "\n"
	}
	return text + "--" + boundary + "--\nepilogue\n"
}

const (
	plain = "Content-Type: text/plain\n\nplain text"
	html  = "Content-Type: text/html\n\n<p>html text"
	photo = "Content-Type: image/jpeg; name=\"photo.jpg\"\nContent-Transfer-Encoding: base64\n\nAAAA"
	notes = "Content-Type: text/plain\nContent-Disposition: attachment; filename=notes.txt\n\nof the notes"
)

func TestReadStructure(t *testing.T) {
	long := strings.Repeat("many words of a letter ", 50)
	for _, tt := range []struct {
		name, in, want string
	}{
		{"one text", "From: a@example.org\nTo: b@example.org\nCc: c@example.org\nDate: Thu, 29 Feb 2024 12:00:00 +0000\nSubject: Hi\nX-Y: z\n\nDear B,\n\nyours A\n",
			"From: a@example.org\nTo: b@example.org\nCc: c@example.org\nDate: Thu, 29 Feb 2024 12:00:00 +0000\nSubject: Hi\n\nDear B,\n\nyours A\n\n"},
		{"an answer goes elsewhere", "From: A <a@example.org>\nReply-To: <list@example.org>\n\nx", "From: A <a@example.org>\nReply-To: <list@example.org>\n\nx\n\n"},
		{"an answer goes back", "From: A <a@example.org>\nReply-To: a@example.org\n\nx", "From: A <a@example.org>\n\nx\n\n"},
		{"sent by another", "Sender: s@example.org\n\nx", "From: s@example.org\n\nx\n\n"},
		{"several fields", "To: a@example.org\nTo: b@example.org\n\nx", "To: a@example.org, b@example.org\n\nx\n\n"},
		{"header only", "Subject: Hi\nFrom: a@example.org", "From: a@example.org\nSubject: Hi\n\n"},
		{"no header", "// no mail at all", "// no mail at all\n\n"},
		{"nothing", "", ""},
		{"alternatives", multipart("alternative", "b", plain, html), "plain text\n\n"},
		{"alternatives the wrong way round", multipart("alternative", "b", html, plain), "plain text\n\n"},
		{"empty plain alternative", multipart("alternative", "b", "Content-Type: text/plain\n\n \n", html), "html text\n\n"},
		{"plain alternative is a stub", multipart("alternative", "b", plain, "Content-Type: text/html\n\n<p>"+long), strings.TrimSpace(long) + "\n\n"},
		{"short in both", multipart("alternative", "b", plain, "Content-Type: text/html\n\n<style>"+long+"</style><!--"+long+"--><p>html"), "plain text\n\n"},
		{"only HTML", multipart("alternative", "b", html), "html text\n\n"},
		{"HTML that says plain", "Content-Type: text/plain\n\n<html>hello", "hello\n\n"},
		{"HTML without a type", "Subject: x\n\n<html>hello", "Subject: x\n\nhello\n\n"},
		{"RTF", "Content-Type: text/rtf\n\n{x}", "{x}\n\n"},
		{"attachments inside an alternative", multipart("alternative", "b", plain, multipart("mixed", "c", html, notes)),
			"plain text\n\n--- attachment: notes.txt ---\n\nof the notes\n\n"},
		{"a calendar beside the text", multipart("alternative", "b", plain, html, "Content-Type: text/calendar\n\nBEGIN:VCALENDAR"),
			"plain text\n\nBEGIN:VCALENDAR\n\n"},
		{"a letter with files", multipart("mixed", "b", plain, notes, photo),
			"plain text\n\n--- attachment: notes.txt ---\n\nof the notes\n\n--- attachment: photo.jpg (image/jpeg, 3 bytes) ---\n\n"},
		{"files of many kinds", multipart("mixed", "b",
			"Content-Type: application/x-broken; name=a.bin\n\n12", "Content-Type: application/x-empty; name=b.bin\n\n3",
			"Content-Type: application/x-warned; name=c.bin\n\n4", "Content-Type: application/octet-stream\n\n"),
			"--- attachment: a.bin (application/x-broken, 2 bytes) ---\n\n--- attachment: b.bin (application/x-empty, 1 bytes) ---\n\n" +
				"--- attachment: c.bin ---\n\nsome\n\n--- attachment (text/plain, 0 bytes) ---\n\n"},
		{"text beside text", multipart("mixed", "b", plain, "\nmore text"), "plain text\n\nmore text\n\n"},
		{"a page with pictures", multipart("related", "b", html, "Content-Type: image/gif\nContent-ID: <1>\n\nGIF", photo, "Content-Type: text/css\n\nb {}"),
			"html text\n\n--- attachment: photo.jpg (image/jpeg, 3 bytes) ---\n\n"},
		{"a page that is not first", strings.Replace(multipart("related", "b", "Content-Type: text/css\n\nb {}", "Content-ID: <r>\n"+html), "related;", `related; start="<r>";`, 1), "html text\n\n"},
		{"a message within", multipart("mixed", "b", plain, "Content-Type: message/rfc822\n\nFrom: x@example.org\nSubject: In\n\ninner"),
			"plain text\n\n--- message ---\n\nFrom: x@example.org\nSubject: In\n\ninner\n\n"},
		{"a message as a file", "Content-Type: message/rfc822; name=in.eml\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte("Subject: In\n\ninner")),
			"--- attachment: in.eml ---\n\nSubject: In\n\ninner\n\n"},
		{"a digest", multipart("digest", "b", "\nSubject: One\n\n1", "\nSubject: Two\n\n2"), "--- message ---\n\nSubject: One\n\n1\n\n--- message ---\n\nSubject: Two\n\n2\n\n"},
		{"a report", multipart("report", "b", plain, "Content-Type: message/delivery-status\n\nAction: failed"), "plain text\n\nAction: failed\n\n"},
		{"signed", multipart("signed", "b", plain, "Content-Type: application/pgp-signature; name=signature.asc\n\nxyz"), "plain text\n\n"},
		{"a file of a Macintosh", multipart("appledouble", "b", "Content-Type: application/applefile; name=a\n\n\x00", notes), "--- attachment: notes.txt ---\n\nof the notes\n\n"},
		{"a saved page", "From: <Saved by Blink>\nSubject: A page\n" + multipart("related", "b", "Content-Type: text/html\nContent-Location: http://x/\n\n<p>page",
			"Content-Type: text/css\nContent-Location: http://x/a.css\n\nb {}", "Content-Type: application/javascript\nContent-Location: http://x/a.js\n\nx",
			"Content-Type: image/png\nContent-Location: http://x/a.png\n\nx", "Content-Type: text/html\nContent-Location: http://x/frame\n\n<p>frame"),
			"From: <Saved by Blink>\nSubject: A page\n\npage\n\nframe\n\n"},
		{"signed by CMS", "Content-Type: application/pkcs7-mime; smime-type=signed-data\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString(cms(plain)), "plain text\n\n"},
		{"certificates", multipart("mixed", "b", plain, "Content-Type: application/pkcs7-mime; smime-type=certs-only\n\n0"), "plain text\n\n"},
		{"a file in the text", "Subject: x\n\nhello\nbegin 644 cat.txt\n#0V%T\n`\nend\nbye\n", "Subject: x\n\nhello\nbye\n\n--- attachment: cat.txt ---\n\nCat\n\n"},
		{"no file in the text", "Subject: x\n\nbegin 100 times\nand then\nend\n", "Subject: x\n\nbegin 100 times\nand then\nend\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, ends := range []string{"\n", "\r\n", "\r"} {
				c, err := mail.Read(t.Context(), file(strings.ReplaceAll(tt.in, "\n", ends)))
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.ReplaceAll(c.Text, ends, "\n"); got != tt.want {
					t.Errorf("line ends %q: text\n%q, want\n%q", ends, got, tt.want)
				}
			}
		})
	}
}

// cms wraps text as a SignedData without signatures.
func cms(text string) []byte {
	element := func(tag byte, inside ...[]byte) []byte {
		all := []byte{}
		for _, b := range inside {
			all = append(all, b...)
		}
		return append(append([]byte{tag, 0x82}, binary.BigEndian.AppendUint16(nil, uint16(len(all)))...), all...)
	}
	oid := func(last byte) []byte { return []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, last} }
	half := len(text) / 2
	octets := append([]byte{0x24, 0x80}, element(4, []byte(text[:half]))...) // of indefinite length, in two pieces
	octets = append(append(octets, element(4, []byte(text[half:]))...), 0, 0)
	encap := element(0x30, oid(1), element(0xa0, octets))
	return element(0x30, oid(2), element(0xa0, element(0x30, []byte{2, 1, 1}, element(0x31), encap)))
}

// Where the HTML has a table, the plain text tells only its cells.
func TestReadTable(t *testing.T) {
	const grid = "<table>\n| plain | text |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |" // the reader of the tests leaves tags in
	rich := "Content-Type: text/html\n\n" + grid
	for _, tt := range []struct{ name, in, want string }{
		{"beside the text", multipart("alternative", "b", plain, rich), grid + "\n\n"},
		{"with pictures", multipart("alternative", "b", plain, multipart("related", "c", rich, photo)),
			grid + "\n\n--- attachment: photo.jpg (image/jpeg, 3 bytes) ---\n\n"},
		{"without a table", multipart("alternative", "b", plain, html), "plain text\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := mail.Read(t.Context(), file(tt.in))
			if err != nil || c.Text != tt.want {
				t.Errorf("got %+v, %v, want %q", c, err, tt.want)
			}
		})
	}
}

// What is broken is read as far as a person could.
func TestReadBroken(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
	}{
		{"multiparts that nothing closes", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo", "one\n\ntwo\n\n"},
		{"closed by the outer one", multipart("mixed", "a", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none", "\ntwo"), "one\n\ntwo\n\n"},
		{"a boundary that begins others", multipart("mixed", "a", multipart("mixed", "ab", "\none", "\ntwo"), "\nthree"), "one\n\ntwo\n\nthree\n\n"},
		{"one boundary for two", multipart("mixed", "a", multipart("mixed", "a", "\none", "\ntwo"), "\nthree"), "one\n\ntwo\n\nthree\n\n"},
		{"no boundary", "Content-Type: multipart/mixed\n\n--x\nContent-Type: text/plain\n\none\n--x\n\ntwo\n--x--\n", "one\n\ntwo\n\n"},
		{"a wrong boundary", "Content-Type: multipart/mixed; boundary=y\n\n--x\nContent-Type: text/plain\n\none\n--x--\n", "one\n\n"},
		{"a multipart without parts", "Content-Type: multipart/mixed; boundary=y\n\nonly text", "only text\n\n"},
		{"white space after a delimiter", "Content-Type: multipart/mixed; boundary=y\n\n--y \t\n\none\n--y-- \n", "one\n\n"},
		{"a delimiter within a line", "Content-Type: multipart/mixed; boundary=y\n\n--y\n\none --y\n--y--\n", "one --y\n\n"},
		{"empty lines before the header", "\n\nSubject: x\n\nhello", "Subject: x\n\nhello\n\n"},
		{"the line of a mailbox", "From a@example.org Thu Feb 29 12:00:00 2024\nSubject: x\n\nhello", "Subject: x\n\nhello\n\n"},
		{"no line between header and text", "Subject: x\nThis is the text.\nAnd more.", "Subject: x\n\nThis is the text.\nAnd more.\n\n"},
		{"a line that was folded without a space", "Subject: x\nContent-Type: text/plain;\ncharset=utf-8\nTo: b\n\nhello", "To: b\nSubject: x\n\nhello\n\n"},
		{"white space before a colon", "Subject : x\n\nhello", "Subject: x\n\nhello\n\n"},
		{"a line of spaces ends the header", "Subject: x\n  \nhello", "Subject: x\n\nhello\n\n"},
		{"a mark of byte order", "\xef\xbb\xbfSubject: x\n\nhello", "Subject: x\n\nhello\n\n"},
		{"UTF-16", utf16le("Subject: x\nContent-Type: text/plain; charset=utf-16\n\nhellö"), "Subject: x\n\nhellö\n\n"},
		{"a type that is none", "Content-Type: text\n\nhello", "hello\n\n"},
		{"an unknown transfer encoding", "Content-Transfer-Encoding: x-strange\n\nhello", "hello\n\n"},
		{"base64 with rubbish and a cut end", "Content-Transfer-Encoding: BASE64 (yes)\n\naGVs!bG8g\n d29ybG", "hello worl\n\n"},
		{"base64 goes on after its end", "Content-Transfer-Encoding: base64\n\naGVsbG8=\n-- \nfooter", "hello\n\n"},
		{"quoted-printable with errors", "Content-Transfer-Encoding: quoted-printable\n\na=zz b=3d c=C3=A9  \nd=\n  e=", "a=zz b= cé\nd  e\n\n"},
		{"says ASCII, is UTF-8", "Content-Type: text/plain; charset=us-ascii\n\nnaïve café – ok", "naïve café – ok\n\n"},
		{"says nothing of its encoding", "Subject: x\n\nHe was na\xefve in the caf\xe9, wasn't he?", "Subject: x\n\nHe was naïve in the café, wasn't he?\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := mail.Read(t.Context(), file(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if c.Text != tt.want {
				t.Errorf("text\n%q, want\n%q", c.Text, tt.want)
			}
		})
	}
}

func utf16le(text string) string {
	b := []byte("\xff\xfe")
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

func TestHeaderText(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
	}{
		{"folded", "Subject: one\n two\n\tthree", "one two three"},
		{"quoted word", "Subject: =?iso-8859-1?Q?caf=E9_au_lait?=", "café au lait"},
		{"base64 word", "Subject: =?UTF-8?B?w7xiZXI=?= uns", "über uns"},
		{"words that follow each other", "Subject: =?utf-8?q?one?=\n =?utf-8?q?_two?=", "one two"},
		{"a character that was cut", "Subject: =?utf-8?B?w6Q=?= =?utf-8?B?w7Y=?= =?utf-8?B?ww==?= =?utf-8?B?vA==?=", "äöü"},
		{"words of two encodings", "Subject: =?utf-8?q?=C3=A4?= =?iso-8859-1?q?=F6?=", "äö"},
		{"words without space around them", "Subject: a=?utf-8?q?b?=c", "abc"},
		{"spaces inside a word", "Subject: =?utf-8?Q?a b c?=", "a b c"},
		{"a question mark before an escape", "Subject: =?utf-8?Q?what?=3F_yes?=", "what?? yes"},
		{"a language", "Subject: =?utf-8*en?Q?hello?=", "hello"},
		{"a word that is cut off", "Subject: =?utf-8?Q?hello_wor", "hello wor"},
		{"an unknown encoding", "Subject: =?utf-8?X?hello?=", "=?utf-8?X?hello?="},
		{"what looks like a word", "Subject: a =? b ?= c", "a =? b ?= c"},
		{"bytes", "Subject: caf\xc3\xa9", "café"},
		{"line breaks inside a word", "Subject: =?utf-8?Q?a=0ATo:_evil?=", "a To: evil"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := mail.Read(t.Context(), file(tt.in+"\n\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSuffix(strings.TrimPrefix(c.Text, "Subject: "), "\n\n"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFileNames(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
	}{
		{"plain", `Content-Disposition: attachment; filename="a b.txt"`, "a b.txt"},
		{"not quoted", `Content-Disposition: attachment; filename=a b.txt; size=3`, "a b.txt"},
		{"of the type", `Content-Type: application/x; name=a.txt`, "a.txt"},
		{"encoded word", `Content-Disposition: attachment; filename="=?utf-8?q?=C3=A4.txt?="`, "ä.txt"},
		{"percent", `Content-Disposition: attachment; filename*=iso-8859-1'de'%E4%20b.txt`, "ä b.txt"},
		{"percent without an encoding", `Content-Disposition: attachment; filename*=a%20b.txt`, "a b.txt"},
		{"both", `Content-Disposition: attachment; filename="x"; filename*=utf-8''%C3%A4`, "ä"},
		{"in pieces", `Content-Disposition: attachment; filename*1="c.txt"; filename*0="a b"`, "a bc.txt"},
		{"encoded in pieces", `Content-Disposition: attachment; filename*0*=utf-8''%C3; filename*1*=%A4; filename*2=.txt`, "ä.txt"},
		{"a folder of Unix", `Content-Disposition: attachment; filename="../../etc/passwd"`, "passwd"},
		{"a folder of Windows", `Content-Disposition: attachment; filename="C:\dir\a.txt"`, "a.txt"},
		{"escaped quotes", `Content-Disposition: attachment; filename="a \"b\".txt"`, `a "b".txt`},
		{"a quote that stays open", `Content-Disposition: attachment; filename="a.txt`, `a.txt`},
		{"no value", `Content-Disposition: attachment; foo; filename=a.txt`, `a.txt`},
		{"long", `Content-Disposition: attachment; filename=` + strings.Repeat("x", 1000) + ".txt", strings.Repeat("x", 196) + ".txt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := mail.Read(t.Context(), file(multipart("mixed", "b", tt.in+"\n\nx")))
			if err != nil {
				t.Fatal(err)
			}
			if want := "--- attachment: " + tt.want + " ---\n\nx\n\n"; c.Text != want {
				t.Errorf("got %q, want %q", c.Text, want)
			}
		})
	}
}

func TestFlowed(t *testing.T) {
	for _, tt := range []struct {
		name, param, in, want string
	}{
		{"lines", "", "one \ntwo\nthree", "one two\nthree"},
		{"delsp", "; delsp=yes", "one \ntwo", "onetwo"},
		{"quoted", "", "> one \n> two \n>> three \nfour", "> one two \n>> three \nfour"},
		{"signature", "", "one \n-- \nme", "one \n-- \nme"},
		{"stuffed", "", " >one\n  two", ">one\n two"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := mail.Read(t.Context(), file("Content-Type: text/plain; format=flowed"+tt.param+"\n\n"+tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSuffix(c.Text, "\n\n"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestMeta(t *testing.T) {
	c, err := mail.Read(t.Context(), file("From: =?utf-8?q?J=C3=B6?= <jo@example.org>\nTo: b@example.org\nCc: c@example.org\nSubject: Hi\nDate: Thu, 29 Feb 2024 13:00:00 +0100 (CET)\n\nx"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"title": "Hi", "from": "Jö <jo@example.org>", "author": "Jö <jo@example.org>", "to": "b@example.org", "cc": "c@example.org",
		"date": "2024-02-29T13:00:00+01:00"}
	if !maps.Equal(c.Meta, want) {
		t.Errorf("got %q, want %q", c.Meta, want)
	}
}

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"Thu, 29 Feb 2024 12:00:00 +0000": "2024-02-29T12:00:00Z",
		"29 Feb 2024 12:00 -0500":         "2024-02-29T12:00:00-05:00",
		"Thu,  29  Feb 2024 12:00:00 GMT": "2024-02-29T12:00:00Z",
		"2024-02-29T12:00:00Z":            "2024-02-29T12:00:00Z",
		"Thu Feb 29 12:00:00 2024":        "2024-02-29T12:00:00Z",
		"yesterday":                       "",
		"":                                "",
	} {
		c, err := mail.Read(t.Context(), file("Date: "+in+"\n\nx"))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Meta["date"]; got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	in := multipart("mixed", "b", plain, "Content-Type: application/x-broken; name=a.bin\n\n1", "Content-Type: application/x-warned; name=c.bin\n\n4",
		"Content-Type: multipart/encrypted; boundary=c\n\n--c\n\nx\n--c--", "Content-Type: application/x-empty\n\n1")
	c, err := mail.Read(t.Context(), file(in))
	if err != nil {
		t.Fatal(err)
	}
	want := "[attachment: a.bin: it is broken attachment: c.bin: page 2 is missing a part of it is encrypted (PGP or S/MIME) and was left out]"
	if got := fmt.Sprint(c.Warnings); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEncrypted(t *testing.T) {
	for name, in := range map[string]string{
		"PGP":        "Subject: x\n" + multipart("encrypted", "b", "Content-Type: application/pgp-encrypted\n\nVersion: 1", "\n-----BEGIN PGP MESSAGE-----"),
		"PGP inside": "Subject: x\n\n-----BEGIN PGP MESSAGE-----\nabc\n-----END PGP MESSAGE-----\n",
		"S/MIME":     "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIAG",
	} {
		_, err := mail.Read(t.Context(), file(in))
		if got := pipeline.AsError(err); err == nil || got.Class != pipeline.Invalid || got.Kind != pipeline.KindEncrypted {
			t.Errorf("%s: got %v, want an error of kind %s", name, err, pipeline.KindEncrypted)
		}
	}
}

func TestReadMBOX(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
	}{
		{"one", "From a@example.org Thu Feb 29 12:00:00 2024\nSubject: x\n\nhello\n", "Subject: x\n\nhello\n\n"},
		{"two", "From a Thu Feb 29 12:00:00 2024\nSubject: x\n\nhello\n\nFrom b Thu Feb 29 12:00:00 2024\nSubject: y\n\nbye\n",
			"--- message 1 ---\n\nSubject: x\n\nhello\n\n--- message 2 ---\n\nSubject: y\n\nbye\n\n"},
		{"a sentence", "From a Thu Feb 29 12:00:00 2024\n\nhello\n\nFrom here on\n", "hello\n\nFrom here on\n\n"},
		{"in the middle of a text", "From a Thu Feb 29 12:00:00 2024\n\nhello\nFrom 12:00 on\n", "hello\nFrom 12:00 on\n\n"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, ends := range []string{"\n", "\r\n"} {
				c, err := mail.ReadMBOX(t.Context(), file(strings.ReplaceAll(tt.in, "\n", ends)))
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.ReplaceAll(c.Text, ends, "\n"); got != tt.want {
					t.Errorf("line ends %q: got %q, want %q", ends, got, tt.want)
				}
			}
		})
	}
}

func TestReadStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mail.Read(ctx, file("Subject: x\n\nhello")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestNothingWithin(t *testing.T) {
	f := file(multipart("mixed", "b", html, notes))
	f.Within = nil
	c, err := mail.Read(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if want := "--- attachment: notes.txt (text/plain, 12 bytes) ---\n\n"; c.Text != want || len(c.Warnings) != 2 {
		t.Errorf("got %q and the warnings %q, want %q and two", c.Text, c.Warnings, want)
	}
}
