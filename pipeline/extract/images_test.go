package extract

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// fakeProgram puts a script on a PATH that holds nothing else.
func fakeProgram(t *testing.T, name, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there are no scripts")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

// installed skips a test where a program is not.
func installed(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skip(program + " is not installed")
	}
}

// look reads a document with one of the ways for pictures.
func look(t *testing.T, images, name, data string) (*Reading, error) {
	t.Helper()
	o := poolOptions()
	o.Options.Images = WantsImages(images)
	return New(Options{Pool: newPool(t, o), Images: images, Languages: "deu"}).Read(t.Context(), name, []byte(data))
}

func TestWantsImages(t *testing.T) {
	t.Setenv("PATH", "")
	for images, want := range map[string]bool{ImagesAttach: true, ImagesNone: false, ImagesOCR: false} {
		if got := WantsImages(images); got != want {
			t.Errorf("%s, nothing installed: got %v, want %v", images, got, want)
		}
	}
	fakeProgram(t, "tesseract", "")
	if !WantsImages(ImagesOCR) {
		t.Error("tesseract is installed: got false, want true")
	}
}

// mixed is a PDF of a page of text, two that are pictures, and another of text.
func mixed() string {
	return pdfOf(page{text: "The first page"}, scan("2026"), scan("60"), page{text: "The last page"})
}

func TestAttach(t *testing.T) {
	t.Setenv("PATH", "")
	picture := pngOf(t, drawn("2026"))
	for _, tt := range []struct {
		name, file, data string
		want             []string // in this order in the text
		pages            []int
		mediaType        string
	}{
		{"a picture", "a.png", picture, []string{"[This document is the picture that is shown with it.]\n"}, []int{0}, "image/png"},
		{"pages", "a.pdf", mixed(), []string{"[Pages without text are shown as pictures: 2-3.]\n\n", "The first page", "The last page"}, []int{2, 3}, ""},
		{"a scan", "a.pdf", pdfOf(scan("2026")), []string{"[Pages without text are shown as pictures: 1.]\n"}, []int{1}, ""},
		{"a bitmap", "a.bmp", bmpOf(t, drawn("2026")), []string{"[This document is the picture that is shown with it.]\n"}, []int{0}, "image/png"},
		{"a fax", "a.tif", tiffOf(t, drawn("2026")), []string{"[This document is the picture that is shown with it.]\n"}, []int{0}, "image/png"},
		{"a picture in a mail", "a.eml", attach("Content-Type: image/png; name=g.png\r\n\r\n" + picture), []string{"g.png"}, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := look(t, ImagesAttach, tt.file, tt.data)
			if err != nil {
				t.Fatal(err)
			}
			wantOrder(t, r.Text, tt.want...)
			var pages []int
			for _, shown := range r.Images {
				pages = append(pages, shown.Page)
				config, format, err := image.DecodeConfig(bytes.NewReader(shown.Data))
				if err != nil || shown.MediaType != "image/"+format || config.Width < 100 {
					t.Errorf("page %d: got %v of %s, %v, said to be %s", shown.Page, config, format, err, shown.MediaType)
				}
			}
			if !slices.Equal(pages, tt.pages) {
				t.Errorf("pictures of the pages %v, want %v", pages, tt.pages)
			}
			var want []string
			if len(pages) > 0 && pages[0] > 0 {
				want = []string{pagesWere(r.Images) + " not read, but shown to the agent"}
			}
			if !slices.Equal(r.Warnings, want) {
				t.Errorf("warnings %q, want %q", r.Warnings, want)
			}
		})
	}
}

// wantOrder fails unless all words are in the text, one after the other.
func wantOrder(t *testing.T, text string, words ...string) {
	t.Helper()
	rest := text
	for _, w := range words {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Errorf("text\n%s\nwant %q in it, behind what comes before", text, w)
			return
		}
		rest = after
	}
}

