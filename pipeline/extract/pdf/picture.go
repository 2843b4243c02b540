package pdf

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"math"

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

// picture renders a page; nil where that cannot be, or not within the budget.
func (in *instance) picture(page pointer, b budget) *content.Image {
	const bgrx, white, annotations = 3, 0xffffffff, 1
	width, height := size(in.float("FPDF_GetPageWidthF", page), in.float("FPDF_GetPageHeightF", page))
	if width*height > b.pixels || b.bytes <= 0 {
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
	found := encode(pixels(raw, width, height, stride))
	if found == nil || len(found.Data) > b.bytes {
		return nil
	}
	return found
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
