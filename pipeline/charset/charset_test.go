package charset

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

const (
	germanText   = "Sehr geehrte Frau Müller,\r\nIhre Rechnung über 1.200 € ist fällig – „bitte“ zahlen.\r\n"
	frenchText   = "Où est la façade ? À côté du café, l’été dernier.\n"
	russianText  = "Уважаемый господин Иванов, счёт № 17 оплачен.\nС уважением\n"
	japaneseText = "拝啓、請求書をお送りします。\n合計は千円です。\n"
)

func encode(t testing.TB, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatalf("encode %q: %v", s, err)
	}
	return out
}

var (
	le16 = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	be16 = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	le32 = utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)
	be32 = utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)
)

func TestDecode(t *testing.T) {
	ascii := strings.Repeat("plain ascii, line after line\n", 100_000)
	for _, tt := range []struct {
		name, in, want, encoding string
	}{
		{"empty", "", "", UTF8},
		{"ascii", "hello\n", "hello\n", UTF8},
		{"utf-8", germanText + russianText + japaneseText, germanText + russianText + japaneseText, UTF8},
		{"utf-8 with mark", "\xef\xbb\xbf" + germanText, germanText, UTF8},
		{"only a mark", "\xef\xbb\xbf", "", UTF8},
		{"windows-1252 german", encode(t, charmap.Windows1252, germanText), germanText, Windows1252},
		{"windows-1252 french", encode(t, charmap.Windows1252, frenchText), frenchText, Windows1252},
		{"windows-1252 one byte", "caf\xe9", "café", Windows1252},
		{"windows-1252 that looks like one utf-8 sequence", "CAF\xc9\xbb caf\xe9 \xe9t\xe9", "CAFÉ» café été", Windows1252},
		{"utf-16le with mark", "\xff\xfe" + encode(t, le16, germanText), germanText, UTF16LE},
		{"utf-16be with mark", "\xfe\xff" + encode(t, be16, japaneseText), japaneseText, UTF16BE},
		{"utf-16le german", encode(t, le16, germanText), germanText, UTF16LE},
		{"utf-16be french", encode(t, be16, frenchText), frenchText, UTF16BE},
		{"utf-16le russian", encode(t, le16, russianText), russianText, UTF16LE},
		{"utf-16be russian", encode(t, be16, russianText), russianText, UTF16BE},
		{"utf-16le japanese", encode(t, le16, japaneseText), japaneseText, UTF16LE},
		{"utf-16le emoji", encode(t, le16, "okay 😀"), "okay 😀", UTF16LE},
		{"utf-16le one letter", "a\x00", "a", UTF16LE},
		{"utf-16le odd length", encode(t, le16, "hello world") + "x", "hello world\ufffd", UTF16LE},
		{"utf-16le lone surrogate", "\xff\xfea\x00\x00\xd8", "a\ufffd", UTF16LE},
		{"utf-32le", "\xff\xfe\x00\x00" + encode(t, le32, germanText), germanText, UTF32LE},
		{"utf-32be", "\x00\x00\xfe\xff" + encode(t, be32, japaneseText), japaneseText, UTF32BE},
		{"utf-32le cut", "\xff\xfe\x00\x00a\x00\x00\x00b\x00", "a\ufffd", UTF32LE},
		{"utf-32be beyond unicode", "\x00\x00\xfe\xff\x7f\x00\x00\x00", "\ufffd", UTF32BE},
		{"ascii with a stray NUL", "hello\x00world, here is more", "hello\x00world, here is more", UTF8},
		{"short text with several controls", "a\x00b\tc\x1bd\u0080e, and more text\x7f", "a\x00b\tc\x1bd\u0080e, and more text\x7f", UTF8},
		{"utf-8 with a broken byte", russianText + "caf\xe9\n", russianText + "café\n", UTF8},
		{"utf-8 cut in a character", "Уважаемый"[:len("Уважаемый")-1], "Уважаемы\u00d0", UTF8},
		{"one windows-1252 byte late in ascii", ascii + "caf\xe9 \x80 5\n", ascii + "café € 5\n", Windows1252},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, encoding := Decode([]byte(tt.in))
			if got != tt.want {
				t.Errorf("text %q, want %q", tail(got), tail(tt.want))
			}
			if encoding != tt.encoding {
				t.Errorf("encoding %s, want %s", encoding, tt.encoding)
			}
			r, encoding, err := NewReader(iotest.HalfReader(strings.NewReader(tt.in)))
			if err != nil {
				t.Fatal(err)
			}
			if len(tt.in) <= sampleBytes && encoding != tt.encoding {
				t.Errorf("reader's encoding %s, want %s", encoding, tt.encoding)
			}
			if read, err := io.ReadAll(r); err != nil || string(read) != tt.want {
				t.Errorf("read %q, %v, want %q", tail(string(read)), err, tail(tt.want))
			}
		})
	}
}

