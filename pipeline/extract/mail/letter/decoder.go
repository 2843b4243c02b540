package letter

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"docbatch/pipeline/charset"
)

// maxGuesses bounds the texts of a document whose encoding may have to be guessed: each costs about half a millisecond, however short it is,
// and hostile mail has a hundred thousand of them.
const maxGuesses = 500

// A Decoder decodes the many small texts of one document. The zero Decoder is ready to use.
type Decoder struct{ guesses int }

// Decode is charset.DecodeAs for the first 500 texts that are not UTF-8; later ones are taken for what they are declared to be, or for
// Windows-1252 where that is nothing known.
func (d *Decoder) Decode(b []byte, declared string) string {
	if !utf8.Valid(b) {
		d.guesses++
	}
	if d.guesses <= maxGuesses || utf8.Valid(b) {
		text, _ := charset.DecodeAs(b, declared)
		return text
	}
	codec, err := htmlindex.Get(declared)
	if err != nil {
		codec = charmap.Windows1252
	}
	text, _ := codec.NewDecoder().Bytes(b) // what does not fit is replaced
	return strings.ToValidUTF8(string(text), "\ufffd")
}
