package pdf

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

func TestText(t *testing.T) {
	for _, test := range []struct {
		name string
		doc  *made
		want string
	}{
		{"a line", one(text(100, 700, "Hello, world")), "Hello, world"},
		{"lines of a paragraph", one(text(100, 700, "One") + text(100, 688, "two")), "One\ntwo"},
		{"paragraphs", one(text(100, 700, "One") + text(100, 660, "two")), "One\n\ntwo"},
		{"two pages", newMade().page("", text(100, 700, "One")).page("", text(100, 700, "Two")), "--- page 1 ---\n\nOne\n\n--- page 2 ---\n\nTwo"},
		{"columns", one(text(100, 700, "Name") + text(300, 700, "Age") + text(100, 688, "Ada") + text(300, 688, "36")), "Name\tAge\nAda\t36"},
		{"columns that are written in columns", one(text(100, 700, "Name") + text(100, 688, "Ada") + text(300, 700, "Age") + text(300, 688, "36")), "Name\nAda\n\nAge\n36"},
		{"a superscript", one(text(100, 700, "E = mc") + sized(132, 704, 6, "2") + text(140, 700, "is known")), "E = mc2 is known"},
		{"an index after the line", one(text(100, 700, "BaF") + text(124, 700, "and") + sized(118, 697, 6, "3")), "BaF3 and"},
		{"letters set apart", one("BT /F 10 Tf 1 Tc 100 700 Td (TITLE) Tj ET"), "TITLE"},
		{"a word divided", one(text(100, 700, "an exam-") + text(100, 688, "ple of it")), "an example of it"},
		{"accents of TeX", one(text(100, 700, "M") + text(109, 700, "\\250") + text(109, 700, "u") + text(114, 700, "hle")), "Mühle"},
		{"upwards", one("BT /F 10 Tf 0 1 -1 0 100 100 Tm (Written) Tj ET BT /F 10 Tf 0 1 -1 0 100 300 Tm (upwards) Tj ET"), "Written\tupwards"},
		{"downwards", one("BT /F 10 Tf 0 -1 1 0 100 700 Tm (Written downwards) Tj ET"), "Written downwards"},
		{"upside down", one("BT /F 10 Tf -1 0 0 -1 300 700 Tm (Written upside down) Tj ET"), "Written upside down"},
		{"askew", one("BT /F 10 Tf 0.866 0.5 -0.5 0.866 100 100 Tm (Written askew) Tj ET"), "Written askew"},
		{"a turned page", newMade().page("/Rotate 90", "BT /F 10 Tf 0 1 -1 0 300 100 Tm (A turned page) Tj ET"), "A turned page"},
		{"invisible text of OCR", one("BT 3 Tr /F 10 Tf 100 700 Td (Recognised) Tj ET"), "Recognised"},
		{"text that is written twice to be bold", one(text(100, 700, "Bold") + "BT /F 10 Tf 100.2 700 Td (Bold) Tj ET"), "Bold"},
		{"a character that is unknown", one(text(100, 700, "divide\\003s words")), "divide s words"},
		{"a character beyond 16 bits", mapped("BT /T 10 Tf 100 700 Td (axb) Tj ET"), "a𝑥b"},
		{"letters set apart, the last by itself", one("BT /F 10 Tf 1 Tc 100 700 Td (Metropoli) Tj 0 Tc 44.1 0 Td (s) Tj ET"), "Metropolis"},
		{"beyond the sheet", one(text(100, 700, "On it") + text(-100, 700, "left") + text(620, 700, "right") + text(100, 820, "above") + text(100, -20, "below")), "On it"},
		{"cropped", newMade().page("/CropBox[0 0 300 300]", text(100, 200, "Seen")+text(100, 188, "as well")+text(100, 320, "above")), "Seen\nas well\n\nabove"},
		{"a sheet upside down", newMade().page("/MediaBox[600 800 0 0]", text(100, 700, "On it")+text(620, 700, "right")), "On it"},
		{"a sheet that is broken", newMade().page("/MediaBox[0 612 792]", text(100, 700, "On it")), "On it"},
		{"a sheet elsewhere", newMade().page("/MediaBox[-600 -800 0 0]", text(-500, -100, "On it")+text(100, 700, "not")), "On it"},
		{"nothing", one(""), ""},
		{"white space", one(text(100, 700, "   ")), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := read(t, file(test.doc.String()))
			if got := strings.TrimSpace(c.Text); got != test.want {
				t.Errorf("text %q, want %q", got, test.want)
			}
			if len(c.Warnings) > 0 {
				t.Errorf("warnings %q, want none", c.Warnings)
			}
		})
	}
}

