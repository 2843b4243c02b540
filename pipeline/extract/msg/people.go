package msg

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"docbatch/pipeline/extract/mail"
	"docbatch/pipeline/extract/mail/letter"
	"docbatch/pipeline/extract/msg/cfb"
)

// A recipient is one of the people to whom a message goes.
type recipient struct {
	kind       int    // one of the numbers of PidTagRecipientType
	name       string // as it is shown
	smtp, mail string // addresses: of the Internet, and of any kind
}

// Recipients are those of a message.
type recipients []recipient

const (
	recipientTo  = 1
	recipientCc  = 2
	recipientBcc = 3
	recipientAll = 0x0f // the bits that say the kind
)

// recipients reads the recipients of a message whose ANSI texts are in encoding.
func (r *reader) recipients(s *cfb.Storage, encoding string) (people recipients) {
	for _, name := range within(s, storageRecipient) {
		storage := s.Storage(name)
		if r.parts++; storage == nil || r.parts > r.file.Bounds.Parts {
			continue
		}
		p := r.open(storage, headerOther)
		p.encoding = encoding
		people = append(people, recipient{
			kind: cmp.Or(p.number(pidRecipientType)&recipientAll, recipientTo),
			name: p.first(pidDisplayName),
			smtp: p.text(pidSMTPAddress),
			mail: p.text(pidMailAddress),
		})
	}
	return people
}

// smtp is the address of the Internet of one whom a recipient names by the same address of an organisation's directory; "" for none.
func (people recipients) smtp(address string) string {
	i := slices.IndexFunc(people, func(one recipient) bool { return strings.EqualFold(one.mail, address) })
	if i < 0 {
		return ""
	}
	return people[i].smtp
}

// person is a name with an address: "Jo Doe <jo@example.org>". The first address of the Internet is taken; without one the first of
// any kind, which is a name in some organisation's directory. A name with a comma is quoted, since commas part the people of a list.
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
		return quoted(name)
	}
	return quoted(name) + " <" + address + ">"
}

func quoted(name string) string {
	if strings.ContainsAny(name, ",;") && !strings.Contains(name, `"`) {
		return `"` + name + `"`
	}
	return name
}

func trimQuotes(text string) string { return strings.Trim(strings.TrimSpace(text), "'\"") }

// header is what stands above a message: what travelled with it where it came from the Internet, else its properties.
func (p properties) header(people recipients) letter.Header {
	h := mail.Envelope([]byte(p.text(pidTransportHeaders)))
	h.From = cmp.Or(h.From, p.sender(people))
	h.ReplyTo = cmp.Or(h.ReplyTo, p.text(pidReplyNames))
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

// sender is who sent a message, or for whom a secretary did. Exchange gives him by his place in its directory; where he is a recipient too, or the
// account that sent the message or the one who wrote it is noted, his address of the Internet is there.
func (p properties) sender(people recipients) string {
	mail := p.first(pidSentRepresentingMail, pidSenderMail)
	addresses := []string{p.text(pidSentRepresentingSMTP), mail}
	if own := p.first(pidSenderMail); own == "" || strings.EqualFold(own, mail) {
		addresses = append(addresses, p.text(pidSenderSMTPAddress))
	}
	if mail != "" {
		addresses = append(addresses, people.smtp(mail), p.account(mail))
		if strings.EqualFold(p.first(pidCreatorMail), mail) {
			addresses = append(addresses, p.text(pidCreatorSMTP))
		}
	}
	return person(p.first(pidSentRepresentingName, pidSenderName), addresses...)
}

// account is the address of the Internet of the account that sent a message, if that is the one with this address in the directory.
func (p properties) account(address string) string {
	fields := strings.Split(p.text(pidPrimarySendAccount), "\x01") // a number, the place in the directory, the address
	if len(fields) != 3 || !strings.EqualFold(fields[1], address) {
		return ""
	}
	return fields[2]
}

// join lists the recipients of a kind; without any it gives the names that Outlook shows.
func (people recipients) join(kind int, shown string) string {
	var list []string
	for _, one := range people {
		if text := person(one.name, one.smtp, one.mail); text != "" && one.kind == kind {
			list = append(list, text)
		}
	}
	return cmp.Or(strings.Join(list, ", "), shown)
}

// subject is without the mark of its prefix, which some programs leave in it: U+0001 and a character of the length.
func subject(text string) string {
	if rest, ok := strings.CutPrefix(text, "\x01"); ok && rest != "" {
		_, size := utf8.DecodeRuneInString(rest)
		return rest[size:]
	}
	return text
}
