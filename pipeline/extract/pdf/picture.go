package pdf

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/picture"
)

// What pictures of pages are.
const (
	maxImages     = 50
	maxImageBytes = 40 << 20 // all together
	dotsPerInch   = 200
	maxSide       = 2000 // pixels: beyond it services scale down, and OCR gets slower and no better
)

// render makes the pictures of pages that are wanted: of those that are pictures, and of those whose text is lost. It comes last, so that
// a page that cannot be rendered costs no text.
func (d *document) render(ctx context.Context) error {
	if !d.file.Options.Images {
		return nil
	}
	pages := append(slices.Clone(d.pictures), d.garbled...)
	slices.Sort(pages)
	if len(pages) > maxImages {
		d.content.Warn("too many pages to render: pictures are missing of " + numbers(pages[maxImages:]))
		pages = pages[:maxImages]
	}
	left := maxImageBytes
	for i, number := range pages {
		if d.in == nil || d.late() {
			d.content.Warn("there was no time to render " + numbers(pages[i:]))
			return nil
		}
		picture, err := within(ctx, d, func(in *instance) (*content.Image, error) {
			return in.picture(d.handle, number, d.file.Bounds.Pixels)
		})
		switch {
		case errors.Is(err, context.Canceled):
			return err
		case errors.Is(err, errSlow):
			d.content.Warn(fmt.Sprintf("page %d takes longer than %v to render", number, d.file.Bounds.PageTime))
		case err != nil && d.in != nil && d.in.err == nil:
			d.content.Warn(fmt.Sprintf("page %d can't be rendered: %v", number, err))
		case err != nil && d.in != nil:
			d.content.Warn(fmt.Sprintf("page %d can't be rendered: %v", number, d.in.broken()))
			if d.restart(ctx) != nil {
				d.close()
			}
		case picture != nil && len(picture.Data) <= left:
			left -= len(picture.Data)
			d.content.Images = append(d.content.Images, *picture)
		}
	}
	return nil
}

// picture renders a page, which is counted from 1; nil where that cannot be, or not within the pixels. Its error is of the bound on what the
// page shows, or a trap.
func (in *instance) picture(doc pointer, number, maxPixels int) (*content.Image, error) {
	page := in.call("FPDF_LoadPage", doc, uint64(number-1))
	if page == 0 {
		return nil, in.err
	}
	defer in.call("FPDF_ClosePage", page)
	looked := 0
	if most := in.largest(page, "FPDFPage", 3, &looked); most > maxShown*maxPixels {
		return nil, content.TooLarge("it shows a picture of %d pixels (the bound on pixels of a picture on a page is %d)", most, maxShown*maxPixels)
	}
	return in.rendered(page, number, maxPixels), in.err
}

// maxShown is how many times Bounds.Pixels a picture on a page may have: PDFium scales it down line by line, at about 1 ns a pixel.
const maxShown = 8

// largest is how many pixels the largest picture has that a page shows, or a form, and the forms within it as deep as depth. holder is of the
// kind that PDFium's functions call by that name; looked counts the objects that were looked at, of all.
func (in *instance) largest(holder pointer, kind string, depth int, looked *int) (most int) {
	for n := range in.count(kind+"_CountObjects", holder) {
		if *looked++; *looked > maxObjects {
			break
		}
		object := in.call(kind+"_GetObject", holder, uint64(n))
		switch in.call("FPDFPageObj_GetType", object) {
		case objectImage:
			most = max(most, in.imagePixels(object))
		case objectForm:
			if depth > 0 {
				most = max(most, in.largest(object, "FPDFFormObj", depth-1, looked))
			}
		}
	}
	return most
}

// imagePixels is how many pixels a picture says that it has; 0 where it doesn't say.
func (in *instance) imagePixels(object pointer) int {
	sides := in.alloc(8)
	defer in.call("free", sides)
	if in.call("FPDFImageObj_GetImagePixelSize", object, sides, sides+4) == 0 {
		return 0
	}
	return int(min(uint64(in.uint32(sides))*uint64(in.uint32(sides+4)), math.MaxInt))
}

// rendered is the picture of a page.
func (in *instance) rendered(page pointer, number, maxPixels int) *content.Image {
	const bgrx, white, annotations = 3, 0xffffffff, 1
	width, height := size(in.float("FPDF_GetPageWidthF", page), in.float("FPDF_GetPageHeightF", page))
	if width*height > maxPixels {
		return nil
	}
	w, h := uint64(width), uint64(height)
	bitmap := in.call("FPDFBitmap_CreateEx", w, h, bgrx, 0, 0)
	if bitmap == 0 {
		return nil
	}
	defer in.call("FPDFBitmap_Destroy", bitmap)
	in.call("FPDFBitmap_FillRect", bitmap, 0, 0, w, h, white)
	in.call("FPDF_RenderPageBitmap", bitmap, page, 0, 0, w, h, 0, annotations)
	stride := in.count("FPDFBitmap_GetStride", bitmap)
	raw := in.bytes(in.call("FPDFBitmap_GetBuffer", bitmap), stride*height)
	if in.err != nil || len(raw) < stride*height || stride < 4*width {
		return nil
	}
	shown := picture.Encode(pixels(raw, width, height, stride))
	if shown != nil {
		shown.Page = number
	}
	return shown
}

// float calls a function that gives a float.
func (in *instance) float(name string, args ...uint64) float64 {
	return float64(math.Float32frombits(uint32(in.call(name, args...))))
}

// size is how many pixels a page of so many points gets.
func size(width, height float64) (w, h int) {
	if !(width > 0 && height > 0) || math.IsInf(width, 0) || math.IsInf(height, 0) {
		return 1, 1
	}
	scale := min(dotsPerInch/72., maxSide/max(width, height))
	return max(1, int(math.Round(width*scale))), max(1, int(math.Round(height*scale)))
}

// pixels makes an image of pixels of four bytes, blue first; a grey one where they are all grey, which a scan mostly is.
func pixels(raw []byte, width, height, stride int) image.Image {
	grey, colour := image.NewGray(image.Rect(0, 0, width, height)), image.NewRGBA(image.Rect(0, 0, width, height))
	isGrey := true
	for y := range height {
		from, to := raw[y*stride:][:4*width], colour.Pix[y*colour.Stride:][:4*width]
		for x := 0; x < 4*width; x += 4 {
			b, g, r := from[x], from[x+1], from[x+2]
			to[x], to[x+1], to[x+2], to[x+3] = r, g, b, 255
			grey.Pix[y*grey.Stride+x/4] = g
			isGrey = isGrey && b == g && g == r
		}
	}
	if isGrey {
		return grey
	}
	return colour
}
