package ooxml

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A deck is a PPTX that is being read.
type deck struct {
	*container
	w       *content.Writer
	authors map[string]string // of comments, by id
	marks   bool              // there is more than one slide
	cells   int               // of tables, that may still be read
}

// ReadPPTX is the content.Reader of PowerPoint's presentations, shows and templates, .pptx, .pptm, .ppsx and .potx (PresentationML of ISO/IEC
// 29500, transitional and strict).
//
// Slides follow in their order, each under a mark where there are several, with its title as a heading, then its shapes in the order of the
// file, its notes and comments. A hidden slide is marked "[hidden slide]". What stands on layouts and masters is left out.
func ReadPPTX(ctx context.Context, f *content.File) (*content.Content, error) {
	c, err := open(ctx, f)
	if err != nil {
		return nil, err
	}
	d := &deck{container: c, w: content.NewWriter(f.Bounds.Text), authors: map[string]string{}, cells: maxCells}
	if err := d.readAll(); err != nil {
		return nil, err
	}
	c.within.Warn()
	c.content.Text = d.w.String()
	return c.content, d.w.Err()
}

func (d *deck) readAll() error {
	part, err := d.mainPart("presentationml")
	if err != nil {
		return err
	}
	list, err := d.relations(part)
	if err != nil {
		return err
	}
	if err := d.readMeta(); err != nil {
		return err
	}
	if err := d.readAuthors(list); err != nil {
		return err
	}
	slides, err := d.slides(part, list)
	if err != nil {
		return err
	}
	if len(slides) > 0 {
		d.content.SetMeta(content.MetaPages, strconv.Itoa(len(slides)))
	}
	d.marks = len(slides) > 1
	for i, part := range slides {
		if err := d.slide(part, i+1); err != nil {
			return err
		}
	}
	return nil
}

// slides are the parts of the slides in their order, each once. Where the presentation does not name any, they are found by their names.
func (d *deck) slides(part string, list []relation) ([]string, error) {
	byID := make(byID, len(list))
	for _, r := range list {
		byID[r.id] = r
	}
	var slides []string
	err := d.read(part, func(x *pack.Decoder, _ *pack.Node) error {
		return x.Children(func(n *pack.Node) error {
			if n.Name != "p:sldIdLst" {
				return nil
			}
			return x.Children(func(n *pack.Node) error {
				if r := byID[n.Attr("r:id")]; r.kind == "slide" && !d.seen[r.target] {
					d.seen[r.target] = true
					slides = append(slides, r.target)
				}
				return nil
			})
		})
	})
	if err == nil && len(slides) == 0 {
		slides = d.slidesByName()
	}
	if max := d.file.Bounds.Pages; len(slides) > max {
		err = content.TooLarge("it holds more than %d slides (the bound on pages)", max)
	}
	return slides, err
}

var slideName = regexp.MustCompile(`(?i)^ppt/slides/slide(\d{1,6})\.xml$`)

func (d *deck) slidesByName() []string {
	slides := slices.DeleteFunc(slices.Clone(d.archive.Names()), func(name string) bool { return !slideName.MatchString(name) })
	number := func(name string) int { return clamp(slideName.FindStringSubmatch(name)[1], 0, 1<<30) }
	slices.SortFunc(slides, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
	return slides
}

// readAuthors reads who the authors of comments are, old (p:cmAuthor) and new (p188:author).
func (d *deck) readAuthors(list []relation) error {
	for _, r := range list {
		if r.kind != "commentAuthors" && r.kind != "authors" {
			continue
		}
		err := d.read(r.target, func(x *pack.Decoder, _ *pack.Node) error {
			return x.Children(func(n *pack.Node) error {
				if len(d.authors) < maxDefinitions && n.Name != "" {
					d.authors[n.Attr("id")] = n.Attr("name")
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// slide writes a slide, its notes, its comments and the documents in it.
func (d *deck) slide(part string, n int) error {
	list, err := d.relations(part)
	if err != nil {
		return err
	}
	if d.marks {
		d.w.Page("slide", n)
	}
	if err := d.shapes(part, n, list); err != nil {
		return err
	}
	for _, r := range list {
		switch {
		case r.external:
		case r.kind == "notesSlide":
			err = d.notes(r.target)
		case r.kind == "comments":
			err = d.comments(r.target)
		}
		if err != nil {
			return err
		}
	}
	return d.embedded(d.w, list)
}

// shapes writes what is on a slide.
func (d *deck) shapes(part string, n int, list []relation) error {
	s := &slide{deck: d, number: n, relations: byID{}, body: content.NewWriter(d.file.Bounds.Text)}
	for _, r := range list {
		s.relations[r.id] = r
	}
	err := d.read(part, func(x *pack.Decoder, root *pack.Node) error {
		s.x = x
		if root.Attr("show") == "0" || root.Attr("show") == "false" {
			s.hidden = true
		}
		return x.Children(s.shape)
	})
	s.write(d.w)
	if err == nil {
		err = s.body.Err()
	}
	return err
}

// notes writes the notes of a slide: the text of the notes page but for its head and foot.
func (d *deck) notes(part string) error {
	relations, err := d.relationsByID(part)
	if err != nil {
		return err
	}
	s := &slide{deck: d, relations: relations, body: content.NewWriter(d.file.Bounds.Text), notes: true}
	err = d.read(part, func(x *pack.Decoder, _ *pack.Node) error {
		s.x = x
		return x.Children(s.shape)
	})
	if text := strings.TrimSpace(s.body.String()); text != "" {
		d.w.Break()
		d.w.WriteString("Notes: " + text + "\n")
	}
	return err
}

// comments writes the comments on a slide, old (p:cm) and new (p188:cm).
func (d *deck) comments(part string) error {
	return d.read(part, func(x *pack.Decoder, _ *pack.Node) error {
		return x.Children(func(n *pack.Node) error {
			if n.Name != "p:cm" && n.Name != "p188:cm" {
				return nil
			}
			text, err := d.comment(x, n)
			d.w.Break()
			d.w.WriteString(text)
			return err
		})
	})
}

// comment gives a comment, each answer to it in a paragraph of its own.
func (d *deck) comment(x *pack.Decoder, n *pack.Node) (string, error) {
	label := "comment"
	if author := d.authors[n.Attr("authorId")]; author != "" {
		label += " by " + author
	}
	var text string
	var answers strings.Builder
	var visit func(n *pack.Node) error
	visit = func(n *pack.Node) (err error) {
		switch n.Name {
		case "p:text":
			text, err = x.Text()
		case "p188:txBody":
			t := slideText{container: d.container}
			err = t.read(x)
			text = t.String()
		case "p188:replyLst":
			return x.Children(visit)
		case "p188:reply":
			var answer string
			answer, err = d.comment(x, n)
			answers.WriteString(answer)
		}
		return err
	}
	err := x.Children(visit)
	if text = strings.Join(strings.Fields(text), " "); text != "" {
		text = "[" + label + ": " + text + "]\n\n"
	}
	return text + answers.String(), err
}
