package charset

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestDecodeAs(t *testing.T) {
	hungarian := "Kérem, őrizze meg a jövő évi űrlapot."
	koreanText := letter["Korean"]
	for _, tt := range []struct {
		name, declared, in, want, encoding string
	}{
		{"nothing declared", "", "caf\xe9", "café", Windows1252},
		{"unknown name", "klingon", "caf\xe9", "café", Windows1252},
		{"a name that is no encoding", "x-user-defined", "caf\xe9", "café", Windows1252},
		{"as declared", "iso-8859-2", encode(t, charmap.ISO8859_2, hungarian), hungarian, "iso-8859-2"},
		{"latin1 is windows-1252", "ISO-8859-1", "\x93a\x94", "“a”", Windows1252},
		{"quotes around the name", ` "Windows-1251";`, encode(t, charmap.Windows1251, "счёт"), "счёт", "windows-1251"},
		{"code page", "cp850", encode(t, charmap.CodePage850, "Größe"), "Größe", "ibm850"},
		{"code page of ibm", "IBM855", encode(t, charmap.CodePage855, "счет"), "счет", "ibm855"},
		{"number alone", "1250", encode(t, charmap.Windows1250, hungarian), hungarian, "windows-1250"},
		{"number that neither index has", "cp863", encode(t, charmap.CodePage863, "Château"), "Château", "ibm863"},
		{"euro of DOS", "cp858", "\xd5", "€", "ibm00858"},
		{"windows-31j", "Windows-31J", encode(t, japanese.ShiftJIS, "請求書①"), "請求書①", "shift_jis"},
		{"x-sjis", "x-sjis", encode(t, japanese.ShiftJIS, "請求書"), "請求書", "shift_jis"},
		{"korean by its standard", "ks_c_5601-1987", encode(t, korean.EUCKR, "안녕"), "안녕", "euc-kr"},
		{"gb2312 is gb18030", "GB2312", encode(t, simplifiedchinese.GB18030, "镕€"), "镕€", "gb18030"},
		{"macintosh", "x-mac-roman", encode(t, charmap.Macintosh, "Größe"), "Größe", "macintosh"},
		{"without a hyphen", "iso8859_7", encode(t, charmap.ISO8859_7, "Αθήνα"), "Αθήνα", "iso-8859-7"},
		{"iso-2022-jp", "ISO-2022-JP", encode(t, japanese.ISO2022JP, japaneseText), japaneseText, iso2022JP},
		{"iso-2022-kr", "iso-2022-kr", "\x1b$)C" + shifted(t, koreanText), koreanText, iso2022KR},
		{"hz", "HZ-GB-2312", encode(t, simplifiedchinese.HZGB2312, "请您付款"), "请您付款", hz},
		{"utf-7", "utf-7", "Gr+APYA3w-e +- 1 +IKw", "Größe + 1 €", utf7},
		{"utf-7 broken", "utf-7", "a+A b+AP", "a b", utf7},
		{"utf-7 of high bytes", "utf-7", "Größe", "Größe", UTF8},
		{"utf-16 without a mark", "utf-16", encode(t, be16, germanText), germanText, UTF16BE},
		{"utf-16 without zeros", "utf-16be", encode(t, be16, "請求書請求書"), "請求書請求書", UTF16BE},

		{"ascii that is not", "us-ascii", "caf\xe9", "café", Windows1252},
		{"ascii that is utf-8", "us-ascii", "café", "café", UTF8},
		{"latin1 that is utf-8", "iso-8859-1", "café", "café", UTF8},
		{"utf-8 that is not", "utf-8", encode(t, charmap.Windows1251, letter["Russian"]), letter["Russian"], "windows-1251"},
		{"utf-8 with a broken byte", "utf-8", russianText + "\xe9", russianText + "é", UTF8},
		{"utf-16 that is utf-8", "utf-16", "<html>é", "<html>é", UTF8},
		{"latin1 that is utf-16", "latin1", "\xff\xfeh\x00\xe9\x00", "hé", UTF16LE},
		{"shift_jis that is euc-jp", "shift_jis", encode(t, japanese.EUCJP, letter["Japanese"]), letter["Japanese"], "euc-jp"},
		{"mostly right", "shift_jis", encode(t, japanese.ShiftJIS, letter["Japanese"]) + "\xff", letter["Japanese"] + "\ufffd", "shift_jis"},
		{"ascii under any name", "big5", "hello", "hello", UTF8},
		{"empty", "big5", "", "", UTF8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, encoding := DecodeAs([]byte(tt.in), tt.declared)
			if got != tt.want || encoding != tt.encoding {
				t.Errorf("got %s %q, want %s %q", encoding, got, tt.encoding, tt.want)
			}
		})
	}
}

// shifted writes text as ISO-2022-KR has it, without the escape that it begins with.
func shifted(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	for _, c := range []byte(encode(t, korean.EUCKR, text)) {
		if c >= 0x80 {
			out.WriteString("\x0e" + string(rune(c&0x7f)) + "\x0f")
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

func TestShifting(t *testing.T) {
	text := strings.Repeat(letter["Korean"]+"\n", 100)
	for _, tt := range []struct {
		name, in, want, encoding string
	}{
		{"iso-2022-kr", "\x1b$)C" + shifted(t, text), text, iso2022KR},
		{"terminal", "\x1b[32mok\x1b(B\x1b[m", "\x1b[32mok\x1b(B\x1b[m", UTF8},
		{"utf-32le without a mark", encode(t, le32, germanText), germanText, UTF32LE},
		{"utf-32be without a mark", encode(t, be32, japaneseText), japaneseText, UTF32BE},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if IsBinary([]byte(tt.in)) {
				t.Error("is taken for binary")
			}
			if got, encoding := Decode([]byte(tt.in)); got != tt.want || encoding != tt.encoding {
				t.Errorf("got %s %q, want %s %q", encoding, tail(got), tt.encoding, tail(tt.want))
			}
		})
	}
}

func FuzzDecodeAs(f *testing.F) {
	f.Add("utf-7", []byte("Gr+APYA3w-e +- +2ADcAA-"))
	f.Add("iso-2022-kr", []byte("\x1b$)C\x0e?*;g\x0f"))
	f.Add("cp850", []byte("\xd5"))
	f.Add("hz", []byte("~{VPND~}"))
	f.Add("big5", []byte("\xa4\xa4\x80"))
	f.Fuzz(func(t *testing.T, declared string, b []byte) {
		text, encoding := DecodeAs(b, declared)
		if !utf8.ValidString(text) {
			t.Fatalf("%s: not UTF-8: %q", encoding, text)
		}
		if encoding == "" || encoding != strings.ToLower(encoding) {
			t.Fatalf("encoding %q", encoding)
		}
	})
}
