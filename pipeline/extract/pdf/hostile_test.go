package pdf

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"docbatch/pipeline"
)

// packed is data as FlateDecode has it.
func packed(data string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(data))
	w.Close()
	return b.String()
}

// bloated is 200 MB of a page's content, packed.
var bloated = sync.OnceValue(func() string { return packed(strings.Repeat("q Q\n", 50<<20)) })

// nested are forms within forms, each of which shows the next ten times.
func nested(depth int) *made {
	m := newMade()
	for i := range depth {
		next, data := fmt.Sprintf("/XObject<</X %d 0 R>>", len(m.objects)+2), strings.Repeat("/X Do ", 10)
		if i == depth-1 {
			next, data = "", text(100, 700, "deep")
		}
		m.add(stream("/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</Font<</F 3 0 R>>"+next+">>", data))
	}
	at := m.add(stream("", "/X Do"))
	m.pages = append(m.pages, m.add(fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</XObject<</X 5 0 R>>>>/Contents %d 0 R>>", at)))
	return m
}

// TestBombs has each of them refused, or read, in bounded time: the memory is bounded by the instance's.
func TestBombs(t *testing.T) {
	read(t, file(one("").String())) // which starts PDFium, where no test before has
	itself := newMade()
	itself.add(stream("/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</XObject<</X 5 0 R>>>>", "/X Do /X Do"))
	itself.page("", "/X Do")
	for _, test := range []struct {
		name string
		doc  string
		kind string // "" where it is read
	}{
		{"200 MB of content", newMade().page("", "").withContent(stream("/Filter/FlateDecode", bloated())), pipeline.KindTooLarge},
		{"200 MB of content, packed twice", newMade().page("", "").withContent(stream("/Filter[/FlateDecode/FlateDecode]", packed(bloated()))), pipeline.KindTooLarge},
		{"forms within forms, a billion times", nested(9).String(), pipeline.KindTooLarge},
		{"a form in itself", itself.String(), pipeline.KindTooLarge},
		{"a page of 1,000,000,000 points", strings.Replace(one(text(100, 700, "Hello")).String(), "600 800", "1000000000 1000000000", 1), pipeline.KindTooLarge},
		{"a billion pages", strings.Replace(one("").String(), "/Count 1", "/Count 1000000000", 1), ""},
		{"object streams in each other", objectStreams(), pipeline.KindDamaged},
		{"a tree of pages that loops", assemble([]string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Parent 2 0 R/Kids[2 0 R 2 0 R]/Count 1000000000>>"}, ""), pipeline.KindDamaged},
		{"a table that is before itself", "%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 3/Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF\n", pipeline.KindDamaged},
		{"1,000 fields over much text", fields(1000, 20_000), ""},
		{"100,000 annotations", annotated(form, strings.Repeat("<</Subtype/Text/Contents(x)/Rect[1 1 2 2]>>", 100_000)).String(), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			f := file(test.doc)
			f.Options.Images = true
			_, err := reader.Read(t.Context(), f)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %v, more than 10s", took)
			}
			if kind := kindOf(err); kind != test.kind {
				t.Errorf("error %v of kind %q, want %q", err, kind, test.kind)
			}
			for kind, want := range map[string]string{pipeline.KindTooLarge: "(the bound on memory)", pipeline.KindDamaged: "leads back to itself"} {
				if kind == test.kind && err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want it to say %q", err, want)
				}
			}
			if got := strings.TrimSpace(read(t, file(one(text(100, 700, "Hello")).String())).Text); got != "Hello" {
				t.Errorf("the next document gives %q, want Hello", got)
			}
		})
	}
}

func kindOf(err error) string {
	if err == nil {
		return ""
	}
	return pipeline.AsError(err).Kind
}

// TestLayoutOfMany puts together what a page may hold at most, in the order that takes longest.
func TestLayoutOfMany(t *testing.T) {
	backwards := make([]line, maxCharacters/5)
	for n := range backwards {
		at := float32(len(backwards) - n)
		backwards[n].add(glyph{r: 'a', box: box{left: at, right: at + 0.9, top: 10}})
	}
	stacked := make([]line, 10_000)
	for n := range stacked {
		for range 80 {
			stacked[n].add(glyph{r: 'a', box: box{right: 1, top: 10}})
		}
	}
	for _, test := range []struct {
		name string
		do   func() []line
	}{
		{"from right to left", func() []line { return rejoin(backwards) }},
		{"all in one place", func() []line { return rejoin(stacked) }},
		{"placed among one another", func() []line { return place(stacked[:300], stacked[300:700]) }},
		{"known places", func() []line {
			known := placesOf(stacked)
			return slices.DeleteFunc(backwards, func(l line) bool { return known.hold(l.box) })
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			if lines := test.do(); len(lines) == 0 {
				t.Error("no lines, want some")
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v, more than 5s", took)
			}
		})
	}
}

// fields is a page of so many fields of a form in one place, over so many letters.
func fields(count, letters int) string {
	field := "<</Subtype/Widget/FT/Tx/T(n)/V(Ada)/Rect[0 0 600 800]/AP<</N 5 0 R>>>>"
	return annotated("BT /F 10 Tf 10 TL 1 700 Td "+strings.Repeat("(abcdefghij) Tj T* ", letters/10)+"ET", strings.Repeat(field, count)).String()
}

// objectStreams is a document of a cross-reference stream (ISO 32000-1, 7.5.8) by which object stream 4, with the catalogue and the pages in it,
// lies in object stream 5, and that in the first.
func objectStreams() string {
	const table = "1 0 2 30 4 66 5 70 "
	var out strings.Builder
	out.WriteString("%PDF-1.7\n")
	for _, number := range []int{4, 5} {
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", number, stream(fmt.Sprintf("/Type/ObjStm/N 4/First %d/Extends %d 0 R", len(table), 9-number),
			table+"<</Type/Catalog/Pages 2 0 R>>  <</Type/Pages/Kids[2 0 R]/Count 9>>  4 0 R 5 0 R"))
	}
	at := out.Len()
	rows := "\x00\x00\x00\xff" + "\x02\x00\x04\x00" + "\x02\x00\x04\x01" + "\x01" + string([]byte{byte(at >> 8), byte(at)}) + "\x00" + "\x02\x00\x05\x02" + "\x02\x00\x04\x03"
	fmt.Fprintf(&out, "3 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", stream(fmt.Sprintf("/Type/XRef/Size 6/W[1 2 1]/Root 1 0 R/Prev %d", at), rows), at)
	return out.String()
}

