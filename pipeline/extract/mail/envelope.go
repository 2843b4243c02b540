package mail

import (
	"net/mail"
	"strings"
	"time"

	"docbatch/pipeline/extract/mail/letter"
)

// Envelope is what the header of a message says of it. Nothing else is read, and data may be that header alone.
func Envelope(data []byte) letter.Header {
	h, _ := cutHeader(data)
	return envelope(new(letter.Decoder), h)
}

// envelope is what a header says of its letter.
func envelope(d *letter.Decoder, h header) letter.Header {
	from := h.all("from")
	if from == "" {
		from = h.get("sender")
	}
	date := h.get("date")
	return letter.Header{
		From:    decodeWords(d, from),
		To:      decodeWords(d, h.all("to")),
		Cc:      decodeWords(d, h.all("cc")),
		Bcc:     decodeWords(d, h.all("bcc")),
		ReplyTo: decodeWords(d, h.get("reply-to")),
		Date:    decodeWords(d, date),
		Sent:    parseDate(date),
		Subject: decodeWords(d, h.get("subject")),
	}
}

// dateLayouts are forms of dates in real mail beside those of RFC 5322.
var dateLayouts = []string{
	time.RFC3339,
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05",
	"2006-01-02",
	time.ANSIC,
	time.UnixDate,
	time.RubyDate,
	"Mon, 2 Jan 2006 15:04:05",
	"Mon, 2 Jan 2006",
	"2 Jan 2006",
	"Monday, January 2, 2006 3:04 PM",
	"02/01/2006 15:04:05",
}

// parseDate reads the date of a letter; the zero time where it can't.
func parseDate(date string) time.Time {
	date = strings.Join(strings.Fields(dropComment(date)), " ")
	if t, err := mail.ParseDate(date); err == nil {
		return t
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, date); err == nil {
			return t
		}
	}
	return time.Time{}
}
