package odf

import (
	"strconv"
	"strings"

	"docbatch/pipeline/extract/pack"
)

// maxSpaces bounds the spaces of one text:s.
const maxSpaces = 100

// blocks reads the children of an element that holds paragraphs, lists, tables.
func (r *reader) blocks(d *pack.Decoder) error {
	return d.Children(func(n *pack.Node) error { return r.blockNode(d, n) })
}

func (r *reader) blockNode(d *pack.Decoder, n *pack.Node) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	switch n.Name {
	case "":
		return nil // white space between blocks
	case "text:p":
		return r.paragraph(d, n, r.heading, "")
	case "text:h":
		return r.headingNode(d, n)
	case "text:list":
		return r.list(d, n)
	case "text:numbered-paragraph":
		return r.numberedParagraph(d, n)
	case "text:section":
		return r.section(d, n)
	case "table:table":
		return r.table(d)
	case "office:annotation":
		return r.annotation(d)
	case "office:forms":
		return r.forms(d)
	}
	switch {
	case unseen(n.Name):
		return nil
	case strings.HasPrefix(n.Name, "draw:"), strings.HasPrefix(n.Name, "dr3d:"):
		return r.shape(d, n)
	}
	return r.blocks(d)
}

// unseen reports whether an element holds nothing that is to be seen in the document: deleted text, the templates of an index, pictures.
func unseen(name string) bool {
	switch name {
	case "text:tracked-changes", "table:tracked-changes", "office:binary-data", "office:scripts", "office:event-listeners",
		"presentation:notes", "table:content-validations":
		return true
	}
	return strings.HasPrefix(name, "text:") && strings.HasSuffix(name, "-source")
}

// inlines reads the children of a paragraph or of a piece of one.
func (r *reader) inlines(d *pack.Decoder) error {
	return d.Children(func(n *pack.Node) error { return r.inlineNode(d, n) })
}

func (r *reader) inlineNode(d *pack.Decoder, n *pack.Node) error {
	switch n.Name {
	case "":
		return r.add(n.Text)
	case "text:s":
		count, err := strconv.Atoi(n.Attr("text:c"))
		if err != nil {
			count = 1
		}
		count = min(max(count, 0), maxSpaces)
		r.par = append(r.par, strings.Repeat(" ", count)...)
		return r.spend(count)
	case "text:tab":
		r.par = append(r.par, '\t')
		return r.spend(1)
	case "text:line-break":
		r.par = append(r.par, '\n')
		return r.spend(1)
	case "text:span":
		return r.span(d, n)
	case "text:note":
		return r.note(d, n)
	case "text:ruby-text":
		return r.ruby(d)
	case "text:hidden-text":
		return r.bracket("hidden", func() error { return r.add(n.Attr("text:string-value")) })
	case "text:page-number", "text:page-count":
		if r.furniture {
			return nil
		}
	case "text:p", "text:h", "text:list", "text:section", "table:table", "office:annotation":
		r.inline++
		err := r.blockNode(d, n)
		r.inline--
		return err
	}
	switch {
	case unseen(n.Name):
		return nil
	case n.Name == "draw:a":
	case strings.HasPrefix(n.Name, "draw:"), strings.HasPrefix(n.Name, "dr3d:"):
		return r.aside(func() error { return r.shape(d, n) })
	}
	return r.inlines(d)
}

// paragraph reads a paragraph, or a heading of a level over 0; number is the heading's.
func (r *reader) paragraph(d *pack.Decoder, n *pack.Node, level int, number string) error {
	style := n.Attr("text:style-name")
	label, indent := r.label(style)
	if label == "-" && (level > 0 || r.inline > 0 && len(r.par) == 0) {
		label = "" // of one thing alone it says nothing
	}
	if number == "" {
		number = label
	}
	if number != "" {
		number += " "
	}
	if level == 0 && len(r.items) == 0 && r.styles.isTitle(style) {
		level = 1
	}
	if r.inline > 0 {
		r.newline()
		r.par = append(r.par, number...)
		return r.visible(d, "paragraph", style)
	}
	r.par = r.par[:0]
	err := r.visible(d, "paragraph", style)
	text := strings.TrimRight(string(r.par), " \n")
	r.par = r.par[:0]
	switch {
	case strings.TrimSpace(text) == "":
	case level > 0:
		r.block(strings.Repeat("#", min(level, 6)) + " " + number + strings.Join(strings.Fields(text), " "))
	case len(r.items) > 0:
		r.listItem(indent + number + text)
	default:
		r.block(text)
	}
	r.writeAsides()
	return err
}

