// Package digest describes a document by what stands in it: its title, its language, the sentences that tell most, the
// terms that recur, and how much of what it holds. Nothing is made up: every sentence and every term of a digest is in the
// document, and the same document always gives the same digest.
//
// It is a reader for the built-in agent, not a language model: it does not understand, rephrase, translate or conclude.
package digest

import "strings"

// MaxBytes is how much of a document is looked at. The time for that is linear in the size, whatever the bytes are.
const MaxBytes = 4 << 20

const (
	maxTitleBytes    = 160
	maxSentenceBytes = 500
	maxTerms         = 7
)

// A Digest is what Of found in a document.
type Digest struct {
	Title    string   // its own heading or subject line, else its first sentence; "" where there is no text
	Language string   // BCP 47 tag; "und" where it can't be told, "und-Cyrl" and the like where only the script can
	Summary  []string // up to four sentences, or the fields of a form, in the order in which they stand in the document
	Terms    []string // recurring words and pairs of words, the most telling first
	Counts   Counts
}

// Counts says how much there is in a document.
type Counts struct {
	Words      int  `json:"words"` // in scripts without spaces each character counts as one
	Sentences  int  `json:"sentences"`
	Paragraphs int  `json:"paragraphs"` // blocks of lines set apart by blank lines
	Dates      int  `json:"dates"`
	Amounts    int  `json:"amounts"`           // numbers with a currency
	Numbers    int  `json:"numbers"`           // all other numbers
	Partial    bool `json:"partial,omitempty"` // the document is longer than MaxBytes; the counts are of the beginning
}

// Of reads a document. Sentences and terms are given with their white space made single blanks; one that is too long is
// cut at a word and ends with "…".
func Of(text string) Digest {
	var d Digest
	if len(text) > MaxBytes {
		text = cutRunes(text, MaxBytes)
		d.Counts.Partial = true
	}
	r := newReading(strings.ToValidUTF8(text, "\uFFFD"))
	defer r.release()
	r.read()
	d.Language = r.language()
	d.Title = oneLine(r.title(), maxTitleBytes)
	d.Summary = r.summary(d.Title)
	d.Terms = r.terms(d.Title)
	r.counts.Partial = d.Counts.Partial
	d.Counts = r.counts
	return d
}

// SummaryText is the summary as one line: what does not end like a sentence is set off by a semicolon.
func (d *Digest) SummaryText() string {
	var b strings.Builder
	for i, s := range d.Summary {
		b.WriteString(s)
		if i == len(d.Summary)-1 {
			break
		}
		if !endsLikeSentence(s) {
			b.WriteByte(';')
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// cutRunes cuts s to at most n bytes, at a rune.
func cutRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// oneLine makes white space single blanks and cuts what is longer than n bytes at a word.
func oneLine(s string, n int) string {
	long := len(s) > 4*n
	if long {
		s = cutRunes(s, 4*n)
	}
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= n && !long {
		return s
	}
	s = cutRunes(s, n)
	if i := strings.LastIndexByte(s, ' '); i > n/2 {
		s = s[:i]
	}
	return s + "…"
}
