package msg

import (
	"encoding/binary"
	"strings"
	"time"

	"docbatch/pipeline/extract/mail/letter"
	"docbatch/pipeline/extract/msg/cfb"
)

// Properties named by a number (MS-OXPROPS, section 1.3.2). Outlook's sets do not share numbers, so the set is not looked at.
const (
	lidWebPage        = 0x802b
	lidHomeAddress    = 0x801a
	lidWorkAddress    = 0x801b
	lidOtherAddress   = 0x801c
	lidEmail1         = 0x8083
	lidEmail2         = 0x8093
	lidEmail3         = 0x80a3
	lidTaskStart      = 0x8104
	lidTaskDue        = 0x8105
	lidTaskOwner      = 0x811f
	lidLocation       = 0x8208
	lidStart          = 0x820d
	lidEnd            = 0x820e
	lidRecurrence     = 0x8232
	lidAllAttendees   = 0x8238
	streamNameEntries = "__substg1.0_00030102"
	firstNamed        = 0x8000
)

// readNames reads which identifiers this file gives to the properties that are named by a number (MS-OXMSG, section 2.2.3).
func readNames(r *reader, s *cfb.Storage) map[uint32]uint16 {
	names := map[uint32]uint16{}
	for data := r.stream(s, streamNameEntries); len(data) >= 8; data = data[8:] {
		byText := data[4]&1 != 0
		if id := uint32(binary.LittleEndian.Uint16(data[6:])) + firstNamed; !byText && id <= 0xffff {
			names[binary.LittleEndian.Uint32(data)] = uint16(id)
		}
	}
	return names
}

// fields is what an appointment, a contact or a task says beside its text.
func (p properties) fields() []letter.Field {
	class := strings.ToUpper(p.text(pidMessageClass))
	switch {
	case strings.HasPrefix(class, "IPM.APPOINTMENT"), strings.HasPrefix(class, "IPM.SCHEDULE"):
		return []letter.Field{
			{Name: "Location", Value: p.text(p.lid(lidLocation))},
			{Name: "Start", Value: p.when(p.lid(lidStart), pidStartDate)},
			{Name: "End", Value: p.when(p.lid(lidEnd), pidEndDate)},
			{Name: "Recurrence", Value: p.text(p.lid(lidRecurrence))},
			{Name: "Attendees", Value: p.text(p.lid(lidAllAttendees))},
		}
	case strings.HasPrefix(class, "IPM.TASK"):
		return []letter.Field{
			{Name: "Owner", Value: p.text(p.lid(lidTaskOwner))},
			{Name: "Start", Value: p.when(p.lid(lidTaskStart))},
			{Name: "Due", Value: p.when(p.lid(lidTaskDue))},
		}
	case strings.HasPrefix(class, "IPM.CONTACT"):
		return p.contact()
	}
	return nil
}

// contact is the card of a person.
func (p properties) contact() []letter.Field {
	return []letter.Field{
		{Name: "Name", Value: p.text(pidDisplayName)},
		{Name: "Title", Value: p.text(pidTitle)},
		{Name: "Company", Value: p.text(pidCompanyName)},
		{Name: "Department", Value: p.text(pidDepartmentName)},
		{Name: "E-mail", Value: p.text(p.lid(lidEmail1))},
		{Name: "E-mail", Value: p.text(p.lid(lidEmail2))},
		{Name: "E-mail", Value: p.text(p.lid(lidEmail3))},
		{Name: "Business phone", Value: p.text(pidBusinessTelephone)},
		{Name: "Home phone", Value: p.text(pidHomeTelephone)},
		{Name: "Mobile phone", Value: p.text(pidMobileTelephone)},
		{Name: "Fax", Value: p.text(pidBusinessFax)},
		{Name: "Business address", Value: p.text(p.lid(lidWorkAddress))},
		{Name: "Home address", Value: p.text(p.lid(lidHomeAddress))},
		{Name: "Other address", Value: p.text(p.lid(lidOtherAddress))},
		{Name: "Web page", Value: p.text(p.lid(lidWebPage))},
		{Name: "Birthday", Value: p.when(pidBirthday)},
	}
}

// when is a date as a person reads it, in UTC since the file holds it so; "" where there is none.
func (p properties) when(ids ...uint16) string {
	t := p.moment(ids...)
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC1123Z)
}
