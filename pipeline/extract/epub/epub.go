// Package epub reads books in EPUB 2 and 3 (https://www.w3.org/TR/epub-33/, IDPF OPF 2.0.1): their chapters in the order in which they are
// read, each as the web page that it is.
package epub

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// xhtml is the media type of chapters.
const xhtml = "application/xhtml+xml"

// Read is the content.Reader of EPUB. The chapters of the spine follow one another, each once, those too that the book says are not in the
// line of reading (notes, answers); the list of contents is read where it is one of them. What cannot be read of them is a warning.
// Where the book does not say what its chapters are, they are all of its pages, by name. Books whose chapters are encrypted give
// content.Encrypted: there is no password that opens them.
func Read(ctx context.Context, f *content.File) (*content.Content, error) {
	archive, err := pack.Open(f.Data, f.Bounds)
	if err != nil {
		return nil, err
	}
	c := &content.Content{}
	if damage := archive.Damage(); damage != "" {
		c.Warn(damage)
	}
	p, err := readPackage(archive, f.Bounds, c)
	if err != nil {
		return nil, err
	}
	chapters := p.chapters()
	if len(chapters) == 0 {
		if chapters = pages(archive); len(chapters) == 0 {
			return nil, content.Damaged("there is no chapter in the book")
		}
		c.Warn("the list of chapters is damaged or missing: all pages were read, by name")
	}
	if err := checkLocks(archive, chapters); err != nil {
		return nil, err
	}
	b := &book{file: f, archive: archive, content: c, out: content.NewWriter(f.Bounds.Text)}
	for _, chapter := range chapters {
		if err := b.read(ctx, chapter); err != nil {
			return nil, err
		}
	}
	if b.failed && b.out.Len() == 0 {
		return nil, content.Damaged("none of its chapters can be read")
	}
	c.Text = b.out.String()
	return c, b.out.Err()
}

// pages are the parts that are web pages by their name.
func pages(a *pack.Archive) []string {
	var names []string
	for _, name := range a.Names() {
		switch strings.ToLower(path.Ext(name)) {
		case ".xhtml", ".html", ".htm":
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// A book is what is read of the chapters.
type book struct {
	file    *content.File
	archive *pack.Archive
	content *content.Content
	out     *content.Writer
	failed  bool // to read a chapter, or all of it
	size    int  // of the chapters so far, in bytes
}

// maxChapters bounds the chapters together: a book of a million words has 10 MB.
const maxChapters = 64 << 20

// maxWarnings bounds the warnings about chapters.
const maxWarnings = 20

func (b *book) warn(name string, err error) {
	if len(b.content.Warnings) < maxWarnings {
		b.content.Warn(strings.ToValidUTF8(fmt.Sprintf("chapter %s: %v", name, err), "�"))
	}
}

// read reads a chapter. Its error is one that is the book's: of a bound, or of ctx.
func (b *book) read(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := b.archive.Read(name)
	if fatal(ctx, err) {
		return err
	}
	if err != nil {
		b.failed = true
		b.warn(name, err)
	}
	if b.size += len(data); b.size > maxChapters {
		return content.TooLarge("its chapters together are larger than %s (the bound on chapters)", content.Bytes(maxChapters))
	}
	if len(data) == 0 {
		return nil
	}
	chapter, err := b.file.Within(ctx, &content.File{Name: name, MediaType: xhtml, Data: data})
	switch {
	case fatal(ctx, err):
		return err
	case err != nil:
		b.failed = true
		b.warn(name, err)
		return nil
	}
	for _, w := range chapter.Warnings {
		b.warn(name, errors.New(w))
	}
	b.out.Break()
	b.out.WriteString(strings.TrimSpace(chapter.Text))
	return b.out.Err()
}

// fatal reports whether an error ends the reading of the book.
func fatal(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || pipeline.AsError(err).Kind == pipeline.KindTooLarge || pipeline.ClassOf(err) != pipeline.Invalid)
}
