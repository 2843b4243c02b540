package mediatype

import (
	"regexp"
	"strings"
)

// texts are the formats of what is readable text, by extension; without one it is Text.
var texts = map[string]string{
	".md":       Markdown,
	".markdown": Markdown,
	".csv":      CSV,
	".tsv":      TSV,
	".tab":      TSV,
	".json":     JSON,
	".jsonl":    NDJSON,
	".ndjson":   NDJSON,
	".yaml":     YAML,
	".yml":      YAML,
	".xml":      XML,
	".eml":      Mail,
	".mbox":     Mbox,
	".mht":      MHTML,
	".mhtml":    MHTML,
	".html":     HTML,
	".htm":      HTML,
	".xhtml":    HTML,
	".xht":      HTML,
	".vcf":      VCard,
	".ics":      Calendar,
}

// textType tells apart what is readable text, by how it begins. HTML that begins as such is HTML under any name; a fragment only under a
// name for it, since Markdown may begin with a tag or a comment too.
func textType(ext, text string) string {
	text = strings.TrimSpace(text)
	start := strings.ToLower(text[:min(len(text), headBytes)])
	switch {
	case strings.HasPrefix(start, `{\rtf`), ext == ".rtf" && strings.HasPrefix(start, `{\`):
		return RTF
	case strings.HasPrefix(start, "%!ps"):
		return PostScript
	case strings.HasPrefix(start, "begin:vcard"):
		return VCard
	case strings.HasPrefix(start, "begin:vcalendar"):
		return Calendar
	}
	if t := markupType(start); t != "" {
		return t
	}
	if t := mailType(ext, text); t != "" {
		return t
	}
	if t, ok := texts[ext]; ok {
		return t
	}
	return Text
}

// markupType tells HTML, XHTML, flat OpenDocument and other XML by the first element and what comes before it; "" for what is none of
// them. start is in small letters.
func markupType(start string) string {
	if !strings.HasPrefix(start, "<") {
		return ""
	}
	root, doctype := rootElement(start)
	_, root, _ = strings.Cut(":"+root, ":")
	if i := strings.LastIndexByte(root, ':'); i >= 0 {
		root = root[i+1:]
	}
	switch {
	case doctype == "html", root == "html":
		return HTML
	case root == "document" && strings.Contains(start, "office:mimetype"):
		return flatType(start)
	case strings.HasPrefix(start, "<?xml"), doctype != "":
		return XML
	case root == "head", root == "body", root == "title", root == "frameset":
		return HTML
	}
	return ""
}

// rootElement gives the names of the first element and of the document type, stepping over comments and processing instructions.
func rootElement(start string) (root, doctype string) {
	for {
		start = strings.TrimSpace(start)
		var end string
		switch {
		case strings.HasPrefix(start, "<!--"):
			end = "-->"
		case strings.HasPrefix(start, "<?"):
			end = ">"
		case strings.HasPrefix(start, "<!doctype"):
			doctype = firstName(start[len("<!doctype"):])
			end = ">"
		case strings.HasPrefix(start, "<"):
			return firstName(start[1:]), doctype
		default:
			return "", doctype
		}
		_, after, ok := strings.Cut(start, end)
		if !ok {
			return "", doctype
		}
		start = after
	}
}

// firstName is the name that s begins with.
func firstName(s string) string {
	s = strings.TrimLeft(s, " \t\r\n")
	if i := strings.IndexAny(s, " \t\r\n<>/[\"'"); i >= 0 {
		return s[:i]
	}
	return s
}

// flatType is the type of OpenDocument in one XML file, by its attribute office:mimetype.
func flatType(start string) string {
	_, after, _ := strings.Cut(start, "office:mimetype")
	after = strings.TrimLeft(after, " \t\r\n=\"'")
	t := declaredType([]byte(after[:max(0, strings.IndexAny(after, "\"'"))]))
	if !strings.HasPrefix(t, odf) {
		return XML
	}
	return t + "-flat-xml"
}

var (
	// mboxLine is the line before each message of an mbox: "From jo@example.org Thu Nov 23 10:00:00 2026", as RFC 4155 has it.
	mboxLine = regexp.MustCompile(`(?i)^From \S+.*\d\d:\d\d.*(\r?\n)[!-9;-~]+:`)
	// headerLine is a field of RFC 5322; the name ends at the colon.
	headerLine = regexp.MustCompile(`^([!-9;-~]+)[ \t]*:`)
)

// mailFields are the fields that only mails have; two of them, or one under a mail's extension, make a mail. Of the others it needs
// a telling one beside them: notes too begin "Date:" and "Subject:".
var mailFields = map[string]bool{
	"received": true, "message-id": true, "mime-version": true, "return-path": true, "delivered-to": true, "content-type": true,
	"content-transfer-encoding": true, "x-mailer": true, "x-mozilla-status": true, "dkim-signature": true, "reply-to": true,
	"authentication-results": true, "in-reply-to": true, "references": true, "x-originating-ip": true, "resent-from": true,
	"from": false, "to": false, "cc": false, "bcc": false, "date": false, "subject": false, "sender": false,
}

// mailType recognises messages and boxes of them by their header; "" for what is neither.
func mailType(ext, text string) string {
	if mboxLine.MatchString(text) {
		if ext == ".eml" {
			return Mail // saved out of a box, its line kept
		}
		return Mbox
	}
	fields := headerFields(text)
	strong, weak := 0, 0
	for name := range fields {
		switch strong1, known := mailFields[name]; {
		case strong1:
			strong++
		case known:
			weak++
		}
	}
	if strong+weak < 2 || strong == 0 && !isMail(fields) {
		return ""
	}
	if isWebArchive(ext, fields) {
		return MHTML
	}
	return Mail
}

// isMail reports whether the fields without which there is no mail are there.
func isMail(fields map[string]string) bool {
	_, from := fields["from"]
	_, to := fields["to"]
	_, date := fields["date"]
	_, subject := fields["subject"]
	return from && (to || subject) && (date || to && subject)
}

// isWebArchive tells MHTML (RFC 2557) from other mails: only browsers write these fields.
func isWebArchive(ext string, fields map[string]string) bool {
	_, located := fields["snapshot-content-location"]
	return located || ext == ".mht" || ext == ".mhtml" || strings.Contains(strings.ToLower(fields["from"]), "<saved by ")
}

// headerFields gives the fields that text begins with, names in small letters. What is not a field, a folded line aside, ends them.
func headerFields(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		m := headerLine.FindStringSubmatch(line)
		if m == nil {
			break
		}
		fields[strings.ToLower(m[1])] = strings.TrimSpace(line[len(m[0]):])
	}
	return fields
}