// withContent is the document, its last page's content replaced.
func (m *made) withContent(object string) string {
	m.objects[len(m.objects)-2] = object
	return m.String()
}

// TestBreakdowns has pages that break PDFium down between some that do not.
func TestBreakdowns(t *testing.T) {
	bomb := stream("/Filter/FlateDecode", bloated())
	for _, test := range []struct {
		name  string
		bombs int
		warns string
	}{
		{"one", 1, "page 2 could not be read"},
		{"too many", maxBreakdowns + 1, "page 8 left out: PDFium broke down 6 times"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMade().page("", text(100, 700, "First"))
			for range test.bombs {
				m.page("", "")
				m.objects[len(m.objects)-2] = bomb
			}
			m.page("", text(100, 700, "Last"))
			c := read(t, file(m.String()))
			if !strings.Contains(c.Text, "First") || strings.Contains(c.Text, "Last") != (test.bombs == 1) {
				t.Errorf("text %q, want that of the first page, and of the last after one breakdown", c.Text)
			}
			if got := strings.Join(c.Warnings, "\n"); !strings.Contains(got, test.warns) || !strings.Contains(got, "the bound on memory") {
				t.Errorf("warnings %q, want one %q and one of the bound", c.Warnings, test.warns)
			}
		})
	}
}

