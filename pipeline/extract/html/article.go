package html

import (
	"context"
	"strings"

	nethtml "golang.org/x/net/html"

	"codeberg.org/readeck/go-readability/v2"

	"docbatch/pipeline/extract/content"
)

// The bounds of looking for an article, which takes a tree of the page and several passes over it.
const (
	maxArticle  = 4 << 20 // bytes of the page
	maxElements = 20_000
)

// readArticle reads what a reader would take for the article of the page, under its title. It is nil where there is none, and where the page is
// over the bounds of looking for one: then the whole page is to be read.
func readArticle(ctx context.Context, source string, bounds *content.Bounds) (*content.Content, error) {
	if len(source) > maxArticle || strings.Count(source, "<") > 2*maxElements {
		return nil, ctx.Err()
	}
	tree, err := nethtml.Parse(strings.NewReader(source))
	if err != nil {
		return nil, ctx.Err() // nested too deep for a tree
	}
	parser := readability.NewParser()
	parser.MaxElemsToParse = maxElements
	article, err := parser.ParseAndMutate(tree, nil)
	if err != nil || article.Node == nil {
		return nil, ctx.Err()
	}
	var found strings.Builder
	if err := article.RenderHTML(&found); err != nil {
		return nil, ctx.Err()
	}
	c, err := readPage(ctx, found.String(), false, bounds)
	if err != nil || c.Text == "" {
		return nil, err
	}
	describe(c, article)
	return c, nil
}

// describe adds what the finder of the article found out about it.
func describe(c *content.Content, article readability.Article) {
	if title := strings.TrimSpace(article.Title()); title != "" {
		c.SetMeta(content.MetaTitle, title)
		c.Text = "# " + c.Meta[content.MetaTitle] + "\n\n" + c.Text
	}
	c.SetMeta(content.MetaAuthor, article.Byline())
	c.SetMeta(content.MetaSubject, article.Excerpt())
	c.SetMeta(content.MetaLanguage, article.Language())
	if t, err := article.PublishedTime(); err == nil {
		c.SetMeta(content.MetaCreated, t.Format("2006-01-02T15:04:05Z07:00"))
	}
	if t, err := article.ModifiedTime(); err == nil {
		c.SetMeta(content.MetaModified, t.Format("2006-01-02T15:04:05Z07:00"))
	}
}
