package html

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// FuzzRead reads anything as a page, and as an article. The files of DOCBATCH_CORPUS/html are seeds too.
func FuzzRead(f *testing.F) {
	for _, page := range []string{
		`<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>t</title></head><body><h1>a</h1><p>b<br>c</p></body></html>`,
		`<?xml version="1.0" encoding="iso-8859-2"?><html><title/><script/><p>a</p></html>`,
		`<table><caption>c</caption><tr><th rowspan=3 colspan=2>a<td><table><tr><td>b</table><tr><td>c</table>`,
		`<ol start=5 type=i><li value=9>a<ul><li>b</ul><blockquote>c<li>d</ol><pre>e<br>f</pre>`,
		`<iframe srcdoc="<p>a<svg><p>b"></iframe><select><option selected>c<input type=checkbox checked><textarea>d`,
		`<p style="display:none">a<p>b<math><mfrac><mi>x</mi><msqrt><mn>2</mn></msqrt></mfrac></math>c<sup>2</sup><ruby>d<rt>e</ruby>`,
	} {
		f.Add([]byte(page))
	}
	if dir := os.Getenv("DOCBATCH_CORPUS"); dir != "" {
		files, err := filepath.Glob(filepath.Join(dir, "html", "*"))
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			if data, err := os.ReadFile(name); err == nil && len(data) <= 200_000 {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, article := range []bool{false, true} {
			check(t, &content.File{Data: data, Bounds: content.DefaultBounds(), Options: content.Options{Article: article}})
		}
	})
}

func check(t *testing.T, f *content.File) {
	f.Bounds.Text = 1 << 20
	c, err := Read(context.Background(), f)
	if err != nil {
		if pipeline.ClassOf(err) != pipeline.Invalid {
			t.Fatalf("class %v of %v, want invalid", pipeline.ClassOf(err), err)
		}
		return
	}
	if !utf8.ValidString(c.Text) {
		t.Errorf("text that is no UTF-8: %q", c.Text)
	}
	if n := len(c.Text); n > f.Bounds.Text+2000 { // an article's title is added to it
		t.Errorf("%d bytes of text, more than %d", n, f.Bounds.Text)
	}
}
