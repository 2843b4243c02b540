package msg_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/msg"
	"docbatch/pipeline/extract/msg/cfb/cfbtest"
)

// FuzzRead reads any bytes as a message file, or as TNEF where they begin so, within small bounds.
func FuzzRead(f *testing.F) {
	letter := item(32, fixed{0x00390040: ticks(noon), 0x3ffd0003: 1251}, map[string]string{"001A": "IPM.Appointment", "0037": "Hello",
		"1000001E": "text", "007D": "From: a@example.org\r\n", "10130102": "<p>x", "10090102": string(compressed("{\\rtf1 hello hello}"))},
		names, recipient(0, 1, "Bob", "bob@example.org", ""), attachment(0, map[string]string{"3707": "a.txt", "37010102": "of the file"}),
		attachment(1, nil, cfbtest.Storage{"__substg1.0_3701000D": item(24, nil, map[string]string{"1000": "inner"})}))
	f.Add(cfbtest.Build(letter))
	f.Add(cfbtest.Build(item(32, nil, map[string]string{"10090102": string(compressed("{\\rtf1 hello hello}"))})))
	f.Add(cfbtest.Build(item(32, nil, map[string]string{"001A": "IPM.Note.SMIME"}, attachment(0, map[string]string{"37010102": "0\x80\x06"}))))
	f.Add(stream(attribute(1, 0x0002800c, []byte("text\x00")), attribute(2, 0x00069002, nil), attribute(2, 0x0006800f, []byte("of the file"))))
	f.Add(stream(attribute(1, 0x00069003, row(variable(0x1000001f, unicode("text"))))))
	if dir := os.Getenv("DOCBATCH_CORPUS"); dir != "" {
		addCorpus(f, dir)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := file(data)
		in.Bounds.Text, in.Bounds.Parts, in.Bounds.Part, in.Bounds.Unpacked = 100_000, 100, 1<<20, 4<<20
		read := msg.Read
		if bytes.HasPrefix(data, []byte("\x78\x9f\x3e\x22")) {
			read = msg.ReadTNEF
		}
		c, err := read(t.Context(), in)
		check(t, in, c, err)
	})
}

// addCorpus adds the real documents below a folder.
func addCorpus(f *testing.F, dir string) {
	const maxBytes = 200 << 10
	names, err := filepath.Glob(filepath.Join(dir, "msg", "*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		if data, err := os.ReadFile(name); err == nil && len(data) <= maxBytes {
			f.Add(data)
		}
	}
}

// check is what every reader promises.
func check(t *testing.T, in *content.File, c *content.Content, err error) {
	t.Helper()
	switch {
	case err != nil && pipeline.ClassOf(err) != pipeline.Invalid:
		t.Errorf("error of class %s: %v", pipeline.ClassOf(err), err)
	case err != nil:
	case !utf8.ValidString(c.Text):
		t.Errorf("text is not UTF-8: %q", c.Text)
	case len(c.Text) > in.Bounds.Text:
		t.Errorf("%d bytes of text, the bound is %d", len(c.Text), in.Bounds.Text)
	}
}
