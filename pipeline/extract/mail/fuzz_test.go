package mail_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mail"
)

// FuzzRead reads any bytes as a message and as a mailbox, within small bounds.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"From: =?utf-8?q?J=C3=B6?= <jo@example.org>\nSubject: =?iso-2022-jp?B?GyRC?=\nDate: Thu, 29 Feb 2024 13:00:00 +0100\n\nx",
		multipart("mixed", "b", plain, html, notes, photo),
		multipart("alternative", "b", plain, multipart("related", "c", html, "Content-ID: <1>\n\nGIF")),
		multipart("digest", "b", "\nSubject: One\n\n1"),
		multipart("encrypted", "b", plain),
		"Content-Type: application/pkcs7-mime\n\n" + string(cms(plain)),
		"Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; format=flowed; delsp=yes\n\n=C3=A4 =\n> b \n> c",
		"Content-Transfer-Encoding: base64\n\naGVsbG8=",
		"Content-Disposition: attachment; filename*0*=utf-8''%C3; filename*1*=%A4; filename=\"a\\\"b\"\n\nx",
		"Subject: x\n\nbegin 644 cat.txt\n#0V%T\n`\nend\n",
		utf16le("Subject: x\n\nhellö"),
		"From a Thu Feb 29 12:00:00 2024\nSubject: x\n\nhello\n\nFrom b Thu Feb 29 12:00:00 2024\n\nbye\n",
	} {
		f.Add([]byte(seed))
	}
	if dir := os.Getenv("DOCBATCH_CORPUS"); dir != "" {
		addCorpus(f, dir)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, read := range map[string]content.Reader{"message": mail.Read, "mailbox": mail.ReadMBOX} {
			in := file(string(data))
			in.Bounds.Text, in.Bounds.Parts = 100_000, 500
			c, err := read(t.Context(), in)
			check(t, name, in, c, err)
		}
	})
}

// addCorpus adds the real documents below a folder.
func addCorpus(f *testing.F, dir string) {
	const maxBytes = 200 << 10
	for _, format := range []string{"eml", "mbox"} {
		names, err := filepath.Glob(filepath.Join(dir, format, "*"))
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			if data, err := os.ReadFile(name); err == nil && len(data) <= maxBytes {
				f.Add(data)
			}
		}
	}
}

// check is what every reader promises.
func check(t *testing.T, name string, in *content.File, c *content.Content, err error) {
	t.Helper()
	switch {
	case err != nil && pipeline.ClassOf(err) != pipeline.Invalid:
		t.Errorf("%s: error of class %s: %v", name, pipeline.ClassOf(err), err)
	case err != nil:
	case !utf8.ValidString(c.Text):
		t.Errorf("%s: text is not UTF-8: %q", name, c.Text)
	case len(c.Text) > in.Bounds.Text:
		t.Errorf("%s: %d bytes of text, the bound is %d", name, len(c.Text), in.Bounds.Text)
	case strings.Contains(c.Meta["title"], "\n"):
		t.Errorf("%s: the title has several lines: %q", name, c.Meta["title"])
	}
}