// TestSlowPage gives a page up, and keeps what came before.
func TestSlowPage(t *testing.T) {
	slow := strings.Repeat("(abcdefghij) Tj -44.5 0 Td ", 12_000) // characters on each other are compared with each other
	m := newMade().page("", text(100, 700, "First")).page("", "BT /F 10 Tf 100 700 Td "+slow+"ET").page("", text(100, 700, "Last"))
	f := file(m.String())
	f.Bounds.PageTime = 300 * time.Millisecond
	c := read(t, f)
	if !strings.Contains(c.Text, "First") || strings.Contains(c.Text, "Last") {
		t.Errorf("text %q, want that of the first page alone", c.Text)
	}
	if got, want := strings.Join(c.Warnings, "\n"), "page 2 took longer than 300ms: it and all that follow are left out"; !strings.Contains(got, want) {
		t.Errorf("warnings %q, want one %q", c.Warnings, want)
	}
	checkStuck(t)
}

// huge is a picture that takes seconds to render.
var huge = sync.OnceValue(func() string {
	return stream("/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/FlateDecode",
		packed(strings.Repeat("\x00", 1<<28)))
})

// TestHugePicture does not render a page that shows too large a picture, wherever it lies on it, and goes on.
func TestHugePicture(t *testing.T) {
	m := newMade()
	m.add(huge())
	m.page("", scan)
	m.add(stream("/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</XObject<</X 5 0 R>>>>", scan))
	m.page("", "/X Do")
	f := file(scanned(m, scan).String())
	f.Options.Images = true
	c := read(t, f)
	if len(c.Images) != 1 || c.Images[0].Page != 3 {
		t.Errorf("%d images, want one, of page 3", len(c.Images))
	}
	for n := range 2 {
		want := fmt.Sprintf("page %d can't be rendered: it shows a picture of 3600000000 pixels (the bound on pixels of a picture on a page is 400000000)", n+1)
		if !slices.Contains(c.Warnings, want) {
			t.Errorf("warnings %q, want %q", c.Warnings, want)
		}
	}
}

// TestSlowPicture gives a picture up, and keeps the text.
func TestSlowPicture(t *testing.T) {
	m := newMade().page("", text(100, 700, "First"))
	m.add(huge())
	m.page("", scan).page("", text(100, 700, "Last"))
	f := file(scanned(m, scan).String())
	f.Options.Images = true
	f.Bounds.Pixels = 1 << 30
	f.Bounds.PageTime = 300 * time.Millisecond
	c := read(t, f)
	if !strings.Contains(c.Text, "First") || !strings.Contains(c.Text, "Last") || len(c.Images) > 0 {
		t.Errorf("text %q and %d images, want all the text and no image", c.Text, len(c.Images))
	}
	if got := strings.Join(c.Warnings, "\n"); !strings.Contains(got, "page 2 takes longer than 300ms to render") || !strings.Contains(got, "no time to render page 4") {
		t.Errorf("warnings %q, want those of the pages 2 and 4", c.Warnings)
	}
	checkStuck(t)
}

// checkStuck checks that the reader is stuck, and reads other documents all the same, until the page that was given up comes to its end.
func checkStuck(t *testing.T) {
	t.Helper()
	if !reader.Stuck() {
		t.Error("the reader is not stuck; want it to be: the page is still being read")
	}
	if got := read(t, file(one(text(100, 700, "Next")).String())).Text; strings.TrimSpace(got) != "Next" {
		t.Errorf("the next document gives %q, want Next", got)
	}
	reader.abandoned.Wait()
	if reader.Stuck() {
		t.Error("the reader is stuck though nothing is left to do")
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := reader.Read(ctx, file(one(text(100, 700, "Hello")).String())); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	reader.abandoned.Wait()
}

// TestDeadline stops where the time for the document is nearly over.
func TestDeadline(t *testing.T) {
	m := newMade()
	for range 9000 {
		m.page("", text(100, 700, "Hello"))
	}
	f := file(m.String())
	read(t, file(one("").String())) // which starts PDFium, where no test before has
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	c, err := reader.Read(ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Warnings, "\n"); !strings.HasPrefix(got, "there was no time for pages ") || !strings.Contains(c.Text, "Hello") {
		t.Errorf("%d bytes of text and warnings %q, want some, and one that there was no time for more", len(c.Text), c.Warnings)
	}
}
