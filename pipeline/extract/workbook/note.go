package workbook

import (
	"strings"

	"docbatch/pipeline/extract/pack"
)

const (
	maxAuthors = 1 << 16  // of comments
	maxThread  = 64 << 10 // bytes of the comments on one cell
)

// readNotes reads the comments on the cells of a sheet. Of a threaded comment there is a copy among the others for old programs.
func (b *book) readNotes(rels relations) (map[cellRef]string, error) {
	notes := map[cellRef]string{}
	for _, part := range rels.kinds["comments"] {
		if err := b.check(part, b.readComments(part, notes)); err != nil {
			return nil, err
		}
	}
	for _, part := range rels.kinds["threadedComment"] {
		if err := b.check(part, b.readThreads(part, notes)); err != nil {
			return nil, err
		}
	}
	return notes, nil
}

// readComments reads the comments of ECMA-376 part 1, 18.7.
func (b *book) readComments(part string, notes map[cellRef]string) error {
	var authors []string
	return b.archive.Walk(part, func(d *pack.Decoder, n *pack.Node) (bool, error) {
		switch n.Name {
		case "x:author":
			author, err := d.Text()
			if len(authors) < maxAuthors {
				authors = append(authors, author)
			}
			return true, err
		case "x:comment":
			text, err := richText(d)
			author := ""
			if i := number(n.Attr("authorId"), -1); i >= 0 && i < len(authors) {
				author = authors[i]
			}
			if ref, ok := parseRef(n.Attr("ref")); ok && strings.TrimSpace(text) != "" {
				notes[ref] = noteText(author, text)
			}
			return true, err
		}
		return false, nil
	})
}

// readPeople reads who wrote threaded comments ([MS-XLSX] 2.6.205).
func (b *book) readPeople(part string) error {
	b.people = map[string]string{}
	return b.archive.Walk(part, func(d *pack.Decoder, n *pack.Node) (bool, error) {
		if localName(n) == "person" && len(b.people) < maxAuthors {
			b.people[n.Attr("id")] = n.Attr("displayName")
		}
		return false, nil
	})
}

// readThreads reads threaded comments ([MS-XLSX] 2.6.202): those on one cell follow one another.
func (b *book) readThreads(part string, notes map[cellRef]string) error {
	seen := map[cellRef]bool{}
	return b.archive.Walk(part, func(d *pack.Decoder, n *pack.Node) (bool, error) {
		if localName(n) != "threadedComment" {
			return false, nil
		}
		ref, ok := parseRef(n.Attr("ref"))
		text, err := d.Text()
		switch note := noteText(b.people[n.Attr("personId")], text); {
		case !ok || note == "":
		case seen[ref]:
			if len(notes[ref]) < maxThread {
				notes[ref] += " " + note
			}
		default:
			notes[ref], seen[ref] = note, true
		}
		return true, err
	})
}

// noteText is how a comment is written. Excel puts the author's name at the front of the text, too.
func noteText(author, text string) string {
	author, text = strings.TrimSpace(author), strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, author+":"); ok {
		text = strings.TrimSpace(rest)
	}
	switch {
	case text == "":
		return ""
	case author == "":
		return "[comment: " + text + "]"
	}
	return "[comment by " + author + ": " + text + "]"
}

func localName(n *pack.Node) string {
	return n.Name[strings.IndexByte(n.Name, ':')+1:]
}

// drawing writes the text of the shapes over a sheet, and of the charts and diagrams that they show.
func (r *sheetReader) drawing(part string) error {
	if err := r.paragraphs(part); err != nil {
		return err
	}
	rels := r.relations(part)
	for _, kind := range []string{"chart", "chartEx", "diagramData"} {
		for _, target := range rels.kinds[kind] {
			if err := r.paragraphs(target); err != nil {
				return err
			}
		}
	}
	return nil
}

// paragraphs writes the paragraphs of DrawingML that a part holds (ECMA-376 part 1, 21.1.2.2.6), each on a line.
func (r *sheetReader) paragraphs(part string) error {
	if r.seen[part] {
		return nil
	}
	r.seen[part] = true
	return r.check(part, r.archive.Walk(part, func(d *pack.Decoder, n *pack.Node) (bool, error) {
		if n.Name != "a:p" {
			return false, r.ctx.Err()
		}
		text, err := d.Text()
		if text = strings.Join(strings.Fields(text), " "); text != "" {
			r.title()
			r.out.WriteString(text + "\n")
		}
		return true, err
	}))
}