// mapped is a page whose Times-Roman has a mathematical letter for x.
func mapped(data string) *made {
	m := newMade()
	table := "begincmap 1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <78> <d835dc65> endbfchar endcmap"
	m.objects[3] = fmt.Sprintf("<</Type/Font/Subtype/Type1/BaseFont/Times-Roman/ToUnicode %d 0 R>>", m.add(stream("", table)))
	return m.page("", data)
}

// annotated is a page with annotations.
func annotated(data string, annotations ...string) *made {
	m := newMade()
	m.add(stream("/Type/XObject/Subtype/Form/BBox[0 0 100 12]/Resources<</Font<</F 3 0 R>>>>", text(2, 2, "Ada")))
	m.add(stream("/Type/XObject/Subtype/Form/BBox[0 0 100 12]", "/Tx BMC EMC"))
	return m.page("/Annots["+strings.Join(annotations, "")+"]", data)
}

func TestAnnotations(t *testing.T) {
	for _, test := range []struct {
		name       string
		annotation string
		want       string
	}{
		{"a field", "<</Subtype/Widget/FT/Tx/T(n)/V(Ada)/Rect[150 698 250 710]/AP<</N 5 0 R>>>>", "Name:\tAda\nBelow"},
		{"a field that nobody has drawn", "<</Subtype/Widget/FT/Tx/T(n)/V(Ada)/Rect[150 698 250 710]>>", "Name:\nAda\nBelow"},
		{"a field whose drawing is empty", "<</Subtype/Widget/FT/Tx/T(n)/V(Ada)/Rect[150 698 250 710]/AP<</N 6 0 R>>>>", "Name:\nAda\nBelow"},
		{"a field whose drawing is cut", "<</Subtype/Widget/FT/Tx/T(n)/V(Ada Lovelace)/Rect[150 698 250 710]/AP<</N 5 0 R>>>>", "Name:\nAda Lovelace\nBelow"},
		{"a field that is drawn in another way", "<</Subtype/Widget/FT/Tx/T(n)/V(ADA LOVELACE)/Rect[150 698 250 710]/AP<</N 5 0 R>>>>", "Name:\tAda\nBelow"},
		{"a box to tick", "<</Subtype/Widget/FT/Btn/T(n)/V/Off/Rect[150 698 250 710]/AP<</N 6 0 R>>>>", "Name:\nBelow"},
		{"a hidden field", "<</Subtype/Widget/FT/Tx/T(n)/V(Ada)/Rect[150 698 250 710]/F 2/AP<</N 5 0 R>>>>", "Name:\nBelow"},
		{"a note", "<</Subtype/Text/T(Eve)/Contents(Is it?)/Rect[150 698 170 710]>>", "Name:\n[Comment by Eve: Is it?]\nBelow"},
		{"a note of nobody", "<</Subtype/Text/Contents(Is it?)/Rect[150 688 170 700]>>", "Name:\nBelow\n[Comment: Is it?]"},
		{"a note without words", "<</Subtype/Text/T(Eve)/Rect[150 698 170 710]>>", "Name:\nBelow"},
		{"a link", "<</Subtype/Link/Contents(no comment)/Rect[150 698 170 710]/A<</S/URI/URI(http://example.org)>>>>", "Name:\nBelow"},
		{"a text on the page", "<</Subtype/FreeText/Contents(Ada)/Rect[150 698 250 710]/AP<</N 5 0 R>>>>", "Name:\tAda\nBelow"},
		{"a text on the page that nobody has drawn", "<</Subtype/FreeText/Contents(Ada)/Rect[150 698 250 710]>>", "Name:\nAda\nBelow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := read(t, file(annotated(form, test.annotation).String()))
			if got := strings.TrimSpace(c.Text); got != test.want {
				t.Errorf("text %q, want %q", got, test.want)
			}
		})
	}
}

// form is a page's content: a label, and what is below it.
const form = "BT /F 10 Tf 100 700 Td (Name:) Tj 0 -12 Td (Below) Tj ET\n"

