package main

import "strings"

func webBombs() []bomb {
	nested := func(open, shut string) piece {
		return all(text("<!DOCTYPE html><html><body>"), many(open, deep), text("bottom"), many(shut, deep), text("</body></html>"))
	}
	return []bomb{
		{name: "nested-div.html", refusal: theBound, write: nested("<div>", "</div>")},
		{name: "nested-table.html", refusal: theBound, write: nested("<table><tr><td>", "</td></tr></table>")},
		{name: "nested-b.html", refusal: theBound, write: nested("<b>", "</b>")},
		{name: "nested-ul.html", refusal: theBound, write: nested("<ul><li>", "</li></ul>")},
		{name: "nested-blockquote.html", refusal: theBound, write: nested("<blockquote>", "</blockquote>")},
		{name: "misnested.html", write: nested("<a><b><i><p>", "</b></a></p>")},
		{name: "colspan.html", write: text(`<table><tr><td colspan="1000000000" rowspan="1000000000">a cell</td></tr></table>`)},
		{name: "spans.html", write: all(text("<table>"), many(`<tr><td colspan="1000" rowspan="65534">a cell</td></tr>`, 10_000), text("</table>"))},
		{name: "50mb-flat.html", write: all(text("<html><body>"), many("<p>words of a page</p>\n", 50<<20/23), text("</body></html>"))},
		{name: "attributes.html", write: all(text("<div "), numbered(`a%d="1" `, 1_000_000), text(">a text</div>"))},
		{name: "character-references.html", write: many("&amp;&#x41;&notin;", 1_000_000)},
		{name: "nested-objects.xml", write: all(many("<a>", 1_000_000), text("bottom"), many("</a>", 1_000_000))},
		{name: "billion-laughs.xml", write: text(laughs("a") + "<a>&l9;</a>")},
	}
}

func textBombs() []bomb {
	rtf := func(pieces ...piece) piece { return all(text(`{\rtf1\ansi `), all(pieces...), text(" the end}")) }
	return []bomb{
		{name: "10gb-sparse.txt", refusal: theBound, write: text("a text\n"), size: 10 << 30},
		{name: "2gb-line.csv", refusal: theBound, write: text("a,b,c\n"), size: 2 << 30},
		{name: "nested.json", write: all(many("[", 1_000_000), many("]", 1_000_000))},
		{name: "60mb-line.txt", write: many("a line without an end ", 60<<20/22)},
		{name: "control-characters.txt", write: many("a\x01\x02\x1b[31m", 1_000_000)},
		{name: "nested.yaml", write: many("- ", 1_000_000)},
		{name: "groups.rtf", write: rtf(many("{", 1_000_000), text("bottom"), many("}", 1_000_000))},
		{name: "too-many-ends.rtf", write: rtf(many("}", 1_000_000))},
		{name: "bin.rtf", write: rtf(many(`\bin2147483647 `, 1000))},
		{name: "unicode-skip.rtf", write: rtf(many(`\uc1000000000\u8364 x`, 100_000))},
		{name: "unicode.rtf", write: rtf(many(`\u-10179?\u-8704?`, 1_000_000))},
		{name: "cells.rtf", write: rtf(text(`\trowd`), many(`\intbl x\cell`, 1_000_000), text(`\row`))},
		{name: "nested-tables.rtf", write: rtf(many(`\pard\intbl\itap1000000000 x\nestcell{\*\nesttableprops\trowd\nestrow}`, 100_000))},
		{name: "fonts.rtf", write: rtf(text(`{\fonttbl`), numbered(`{\f%d\fcharset128 F;}`, 500_000), text("}"))},
		{name: "huge-image.png", write: text(png(100_000, 100_000))},
	}
}

func mailBombs() []bomb {
	head := "From: a@example.com\nTo: b@example.com\nSubject: a bomb\nMIME-Version: 1.0\n"
	open := func(boundary string) string {
		return "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\n\n--" + boundary + "\n"
	}
	part := "--b\nContent-Type: text/plain\n\na part\n"
	return []bomb{
		{name: "unclosed-multiparts.eml", write: all(text(head), numbered("Content-Type: multipart/mixed; boundary=\"b%[1]d\"\n\n--b%[1]d\n", 1000), text("Content-Type: text/plain\n\nbottom\n"))},
		{name: "one-boundary.eml", write: all(text(head), many(open("b"), 1000), text("Content-Type: text/plain\n\nbottom\n"))},
		{name: "prefix-boundaries.eml", write: all(text(head), func() piece {
			var pieces []piece
			for i := range 500 {
				pieces = append(pieces, text(open(strings.Repeat("b", i+1))))
			}
			return all(pieces...)
		}())},
		{name: "20000-parts.eml", write: all(text(head+open("b")), many(part, 20_000), text("--b--\n"))},
		{name: "1000000-parts.eml", write: all(text(head+open("b")), many(part, 1_000_000), text("--b--\n"))},
		{name: "nested-messages.eml", write: all(many(head+"Content-Type: message/rfc822\n\n", 10_000), text(head+"\nbottom\n"))},
		{name: "100000-headers.eml", write: all(text(head), numbered("X-Header-%d: a value\n", deep), text("\na body\n"))},
		{name: "50mb-header.eml", write: all(text(head+"X-Long: "), many("a long header\n ", 50<<20/15), text("\n\na body\n"))},
		{name: "encoded-words.eml", write: all(text(head+"To: "), many("=?utf-8?B?YSB3b3Jk?= ", 1_000_000), text("\n\na body\n"))},
		{name: "60mb-base64.eml", write: all(text(head+"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"), many("YSB0ZXh0IG9mIHdvcmRzIGEgdGV4dCBvZiB3b3Jkcwo=\n", 60<<20/46))},
		{name: "1000000-messages.mbox", write: many("From a@example.com Mon Jan  1 00:00:00 2024\nSubject: again\n\na body\n\n", 1_000_000)},
	}
}
