package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// framed is a picture with a dark frame, or a coloured one.
func framed(w, h int, frame color.Color) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.White)
			if x < w/4 || x >= w-w/4 || y < h/4 || y >= h-h/4 {
				img.Set(x, y, frame)
			}
		}
	}
	return img
}

func tiffOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := tiff.Encode(&buf, img, &tiff.Options{Compression: tiff.Deflate}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func bmpOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := bmp.Encode(&buf, img); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// A page is a directory of entries for a TIFF: an uncompressed picture of one byte, which is one grey pixel.
type page struct {
	width, compression, subfile uint32
}

// paged is a TIFF of such pages; next gives where the last one says that another follows.
func paged(order binary.AppendByteOrder, next uint32, pages ...page) []byte {
	magic := "II*\x00"
	if order.String() == binary.BigEndian.String() {
		magic = "MM\x00*"
	}
	b := append([]byte(magic), 0, 0, 0, 0)
	put := func(at int, v uint32) { copy(b[at:], order.AppendUint32(nil, v)) }
	from := 4
	for _, p := range pages {
		pixel := uint32(len(b))
		b = append(b, 100, 0)
		put(from, uint32(len(b)))
		entries := [][2]uint32{{254, p.subfile}, {256, p.width}, {257, 1}, {258, 8}, {259, p.compression}, {262, 1}, {273, pixel}, {277, 1}, {278, 1}, {279, 1}}
		b = order.AppendUint16(b, uint16(len(entries)))
		for _, e := range entries {
			b = order.AppendUint32(order.AppendUint32(order.AppendUint16(order.AppendUint16(b, uint16(e[0])), 4), 1), e[1])
		}
		from = len(b)
		b = order.AppendUint32(b, 0)
	}
	put(from, next)
	return b
}

func read(mediaType string, data []byte) (*content.Content, error) {
	b := content.DefaultBounds()
	b.Pixels = 10_000_000
	return Read(context.Background(), &content.File{MediaType: mediaType, Data: data, Bounds: b, Options: content.Options{Images: true}})
}

func TestRead(t *testing.T) {
	little, big := binary.LittleEndian, binary.BigEndian
	sound := page{width: 1, compression: 1}
	for _, tt := range []struct {
		name, mediaType string
		data            []byte
		pages           []int
		size            image.Point
		warning         string
	}{
		{"bitmap", BMP, bmpOf(t, framed(40, 20, color.Black)), []int{0}, image.Pt(40, 20), ""},
		{"tiff", TIFF, tiffOf(t, framed(40, 20, color.Black)), []int{0}, image.Pt(40, 20), ""},
		{"a large one", TIFF, tiffOf(t, framed(3000, 2000, color.Black)), []int{0}, image.Pt(2000, 1333), ""},
		{"a thin one", TIFF, tiffOf(t, framed(9000, 2, color.Black)), []int{0}, image.Pt(2000, 1), ""},
		{"one page", TIFF, paged(little, 0, sound), []int{0}, image.Pt(1, 1), ""},
		{"pages", TIFF, paged(little, 0, sound, sound, sound), []int{1, 2, 3}, image.Pt(1, 1), ""},
		{"pages, the high byte first", TIFF, paged(big, 0, sound, sound), []int{1, 2}, image.Pt(1, 1), ""},
		{"a page and its thumbnail", TIFF, paged(little, 0, sound, page{width: 1, compression: 1, subfile: 1}), []int{0}, image.Pt(1, 1), ""},
		{"a page that can't be read", TIFF, paged(little, 0, sound, page{width: 1, compression: 7}, sound), []int{1, 3}, image.Pt(1, 1), "page 2: the picture can't be read: tiff: unsupported"},
		{"a page that is too large", TIFF, paged(little, 0, page{width: 20_000_000, compression: 1}, sound), []int{2}, image.Pt(1, 1), "page 1: a picture of 20000000 x 1 pixels (the bound on pixels is 10000000)"},
		{"pages in a ring", TIFF, paged(little, 10, sound, sound), []int{1, 2}, image.Pt(1, 1), ""},
		{"a next page that is not there", TIFF, paged(little, 1<<31, sound), []int{0}, image.Pt(1, 1), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := read(tt.mediaType, tt.data)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Images) != len(tt.pages) {
				t.Fatalf("%d pictures, want the pages %v", len(c.Images), tt.pages)
			}
			for i, shown := range c.Images {
				got, format, err := image.Decode(bytes.NewReader(shown.Data))
				if err != nil || shown.Page != tt.pages[i] || shown.MediaType != "image/"+format || got.Bounds().Size() != tt.size {
					t.Errorf("picture %d: page %d, %s (%s), %v, want page %d and %v", i, shown.Page, shown.MediaType, format, err, tt.pages[i], tt.size)
				}
			}
			if got := strings.Join(c.Warnings, "\n"); tt.warning == "" && got != "" || !strings.Contains(got, tt.warning) {
				t.Errorf("warnings %q, want %q", got, tt.warning)
			}
		})
	}
}