// visible reads a paragraph or a piece of one, in brackets if its style hides it.
func (r *reader) visible(d *pack.Decoder, family, style string) error {
	if r.styles.hidden(family, style) {
		return r.bracket("hidden", func() error { return r.inlines(d) })
	}
	return r.inlines(d)
}

func (r *reader) span(d *pack.Decoder, n *pack.Node) error {
	style := n.Attr("text:style-name")
	start := len(r.par)
	err := r.visible(d, "text", style)
	if script := r.styles.script(style); script != nil {
		r.par = rescript(r.par, start, script)
	}
	return err
}

func (r *reader) headingNode(d *pack.Decoder, n *pack.Node) error {
	level := number(n.Attr("text:outline-level"), 1)
	label := ""
	if len(r.items) == 0 && n.Attr("text:is-list-header") != "true" {
		label = r.numbers.heading(r.styles.outline, level, n)
	}
	return r.paragraph(d, n, max(level, 1), label)
}

func (r *reader) section(d *pack.Decoder, n *pack.Node) error {
	if n.Attr("text:display") != "none" {
		return r.blocks(d)
	}
	r.line("[hidden section:]")
	err := r.blocks(d)
	r.line("[end of the hidden section]")
	return err
}

// note reads a footnote or an endnote where its mark is.
func (r *reader) note(d *pack.Decoder, n *pack.Node) error {
	word := n.Attr("text:note-class")
	if word != "endnote" {
		word = "footnote"
	}
	return d.Children(func(n *pack.Node) error {
		switch n.Name {
		case "text:note-citation":
			mark, err := d.Text()
			if mark = strings.TrimSpace(mark); mark != "" && len(mark) < 20 {
				word += " " + mark
			}
			return err
		case "text:note-body":
			r.space()
			return r.bracket(word, func() error { return r.blocks(d) })
		}
		return nil
	})
}

// annotation reads a comment where it is anchored.
func (r *reader) annotation(d *pack.Decoder) error {
	var author string
	outer := r.par
	r.par = nil
	r.inline++
	err := d.Children(func(n *pack.Node) (err error) {
		switch n.Name {
		case "dc:creator":
			if author, err = d.Text(); err == nil {
				err = r.spend(len(author))
			}
		case "dc:date", "meta:date-string", "meta:creator-initials", "loext:sender-initials":
		default:
			return r.blockNode(d, n)
		}
		return err
	})
	r.inline--
	text := strings.TrimSpace(string(r.par))
	r.par = outer
	switch author = strings.Join(strings.Fields(author), " "); {
	case text == "":
	case author == "":
		r.comment("[comment: " + text + "]")
	default:
		r.comment("[comment by " + author + ": " + text + "]")
	}
	return err
}

// comment writes a comment to the paragraph, or as a block where there is none around.
func (r *reader) comment(text string) {
	if r.inline == 0 {
		r.block(text)
		return
	}
	r.space()
	r.par = append(r.par, text...)
}

// ruby reads what is written above a word: how it is pronounced.
func (r *reader) ruby(d *pack.Decoder) error {
	r.par = append(r.par, '(')
	err := r.inlines(d)
	r.par = append(r.par, ')')
	return err
}

// number reads a number that is not negative; what is none is otherwise.
func number(s string, otherwise int) int {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return int(n)
	}
	return otherwise
}

// date is a date of OpenDocument, which often has no zone, without fractions of a second.
func date(text string) string {
	before, after, found := strings.Cut(text, ".")
	if found {
		before += strings.TrimLeft(after, "0123456789")
	}
	return before
}