// TestAttachBound shows as many pictures as services take.
func TestAttachBound(t *testing.T) {
	r := &Reading{Content: content.Content{Text: "words"}}
	for i := range 5 {
		r.Images = append(r.Images, content.Image{Page: i + 1, MediaType: "image/png", Data: make([]byte, maxShown/3)})
	}
	if err := r.attach(); err != nil {
		t.Fatal(err)
	}
	if want := "[Pages without text are shown as pictures: 1-3.]\n\nwords\n"; r.Text != want || len(r.Images) != 3 {
		t.Errorf("text %q and %d pictures, want %q and 3", r.Text, len(r.Images), want)
	}
	if want := []string{"of 5 pictures the first 3 are shown: more than 14 MiB is more than services take", "pages 1-3 were not read, but shown to the agent"}; !slices.Equal(r.Warnings, want) {
		t.Errorf("warnings %q, want %q", r.Warnings, want)
	}
	r = &Reading{Content: content.Content{Images: []content.Image{{MediaType: "image/png", Data: make([]byte, maxShown+1)}}}}
	wantError(t, r.attach(), pipeline.KindTooLarge, "a picture of more than 14 MiB is more than services take (the bound on pictures)")
}

func TestPictureErrors(t *testing.T) {
	picture := pngOf(t, drawn("2026"))
	t.Setenv("PATH", "")
	for _, tt := range []struct{ name, images, file, data, kind, want string }{
		{"not read", ImagesNone, "a.png", picture, pipeline.KindNoText, "it is a picture, and pictures are not read (images: none)"},
		{"no tesseract", ImagesOCR, "a.png", picture, pipeline.KindNoText,
			"it is a picture; tesseract would read it, but is not installed; an agent that sees can be shown it (images: attach)"},
		{"no tesseract, by default", "", "a.png", picture, pipeline.KindNoText, "tesseract would read it, but is not installed"},
		{"one that services do not take", ImagesAttach, "a.psd", "8BPS\x00\x01\x00\x00\x00\x00\x00\x00", pipeline.KindUnsupported,
			`agents can't be shown image/vnd.adobe.photoshop; convert it to PNG or JPEG, or leave it out with --exclude "*.psd"`},
		{"a damaged one that is made a PNG", ImagesAttach, "a.tiff", "II*\x00\x08\x00\x00\x00\x00\x00", pipeline.KindDamaged, "the picture can't be read: "},
		{"damaged", ImagesAttach, "a.png", picture[:20], pipeline.KindDamaged, "the picture can't be read: "},
		{"large", ImagesAttach, "a.png", pngOf(t, image.NewPaletted(image.Rect(0, 0, 10000, 10000), color.Palette{color.White})), pipeline.KindTooLarge, "a picture of 10000 x 10000 pixels (the bound on pixels is 50000000)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := look(t, tt.images, tt.file, tt.data)
			wantError(t, err, tt.kind, tt.want)
			if len(r.Images) > 0 {
				t.Errorf("%d pictures, want none", len(r.Images))
			}
		})
	}
}

// TestScanUnread has pages that are pictures left, and told of.
func TestScanUnread(t *testing.T) {
	t.Setenv("PATH", "")
	for _, images := range []string{ImagesNone, ImagesOCR} {
		r, err := look(t, images, "a.pdf", mixed())
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"pages 2-3 hold pictures and no text (a scan?)"}; !slices.Equal(r.Warnings, want) || len(r.Images) > 0 {
			t.Errorf("%s: warnings %q and %d pictures, want %q and none", images, r.Warnings, len(r.Images), want)
		}
		o := poolOptions()
		rec := &pipeline.Record{}
		err = New(Options{Pool: newPool(t, o), Images: images}).Do(t.Context(), file("a.pdf", pdfOf(scan("2026"))), rec)
		wantError(t, err, pipeline.KindNoText, "a.pdf: there is no text in it")
		if want := []string{"it holds pictures alone, and no text, on page 1 (a scan?)"}; !slices.Equal(rec.Warnings, want) {
			t.Errorf("%s: warnings %q, want %q", images, rec.Warnings, want)
		}
	}
}

