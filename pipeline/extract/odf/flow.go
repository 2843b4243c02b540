package odf

import (
	"strings"

	"docbatch/pipeline/extract/content"
)

// maxAsides is how deep text boxes may be within one another to be set apart; deeper ones are read into the paragraph that they are in,
// so that no text is copied more often than that.
const maxAsides = 4

// A flow is the text that is being written: blocks to out, and the paragraph that is not yet a block.
type flow struct {
	out     *content.Writer
	par     []byte
	asides  []string // what follows the paragraph: its text boxes
	inline  int      // over 0: what would be blocks goes to the paragraph, as in a cell
	depth   int      // of asides
	items   []*item  // the list items around
	listed  bool     // the last block was an item of a list
	heading int      // the level of the headings that paragraphs are; 0: they are none
}

// add adds text of the document to the paragraph. White space is one space (OpenDocument 1.3 part 3, 6.1.2).
func (r *reader) add(text string) error {
	for i := range len(text) {
		switch c := text[i]; c {
		case ' ', '\t', '\n', '\r':
			r.space()
		default:
			r.par = append(r.par, c)
		}
	}
	return r.spend(len(text))
}

// spend counts text against the bound.
func (r *reader) spend(n int) error {
	if r.left -= n; r.left < 0 {
		return content.TooLarge("it holds more than %s of text (the bound on text)", content.Bytes(int64(r.file.Bounds.Text)))
	}
	return nil
}

// space parts what follows from what is in the paragraph.
func (r *reader) space() {
	if n := len(r.par); n > 0 && r.par[n-1] != ' ' && r.par[n-1] != '\n' {
		r.par = append(r.par, ' ')
	}
}

// newline parts paragraphs that are no blocks.
func (r *reader) newline() {
	if n := len(r.par); n > 0 && r.par[n-1] != ' ' && r.par[n-1] != '\n' {
		r.par = append(r.par, '\n')
	}
}

// bracket puts what read adds to the paragraph in brackets: "[comment: …]". Where that is nothing, it leaves nothing.
func (r *reader) bracket(word string, read func() error) error {
	start := len(r.par)
	r.par = append(r.par, "["+word+": "...)
	inside := len(r.par)
	r.inline++
	err := read()
	r.inline--
	for len(r.par) > inside && (r.par[len(r.par)-1] == ' ' || r.par[len(r.par)-1] == '\n') {
		r.par = r.par[:len(r.par)-1]
	}
	if len(r.par) == inside {
		r.par = r.par[:start]
		return err
	}
	r.par = append(r.par, ']')
	return err
}

// block writes text as a block of its own.
func (r *reader) block(text string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return
	}
	r.out.Break()
	r.out.WriteString(text + "\n\n")
	r.listed = false
}

// listItem writes text as a line of a list.
func (r *reader) listItem(text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	if !r.listed {
		r.out.Break()
	}
	r.out.WriteString(strings.TrimRight(text, " \n") + "\n")
	r.listed = true
}

// line writes text that is not the document's own as a block, or to the paragraph.
func (r *reader) line(text string) {
	if r.inline == 0 {
		r.block(text)
		return
	}
	r.newline()
	r.par = append(r.par, text...)
}

// apart gives what read writes.
func (r *reader) apart(read func() error) (string, error) {
	outer := r.flow
	r.flow = flow{out: content.NewWriter(r.file.Bounds.Text), depth: outer.depth + 1, heading: outer.heading}
	err := read()
	text := r.out.String()
	if err == nil {
		err = r.out.Err()
	}
	r.flow = outer
	return text, err
}

// aside reads what is anchored to the paragraph, to follow it; of a formula, which is a part of it, into it.
func (r *reader) aside(read func() error) error {
	if r.inline > 0 || r.depth >= maxAsides {
		r.newline()
		r.inline++
		err := read()
		r.inline--
		return err
	}
	r.formula = false
	text, err := r.apart(read)
	if r.formula {
		r.par = append(r.par, strings.TrimSpace(text)...)
		r.formula = false
	} else if strings.TrimSpace(text) != "" {
		r.asides = append(r.asides, text)
	}
	return err
}

// writeAsides writes what was anchored to the paragraph.
func (r *reader) writeAsides() {
	for _, text := range r.asides {
		r.block(text)
	}
	r.asides = nil
}
