package charset

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// DecodeAs is Decode for a text whose encoding something outside of it declares: a mail's header, an XML declaration, a code page. It knows
// the names of the WHATWG Encoding Standard and of IANA and code pages by number ("cp850", "windows-31j", "ibm855", "1252"). The declaration
// is trusted but where it is plainly wrong: a byte order mark or UTF-8 beyond ASCII says otherwise, or more than a twentieth of the bytes
// beyond ASCII is nothing in it. Where it is empty, unknown, ASCII or UTF-8 the bytes alone decide.
func DecodeAs(b []byte, declared string) (text string, encoding string) {
	name, codec := lookup(declared)
	if codec == nil || name == UTF8 {
		return Decode(b)
	}
	high := countHigh(b)
	if shifting(name) {
		if high > 0 {
			return Decode(b)
		}
	} else if found, _ := wide(b); found != "" || utf8.Valid(b) {
		return Decode(b)
	}
	out, _, _ := transform.Bytes(codec.NewDecoder(), b) // as in Decode
	if broken := bytes.Count(out, []byte("\ufffd")); broken*20 > high {
		if text, found := Decode(b); found != name && strings.Count(text, "\ufffd") < broken {
			return text, found
		}
	}
	return string(out), name
}

// shifting reports whether an encoding writes all in ASCII bytes.
func shifting(name string) bool {
	switch name {
	case iso2022JP, iso2022KR, utf7, hz:
		return true
	}
	return false
}

// countHigh counts the bytes of b that are not ASCII.
func countHigh(b []byte) int {
	n := 0
	for _, c := range b {
		if c >= utf8.RuneSelf {
			n++
		}
	}
	return n
}

// lookup finds the encoding of a name that is in use for it: nil where there is none, or where the name says no more than ASCII.
func lookup(label string) (name string, codec encoding.Encoding) {
	label = strings.ToLower(strings.Trim(label, " \t\r\n\"';"))
	label = strings.ReplaceAll(label, "_", "-")
	if n, ok := codepageNumber(label); ok {
		label = codepages[n]
	} else if alias, ok := aliases[label]; ok {
		label = alias
	}
	if codec, ok := encodings()[label]; ok {
		return label, codec
	}
	if codec := indexed(label); codec != nil {
		return nameOf(label, codec)
	}
	return "", nil
}

// indexed asks the indexes of x/text. That of the web knows more names, but for some encodings only a replacement that says nothing.
func indexed(label string) encoding.Encoding {
	for _, l := range []string{label, strings.ReplaceAll(label, "-", "_"), strings.Replace(label, "iso8859-", "iso-8859-", 1)} {
		if e, err := htmlindex.Get(l); err == nil && e != encoding.Replacement {
			return e
		}
		if e, err := ianaindex.IANA.Encoding(l); err == nil && e != nil {
			return e
		}
	}
	return nil
}

// nameOf is what the encoding is called here: by the standard of the web where that has it. GBK and GB 2312 are parts of GB 18030.
func nameOf(label string, codec encoding.Encoding) (string, encoding.Encoding) {
	name, err := htmlindex.Name(codec)
	switch {
	case name == "gbk":
		return "gb18030", simplifiedchinese.GB18030
	case name == "x-user-defined":
		return "", nil
	case err != nil:
		return label, codec
	}
	return name, codec
}

// aliases are names that neither index knows, or that they take for something else.
var aliases = map[string]string{
	"ascii": "", "us-ascii": "", "ansi-x3.4-1968": "", "ansi-x3.4-1986": "", "iso646-us": "", "iso-ir-6": "", "8bit": "", "binary": "",
	"unknown": "", "unknown-8bit": "", "x-unknown": "", "iso-10646-ucs-2": UTF16BE, "ucs-2": UTF16LE, "unicode": UTF16LE, "utf-16": UTF16LE,
	"utf-7": utf7, "unicode-1-1-utf-7": utf7, "x-utf-7": utf7, "utf7": utf7,
	"hz": hz, "hz-gb-2312": hz, "iso-2022-kr": iso2022KR, "csiso2022kr": iso2022KR, "iso-2022-jp-1": iso2022JP, "iso-2022-jp-2": iso2022JP,
	"iso-2022-jp-ms": iso2022JP, "gb-2312": "gb18030", "cn-gb": "gb18030", "euc-cn": "gb18030", "cn-big5": "big5", "uhc": "euc-kr",
	"ansi": Windows1252, "x-ansi": Windows1252, "mac": "macintosh", "macroman": "macintosh", "mac-roman": "macintosh",
	"x-mac-roman": "macintosh", "apple-roman": "macintosh", "mac-cyrillic": "x-mac-cyrillic", "maccyrillic": "x-mac-cyrillic",
	"koi8": "koi8-r", "koi-8": "koi8-r", "dos-720": "windows-1256", "visual": "iso-8859-8",
}

// codepages are the names of the numbers that Windows gives encodings.
var codepages = map[int]string{
	37: "ibm037", 437: "ibm437", 850: "ibm850", 852: "ibm852", 855: "ibm855", 858: "ibm00858", 860: "ibm860", 862: "ibm862", 863: "ibm863",
	865: "ibm865", 866: "ibm866", 874: "windows-874", 932: "shift_jis", 936: "gb18030", 943: "shift_jis", 949: "euc-kr", 950: "big5",
	1200: UTF16LE, 1201: UTF16BE, 1250: "windows-1250", 1251: "windows-1251", 1252: Windows1252, 1253: "windows-1253",
	1254: "windows-1254", 1255: "windows-1255", 1256: "windows-1256", 1257: "windows-1257", 1258: "windows-1258",
	10000: "macintosh", 10007: "x-mac-cyrillic", 12000: UTF32LE, 12001: UTF32BE, 20127: "", 20866: "koi8-r", 21866: "koi8-u",
	20932: "euc-jp", 20936: "gb18030", 28591: Windows1252, 28592: "iso-8859-2", 28593: "iso-8859-3", 28594: "iso-8859-4", 28595: "iso-8859-5",
	28596: "iso-8859-6", 28597: "iso-8859-7", 28598: "iso-8859-8", 28599: "windows-1254", 28603: "iso-8859-13", 28605: "iso-8859-15",
	38598: "iso-8859-8", 50220: iso2022JP, 50221: iso2022JP, 50222: iso2022JP, 50225: iso2022KR, 51932: "euc-jp", 51936: "gb18030",
	51949: "euc-kr", 52936: hz, 54936: "gb18030", 65000: utf7, 65001: UTF8,
}

// codepageNumber takes "850", "cp850", "ibm-850", "windows-31j" and the like apart.
func codepageNumber(label string) (int, bool) {
	digits := label
	for _, prefix := range []string{"windows", "x-windows", "x-ibm", "ibm", "x-cp", "cp", "ms", "dos", "win", "pc", "oem", "x-ms-cp", "codepage"} {
		if rest, ok := strings.CutPrefix(label, prefix); ok {
			digits = strings.TrimLeft(rest, "-")
			break
		}
	}
	if digits == "31j" {
		digits = "932"
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, false
	}
	_, ok := codepages[n]
	return n, ok
}
