package msg

import (
	"cmp"
	"strings"

	"docbatch/pipeline/extract/mail"
	"docbatch/pipeline/extract/mail/letter"
	"docbatch/pipeline/extract/msg/cfb"
)

// Recipients are those of a message by their kind: the numbers of PidTagRecipientType.
type recipients map[int][]string

const (
	recipientTo  = 1
	recipientCc  = 2
	recipientBcc = 3
	recipientAll = 0x0f // the bits that say the kind
)

// recipients reads the recipients of a message whose ANSI texts are in encoding.
func (r *reader) recipients(s *cfb.Storage, encoding string) recipients {
	people := recipients{}
	for _, name := range within(s, storageRecipient) {
		storage := s.Storage(name)
		if r.parts++; storage == nil || r.parts > r.file.Bounds.Parts {
			continue
		}
		p := r.open(storage, headerOther)
		p.encoding = encoding
		people.add(p)
	}
	return people
}

func (people recipients) add(p properties) {
	kind := p.number(pidRecipientType) & recipientAll
	if kind == 0 {
		kind = recipientTo
	}
	if one := person(p.first(pidDisplayName), p.text(pidSMTPAddress), p.text(pidMailAddress)); one != "" {
		people[kind] = append(people[kind], one)
	}
}

// person is a name with an address: "Jo Doe <jo@example.org>". The first address of the Internet is taken; without one the first of
// any kind, which is a name in some organisation's directory.
func person(name string, addresses ...string) string {
	name = trimQuotes(name)
	address := ""
	for _, a := range addresses {
		if a = trimQuotes(a); strings.Contains(a, "@") {
			address = a
			break
		}
		address = cmp.Or(address, a)
	}
	switch {
	case name == "", strings.EqualFold(name, address):
		return address
	case address == "", strings.Contains(strings.ToLower(name), "<"+strings.ToLower(address)+">"):
		return name
	}
	return name + " <" + address + ">"
}

func trimQuotes(text string) string { return strings.Trim(strings.TrimSpace(text), "'\"") }

// header is what stands above a message: what travelled with it where it came from the Internet, else its properties.
func (p properties) header(people recipients) letter.Header {
	h := mail.Envelope([]byte(p.text(pidTransportHeaders)))
	h.From = cmp.Or(h.From, person(p.first(pidSentRepresentingName, pidSenderName),
		p.text(pidSentRepresentingSMTP), p.text(pidSenderSMTPAddress), p.text(pidSentRepresentingMail), p.text(pidSenderMail)))
	h.To = cmp.Or(h.To, people.join(recipientTo, p.first(pidDisplayTo)))
	h.Cc = cmp.Or(h.Cc, people.join(recipientCc, p.first(pidDisplayCc)))
	h.Bcc = cmp.Or(h.Bcc, people.join(recipientBcc, p.first(pidDisplayBcc)))
	h.Subject = cmp.Or(subject(p.text(pidSubject)), p.first(pidNormalizedSubject, pidConversationTopic), h.Subject)
	if h.Sent.IsZero() {
		h.Sent = p.moment(pidClientSubmitTime, pidDeliveryTime, pidCreationTime)
		h.Date = p.when(pidClientSubmitTime, pidDeliveryTime, pidCreationTime)
	}
	return h
}

// join lists the recipients of a kind; without any it gives the names that Outlook shows.
func (people recipients) join(kind int, shown string) string {
	return cmp.Or(strings.Join(people[kind], ", "), shown)
}

// subject is without the mark of its prefix, which some programs leave in it: U+0001 and the length.
func subject(text string) string {
	if strings.HasPrefix(text, "\x01") && len(text) > 1 {
		return text[2:]
	}
	return text
}
