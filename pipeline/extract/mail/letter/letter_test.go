package letter_test

import (
	"context"
	"errors"
	"testing"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mail/letter"
)

func TestDecoder(t *testing.T) {
	var d letter.Decoder
	const guessed = "He was na\xefve in the caf\xe9, wasn't he?"
	if got, want := d.Decode([]byte(guessed), ""), "He was naïve in the café, wasn't he?"; got != want {
		t.Errorf("the first text: got %q, want %q", got, want)
	}
	for range 500 {
		d.Decode([]byte("\xe9"), "iso-8859-1")
	}
	for _, tt := range []struct{ name, in, declared, want string }{
		{"ASCII", "abc", "", "abc"},
		{"UTF-8", "é", "us-ascii", "é"},
		{"declared", "\xcf\xf0\xe8", "windows-1251", "При"},
		{"unknown", "caf\xe9", "x-unknown", "café"},
		{"not what is declared", "\xff\xfeabc", "utf-8", "\ufffd\ufffdabc"},
		{"shifting", "\x1b$B$3\x1b(B", "iso-2022-jp", "こ"},
	} {
		if got := d.Decode([]byte(tt.in), tt.declared); got != tt.want {
			t.Errorf("after 500 texts, %s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Interrupted reading is no damaged part.
func TestReadInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &content.File{Bounds: content.DefaultBounds(), Within: func(context.Context, *content.File) (*content.Content, error) {
		cancel()
		return nil, content.Damaged("it was not read to its end")
	}}
	w := letter.NewWriter(f)
	if err := w.Attachment(ctx, &content.File{Name: "a", Data: []byte("x")}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	c, err := w.Content()
	if err != nil || c.Text != "" || len(c.Warnings) != 0 {
		t.Errorf("got %+v, %v, want nothing", c, err)
	}
}
