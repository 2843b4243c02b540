package charset

import (
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// A doublebyte is an encoding of one or two bytes a character, with the language that is written in it.
type doublebyte struct {
	name     string
	codec    encoding.Encoding
	language string
	next     func(b []byte) (size int, cost float64) // takes the character that b, of more than ASCII, begins with
}

// What a character costs that is not among the most frequent of the language, as a natural logarithm.
const (
	costCommon = -9.5 // the ideographs and syllables that the standards put first, some thousands
	costRare   = -13  // those that they put second
	costOther  = -17  // those of later extensions
	costSign   = -9   // signs and letters of other scripts
	costBroken = -25  // what is no character

	priorPairs = -8.0 // how much likelier than Windows-1252 each is before its text is seen
)

var multiByte = []doublebyte{
	{"gb18030", simplifiedchinese.GB18030, "zh-cn", nextGB18030},
	{"big5", traditionalchinese.Big5, "zh-tw", nextBig5},
	{"shift_jis", japanese.ShiftJIS, "ja", nextShiftJIS},
	{"euc-jp", japanese.EUCJP, "ja", nextEUCJP},
	{"euc-kr", korean.EUCKR, "ko", nextEUCKR},
}

// pairs are the model of an encoding of two bytes: the costs of the language's most frequent characters, by their bytes.
type pairs struct {
	doublebyte
	frequent map[[2]byte]float64
	english  *letters
}

func newPairs(e doublebyte, l, english *letters) *pairs {
	p := &pairs{e, map[[2]byte]float64{}, english}
	enc := e.codec.NewEncoder()
	for r, share := range l.share {
		if b, err := enc.Bytes([]byte(string(r))); err == nil && len(b) == 2 {
			p.frequent[[2]byte(b)] = share
		}
	}
	return p
}

func (p *pairs) encoding() string { return p.name }

func (p *pairs) score(s *sample) float64 {
	sum := priorPairs
	for b := s.words; len(b) > 0; {
		if b[0] < 0x80 {
			sum += cost(rune(b[0]), p.english, p.english)
			if b[0] != ' ' {
				sum += costLatin
			}
			b = b[1:]
			continue
		}
		size, cost := p.next(b)
		if size == 2 {
			if share, ok := p.frequent[[2]byte(b)]; ok {
				cost = share
			}
		}
		sum += cost
		b = b[size:]
	}
	return sum
}

// second gives the second byte of b, 0 where there is none.
func second(b []byte) byte {
	if len(b) < 2 {
		return 0
	}
	return b[1]
}

func between(low, c, high byte) bool { return low <= c && c <= high }

// nextGB18030 knows GB 2312 and GBK, which GB 18030 holds; its characters of four bytes are too rare to be looked for.
func nextGB18030(b []byte) (int, float64) {
	lead, trail := b[0], second(b)
	switch {
	case !between(0x81, lead, 0xfe):
		return 1, costBroken
	case !between(0x40, trail, 0xfe) || trail == 0x7f:
		return 1, costBroken
	case trail < 0xa1 || lead < 0xa1 || lead > 0xf7:
		return 2, costOther
	case lead < 0xb0:
		return 2, costSign
	case lead <= 0xd7:
		return 2, costCommon
	}
	return 2, costRare
}

func nextBig5(b []byte) (int, float64) {
	lead, trail := b[0], second(b)
	switch {
	case !between(0x81, lead, 0xfe), !between(0x40, trail, 0x7e) && !between(0xa1, trail, 0xfe):
		return 1, costBroken
	case lead < 0xa1, lead > 0xf9:
		return 2, costOther
	case lead < 0xa4:
		return 2, costSign
	case lead <= 0xc6:
		return 2, costCommon
	case lead < 0xc9:
		return 2, costOther
	}
	return 2, costRare
}

// nextShiftJIS knows the extensions of Windows too.
func nextShiftJIS(b []byte) (int, float64) {
	lead, trail := b[0], second(b)
	switch {
	case between(0xa1, lead, 0xdf):
		return 1, costSign // katakana of half width
	case !between(0x81, lead, 0x9f) && !between(0xe0, lead, 0xfc), !between(0x40, trail, 0xfc) || trail == 0x7f:
		return 1, costBroken
	case lead <= 0x84:
		return 2, costSign
	case lead < 0x88, lead > 0xea:
		return 2, costOther
	case lead <= 0x98:
		return 2, costCommon
	}
	return 2, costRare
}

func nextEUCJP(b []byte) (int, float64) {
	lead, trail := b[0], second(b)
	switch {
	case lead == 0x8e && between(0xa1, trail, 0xdf):
		return 2, costSign
	case lead == 0x8f && len(b) > 2 && between(0xa1, trail, 0xfe) && between(0xa1, b[2], 0xfe):
		return 3, costOther
	case !between(0xa1, lead, 0xfe), !between(0xa1, trail, 0xfe):
		return 1, costBroken
	case lead <= 0xa8:
		return 2, costSign
	case lead < 0xb0, lead > 0xf4:
		return 2, costOther
	case lead <= 0xcf:
		return 2, costCommon
	}
	return 2, costRare
}

// nextEUCKR knows the extension of Windows too, "unified Hangul".
func nextEUCKR(b []byte) (int, float64) {
	lead, trail := b[0], second(b)
	switch {
	case !between(0x81, lead, 0xfe), !between(0xa1, trail, 0xfe) && !between(0x41, trail, 0x5a) && !between(0x61, trail, 0x7a) && !between(0x81, trail, 0xa0):
		return 1, costBroken
	case lead <= 0xc6 && (lead < 0xa1 || trail < 0xa1):
		return 2, costOther + 3
	case trail < 0xa1:
		return 1, costBroken
	case lead < 0xb0:
		return 2, costSign
	case lead <= 0xc8:
		return 2, costCommon
	}
	return 2, costRare
}
