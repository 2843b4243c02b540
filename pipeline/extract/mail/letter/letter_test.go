package letter_test

import (
	"context"
	"errors"
	"strings"
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

// What a letter says is set closer; a file that is attached to it stays as it is.
func TestEmptyLines(t *testing.T) {
	const said, closer = " \n\u00a0\n  Hello,\n\n \n\u00a0\n\n  yours\n\nAnn\n \n--", "  Hello,\n\n  yours\n\nAnn\n\n--"
	f := &content.File{Bounds: content.DefaultBounds(), Within: func(_ context.Context, part *content.File) (*content.Content, error) {
		return &content.Content{Text: string(part.Data)}, nil
	}}
	w := letter.NewWriter(f)
	w.Text(said)
	if err := w.Attachment(t.Context(), &content.File{Name: "a", Data: []byte(said)}); err != nil {
		t.Fatal(err)
	}
	c, err := w.Content()
	if want := closer + "\n\n--- attachment: a ---\n\n" + said + "\n\n"; err != nil || c.Text != want {
		t.Errorf("got %+v, %v, want %q", c, err, want)
	}
}

func TestHasTables(t *testing.T) {
	const grid = "Prices:\n\n| apples | 2 |\n| --- | --- |\n| pears | 3 |\n| figs | |\n"
	for _, tt := range []struct {
		name, rich, read, plain string
		err                     error
		want                    bool
	}{
		{"a table", "<TABLE>", grid, "Prices:\napples\n2\npears\n3", nil, true},
		{"of RTF", `\trowd`, grid, "Prices:\napples\n2\npears\n3", nil, true},
		{"links are no words", "<table>", grid, "Prices <https://example.org/a/long/way>:\napples [cid:image001.png@01]\n2\npears\n3", nil, true},
		{"no markup of one", "<p>", grid, "Prices", nil, false},
		{"a table of layout", "<table>", "Prices: apples 2, pears 3", "Prices", nil, false},
		{"a signature", "<table>", "| | Jo Doe |\n| --- | --- |\n| | Phone |\n| [logo] | Fax |\n", "Jo Doe", nil, false},
		{"two rows", "<table>", "| a | b |\n| --- | --- |\n| c | d |\n\n| e | f |\n| --- | --- |\n| g | h |\n", "a", nil, false},
		{"not all that plain says", "<table>", grid, "Prices: apples 2, pears 3, and three plums", nil, false},
		{"more than is compared", "<table>", grid, "Prices" + strings.Repeat(" ", 1<<20), nil, false},
		{"a page larger than is read twice", "<table>" + strings.Repeat(" ", 4<<20), grid, "Prices", nil, false},
		{"it can't be read", "<table>", grid, "Prices", content.Damaged("it is broken"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &content.File{Bounds: content.DefaultBounds(), Within: func(context.Context, *content.File) (*content.Content, error) {
				return &content.Content{Text: tt.read}, tt.err
			}}
			if got := letter.NewWriter(f).HasTables(t.Context(), &content.File{Data: []byte(tt.rich)}, tt.plain); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
