package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"slices"

	"docbatch/pipeline/extract/content"
)

// What pictures of pages are.
const (
	maxImages     = 50
	maxImageBytes = 40 << 20 // all together
	dotsPerInch   = 200
	maxSide       = 2000 // pixels: beyond it services scale down, and OCR gets slower and no better
	jpegQuality   = 80
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
			return in.picture(d.handle, number, d.file.Bounds.Pixels), in.err
		})
		switch {
		case errors.Is(err, context.Canceled):
			return err
		case errors.Is(err, errSlow):
			d.content.Warn(fmt.Sprintf("page %d takes longer than %v to render", number, d.file.Bounds.PageTime))
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

// picture renders a page, which is counted from 1; nil where that cannot be, or not within the pixels.
func (in *instance) picture(doc pointer, number, maxPixels int) *content.Image {
	page := in.call("FPDF_LoadPage", doc, uint64(number-1))
	if page == 0 {
		return nil
	}
	defer in.call("FPDF_ClosePage", page)
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
	picture := encode(pixels(raw, width, height, stride))
	if picture != nil {
		picture.Page = number
	}
	return picture
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

// encode is the image as JPEG or as PNG, whichever is smaller; nil where it can't be.
func encode(picture image.Image) *content.Image {
	var asJPEG, asPNG bytes.Buffer
	if jpeg.Encode(&asJPEG, picture, &jpeg.Options{Quality: jpegQuality}) != nil || png.Encode(&asPNG, picture) != nil {
		return nil
	}
	if asPNG.Len() < asJPEG.Len() {
		return &content.Image{MediaType: "image/png", Data: asPNG.Bytes()}
	}
	return &content.Image{MediaType: "image/jpeg", Data: asJPEG.Bytes()}
}