// TestOCR has a fake tesseract read pictures.
func TestOCR(t *testing.T) {
	const good, fails = `echo "read with $2 $3 $4"`, `echo "it is dark" >&2; exit 1`
	for _, tt := range []struct {
		name, script, file, data string
		want                     []string
		warnings                 []string
	}{
		{"a picture", good, "a.png", pngOf(t, drawn("2026")), []string{"read with stdout -l deu\n"}, []string{"it was read by OCR: words may be wrong"}},
		{"a picture that only tesseract knows", good, "a.bmp", bmpOf(t, drawn("2026"))[:30] + "\x01" + bmpOf(t, drawn("2026"))[31:], []string{"read with stdout -l deu\n"},
			[]string{"it was read by OCR: words may be wrong"}},
		{"pages", good, "a.pdf", mixed(), []string{"The first page", "--- page 2 ---\n\nread with stdout -l deu\n\n--- page 3 ---\n\nread with stdout -l deu\n\n--- page 4 ---\n\nThe last page"},
			[]string{"pages 2-3 were read by OCR: words may be wrong"}},
		{"nothing but scans", good, "a.pdf", pdfOf(scan("2"), scan("6")), []string{"--- page 1 ---\n\nread with stdout -l deu\n\n--- page 2 ---\n\nread with stdout -l deu\n"},
			[]string{"pages 1-2 were read by OCR: words may be wrong"}},
		{"a scan of one page", good, "a.pdf", pdfOf(scan("2")), []string{"read with stdout -l deu\n"},
			[]string{"page 1 was read by OCR: words may be wrong"}},
		{"one page", good, "a.pdf", pdfOf(page{text: "The first page"}, scan("2")), []string{"The first page", "--- page 2 ---\n\nread with"}, []string{"page 2 was read by OCR: words may be wrong"}},
		{"it fails", fails, "a.pdf", mixed(), []string{"The first page", "The last page"}, []string{
			"page 2 was not recognised: tesseract can't read it (exit status 1): it is dark", "page 3 was not recognised: tesseract can't read it (exit status 1): it is dark"}},
		{"it finds nothing", "", "a.pdf", mixed(), []string{"The first page", "The last page"}, []string{"pages 2-3 were looked at by OCR, which found no text"}},
		{"it finds nothing on one of them", `[ -e "$0.2" ] && echo words; : >"$0.2"`, "a.pdf", mixed(), []string{"The first page", "--- page 3 ---\n\nwords"},
			[]string{"page 2 was looked at by OCR, which found no text", "page 3 was read by OCR: words may be wrong"}},
		{"what it says is cleaned", `printf 'a\r\nb\001\fc'`, "a.png", pngOf(t, drawn("2")), []string{"a\nb\nc\n"}, []string{"it was read by OCR: words may be wrong"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fakeProgram(t, "tesseract", tt.script)
			r, err := look(t, ImagesOCR, tt.file, tt.data)
			if err != nil {
				t.Fatal(err)
			}
			wantOrder(t, r.Text, tt.want...)
			if !slices.Equal(r.Warnings, tt.warnings) {
				t.Errorf("warnings %q, want %q", r.Warnings, tt.warnings)
			}
			if len(r.Images) > 0 {
				t.Errorf("%d pictures are left", len(r.Images))
			}
		})
	}
	t.Run("it finds nothing on all there is", func(t *testing.T) {
		fakeProgram(t, "tesseract", "")
		for file, data := range map[string]string{"a.png": pngOf(t, drawn("2026")), "a.pdf": pdfOf(scan("2"))} {
			o := poolOptions()
			o.Options.Images = true
			err := New(Options{Pool: newPool(t, o)}).Do(t.Context(), &pipeline.Document{Ref: pipeline.Ref{Name: file}, Data: []byte(data)}, &pipeline.Record{})
			wantError(t, err, pipeline.KindNoText, "OCR")
		}
	})
	t.Run("it fails on all there is", func(t *testing.T) {
		fakeProgram(t, "tesseract", fails)
		_, err := look(t, ImagesOCR, "a.png", pngOf(t, drawn("2026")))
		wantError(t, err, pipeline.KindDamaged, "tesseract can't read it (exit status 1): it is dark")
	})
}

