package msg_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mail"
	"docbatch/pipeline/extract/msg"
	"docbatch/pipeline/extract/msg/cfb/cfbtest"
)

// file is a document whose parts are "read" by showing what was given to the reader of their type.
func file(data []byte) *content.File {
	f := &content.File{Name: "test.msg", Data: data, Bounds: content.DefaultBounds()}
	f.Within = func(ctx context.Context, part *content.File) (*content.Content, error) {
		switch part.MediaType {
		case "message/rfc822":
			inner := *part
			inner.Bounds, inner.Within = f.Bounds, f.Within
			return mail.Read(ctx, &inner)
		case "text/html", "application/rtf":
			return text(fmt.Sprintf("[%s %s %s]", part.MediaType, part.Charset, part.Data)), nil
		case "application/x-broken":
			return nil, content.Damaged("it is broken")
		}
		return text(string(part.Data)), nil
	}
	return f
}

func text(text string) *content.Content {
	return &content.Content{Text: strings.ToValidUTF8(text, "?")}
}

// unicode is a text as Outlook keeps it.
func unicode(text string) (b []byte) {
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// Fixed are the properties of fixed size by their tags.
type fixed map[uint32]uint64

func (f fixed) stream(header int) []byte {
	b := make([]byte, header)
	for _, tag := range slices.Sorted(maps.Keys(f)) {
		b = binary.LittleEndian.AppendUint32(b, tag)
		b = binary.LittleEndian.AppendUint32(b, 6)
		b = binary.LittleEndian.AppendUint64(b, f[tag])
	}
	return b
}

// item makes a storage of properties: texts by "0037", other streams by "10130102".
func item(header int, numbers fixed, texts map[string]string, more ...cfbtest.Storage) cfbtest.Storage {
	s := cfbtest.Storage{"__properties_version1.0": numbers.stream(header)}
	for id, text := range texts {
		if len(id) == 4 {
			s["__substg1.0_"+id+"001F"] = unicode(text)
		} else {
			s["__substg1.0_"+id] = []byte(text)
		}
	}
	for _, m := range more {
		maps.Copy(s, m)
	}
	return s
}

func recipient(n, kind int, name, smtp, address string) cfbtest.Storage {
	return cfbtest.Storage{fmt.Sprintf("__recip_version1.0_#%08X", n): item(8, fixed{0x0c150003: uint64(kind)},
		map[string]string{"3001": name, "39FE": smtp, "3003": address})}
}

func attachment(n int, texts map[string]string, more ...cfbtest.Storage) cfbtest.Storage {
	return cfbtest.Storage{fmt.Sprintf("__attach_version1.0_#%08X", n): item(8, nil, texts, more...)}
}

// ticks is a time as Windows counts it.
func ticks(t time.Time) uint64 { return uint64(t.UnixNano()/100 + 116_444_736_000_000_000) }

var noon = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// names says that the property 0x8208 is 0x8001 here, and 0x820d is 0x8002.
var names = cfbtest.Storage{"__nameid_version1.0": cfbtest.Storage{"__substg1.0_00030102": []byte(
	"\x00\x00\x00\x00\x07\x00\x00\x00" + "\x08\x82\x00\x00\x06\x00\x01\x00" + "\x0d\x82\x00\x00\x06\x00\x02\x00")}}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name    string
		root    cfbtest.Storage
		want    string
		warning string
	}{
		{"a letter", item(32, fixed{0x00390040: ticks(noon)}, map[string]string{
			"0037": "Hello", "1000": "Dear Bob,\r\nyours Ann\r\n", "0C1A": "Ann", "5D01": "ann@example.org", "0C1F": "/O=X/CN=ANN", "10130102": "<p>no</p>",
		}, recipient(0, 1, "Bob", "bob@example.org", "/O=X/CN=BOB"), recipient(1, 2, "carol@example.org", "", "carol@example.org"), recipient(2, 3, "Dan", "", "")),
			"From: Ann <ann@example.org>\nTo: Bob <bob@example.org>\nCc: carol@example.org\nBcc: Dan\n" +
				"Date: Thu, 29 Feb 2024 12:00:00 +0000\nSubject: Hello\n\nDear Bob,\nyours Ann\n\n", ""},
		{"recipients keep their order beyond ten", item(32, nil, map[string]string{"1000": "x"},
			recipient(16, 1, "Q", "", ""), recipient(2, 1, "B", "", ""), recipient(10, 1, "P", "", "")),
			"To: B, P, Q\n\nx\n\n", ""},
		{"what travelled is more exact", item(32, nil, map[string]string{"1000": "x", "0C1A": "Ann", "0E04": "Bob",
			"007D": "Received: x\r\nFrom: =?utf-8?q?Ann=C3=A9?= <a@example.org>\r\nTo: b@example.org\r\nDate: Thu, 29 Feb 2024 13:00:00 +0100\r\n"}),
			"From: Anné <a@example.org>\nTo: b@example.org\nDate: Thu, 29 Feb 2024 13:00:00 +0100\n\nx\n\n", ""},
		{"only the shown names", item(32, nil, map[string]string{"1000": "x", "0042": "Ann", "0065": "/O=X/CN=ANN", "0E04": "Bob; Carol"}),
			"From: Ann </O=X/CN=ANN>\nTo: Bob; Carol\n\nx\n\n", ""},
		{"names with commas", item(32, nil, map[string]string{"1000": "x", "0C1A": "Doe, Jo", "0C1F": "jo@example.org"},
			recipient(0, 1, "Roe, Al", "al@example.org", ""), recipient(1, 1, "Poe, Bo", "", "")),
			"From: \"Doe, Jo\" <jo@example.org>\nTo: \"Roe, Al\" <al@example.org>, \"Poe, Bo\"\n\nx\n\n", ""},
		{"a sender of the directory who is a recipient", item(32, nil, map[string]string{"1000": "x", "0C1A": "Ann", "0C1F": "/o=X/cn=Ann"},
			recipient(0, 1, "Bob", "bob@example.org", "/O=X/CN=BOB"), recipient(1, 2, "Ann", "ann@example.org", "/O=X/CN=ANN")),
			"From: Ann <ann@example.org>\nTo: Bob <bob@example.org>\nCc: Ann <ann@example.org>\n\nx\n\n", ""},
		{"the account of a sender of the directory", item(32, nil, map[string]string{"1000": "x", "0C1A": "Ann", "0C1F": "/O=X/CN=ANN",
			"0E28": "00000002\x01/o=X/cn=Ann\x01ann@example.org"}), "From: Ann <ann@example.org>\n\nx\n\n", ""},
		{"the account of another", item(32, nil, map[string]string{"1000": "x", "0C1A": "Ann", "0C1F": "/O=X/CN=ANN",
			"0E28": "00000002\x01/o=X/cn=Bob\x01bob@example.org"}), "From: Ann </O=X/CN=ANN>\n\nx\n\n", ""},
		{"a sender of the directory who wrote it", item(32, nil, map[string]string{"1000": "x", "0C1A": "Ann", "0C1F": "/O=X/CN=ANN",
			"4023": "/o=X/cn=Ann", "5D0A": "ann@example.org"}), "From: Ann <ann@example.org>\n\nx\n\n", ""},
		{"written by another", item(32, nil, map[string]string{"1000": "x", "0C1A": "Ann", "0C1F": "/O=X/CN=ANN",
			"4023": "/o=X/cn=Bob", "5D0A": "bob@example.org"}), "From: Ann </O=X/CN=ANN>\n\nx\n\n", ""},
		{"sent by a secretary", item(32, nil, map[string]string{"1000": "x", "0042": "Ann", "0065": "/O=X/CN=ANN", "0C1A": "Bob", "0C1F": "/O=X/CN=BOB",
			"5D01": "bob@example.org"}), "From: Ann </O=X/CN=ANN>\n\nx\n\n", ""},
		{"answers go to another", item(32, nil, map[string]string{"1000": "x", "0C1A": "Ann", "0050": "Bob"}),
			"From: Ann\nReply-To: Bob\n\nx\n\n", ""},
		{"texts in a code page", item(32, fixed{0x3ffd0003: 1251}, map[string]string{"1000001E": "\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0! \xca\xe0\xea \xe4\xe5\xeb\xe0?"}),
			"Привет, мир! Как дела?\n\n", ""},
		{"HTML in the code page of the Internet", item(32, fixed{0x3fde0003: 28592}, map[string]string{"10130102": "<b>x</b>", "1000": " \r\n"}),
			"[text/html iso-8859-2 <b>x</b>]\n\n", ""},
		{"HTML with a table", item(32, nil, map[string]string{"1000": "a\r\nb\r\nc\r\nd", "1013": "<table>\n| a | b |\n| --- | --- |\n| c | d |\n| e | f |"}),
			"[text/html utf-8 <table>\n| a | b |\n| --- | --- |\n| c | d |\n| e | f |]\n\n", ""},
		{"RTF that is cut, beside text", item(32, nil, map[string]string{"1000": "x", "10090102": "short"}), "x\n\n", ""},
		{"HTML as text", item(32, nil, map[string]string{"1013": "<b>ü</b>"}), "[text/html utf-8 <b>ü</b>]\n\n", ""},
		{"RTF", item(32, nil, map[string]string{"10090102": string(compressed(`{\rtf1 hello hello hello}`))}),
			`[application/rtf  {\rtf1 hello hello hello}]` + "\n\n", ""},
		{"the example of MS-OXRTFCP", item(32, nil, map[string]string{"10090102": "\x2d\x00\x00\x00\x2b\x00\x00\x00LZFu\xf1\xc5\xc7\xa7\x03\x00\x0a\x00rcpg125B" +
			"2\x0a\xf3 hel\x09\x00 bw\x05\xb0ld}\x0a\x80\x0f\xa0"}),
			`[application/rtf  {\rtf1\ansi\ansicpg1252\pard hello world}` + "\r\n]\n\n", ""},
		{"RTF that is cut", item(32, nil, map[string]string{"10090102": "short"}), "", "the text: its compressed RTF is cut"},
		{"subject with a mark of its prefix", item(32, nil, map[string]string{"0037": "\x01\x05RE: x", "1000": "y"}), "Subject: RE: x\n\ny\n\n", ""},
		{"subject with the mark of a long prefix", item(32, nil, map[string]string{"0037": "\x01\u05eaRE: x", "1000": "y"}), "Subject: RE: x\n\ny\n\n", ""},
		{"attachments", item(32, nil, map[string]string{"1000": "x"},
			attachment(0, map[string]string{"3707": "a.txt", "37010102": "of the file"}),
			attachment(1, map[string]string{"3704": "B~1.BIN", "370E": "application/x-broken", "37010102": "1234"}),
			attachment(2, map[string]string{"3001": "logo.png", "37010102": "\x89PNG\r\n\x1a\n"})),
			"x\n\n--- attachment: a.txt ---\n\nof the file\n\n--- attachment: B~1.BIN (application/x-broken, 4 bytes) ---\n\n" +
				"--- attachment: logo.png (image/png, 8 bytes) ---\n\n", "attachment: B~1.BIN: it is broken"},
		{"a message within", item(32, nil, map[string]string{"1000": "outer"},
			attachment(0, nil, cfbtest.Storage{"__substg1.0_3701000D": item(24, nil, map[string]string{"0037": "In", "1000": "inner"},
				recipient(0, 1, "Bob", "bob@example.org", ""), attachment(0, map[string]string{"3707": "b", "37010102": "file"}))})),
			"outer\n\n--- message ---\n\nTo: Bob <bob@example.org>\nSubject: In\n\ninner\n\n--- attachment: b ---\n\nfile\n\n", ""},
		{"a message within, in a code page", item(32, nil, map[string]string{"1000": "outer"},
			attachment(0, nil, cfbtest.Storage{"__substg1.0_3701000D": item(24, fixed{0x3ffd0003: 1251}, map[string]string{"1000": "inner"},
				cfbtest.Storage{"__recip_version1.0_#00000000": item(8, nil, map[string]string{"3001001E": "\xc8\xe2\xe0\xed"})})})),
			"outer\n\n--- message ---\n\nTo: Иван\n\ninner\n\n", ""},
		{"an object of another program", item(32, nil, map[string]string{"1000": "x"},
			attachment(0, map[string]string{"3001": "Chart"}, cfbtest.Storage{"__substg1.0_3701000D": cfbtest.Storage{"CONTENTS": []byte("z")}})),
			"x\n\n--- attachment: Chart (an object of another program) ---\n\n", ""},
		{"an appointment", item(32, fixed{0x80020040: ticks(noon)}, map[string]string{"001A": "IPM.Appointment", "0037": "Talk", "8001": "Room 7", "1000": "agenda"}, names),
			"Subject: Talk\n\nLocation: Room 7\nStart: Thu, 29 Feb 2024 12:00:00 +0000\n\nagenda\n\n", ""},
		{"a contact", item(32, nil, map[string]string{"001A": "IPM.Contact", "3001": "Jo Doe", "3A1C": "+49 1", "3A16": "Acme"}),
			"Name: Jo Doe\nCompany: Acme\nMobile phone: +49 1\n", ""},
		{"signed in clear", item(32, nil, map[string]string{"001A": "IPM.Note.SMIME.MultipartSigned", "1000": "seen twice"},
			attachment(0, map[string]string{"370E": "multipart/signed", "37010102": "Content-Type: text/plain\n\nthe signed text"})),
			"the signed text\n\n", ""},
		{"PGP beside text", item(32, nil, map[string]string{"1000": "see inside"},
			attachment(0, map[string]string{"3707": "a.asc", "37010102": "-----BEGIN PGP MESSAGE-----\nx"})),
			"see inside\n\n--- attachment: a.asc (text/plain, 29 bytes) ---\n\n", "a part of it is encrypted (PGP or S/MIME) and was left out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := msg.Read(t.Context(), file(cfbtest.Build(tt.root)))
			if err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(c.Text) != strings.TrimSpace(tt.want) {
				t.Errorf("text\n%q, want\n%q", c.Text, tt.want)
			}
			if got := strings.Join(c.Warnings, "; "); got != tt.warning {
				t.Errorf("warnings %q, want %q", got, tt.warning)
			}
		})
	}
}

