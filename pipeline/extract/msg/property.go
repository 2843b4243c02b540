package msg

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"docbatch/pipeline/extract/mail/letter"
)

// Types of properties (MS-OXCDATA, section 2.11.1), those that are read.
const (
	typeInt16   = 0x0002
	typeInt32   = 0x0003
	typeBool    = 0x000b
	typeObject  = 0x000d
	typeANSI    = 0x001e
	typeUnicode = 0x001f
	typeTime    = 0x0040
	typeBinary  = 0x0102
	typeMany    = 0x1000 // with another: several values
)

// Properties (MS-OXPROPS), without the "PidTag" of their names.
const (
	pidMessageClass         = 0x001a
	pidSubject              = 0x0037
	pidClientSubmitTime     = 0x0039
	pidSentRepresentingName = 0x0042
	pidReplyNames           = 0x0050
	pidStartDate            = 0x0060
	pidEndDate              = 0x0061
	pidSentRepresentingMail = 0x0065
	pidConversationTopic    = 0x0070
	pidTransportHeaders     = 0x007d
	pidRecipientType        = 0x0c15
	pidSenderName           = 0x0c1a
	pidSenderMail           = 0x0c1f
	pidDisplayBcc           = 0x0e02
	pidDisplayCc            = 0x0e03
	pidDisplayTo            = 0x0e04
	pidDeliveryTime         = 0x0e06
	pidNormalizedSubject    = 0x0e1d
	pidPrimarySendAccount   = 0x0e28
	pidBody                 = 0x1000
	pidCompressedRTF        = 0x1009
	pidHTML                 = 0x1013
	pidDisplayName          = 0x3001
	pidMailAddress          = 0x3003
	pidCreationTime         = 0x3007
	pidAttachData           = 0x3701
	pidAttachFileName       = 0x3704
	pidAttachLongFileName   = 0x3707
	pidAttachMIMEType       = 0x370e
	pidSMTPAddress          = 0x39fe
	pidBusinessTelephone    = 0x3a08
	pidHomeTelephone        = 0x3a09
	pidCompanyName          = 0x3a16
	pidTitle                = 0x3a17
	pidDepartmentName       = 0x3a18
	pidMobileTelephone      = 0x3a1c
	pidBusinessFax          = 0x3a24
	pidBirthday             = 0x3a42
	pidInternetCodePage     = 0x3fde
	pidMessageCodePage      = 0x3ffd
	pidCreatorMail          = 0x4023
	pidSenderSMTPAddress    = 0x5d01
	pidSentRepresentingSMTP = 0x5d02
	pidCreatorSMTP          = 0x5d0a
)

// isFixed reports whether a value of the type lies with the tag; else its size does.
func isFixed(kind uint16) bool {
	switch kind {
	case typeInt16, typeInt32, typeBool, typeTime:
		return true
	}
	return false
}

// A property is one value with its type.
type property struct {
	kind uint16
	data []byte
}

// Properties are those of a message, a recipient or an attachment, wherever they lie.
type properties struct {
	find     func(id uint16) (property, bool)
	set      func(id uint16, v property) // nil where they can't be set
	named    map[uint32]uint16           // the identifiers here of those named by a number, of MS-OXPROPS ("PidLid...")
	encoding string                      // of ANSI texts
	decoder  *letter.Decoder
}

// text is a property that is text; "" where there is none.
func (p properties) text(id uint16) string {
	v, ok := p.find(id)
	if !ok {
		return ""
	}
	switch v.kind {
	case typeUnicode:
		return utf16Text(v.data)
	case typeANSI:
		return p.decode(v.data)
	}
	return ""
}

// decode decodes an ANSI text, without the NUL at its end: with it, one of five letters looks like UTF-16.
func (p properties) decode(b []byte) string {
	return p.decoder.Decode(bytes.TrimRight(b, "\x00"), p.encoding)
}

// first is the first of several properties that is text.
func (p properties) first(ids ...uint16) string {
	for _, id := range ids {
		if text := strings.TrimSpace(p.text(id)); text != "" {
			return text
		}
	}
	return ""
}

// number is a property that is a number; 0 where there is none.
func (p properties) number(id uint16) int {
	v, ok := p.find(id)
	switch {
	case !ok:
	case v.kind == typeInt32 && len(v.data) >= 4:
		return int(binary.LittleEndian.Uint32(v.data))
	case (v.kind == typeInt16 || v.kind == typeBool) && len(v.data) >= 2:
		return int(binary.LittleEndian.Uint16(v.data))
	}
	return 0
}

// epochTicks are the 100 ns between 1601, when Windows' time begins, and 1970.
const epochTicks = 116_444_736_000_000_000

// moment is the first of several properties that is a date after 1601; the zero time where there is none.
func (p properties) moment(ids ...uint16) time.Time {
	for _, id := range ids {
		v, ok := p.find(id)
		if !ok || v.kind != typeTime || len(v.data) < 8 {
			continue
		}
		ticks := int64(binary.LittleEndian.Uint64(v.data)) - epochTicks
		if t := time.Unix(ticks/1e7, ticks%1e7*100).UTC(); t.Year() > 1601 && t.Year() < 4500 {
			return t
		}
	}
	return time.Time{}
}

// lid is the identifier here of a property that is named by a number; 0, which no property has, where there is none.
func (p properties) lid(number uint32) uint16 { return p.named[number] }

// utf16Text decodes UTF-16LE up to the NUL at its end.
func utf16Text(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return strings.TrimRight(string(utf16.Decode(units)), "\x00")
}

// codePages are the names of Windows' code pages that do not follow from their numbers.
var codePages = map[int]string{
	708: "iso-8859-6", 866: "ibm866", 874: "windows-874", 932: "shift_jis", 936: "gbk", 949: "euc-kr", 950: "big5", 1200: "utf-16le",
	1201: "utf-16be", 10000: "macintosh", 10007: "x-mac-cyrillic", 20127: "us-ascii", 20866: "koi8-r", 20932: "euc-jp", 20936: "gbk",
	21866: "koi8-u", 38598: "iso-8859-8", 50220: "iso-2022-jp", 50221: "iso-2022-jp", 50222: "iso-2022-jp", 50225: "iso-2022-kr",
	51932: "euc-jp", 51936: "gbk", 51949: "euc-kr", 52936: "hz-gb-2312", 54936: "gb18030", 65000: "utf-7", 65001: "utf-8",
}

func codePageName(n int) string {
	switch name, ok := codePages[n]; {
	case ok:
		return name
	case 1250 <= n && n <= 1258:
		return "windows-" + strconv.Itoa(n)
	case 28591 <= n && n <= 28606:
		return "iso-8859-" + strconv.Itoa(n-28590)
	}
	return "ibm" + strconv.Itoa(n)
}
