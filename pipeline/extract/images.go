package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // DecodeConfig knows what is imported
	_ "image/jpeg"
	_ "image/png"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "golang.org/x/image/webp"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/convert"
	"docbatch/pipeline/extract/mediatype"
	"docbatch/pipeline/extract/picture"
)

// shown are the pictures that an agent can be shown, as services take them.
var shown = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

// maxShown bounds what an agent is shown of one document, in bytes: services refuse more than about 20 MB, a third of it for base64.
const maxShown = 14 << 20

// WantsImages reports whether pages that hold no text are of use as pictures.
func WantsImages(images string) bool {
	return images == ImagesAttach || images == ImagesOCR && convert.HasOCR()
}

// picture takes a document that is a picture.
func (s *Step) picture(ctx context.Context, r *Reading, name string, data []byte) error {
	if s.Images == ImagesAttach && isPicture(r.MediaType) {
		return s.readIn(ctx, r, name, r.MediaType, data)
	}
	if s.Images == ImagesAttach && !slices.Contains(shown, r.MediaType) {
		return content.Unsupported("agents can't be shown %s; convert it to PNG or JPEG%s", mediatype.Describe(r.MediaType), excludeHint(name))
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil && !errors.Is(err, image.ErrFormat) {
		if err := picture.Unreadable(err); pipeline.AsError(err).Kind != pipeline.KindUnsupported {
			return err
		} // tesseract, or the service, may know it: a TIFF of JPEGs for one
	}
	if err := picture.Check(config, s.Pool.bounds()); err != nil {
		return err
	}
	r.Images = []content.Image{{MediaType: r.MediaType, Data: data}}
	return nil
}

// see has the pictures of r read, or leaves them for the agent.
func (s *Step) see(ctx context.Context, r *Reading) error {
	if len(r.Images) == 0 {
		return nil
	}
	if s.Images == ImagesAttach {
		return r.attach()
	}
	images := r.Images
	r.Images = nil
	if s.Images == ImagesOCR && convert.HasOCR() {
		return s.recognise(ctx, r, images)
	}
	if strings.TrimSpace(r.Text) != "" {
		return nil
	}
	if s.Images == ImagesNone {
		return content.NoText("it is a picture, and pictures are not read (images: none)")
	}
	return content.NoText("it is a picture; tesseract would read it, but is not installed; an agent that sees can be shown it (images: attach)")
}

// attach leaves the pictures for the agent, and says so in the text.
func (r *Reading) attach() error {
	if len(r.Images[0].Data) > maxShown {
		return content.TooLarge("a picture of more than %s is more than services take (the bound on pictures)", content.Bytes(maxShown))
	}
	size := 0
	for i, image := range r.Images {
		if size += len(image.Data); size > maxShown {
			r.Warn(fmt.Sprintf("of %d pictures the first %d are shown: more than %s is more than services take", len(r.Images), i, content.Bytes(maxShown)))
			r.Images = r.Images[:i]
			break
		}
	}
	note := "[This document is the picture that is shown with it.]"
	if page := r.Images[0].Page; page > 0 {
		note = fmt.Sprintf("[Pages without text are shown as pictures: %s.]", pagesOf(r.Images))
		r.Warn(pagesWere(r.Images) + " not read, but shown to the agent")
	}
	r.Text = strings.TrimSpace(note+"\n\n"+r.Text) + "\n"
	return nil
}

// pagesOf names the pages of images, which are in order: "1, 3-5".
func pagesOf(images []content.Image) string {
	var parts []string
	for i := 0; i < len(images); i++ {
		first := images[i].Page
		for i+1 < len(images) && images[i+1].Page == images[i].Page+1 {
			i++
		}
		part := strconv.Itoa(first)
		if last := images[i].Page; last > first {
			part += "-" + strconv.Itoa(last)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// OCRLanguages are those that tesseract has the data of.
func OCRLanguages(ctx context.Context) ([]string, error) {
	out, _, err := convert.Command{Args: []string{"tesseract", "{in}", "stdout", "--list-langs"}}.Run(ctx, "", nil)
	if err != nil {
		return nil, err
	}
	_, lines, _ := strings.Cut(string(out), "\n") // the first is a heading
	return strings.Fields(lines), nil
}

// leastOCR is how long OCR may take at least, whatever reading the document has taken before.
const leastOCR = 5 * time.Second

// recognise has tesseract read the pictures, as far as the time for the document goes.
func (s *Step) recognise(ctx context.Context, r *Reading, images []content.Image) error {
	release, err := s.Pool.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	limited, cancel := context.WithTimeout(ctx, max(leastOCR, s.Pool.opts.Time-r.took))
	defer cancel()
	var read, blank []content.Image
	var failure error
	for i, image := range images {
		text, err := convert.OCR(limited, image.Data, s.Languages)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if limited.Err() != nil {
			failure = timedOut(s.Pool.opts.Time)
			r.Warn(fmt.Sprintf("%s not recognised: %v", pagesWere(images[i:]), failure))
			break
		}
		if pipeline.ClassOf(err) == pipeline.Fatal {
			return err
		}
		if err != nil {
			failure = err
			r.Warn(fmt.Sprintf("%s not recognised: %v", pagesWere(images[i:i+1]), err))
			continue
		}
		if text = strings.TrimSpace(clean(text)); text == "" {
			blank = append(blank, image)
			continue
		}
		r.insert(image.Page, text)
		read = append(read, image)
	}
	r.warnOfOCR(read, blank)
	if strings.TrimSpace(r.Text) == "" && failure != nil {
		return failure
	}
	return nil
}

// warnOfOCR says what OCR read, and where it found nothing.
func (r *Reading) warnOfOCR(read, blank []content.Image) {
	switch {
	case len(blank) > 0 && blank[0].Page > 0:
		r.Warn(fmt.Sprintf("%s looked at by OCR, which found no text", pagesWere(blank)))
	case len(blank) > 0:
		r.Warn("OCR found no text")
	}
	switch {
	case len(read) > 0 && read[0].Page > 0:
		r.Warn(fmt.Sprintf("%s read by OCR: words may be wrong", pagesWere(read)))
	case len(read) > 0:
		r.Warn("it was read by OCR: words may be wrong")
	}
}

// pagesWere begins a sentence of pages, or of a document that is one picture.
func pagesWere(images []content.Image) string {
	switch {
	case images[0].Page == 0:
		return "the picture was"
	case len(images) == 1:
		return "page " + pagesOf(images) + " was"
	}
	return "pages " + pagesOf(images) + " were"
}

// pageMark is the line that a page begins with.
var pageMark = regexp.MustCompile(`(?m)^--- page (\d+) ---$`)

// insert puts the text of a page behind the mark of that page, in place of what was read there: the noise of fonts that do not say what their
// characters are. Where it has no mark, as pages without text have, it gets one, before the next page.
func (r *Reading) insert(page int, text string) {
	from, to, own := len(r.Text), len(r.Text), ""
	if r.Meta[content.MetaPages] == "1" {
		from = 0
	} else if page > 0 {
		own = fmt.Sprintf("--- page %d ---\n\n", page)
	}
	marks := pageMark.FindAllStringSubmatchIndex(r.Text, -1)
	for i, mark := range marks {
		n, err := strconv.Atoi(r.Text[mark[2]:mark[3]])
		if err != nil || n < page {
			continue
		}
		from, to = mark[0], mark[0]
		if n == page {
			from, to, own = mark[1], len(r.Text), ""
			if i+1 < len(marks) {
				to = marks[i+1][0]
			}
		}
		break
	}
	before, after := strings.TrimRight(r.Text[:from], "\n"), strings.TrimLeft(r.Text[to:], "\n")
	if before != "" {
		before += "\n\n"
	}
	if after != "" {
		after = "\n" + after
	}
	r.Text = before + own + text + "\n" + after
}