func TestMeta(t *testing.T) {
	c, err := msg.Read(t.Context(), file(cfbtest.Build(item(32, fixed{0x00390040: ticks(noon)},
		map[string]string{"0037": "Hello", "0C1A": "Ann", "5D01": "ann@example.org", "1000": "x"}, recipient(0, 1, "Bob", "bob@example.org", "")))))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"title": "Hello", "from": "Ann <ann@example.org>", "author": "Ann <ann@example.org>", "to": "Bob <bob@example.org>",
		"date": "2024-02-29T12:00:00Z"}
	if !maps.Equal(c.Meta, want) {
		t.Errorf("meta %q, want %q", c.Meta, want)
	}
}

func TestReadErrors(t *testing.T) {
	enveloped := "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80"
	for _, tt := range []struct {
		name, kind string
		data       []byte
	}{
		{"text", pipeline.KindDamaged, []byte("hello")},
		{"S/MIME", pipeline.KindEncrypted, cfbtest.Build(item(32, nil, map[string]string{"001A": "IPM.Note.SMIME", "0037": "secret"},
			attachment(0, map[string]string{"3707": "smime.p7m", "37010102": enveloped})))},
		{"PGP", pipeline.KindEncrypted, cfbtest.Build(item(32, nil, map[string]string{"0037": "secret"},
			attachment(0, map[string]string{"370E": "application/pgp-encrypted", "37010102": "Version: 1"}),
			attachment(1, map[string]string{"37010102": "-----BEGIN PGP MESSAGE-----"})))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := msg.Read(t.Context(), file(tt.data))
			if got := pipeline.AsError(err); err == nil || got.Class != pipeline.Invalid || got.Kind != tt.kind {
				t.Errorf("got %v, want an error of kind %s", err, tt.kind)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	data := cfbtest.Build(item(32, nil, map[string]string{"1000": strings.Repeat("text ", 1000)},
		attachment(0, map[string]string{"37010102": "1"}), attachment(1, map[string]string{"37010102": "2"})))
	for _, tt := range []struct {
		name  string
		bound func(*content.Bounds)
	}{
		{"text", func(b *content.Bounds) { b.Text = 1000 }},
		{"parts", func(b *content.Bounds) { b.Parts = 1 }},
		{"all parts together", func(b *content.Bounds) { b.Unpacked = 1000 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := file(data)
			tt.bound(f.Bounds)
			_, err := msg.Read(t.Context(), f)
			if got := pipeline.AsError(err); err == nil || got.Kind != pipeline.KindTooLarge || !strings.Contains(err.Error(), "the bound on "+tt.name) {
				t.Errorf("got %v, want the bound on %s", err, tt.name)
			}
		})
	}
}

func TestReadStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data := cfbtest.Build(item(32, nil, map[string]string{"1000": "x"}, attachment(0, map[string]string{"37010102": "1"})))
	if _, err := msg.Read(ctx, file(data)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// compressed makes the compressed RTF of a text, with a reference for each repetition that it finds.
func compressed(text string) []byte {
	var tokens []byte
	var flags byte
	n := 0
	var out []byte
	flush := func() {
		out = append(append(out, flags), tokens...)
		tokens, flags, n = nil, 0, 0
	}
	for i := 0; i < len(text); n++ {
		if n == 8 {
			flush()
		}
		if back := strings.LastIndex(text[:i], text[i:min(i+6, len(text))]); back >= 0 && i+6 <= len(text) {
			tokens = binary.BigEndian.AppendUint16(tokens, uint16((207+back)<<4|4))
			flags |= 1 << n
			i += 6
			continue
		}
		tokens = append(tokens, text[i])
		i++
	}
	if n == 8 {
		flush()
	}
	tokens = binary.BigEndian.AppendUint16(tokens, uint16((207+len(text))<<4))
	flags |= 1 << n
	flush()
	header := make([]byte, 16)
	binary.LittleEndian.PutUint32(header, uint32(len(out)+12))
	binary.LittleEndian.PutUint32(header[4:], uint32(len(text)))
	copy(header[8:], "LZFu")
	return append(header, out...)
}

// A tnef stream is built of attributes.
func attribute(level byte, id uint32, value []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{level}, id)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
	return append(append(b, value...), 0, 0)
}

func stream(attributes ...[]byte) []byte {
	return append([]byte("\x78\x9f\x3e\x22\x01\x00"), bytes.Join(attributes, nil)...)
}

// row is a row of properties, each one as it is written.
func row(properties ...[]byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(properties))), bytes.Join(properties, nil)...)
}