// TestPixels looks at what becomes of the colours.
func TestPixels(t *testing.T) {
	for _, tt := range []struct {
		name         string
		img          image.Image
		corner, mean color.RGBA
	}{
		{"as it is", framed(40, 40, color.Black), color.RGBA{A: 255}, color.RGBA{255, 255, 255, 255}},
		{"a third of the size", framed(6000, 60, color.Gray{Y: 90}), color.RGBA{90, 90, 90, 255}, color.RGBA{255, 255, 255, 255}},
		{"in colour", framed(40, 40, color.RGBA{R: 200, A: 255}), color.RGBA{R: 200, A: 255}, color.RGBA{255, 255, 255, 255}},
		{"nothing is white", image.NewNRGBA(image.Rect(0, 0, 9, 9)), color.RGBA{255, 255, 255, 255}, color.RGBA{255, 255, 255, 255}},
		{"a part of a picture", framed(40, 40, color.Black).(*image.RGBA).SubImage(image.Rect(10, 10, 30, 30)), color.RGBA{255, 255, 255, 255}, color.RGBA{255, 255, 255, 255}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := shrink(tt.img)
			size := got.Bounds().Size()
			for _, p := range []struct {
				at   image.Point
				want color.RGBA
			}{{image.Pt(0, 0), tt.corner}, {size.Div(2), tt.mean}} {
				if is := color.RGBAModel.Convert(got.At(p.at.X, p.at.Y)); is != p.want {
					t.Errorf("at %v: got %v, want %v", p.at, is, p.want)
				}
			}
			_, isGrey := got.(*image.Gray)
			if want := tt.corner.R == tt.corner.G; isGrey != want {
				t.Errorf("grey: got %v, want %v", isGrey, want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name, mediaType string
		data            []byte
		kind, want      string
	}{
		{"no page", TIFF, []byte("II*\x00\x00\x00\x00\x00"), pipeline.KindDamaged, "it has no pages"},
		{"shorter than a head", TIFF, []byte("II*\x00"), pipeline.KindDamaged, "it has no pages"},
		{"a page that is not there", TIFF, []byte("MM\x00*\xff\xff\xff\xff"), pipeline.KindDamaged, "it has no pages"},
		{"a page of nothing", TIFF, []byte("II*\x00\x08\x00\x00\x00\x00\x00"), pipeline.KindDamaged, "the picture can't be read: tiff: "},
		{"cut", TIFF, tiffOf(t, framed(40, 40, color.Black))[:60], pipeline.KindDamaged, "the picture can't be read: "},
		{"compressed in another way", TIFF, paged(binary.LittleEndian, 0, page{width: 1, compression: 7}), pipeline.KindUnsupported, "convert it to PNG or JPEG"},
		{"no width", TIFF, paged(binary.LittleEndian, 0, page{compression: 1}), pipeline.KindDamaged, "the picture can't be read: "},
		{"too large", TIFF, paged(binary.LittleEndian, 0, page{width: 20_000_000, compression: 1}), pipeline.KindTooLarge, "the bound on pixels"},
		{"a cut bitmap", BMP, bmpOf(t, framed(40, 40, color.Black))[:80], pipeline.KindDamaged, "the picture can't be read: "},
		{"another bitmap", BMP, append([]byte("BM"), make([]byte, 60)...), pipeline.KindUnsupported, "convert it to PNG or JPEG"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(tt.mediaType, tt.data)
			e, ok := errors.AsType[*pipeline.Error](err)
			if !ok || e.Class != pipeline.Invalid || e.Kind != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want kind %s: %s", err, tt.kind, tt.want)
			}
		})
	}
	if _, err := Read(t.Context(), &content.File{MediaType: BMP, Data: bmpOf(t, framed(4, 4, color.Black)), Bounds: content.DefaultBounds()}); err == nil {
		t.Error("no pictures are wanted: got one")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Read(ctx, &content.File{MediaType: TIFF, Data: tiffOf(t, framed(4, 4, color.Black)), Bounds: content.DefaultBounds(), Options: content.Options{Images: true}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v, want %v", err, context.Canceled)
	}
}

// TestManyPages gives the first of more pages than are shown.
func TestManyPages(t *testing.T) {
	pages := make([]page, maxPages+3)
	for i := range pages {
		pages[i] = page{width: 1, compression: 1}
	}
	c, err := read(TIFF, paged(binary.LittleEndian, 0, pages...))
	if err != nil || len(c.Images) != maxPages || len(c.Warnings) != 1 || c.Warnings[0] != "it has more than 50 pages: the rest is left out" {
		t.Errorf("got %+v, %v, want 50 pictures and a warning", c, err)
	}
}

// TestMaxBytes gives as many pages as fit.
func TestMaxBytes(t *testing.T) {
	was := maxBytes
	defer func() { maxBytes = was }()
	pages := []page{{width: 1, compression: 1}, {width: 1, compression: 1}, {width: 1, compression: 1}}
	data := paged(binary.LittleEndian, 0, pages...)
	c, err := read(TIFF, data)
	if err != nil {
		t.Fatal(err)
	}
	one := len(c.Images[0].Data)
	maxBytes = 2 * one
	if c, err = read(TIFF, data); err != nil || len(c.Images) != 2 || !strings.HasPrefix(strings.Join(c.Warnings, "\n"), "from page 3 on it is left out") {
		t.Errorf("got %+v, %v, want two pictures and a warning", c, err)
	}
	maxBytes = one - 1
	if _, err := read(TIFF, data); err == nil || pipeline.AsError(err).Kind != pipeline.KindTooLarge {
		t.Errorf("not even one: got %v, want kind %s", err, pipeline.KindTooLarge)
	}
}

// FuzzRead reads anything as a picture.
func FuzzRead(f *testing.F) {
	f.Add(true, tiffOf(f, framed(4, 4, color.Black)))
	f.Add(false, bmpOf(f, framed(4, 4, color.Black)))
	f.Add(true, paged(binary.BigEndian, 0, page{width: 1, compression: 1}, page{width: 1, compression: 5, subfile: 1}))
	f.Fuzz(func(t *testing.T, isTIFF bool, data []byte) {
		b := content.DefaultBounds()
		b.Pixels = 1 << 20
		mediaType := BMP
		if isTIFF {
			mediaType = TIFF
		}
		c, err := Read(context.Background(), &content.File{MediaType: mediaType, Data: data, Bounds: b, Options: content.Options{Images: true}})
		if err != nil {
			if pipeline.ClassOf(err) != pipeline.Invalid {
				t.Fatal(err)
			}
			return
		}
		for _, shown := range c.Images {
			if config, _, err := image.DecodeConfig(bytes.NewReader(shown.Data)); err != nil || max(config.Width, config.Height) > maxSide {
				t.Fatalf("%v of %v, %v", shown.MediaType, config, err)
			}
		}
	})
}