func TestMeta(t *testing.T) {
	m := one(text(100, 700, "Hello")).page("", text(100, 700, "Hello"))
	m.catalog = "/Lang(en-GB)"
	m.info = "/Title(A  title)/Author<FEFF004E00E9>/Subject(s)/Keywords(a, b)/CreationDate(D:20240229123456+02'00')/ModDate(D:2024)/Producer(p)"
	got := read(t, file(m.String())).Meta
	want := map[string]string{content.MetaTitle: "A title", content.MetaAuthor: "Né", content.MetaSubject: "s", content.MetaKeywords: "a, b",
		content.MetaCreated: "2024-02-29T12:34:56+02:00", content.MetaModified: "2024", content.MetaLanguage: "en-GB", content.MetaPages: "2"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("meta %v, want %v", got, want)
	}
}

func TestDate(t *testing.T) {
	for text, want := range map[string]string{
		"D:20240229123456+02'00'": "2024-02-29T12:34:56+02:00",
		"D:20240229123456-0530":   "2024-02-29", // a zone that is none: the day is known all the same
		"D:20240229123456-05'30":  "2024-02-29T12:34:56-05:30",
		"D:20240229123456Z":       "2024-02-29T12:34:56Z",
		"D:20240229123456Z00'00'": "2024-02-29T12:34:56Z",
		"D:20240229123456+02":     "2024-02-29T12:34:56+02:00",
		"D:202402291234Z":         "2024-02-29T12:34:00Z",
		"D:20240229123456":        "2024-02-29",
		"20240229":                "2024-02-29",
		"D:202402":                "2024-02",
		"D:2024":                  "2024",
		"D:20240231":              "",
		"D:202":                   "",
		"yesterday":               "",
		"":                        "",
	} {
		if got := date(text); got != want {
			t.Errorf("date(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestPasswords(t *testing.T) {
	secret := locked("open sesame", "A secret")
	for _, test := range []struct {
		name      string
		doc       string
		passwords []string
		want      string // "" where it does not open
		says      string
	}{
		{"none", secret, nil, "", "no password is known"},
		{"wrong ones", secret, []string{"a", "b"}, "", "none of the 2 passwords opens it"},
		{"the second", secret, []string{"a", "open sesame"}, "A secret", ""},
		{"an empty one", locked("", "No secret"), nil, "No secret", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := file(test.doc)
			f.Passwords = test.passwords
			c, err := reader.Read(t.Context(), f)
			if test.want == "" {
				if pipeline.AsError(err).Kind != pipeline.KindEncrypted || !strings.Contains(fmt.Sprint(err), test.says) {
					t.Errorf("error %v, want one of kind %s that says %q", err, pipeline.KindEncrypted, test.says)
				}
				return
			}
			if err != nil || strings.TrimSpace(c.Text) != test.want {
				t.Errorf("Read = %v, %v, want the text %q", c, err, test.want)
			}
		})
	}
}

func TestAttachments(t *testing.T) {
	m := one(text(100, 700, "The page"))
	names := ""
	for name, data := range map[string]string{"a.txt": "inner text", "b.txt": "bad", "c.txt": "", "d.txt": strings.Repeat("long", 100)} {
		file := m.add(stream("/Type/EmbeddedFile", data))
		names += fmt.Sprintf("(%[1]s)<</Type/Filespec/F(%[1]s)/UF(%[1]s)/EF<</F %[2]d 0 R>>>>", name, file)
	}
	m.catalog = "/Names<</EmbeddedFiles<</Names[" + names + "]>>>>"
	f := file(m.String())
	f.Within = readWithin
	f.Bounds.Part = 100
	c := read(t, f)
	if want := "The page\n\n## Embedded file: a.txt\n\ninner text\n"; c.Text != want {
		t.Errorf("text %q, want %q", c.Text, want)
	}
	slices.Sort(c.Warnings)
	want := []string{`the embedded file "a.txt": read a.txt`, `the embedded file "b.txt" could not be read: it is bad`,
		`the embedded file "d.txt" has 400 bytes (the bound on a part is 100 bytes)`}
	if !slices.Equal(c.Warnings, want) {
		t.Errorf("warnings %q, want %q", c.Warnings, want)
	}

	f = file(m.String())
	if got := read(t, f).Text; got != "The page" {
		t.Errorf("where nothing may be read within: text %q, want the page's alone", got)
	}
	f.Within, f.Bounds.Parts = readWithin, 3
	if _, err := reader.Read(t.Context(), f); pipeline.AsError(err).Kind != pipeline.KindTooLarge {
		t.Errorf("4 embedded files of 3 that may be: error %v, want one of kind %s", err, pipeline.KindTooLarge)
	}
	f.Bounds.Parts, f.Bounds.Unpacked = 4, 10
	if _, err := reader.Read(t.Context(), f); pipeline.AsError(err).Kind != pipeline.KindTooLarge {
		t.Errorf("more than may be unpacked: error %v, want one of kind %s", err, pipeline.KindTooLarge)
	}
}

// scan is a page that is a picture, black to the left and white to the right.
const scan = "q 600 0 0 800 0 0 cm /X Do Q\n"

func scanned(m *made, data string) *made {
	m.add(stream("/Type/XObject/Subtype/Image/Width 2/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", "\x00\xff"))
	return m.page("", data)
}

func TestPictures(t *testing.T) {
	m := scanned(scanned(newMade().page("", text(100, 700, "Text")), scan), scan).page("", "")
	scanned(m, scan+text(100, 700, "Text on a picture"))
	f := file(m.String())
	c := read(t, f)
	if want := []string{"pages 2-3 hold pictures and no text (a scan?)"}; !slices.Equal(c.Warnings, want) || len(c.Images) > 0 {
		t.Errorf("pictures not wanted: warnings %q and %d images, want %q and none", c.Warnings, len(c.Images), want)
	}
	f.Options.Images = true
	c = read(t, f)
	if len(c.Images) != 2 || c.Images[0].Page != 2 || c.Images[1].Page != 3 || len(c.Warnings) > 0 {
		t.Fatalf("%d images and warnings %q, want those of the pages 2 and 3, and none", len(c.Images), c.Warnings)
	}
	picture, format, err := image.Decode(bytes.NewReader(c.Images[0].Data))
	if err != nil || "image/"+format != c.Images[0].MediaType {
		t.Fatalf("the image is %s (%v), and said to be %s", format, err, c.Images[0].MediaType)
	}
	if got := picture.Bounds().Size(); got != image.Pt(1500, 2000) {
		t.Errorf("the image has %v pixels, want 1500 x 2000", got)
	}
	left, _, _, _ := picture.At(100, 1000).RGBA()
	right, _, _, _ := picture.At(1400, 1000).RGBA()
	if left > 0x1000 || right < 0xf000 {
		t.Errorf("the image is %x to the left and %x to the right, want black and white", left, right)
	}
	f.Bounds.Pixels = 1000
	if c = read(t, f); len(c.Images) > 0 || len(c.Warnings) != 1 {
		t.Errorf("%d images of more pixels than may be, want none; warnings %q, want one of the pages", len(c.Images), c.Warnings)
	}
	c = read(t, file(scanned(newMade(), scan).String()))
	if want := []string{"it holds pictures alone, and no text, on page 1 (a scan?)"}; c.Text != "" || !slices.Equal(c.Warnings, want) {
		t.Errorf("a scan: text %q and warnings %q, want none and %q", c.Text, c.Warnings, want)
	}
}

func TestManyPictures(t *testing.T) {
	m := newMade()
	for range maxImages + 2 {
		scanned(m, scan)
	}
	f := file(strings.ReplaceAll(m.String(), "0 0 600 800", "0 0   6   8"))
	f.Options.Images = true
	c := read(t, f)
	if len(c.Images) != maxImages {
		t.Errorf("%d images, want the first %d", len(c.Images), maxImages)
	}
	if want := "too many pages to render: pictures are missing of pages 51-52"; !slices.Contains(c.Warnings, want) {
		t.Errorf("warnings %q, want one %q", c.Warnings, want)
	}
}

func TestDrawnLetters(t *testing.T) {
	for lines, want := range map[int]int{manyPaths - 1: 0, manyPaths: 1} {
		c := read(t, file(one(strings.Repeat("0 0 m 10 10 l S\n", lines)).String()))
		if len(c.Warnings) != want {
			t.Errorf("%d lines drawn: warnings %q, want %d", lines, c.Warnings, want)
		}
	}
}

func TestGarbled(t *testing.T) {
	f := file(one(text(100, 700, "\\001\\003\\004\\005 a \\006\\007")).String())
	f.Options.Images = true
	c := read(t, f)
	if len(c.Warnings) > 0 || len(c.Images) != 1 {
		t.Errorf("warnings %q and %d images, want none and that of the page", c.Warnings, len(c.Images))
	}
	f.Options.Images = false
	c = read(t, f)
	if want := []string{"most of the text is lost of page 1: the fonts do not say what their characters are"}; !slices.Equal(c.Warnings, want) || len(c.Images) > 0 {
		t.Errorf("no images wanted: warnings %q and %d images, want %q and none", c.Warnings, len(c.Images), want)
	}
}

func TestErrors(t *testing.T) {
	pages := newMade().page("", text(100, 700, "One")).page("", text(100, 700, "Two")).String()
	for _, test := range []struct {
		name  string
		doc   string
		bound func(*content.Bounds)
		kind  string
		says  string
	}{
		{"nothing", "", nil, pipeline.KindDamaged, "it is no PDF document"},
		{"no PDF", "Hello, world", nil, pipeline.KindDamaged, "it is no PDF document"},
		{"a PDF that is cut off", pages[:200], nil, pipeline.KindDamaged, ""},
		{"too many pages", pages, func(b *content.Bounds) { b.Pages = 1 }, pipeline.KindTooLarge, "2 pages (the bound on pages is 1)"},
		{"too much text", pages, func(b *content.Bounds) { b.Text = 20 }, pipeline.KindTooLarge, "the bound on text"},
		{"pages that are none", assemble([]string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 3/Kids[7 0 R 8 0 R 9 0 R]>>"}, ""), nil, pipeline.KindDamaged, "none of its pages"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := file(test.doc)
			if test.bound != nil {
				test.bound(f.Bounds)
			}
			c, err := reader.Read(t.Context(), f)
			if e := pipeline.AsError(err); e.Kind != test.kind || e.Class != pipeline.Invalid || !strings.Contains(fmt.Sprint(err), test.says) {
				t.Errorf("Read = %v, %v, want an error of kind %s that says %q", c, err, test.kind, test.says)
			}
		})
	}
}

func TestDamagedPage(t *testing.T) {
	m := newMade().page("", text(100, 700, "One")).page("", text(100, 700, "Two")).page("", text(100, 700, "Three"))
	m.objects[m.pages[1]-1] = "null"
	c := read(t, file(m.String()))
	if !strings.Contains(c.Text, "One") || !strings.Contains(c.Text, "Three") {
		t.Errorf("text %q, want that of the pages that are whole", c.Text)
	}
	if want := []string{"page 2 could not be read"}; !slices.Equal(c.Warnings, want) {
		t.Errorf("warnings %q, want %q", c.Warnings, want)
	}
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		pages []int
		want  string
	}{
		{[]int{3}, "page 3"},
		{[]int{1, 2}, "pages 1-2"},
		{[]int{1, 3, 4, 5, 9}, "pages 1, 3-5, 9"},
		{[]int{1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27}, "pages 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23 and 2 more"},
	} {
		if got := numbers(test.pages); got != test.want {
			t.Errorf("numbers(%v) = %q, want %q", test.pages, got, test.want)
		}
	}
}

func TestSize(t *testing.T) {
	for _, test := range []struct{ width, height, w, h float64 }{
		{612, 792, 1545, 2000}, {72, 72, 200, 200}, {1e9, 1, 2000, 1}, {0.001, 0.001, 1, 1}, {0, 5, 1, 1}, {-1, 5, 1, 1},
	} {
		if w, h := size(test.width, test.height); w != int(test.w) || h != int(test.h) {
			t.Errorf("size(%v, %v) = %d, %d, want %v, %v", test.width, test.height, w, h, test.w, test.h)
		}
	}
}

// TestCache has a second reader take what the first has compiled.
func TestCache(t *testing.T) {
	read(t, file(one("").String())) // which fills the cache
	before := entriesOf(t, cacheDir)
	second := New(cacheDir)
	defer second.Close()
	if _, err := second.Read(t.Context(), file(one("").String())); err != nil {
		t.Fatal(err)
	}
	if after := entriesOf(t, cacheDir); !slices.Equal(before, after) || len(before) == 0 {
		t.Errorf("the cache holds %q after the second start, want %q", after, before)
	}
}

func entriesOf(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if e.IsDir() {
			names = append(names, entriesOf(t, dir+"/"+e.Name())...)
			continue
		}
		names = append(names, fmt.Sprint(e.Name(), info.Size(), info.ModTime().Format(time.RFC3339Nano)))
	}
	return names
}

// TestNoCacheFolder has a reader compile for itself where the folder is none: that is not the document's fault.
func TestNoCacheFolder(t *testing.T) {
	if err := os.WriteFile(cacheDir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := New(cacheDir + "/file/folder")
	defer r.Close()
	c, err := r.Read(t.Context(), file(one(text(100, 700, "Hello")).String()))
	if err != nil || strings.TrimSpace(c.Text) != "Hello" {
		t.Errorf("Read = %v, %v, want the text Hello", c, err)
	}
}
