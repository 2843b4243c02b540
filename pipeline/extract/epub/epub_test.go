package epub

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// zipped makes a book of parts.
func zipped(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(parts[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

const (
	container = `<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>`
	manifest  = `<manifest><item id="one" href="one.xhtml" media-type="application/xhtml+xml"/><item id="two" href="sub/tw%6F.html#top" media-type="application/xhtml+xml"/>
		<item id="pic" href="cover.png" media-type="image/png"/><item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/></manifest>`
)

func packageOf(metadata, rest string) string {
	return `<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>` + metadata + `</metadata>` + rest + `</package>`
}

// bookOf makes the parts of a book of three chapters with that package document; "" is none.
func bookOf(opf string) map[string]string {
	parts := map[string]string{
		"META-INF/container.xml": container,
		"OPS/book.opf":           opf,
		"OPS/one.xhtml":          "<p>One</p>",
		"OPS/sub/two.html":       "<p>Two</p>",
		"OPS/nav.xhtml":          "<p>Contents</p>",
		"OPS/cover.png":          "PNG",
	}
	if opf == "" {
		delete(parts, "OPS/book.opf")
	}
	return parts
}

var tags = regexp.MustCompile(`<[^>]*>`)

// within stands in for the reader of pages.
func within(_ context.Context, part *content.File) (*content.Content, error) {
	switch text := tags.ReplaceAllString(strings.ToValidUTF8(string(part.Data), ""), ""); {
	case part.MediaType != xhtml:
		return nil, content.Unsupported("got media type %s", part.MediaType)
	case strings.Contains(text, "huge"):
		return nil, content.TooLarge("the bound on something")
	case strings.Contains(text, "broken"):
		return nil, content.Damaged("it is broken")
	case strings.Contains(text, "odd"):
		return &content.Content{Text: text, Warnings: []string{"it is odd"}}, nil
	default:
		return &content.Content{Text: text}, nil
	}
}

func read(data []byte) (*content.Content, error) {
	return Read(context.Background(), &content.File{Data: data, Bounds: content.DefaultBounds(), Within: within})
}

func TestRead(t *testing.T) {
	noContainer := bookOf(packageOf("", manifest+`<spine><itemref idref="two"/></spine>`))
	delete(noContainer, "META-INF/container.xml")
	odd := bookOf(packageOf("", manifest+`<spine><itemref idref="one"/><itemref idref="two"/><itemref idref="nav"/></spine>`))
	odd["OPS/one.xhtml"], odd["OPS/sub/two.html"] = "odd", "broken"
	fonts := bookOf(packageOf("", manifest+`<spine><itemref idref="one"/></spine>`))
	fonts["META-INF/encryption.xml"] = locks("OPS/font.otf")
	for name, tt := range map[string]struct {
		parts    map[string]string
		want     string
		warnings []string
	}{
		"in the order of the spine": {bookOf(packageOf("", manifest+`<spine><itemref idref="two"/><itemref idref="pic"/><itemref idref="one" linear="no"/></spine>`)), "Two\n\nOne", nil},
		"each once":                 {bookOf(packageOf("", manifest+`<spine>`+strings.Repeat(`<itemref idref="one"/><itemref idref="nav"/>`, 100)+`</spine>`)), "One\n\nContents", nil},
		"without a container":       {noContainer, "Two", nil},
		"without a package":         {bookOf(""), "Contents\n\nOne\n\nTwo", []string{"the list of chapters is damaged or missing: all pages were read, by name"}},
		"a package cut":             {bookOf(packageOf("", manifest)[:300]), "Contents\n\nOne\n\nTwo", []string{"the list of chapters is damaged or missing: all pages were read, by name"}},
		"a chapter is missing": {bookOf(packageOf("", manifest+`<spine><itemref idref="one"/><itemref idref="gone"/><itemref idref="what"/></spine>`+
			`<manifest><item id="gone" href="gone.xhtml"/></manifest>`)), "One",
			[]string{"chapter OPS/gone.xhtml: there is no part OPS/gone.xhtml in it"}},
		"chapters with warnings": {odd, "odd\n\nContents", []string{"chapter OPS/one.xhtml: it is odd", "chapter OPS/sub/two.html: it is broken"}},
		"encrypted fonts":        {fonts, "One", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := read(zipped(t, tt.parts))
			if err != nil {
				t.Fatal(err)
			}
			if c.Text != tt.want {
				t.Errorf("got\n%s\nwant\n%s", c.Text, tt.want)
			}
			if !slices.Equal(c.Warnings, tt.warnings) {
				t.Errorf("got warnings %q, want %q", c.Warnings, tt.warnings)
			}
		})
	}
}

func TestMeta(t *testing.T) {
	for name, metadata := range map[string]string{
		"EPUB 3": `<dc:title>A title</dc:title><dc:title>another</dc:title><dc:creator>Ann</dc:creator><dc:creator>Bob</dc:creator><dc:language>en</dc:language>
			<dc:date>2026-11-23</dc:date><dc:subject>x</dc:subject><dc:subject>y</dc:subject><meta property="dcterms:modified">2026-11-23T00:00:00Z</meta><meta name="cover" content="pic"/>`,
		"OEB 1": `<dc-metadata><dc:Title>A title</dc:Title><dc:Creator>Ann</dc:Creator><dc:Creator>Bob</dc:Creator><dc:Language>en</dc:Language><dc:Date>2026-11-23</dc:Date>
			<dc:Subject>x</dc:Subject><dc:Subject>y</dc:Subject></dc-metadata><meta property="dcterms:modified">2026-11-23T00:00:00Z</meta>`,
	} {
		t.Run(name, func(t *testing.T) {
			c, err := read(zipped(t, bookOf(packageOf(metadata, manifest+`<spine><itemref idref="one"/></spine>`))))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{content.MetaTitle: "A title", content.MetaAuthor: "Ann, Bob", content.MetaLanguage: "en", content.MetaCreated: "2026-11-23",
				content.MetaSubject: "x, y", content.MetaModified: "2026-11-23T00:00:00Z"}
			if !maps.Equal(c.Meta, want) {
				t.Errorf("got %v, want %v", c.Meta, want)
			}
		})
	}
}

// locks is an encryption.xml that names a part.
func locks(uri string) string {
	return `<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>
		<enc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/><enc:CipherData><enc:CipherReference URI="` + uri + `"/></enc:CipherData></enc:EncryptedData></encryption>`
}

func TestErrors(t *testing.T) {
	spine := manifest + `<spine><itemref idref="one"/></spine>`
	locked := bookOf(packageOf("", spine))
	locked["META-INF/encryption.xml"] = locks("OPS/one.xhtml")
	huge := bookOf(packageOf("", spine))
	huge["OPS/one.xhtml"] = "huge"
	broken := bookOf(packageOf("", spine))
	broken["OPS/one.xhtml"] = "broken"
	long := bookOf(packageOf("", spine))
	long["OPS/one.xhtml"] = strings.Repeat("word ", 1000)
	for name, tt := range map[string]struct {
		data  []byte
		kind  string
		words string
	}{
		"no ZIP":            {[]byte("nothing"), pipeline.KindDamaged, "no ZIP file"},
		"no chapters":       {zipped(t, map[string]string{"a.txt": "a"}), pipeline.KindDamaged, "no chapter"},
		"DRM":               {zipped(t, locked), pipeline.KindEncrypted, "DRM"},
		"all are broken":    {zipped(t, broken), pipeline.KindDamaged, "none of its chapters can be read"},
		"a bound in a page": {zipped(t, huge), pipeline.KindTooLarge, "the bound on something"},
		"text":              {zipped(t, long), pipeline.KindTooLarge, "the bound on text"},
		"an endless list":   {zipped(t, bookOf(packageOf("", manifest+`<spine>`+strings.Repeat(`<itemref idref="one"/>`, 200)+`</spine>`))), pipeline.KindTooLarge, "the bound on parts"},
	} {
		t.Run(name, func(t *testing.T) {
			bounds := content.DefaultBounds()
			bounds.Text, bounds.Parts = 4000, 100
			_, err := Read(context.Background(), &content.File{Data: tt.data, Bounds: bounds, Within: within})
			if e, ok := errors.AsType[*pipeline.Error](err); !ok || e.Kind != tt.kind || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("got %v, want %s: %s", err, tt.kind, tt.words)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Read(ctx, &content.File{Data: zipped(t, bookOf(packageOf("", manifest+`<spine><itemref idref="one"/></spine>`))), Bounds: content.DefaultBounds(), Within: within})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// FuzzRead reads anything. With DOCBATCH_CORPUS, the small files of that folder are seeds too.
func FuzzRead(f *testing.F) {
	f.Add(zipped(f, bookOf(packageOf(`<dc:title>t</dc:title>`, manifest+`<spine><itemref idref="one"/><itemref idref="two"/></spine>`))))
	f.Add(zipped(f, bookOf(packageOf("", manifest)[:200])))
	if folder := os.Getenv("DOCBATCH_CORPUS"); folder != "" {
		paths, err := filepath.Glob(filepath.Join(folder, "epub", "*"))
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) <= 200_000 {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		bounds := content.DefaultBounds()
		bounds.Text, bounds.Part, bounds.Unpacked = 1<<20, 4<<20, 16<<20
		c, err := Read(context.Background(), &content.File{Data: data, Bounds: bounds, Within: within})
		switch {
		case err != nil && pipeline.ClassOf(err) != pipeline.Invalid:
			t.Errorf("got %v, want an error of class invalid", err)
		case err == nil && (len(c.Text) > bounds.Text || !utf8.ValidString(c.Text+strings.Join(c.Warnings, ""))):
			t.Errorf("got %d bytes of text and the warnings %q", len(c.Text), c.Warnings)
		}
	})
}
