// Package picture makes of pictures that services do not take, TIFF and BMP, such as they do. It reads no text: that is OCR's.
package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"slices"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"docbatch/pipeline/extract/content"
)

// The media types that Read reads.
const (
	TIFF = "image/tiff"
	BMP  = "image/bmp"
)

const (
	maxPages    = 50
	maxSide     = 2000 // pixels: beyond it services scale down themselves
	jpegQuality = 80
)

// maxBytes bounds all pictures of a document together. It is a variable for the tests alone.
var maxBytes = 40 << 20

// Read is a content.Reader of TIFF and BMP. It gives no text, but the picture as PNG or JPEG, scaled down to 2,000 pixels a side; of a TIFF with
// several pages one for each, at most 50 and 40 MiB, with the number of the page. Only with Options.Images: else it is KindUnsupported, and so is a TIFF
// that is compressed in a way that is not known. KindTooLarge is that of a picture over Bounds.Pixels.
func Read(ctx context.Context, f *content.File) (*content.Content, error) {
	if !f.Options.Images {
		return nil, content.Unsupported("pictures within another document are not read")
	}
	if f.MediaType == BMP {
		image, err := convert(f, f.Data, bmp.DecodeConfig, bmp.Decode)
		if err != nil {
			return nil, err
		}
		return &content.Content{Images: []content.Image{*image}}, nil
	}
	return readTIFF(ctx, f)
}

// readTIFF gives the pages of a TIFF. The library decodes the first page alone: each is made the first in its turn.
func readTIFF(ctx context.Context, f *content.File) (*content.Content, error) {
	order, pages := directories(f.Data)
	c := &content.Content{}
	if len(pages) > maxPages {
		c.Warn(fmt.Sprintf("it has more than %d pages: the rest is left out", maxPages))
		pages = pages[:maxPages]
	}
	data := slices.Clone(f.Data)
	var failure error
	size := 0
	for i, at := range pages {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		order.PutUint32(data[4:], at)
		image, err := convert(f, data, tiff.DecodeConfig, tiff.Decode)
		if err != nil {
			failure = err
			c.Warn(fmt.Sprintf("page %d: %v", i+1, err))
			continue
		}
		if size += len(image.Data); size > maxBytes {
			c.Warn(fmt.Sprintf("from page %d on it is left out: the pictures take more than %s", i+1, content.Bytes(int64(maxBytes))))
			failure = content.TooLarge("a picture of more than %s (the bound on pictures)", content.Bytes(int64(maxBytes)))
			break
		}
		if len(pages) > 1 {
			image.Page = i + 1
		}
		c.Images = append(c.Images, *image)
	}
	switch {
	case len(c.Images) > 0:
		return c, nil
	case failure != nil:
		return nil, failure
	}
	return nil, content.Damaged("the picture can't be read: it has no pages")
}

// Of a TIFF's directory.
const (
	entryBytes  = 12
	tagSubfile  = 254 // what kind of page it is
	isThumbnail = 1   // a bit of it: a smaller version of another page
)

// directories gives where in a TIFF the directories of its pages are, in order, one more than may be at most.
func directories(data []byte) (order binary.ByteOrder, pages []uint32) {
	order = binary.LittleEndian
	if bytes.HasPrefix(data, []byte("MM")) {
		order = binary.BigEndian
	}
	if len(data) < 8 {
		return order, nil
	}
	var seen []uint32
	for at := order.Uint32(data[4:]); at != 0 && !slices.Contains(seen, at) && len(seen) < 4*maxPages && len(pages) <= maxPages; {
		seen = append(seen, at)
		if uint64(at)+2 > uint64(len(data)) {
			break
		}
		entries := data[at+2:]
		n := int(order.Uint16(data[at:])) * entryBytes
		thumbnail := false
		for e := 0; e+entryBytes <= min(n, len(entries)); e += entryBytes {
			if order.Uint16(entries[e:]) == tagSubfile && order.Uint32(entries[e+8:])&isThumbnail != 0 {
				thumbnail = true
			}
		}
		if !thumbnail {
			pages = append(pages, at)
		}
		if n+4 > len(entries) {
			break
		}
		at = order.Uint32(entries[n:])
	}
	return order, pages
}

