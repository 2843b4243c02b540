package pack

import (
	"archive/zip"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/msg/cfb/cfbtest"
)

// packaged is what Windows' packager puts into the stream of an object.
func packaged(label, file string) []byte {
	text := func(b []byte, s string) []byte {
		return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	b := append([]byte("\x00\x00\x00\x00\x02\x00"), label+"\x00C:\\path\\"+label+"\x00\x00\x00\x03\x00"...)
	return text(text(b, "C:\\temp\\"+label+"\x00"), file)
}

func TestEmbedded(t *testing.T) {
	object := func(streams cfbtest.Storage) string { return string(cfbtest.Build(streams)) }
	for _, tt := range []struct{ name, data, want string }{
		{"no object", "a file", "x.bin: a file"},
		{"packager", object(cfbtest.Storage{"\x01Ole10Native": packaged("Bericht für Ann.txt", "a file")}), "Bericht für Ann.txt: a file"},
		{"packager with a path", object(cfbtest.Storage{"\x01Ole10Native": packaged(`..\..\a.txt`, "a file")}), "a.txt: a file"},
		{"packager without a name", object(cfbtest.Storage{"\x01Ole10Native": packaged("", "a file")}), "x.bin: a file"},
		{"name that is none", object(cfbtest.Storage{"\x01Ole10Native": packaged("a\x1b[2J.txt", "a file")}), "x.bin: a file"},
		{"office", object(cfbtest.Storage{"\x01CompObj": []byte("x"), "Package": []byte("a file")}), "x.bin: a file"},
		{"libreoffice", object(cfbtest.Storage{"EmbeddedOdf": []byte("a file")}), "x.bin: a file"},
		{"acrobat", object(cfbtest.Storage{"CONTENTS": []byte("%PDF-1.4")}), "x.bin: %PDF-1.4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := embed(t, tt.data); got.Text != "--- embedded "+strings.Replace(tt.want, ": ", " ---\n\n", 1)+"\n" {
				t.Errorf("got %q, want %q", got.Text, tt.want)
			}
		})
	}
	for _, tt := range []struct{ name, data string }{
		{"packager, cut off", object(cfbtest.Storage{"\x01Ole10Native": packaged("a", "a file")[:20]})},
		{"packager without a file", object(cfbtest.Storage{"\x01Ole10Native": packaged("a", "")})},
		{"name too long", object(cfbtest.Storage{"\x01Ole10Native": packaged(strings.Repeat("a", maxName+1), "a file")})},
		{"of no kind that is known", object(cfbtest.Storage{"Equation Native": []byte("a file")})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := embed(t, tt.data)
			if want := []string{"documents within it were left out, x.bin: not read"}; got.Text != "" || !slices.Equal(got.Warnings, want) {
				t.Errorf("got %q and warnings %q, want the warnings %q", got.Text, got.Warnings, want)
			}
		})
	}
}

// embed writes a document that lies within another, twice.
func embed(t *testing.T, data string) *content.Content {
	t.Helper()
	a, err := Open(makeZip(t, file{"x/x.bin", data, zip.Deflate}), content.DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	c := &content.Content{}
	e := NewEmbedded(a, &content.File{Within: func(_ context.Context, f *content.File) (*content.Content, error) {
		if strings.HasPrefix(string(f.Data), "\xd0\xcf") {
			return nil, errors.New("not read")
		}
		return &content.Content{Text: string(f.Data)}, nil
	}}, c)
	w := content.NewWriter(1000)
	for range 2 {
		if err := e.Write(context.Background(), w, "x/x.bin"); err != nil {
			t.Fatal(err)
		}
	}
	e.Warn()
	c.Text = w.String()
	return c
}

func FuzzUnwrap(f *testing.F) {
	f.Add(packaged("a.txt", "a file"))
	f.Add(packaged("", "")[:9])
	f.Fuzz(func(t *testing.T, stream []byte) {
		name, data := unwrap("x.bin", cfbtest.Build(cfbtest.Storage{"\x01Ole10Native": stream}))
		if name == "" || len(name) > 3*maxName || strings.ContainsAny(name, "/\\\n") {
			t.Errorf("name %q of %q", name, stream)
		}
		if name != "x.bin" && !strings.Contains(string(stream), string(data)) {
			t.Errorf("%q is not in %q", data, stream)
		}
	})
}