// TestOCRInterrupted stops a fake tesseract that reads for ever: by ctx, and by the time.
func TestOCRInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no named pipes")
	}
	began := filepath.Join(t.TempDir(), "began")
	if err := exec.Command("mkfifo", began).Run(); err != nil {
		t.Skip("there are no named pipes: ", err)
	}
	fakeProgram(t, "tesseract", "echo . >"+began+"; while :; do :; done")
	o := poolOptions()
	o.Options.Images = true
	step := New(Options{Pool: newPool(t, o)})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_, _ = os.ReadFile(began)
		cancel()
	}()
	if _, err := step.Read(ctx, "a.png", []byte(pngOf(t, drawn("2")))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}

	fakeProgram(t, "tesseract", "while :; do :; done")
	o.Time = time.Second
	_, err := New(Options{Pool: newPool(t, o)}).Read(t.Context(), "a.png", []byte(pngOf(t, drawn("2"))))
	wantError(t, err, pipeline.KindSlow, "reading it takes longer than 1s (the bound on time)")
}

// TestTesseract reads pictures in earnest.
func TestTesseract(t *testing.T) {
	installed(t, "tesseract")
	o := poolOptions()
	o.Options.Images = WantsImages(ImagesOCR)
	step := New(Options{Pool: newPool(t, o)})
	for name, data := range map[string]string{"a.png": pngOf(t, drawn("2026")), "a.pdf": pdfOf(page{text: "The first page"}, scan("2026"))} {
		r, err := step.Read(t.Context(), name, []byte(data))
		if err != nil || !strings.Contains(r.Text, "026") {
			t.Errorf("%s: got %q, %v, want the number in it", name, r.Text, err)
		}
	}
}

// TestOCRLanguages asks tesseract what it knows, a fake one and in earnest.
func TestOCRLanguages(t *testing.T) {
	t.Run("in earnest", func(t *testing.T) {
		installed(t, "tesseract")
		if got, err := OCRLanguages(t.Context()); err != nil || !slices.Contains(got, "eng") {
			t.Errorf("got %q, %v, want eng among them", got, err)
		}
	})
	t.Run("a fake", func(t *testing.T) {
		fakeProgram(t, "tesseract", `[ "$3" = --list-langs ] && printf 'List of available languages (2):\ndeu\nscript/Latin\n'`)
		if got, err := OCRLanguages(t.Context()); err != nil || !slices.Equal(got, []string{"deu", "script/Latin"}) {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("none", func(t *testing.T) {
		t.Setenv("PATH", "")
		if got, err := OCRLanguages(t.Context()); err == nil {
			t.Errorf("got %q, want an error", got)
		}
	})
}

func TestPagesOf(t *testing.T) {
	for want, pages := range map[string][]int{"7": {7}, "1-2": {1, 2}, "1, 3-5, 9": {1, 3, 4, 5, 9}} {
		var images []content.Image
		for _, page := range pages {
			images = append(images, content.Image{Page: page})
		}
		if got := pagesOf(images); got != want {
			t.Errorf("%v: got %q, want %q", pages, got, want)
		}
	}
}

func TestInsert(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		page       int
		want       string
	}{
		{"behind its mark", "--- page 1 ---\n\none\n\n--- page 2 ---\n\n--- page 3 ---\n\nthree\n", 2, "--- page 1 ---\n\none\n\n--- page 2 ---\n\nOCR\n\n--- page 3 ---\n\nthree\n"},
		{"in place of noise", "--- page 1 ---\n\n%&\n\n--- page 2 ---\n\ntwo\n", 1, "--- page 1 ---\n\nOCR\n\n--- page 2 ---\n\ntwo\n"},
		{"between the pages around it", "--- page 1 ---\n\none\n\n--- page 3 ---\n\nthree\n", 2, "--- page 1 ---\n\none\n\n--- page 2 ---\n\nOCR\n\n--- page 3 ---\n\nthree\n"},
		{"page 1 is not page 10", "--- page 10 ---\n\nten\n", 1, "--- page 1 ---\n\nOCR\n\n--- page 10 ---\n\nten\n"},
		{"the last page", "--- page 1 ---\n\none\n", 2, "--- page 1 ---\n\none\n\n--- page 2 ---\n\nOCR\n"},
		{"words that are no mark", "a --- page 1 ---\n", 1, "a --- page 1 ---\n\n--- page 1 ---\n\nOCR\n"},
		{"a picture", "", 0, "OCR\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &Reading{Content: content.Content{Text: tt.text}}
			if r.insert(tt.page, "OCR"); r.Text != tt.want {
				t.Errorf("got %q, want %q", r.Text, tt.want)
			}
		})
	}
}