// convert decodes a picture within the bound on pixels, and makes of it one to show.
func convert(f *content.File, data []byte, look func(io.Reader) (image.Config, error), decode func(io.Reader) (image.Image, error)) (*content.Image, error) {
	config, err := look(bytes.NewReader(data))
	if err != nil {
		return nil, Unreadable(err)
	}
	if err := Check(config, f.Bounds); err != nil {
		return nil, err
	}
	picture, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, Unreadable(err)
	}
	if picture.Bounds().Empty() {
		return nil, content.Damaged("the picture can't be read: it has no pixels")
	}
	shown := Encode(shrink(picture))
	if shown == nil {
		return nil, content.Damaged("the picture can't be made a PNG")
	}
	return shown, nil
}

// Check refuses a picture over the bound on pixels.
func Check(config image.Config, b *content.Bounds) error {
	if int64(config.Width)*int64(config.Height) > int64(b.Pixels) {
		return content.TooLarge("a picture of %d x %d pixels (the bound on pixels is %d)", config.Width, config.Height, b.Pixels)
	}
	return nil
}

// Unreadable is the error of a picture whose decoder gave err: KindUnsupported where another program may know it, else KindDamaged.
func Unreadable(err error) error {
	_, byTIFF := errors.AsType[tiff.UnsupportedError](err)
	_, byJPEG := errors.AsType[jpeg.UnsupportedError](err)
	if byTIFF || byJPEG || errors.Is(err, bmp.ErrUnsupported) {
		return content.Unsupported("the picture can't be read: %w; convert it to PNG or JPEG", err)
	}
	return content.Damaged("the picture can't be read: %w", err)
}

// shrink is a picture on white, of at most maxSide pixels a side: each is the mean of those in its place. Grey ones stay so.
func shrink(src image.Image) image.Image {
	from := src.Bounds()
	across, down := from.Dx(), from.Dy()
	long := max(across, down, maxSide)
	w, h := max(1, across*maxSide/long), max(1, down*maxSide/long)
	colour, grey := image.NewRGBA(image.Rect(0, 0, w, h)), image.NewGray(image.Rect(0, 0, w, h))
	isGrey := true
	rows := image.NewRGBA(image.Rect(0, 0, across, down/h+1)) // those of one row of pixels: never the whole picture once more
	for y := range h {
		top := y * down / h
		n := max(1, (y+1)*down/h-top)
		place := image.Rect(0, 0, across, n)
		draw.Draw(rows, place, image.White, image.Point{}, draw.Src)
		draw.Draw(rows, place, src, from.Min.Add(image.Pt(0, top)), draw.Over)
		for x := range w {
			left := x * across / w
			pixel := mean(rows, image.Rect(left, 0, max(left+1, (x+1)*across/w), n))
			colour.SetRGBA(x, y, pixel)
			grey.SetGray(x, y, color.Gray{Y: pixel.G})
			isGrey = isGrey && pixel.R == pixel.G && pixel.G == pixel.B
		}
	}
	if isGrey {
		return grey
	}
	return colour
}

// mean is the mean of the pixels of a part of a picture.
func mean(picture *image.RGBA, part image.Rectangle) color.RGBA {
	var r, g, b int
	for y := part.Min.Y; y < part.Max.Y; y++ {
		row := picture.Pix[picture.PixOffset(part.Min.X, y):picture.PixOffset(part.Max.X, y)]
		for ; len(row) > 0; row = row[4:] {
			r, g, b = r+int(row[0]), g+int(row[1]), b+int(row[2])
		}
	}
	n := part.Dx() * part.Dy()
	return color.RGBA{R: uint8(r / n), G: uint8(g / n), B: uint8(b / n), A: 255}
}

// Encode is a picture as JPEG or as PNG, whichever is smaller; nil where it can't be.
func Encode(picture image.Image) *content.Image {
	var asJPEG, asPNG bytes.Buffer
	if jpeg.Encode(&asJPEG, picture, &jpeg.Options{Quality: jpegQuality}) != nil || png.Encode(&asPNG, picture) != nil {
		return nil
	}
	if asPNG.Len() < asJPEG.Len() {
		return &content.Image{MediaType: "image/png", Data: asPNG.Bytes()}
	}
	return &content.Image{MediaType: "image/jpeg", Data: asJPEG.Bytes()}
}