// tail shortens what a failed test shows.
func tail(s string) string { return s[max(0, len(s)-300):] }

func TestReaderAfterTheSample(t *testing.T) {
	fill := func(s string) string { return strings.Repeat(s, sampleBytes/len(s)+1) }
	for _, tt := range []struct {
		name, in, want string
	}{
		{"utf-8, then a windows-1252 byte", fill(russianText) + "\xe9t\xe9", fill(russianText) + "été"},
		{"ascii, then utf-8", fill("abc") + japaneseText, fill("abc") + japaneseText},
		{"ascii, then utf-8 cut", fill("abc") + "\xe6\x8b", fill("abc") + "æ‹"},
		{"utf-16, then half a unit", encode(t, le16, fill("abc")) + "d", fill("abc") + "\ufffd"},
		{"character on the border", strings.Repeat("a", sampleBytes-1) + "é" + "ü", strings.Repeat("a", sampleBytes-1) + "éü"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _, err := NewReader(iotest.DataErrReader(strings.NewReader(tt.in)))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got ...%q, want ...%q", tail(string(got)), tail(tt.want))
			}
		})
	}
}

func TestReaderErrors(t *testing.T) {
	broken := errors.New("disk on fire")
	if _, _, err := NewReader(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("error at once: got %v, want %v", err, broken)
	}
	late := io.MultiReader(strings.NewReader(strings.Repeat("a", 2*sampleBytes)), iotest.ErrReader(broken))
	r, _, err := NewReader(late)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if !errors.Is(err, broken) || len(got) != 2*sampleBytes {
		t.Errorf("late error: got %d bytes and %v, want %d and %v", len(got), err, 2*sampleBytes, broken)
	}
}

func TestIsBinary(t *testing.T) {
	random := make([]byte, 10_000)
	rng := rand.NewChaCha8([32]byte{1})
	if _, err := rng.Read(random); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		in   string
		want bool
	}{
		{"empty", "", false},
		{"ascii", "hello", false},
		{"utf-8", russianText + japaneseText, false},
		{"utf-16le", encode(t, le16, germanText), false},
		{"utf-16be russian", encode(t, be16, russianText), false},
		{"utf-32", "\xff\xfe\x00\x00" + encode(t, le32, germanText), false},
		{"windows-1252", encode(t, charmap.Windows1252, germanText), false},
		{"stray NUL", "hello\x00", false},
		{"end of file of DOS", "hello\r\n\x1a", false},
		{"coloured log", strings.Repeat("\x1b[32mINFO\x1b[0m ok\n", 100), false},
		{"manual page", strings.Repeat("N\bNA\bAM\bME\bE\n", 100), false},
		{"replacement characters in utf-8", strings.Repeat("\ufffda", 100), false},
		{"random", string(random), true},
		{"zeros", strings.Repeat("\x00", 100), true},
		{"elf", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00", true},
		{"int32s", strings.Repeat("\x01\x00\x00\x00\x02\x00\x00\x00", 50), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := IsBinary([]byte(tt.in)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(germanText))
	f.Add([]byte("\xff\xfea\x00\x00\xd8"))
	f.Add([]byte("\xff\xfe\x00\x00a\x00\x00"))
	f.Add([]byte("caf\xe9 \xe6\x8b"))
	f.Add([]byte("a\x00b\x00\xdc\xdc\xd8"))
	f.Fuzz(func(t *testing.T, b []byte) {
		text, encoding := Decode(b)
		if !utf8.ValidString(text) {
			t.Fatalf("%s: not UTF-8: %q", encoding, text)
		}
		if utf8.Valid(b) && encoding == UTF8 && text != strings.TrimPrefix(string(b), "\ufeff") {
			t.Fatalf("UTF-8 was changed: %q", text)
		}
		r, readerEncoding, err := NewReader(iotest.OneByteReader(bytes.NewReader(b)))
		if err != nil {
			t.Fatal(err)
		}
		read, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) <= sampleBytes && (string(read) != text || readerEncoding != encoding) {
			t.Fatalf("reader: %s %q, Decode: %s %q", readerEncoding, read, encoding, text)
		}
		IsBinary(b)
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, bb := range []struct{ name, text string }{
		{"ascii", strings.Repeat("plain ascii, line after line\n", 10_000)},
		{"utf-8", strings.Repeat(germanText, 4_000)},
		{"windows-1252", strings.Repeat(encode(b, charmap.Windows1252, germanText), 4_000)},
		{"utf-16", encode(b, le16, strings.Repeat(germanText, 2_000))},
	} {
		b.Run(bb.name, func(b *testing.B) {
			in := []byte(bb.text)
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				Decode(in)
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	in := strings.Repeat(germanText, 20_000)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		r, _, err := NewReader(strings.NewReader(in))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}