// variable is a property of variable size.
func variable(tag uint32, value []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, tag)
	b = binary.LittleEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
	return append(append(b, value...), make([]byte, -len(value)&3)...)
}

func TestReadTNEF(t *testing.T) {
	named := append(binary.LittleEndian.AppendUint32(nil, 0x8001001f), make([]byte, 16)...)
	named = append(named, "\x00\x00\x00\x00\x08\x82\x00\x00"...)
	named = append(named, variable(0, unicode("Room 7"))[4:]...)
	inner := stream(attribute(1, 0x0002800c, []byte("inner text\x00")))
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"attributes", stream(
			attribute(1, 0x00069007, []byte("\xe3\x04\x00\x00\x00\x00\x00\x00")),
			attribute(1, 0x00018004, []byte("Hello\x00")),
			attribute(1, 0x00038005, []byte("\xe8\x07\x02\x00\x1d\x00\x0c\x00\x00\x00\x00\x00\x04\x00")),
			attribute(1, 0x0002800c, []byte("\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0! \xca\xe0\xea \xe4\xe5\xeb\xe0?\x00")),
			attribute(2, 0x00069002, make([]byte, 14)),
			attribute(2, 0x00018010, []byte("a.txt\x00")),
			attribute(2, 0x0006800f, []byte("of the file")),
			attribute(2, 0x00069002, make([]byte, 14)),
			attribute(2, 0x00069005, row(variable(0x3707001f, unicode("long name.txt\x00")))),
			attribute(2, 0x0006800f, []byte("of the other"))),
			"Date: Thu, 29 Feb 2024 12:00:00 +0000\nSubject: Hello\n\nПривет, мир! Как дела?\n\n--- attachment: a.txt ---\n\nof the file\n\n" +
				"--- attachment: long name.txt ---\n\nof the other\n\n"},
		{"properties", stream(attribute(1, 0x00069003, row(
			variable(0x001a001e, []byte("IPM.Appointment\x00")),
			[]byte("\x03\x00\x17\x00\x01\x00\x00\x00"),
			[]byte("\x02\x10\xff\x0f\x02\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00"), // two numbers in one
			named,
			variable(0x10090102, compressed(`{\rtf1 hello hello hello}`))))),
			"Location: Room 7\n\n" + `[application/rtf  {\rtf1 hello hello hello}]` + "\n\n"},
		{"a message within", stream(
			attribute(2, 0x00069002, make([]byte, 14)),
			attribute(2, 0x00069005, row(variable(0x3701000d, append(make([]byte, 16), inner...))))),
			"--- attachment ---\n\n" + strings.ToValidUTF8(string(inner), "?") + "\n\n"},
		{"cut", stream(attribute(1, 0x0002800c, []byte("a text that goes on\x00")))[:6+9+10], "a text tha\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := msg.ReadTNEF(t.Context(), file(tt.data))
			if err != nil {
				t.Fatal(err)
			}
			if c.Text != tt.want {
				t.Errorf("text\n%q, want\n%q", c.Text, tt.want)
			}
		})
	}
}
