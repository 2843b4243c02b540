package pack

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// A file is an entry of an archive that a test makes.
type file struct {
	name, body string
	method     uint16
}

func makeZip(t testing.TB, files ...file) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: f.method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// kind is the kind of a classed error; "" of none.
func kind(err error) string {
	if err == nil {
		return ""
	}
	return pipeline.AsError(err).Kind
}

// words is a text that does not pack to next to nothing.
var words = func() string {
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "all the words of %d and %d, ", i*i, i*i*i%9973)
	}
	return b.String()
}()

func twoParts(t testing.TB) []byte {
	return makeZip(t, file{"word/document.xml", words, zip.Deflate}, file{"Word/Styles.xml", "<styles/>", zip.Store})
}

func TestNames(t *testing.T) {
	a, err := Open(twoParts(t), content.DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		want bool
	}{
		{"word/document.xml", true},
		{"/word/document.xml", true},
		{`word\document.xml`, true},
		{"WORD/document.XML", true},
		{"word/styles.xml", true},
		{"word/../word/./styles.xml", true},
		{"document.xml", false},
		{"", false},
	} {
		if got := a.Has(test.name); got != test.want {
			t.Errorf("Has(%q) = %v, want %v", test.name, got, test.want)
		}
	}
	if got, want := a.Names(), []string{"word/document.xml", "Word/Styles.xml"}; !slices.Equal(got, want) {
		t.Errorf("Names() = %q, want %q", got, want)
	}
	if _, err := a.Read("none.xml"); !errors.Is(err, fs.ErrNotExist) || kind(err) != pipeline.KindDamaged {
		t.Errorf("Read of a part that is not there: %v, want fs.ErrNotExist, damaged", err)
	}
	if a.Damage() != "" {
		t.Errorf("Damage() = %q of a whole file", a.Damage())
	}
}

func TestDamagedArchives(t *testing.T) {
	whole := twoParts(t)
	packed := makeZip(t, file{"a.xml", words, zip.Deflate})
	directory := bytes.Index(whole, []byte(centralHeader))
	overwrite := func(at int, with string) []byte {
		b := bytes.Clone(whole)
		copy(b[at:], with)
		return b
	}
	for _, test := range []struct {
		name   string
		data   []byte
		part   string
		text   string // what the part begins with
		cut    bool   // and it is not all of it
		damage bool
	}{
		{"whole", whole, "word/document.xml", words, false, false},
		{"directory gone", whole[:directory], "word/document.xml", words, false, true},
		{"directory gone, stored part", whole[:directory], "word/styles.xml", "<styles/>", false, true},
		{"cut in a part", packed[:len(packed)-200], "a.xml", "all the words", true, true},
		{"directory broken", overwrite(directory, "XX"), "word/document.xml", words, false, true},
		{"first local header broken", overwrite(0, "XX"), "word/styles.xml", "<styles/>", false, true},
		{"wrong bytes in a part", overwrite(60, "\xff\xff\xff\xff"), "word/document.xml", "", true, false},
		{"something in front", append([]byte("MZ self-extractor"), whole...), "word/document.xml", words, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := Open(test.data, content.DefaultBounds())
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Damage() != ""; got != test.damage {
				t.Errorf("Damage() = %q", a.Damage())
			}
			got, err := a.Read(test.part)
			if errors.Is(err, ErrDamaged) != test.cut || !test.cut && err != nil {
				t.Errorf("Read: error %v, want damaged %v", err, test.cut)
			}
			if !strings.HasPrefix(string(got), test.text) || !test.cut && len(got) != len(test.text) {
				t.Errorf("Read = %.60q of %d bytes, want %.60q", got, len(got), test.text)
			}
		})
	}
}

func TestNoArchive(t *testing.T) {
	for name, data := range map[string][]byte{"empty": {}, "text": []byte("Dear all"), "no entries": makeZip(t)} {
		if _, err := Open(data, content.DefaultBounds()); kind(err) != pipeline.KindDamaged {
			t.Errorf("Open of %s: %v, want damaged", name, err)
		}
	}
}

func TestEncryptedPart(t *testing.T) {
	data := twoParts(t)
	data[bytes.Index(data, []byte(centralHeader))+8] |= lockedFlag
	a, err := Open(data, content.DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read("word/document.xml"); kind(err) != pipeline.KindEncrypted {
		t.Errorf("Read: %v, want encrypted", err)
	}
	if _, err := a.XML("word/document.xml"); kind(err) != pipeline.KindEncrypted {
		t.Errorf("XML: %v, want encrypted", err)
	}
}

func TestUnknownMethod(t *testing.T) {
	data := twoParts(t)
	data[bytes.Index(data, []byte(centralHeader))+10] = 99
	a, err := Open(data, content.DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read("word/document.xml"); !errors.Is(err, ErrDamaged) {
		t.Errorf("Read: %v, want ErrDamaged", err)
	}
}

func TestBounds(t *testing.T) {
	big := strings.Repeat(" ", 100_000)
	many := func(n int) (files []file) {
		for i := range n {
			files = append(files, file{fmt.Sprint(i), "x", zip.Store})
		}
		return files
	}
	for _, test := range []struct {
		name  string
		files []file
		cut   int // bytes cut off the end
		want  string
	}{
		{"a part", []file{{"a", big, zip.Deflate}}, 0, "(the bound on a part)"},
		{"all parts", []file{{"a", big[:40_000], zip.Deflate}, {"b", big[:40_000], zip.Deflate}}, 0, "(the bound on all parts)"},
		{"number of parts", many(11), 0, "(the bound on parts)"},
		{"number of parts without a directory", many(11), 541, "(the bound on parts)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := content.DefaultBounds()
			b.Parts, b.Part, b.Unpacked = 10, 50_000, 70_000
			data := makeZip(t, test.files...)
			a, err := Open(data[:len(data)-test.cut], b)
			for _, f := range test.files {
				if err == nil {
					_, err = a.Read(f.name)
				}
			}
			if kind(err) != pipeline.KindTooLarge || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want too large, %s", err, test.want)
			}
		})
	}
}

// TestSize has the directory say how large a part is: one that is too large is refused before it is unpacked, and a lie changes nothing.
func TestSize(t *testing.T) {
	const most = 50_000
	for _, test := range []struct {
		name     string
		size     int
		says     uint32
		kind     string // of the error
		unpacked bool
	}{
		{"too large", most + 1, most + 1, pipeline.KindTooLarge, false},
		{"as large as may be", most, most, "", true},
		{"larger than it says", most + 1, 10, pipeline.KindTooLarge, true},
		{"said to be larger than it can be", most, 1 << 30, "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			bounds := content.DefaultBounds()
			bounds.Part = most
			data := makeZip(t, file{"a", strings.Repeat("a", test.size), zip.Deflate})
			binary.LittleEndian.PutUint32(data[bytes.Index(data, []byte(centralHeader))+24:], test.says)
			a, err := Open(data, bounds)
			if err != nil {
				t.Fatal(err)
			}
			body, err := a.Read("a")
			if kind(err) != test.kind || test.kind == "" && len(body) != test.size {
				t.Errorf("%d bytes and error %v, want an error of kind %q or all %d bytes", len(body), err, test.kind, test.size)
			}
			if unpacked := a.left < bounds.Unpacked; unpacked != test.unpacked {
				t.Errorf("unpacked: %v, want %v", unpacked, test.unpacked)
			}
		})
	}
}

// FuzzOpen reads all of an archive both ways.
func FuzzOpen(f *testing.F) {
	f.Add(twoParts(f))
	f.Add(twoParts(f)[:150])
	f.Add(makeZip(f, file{"a.xml", "<a b='c'>d<e/></a>", zip.Store}))
	for _, data := range corpus(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := content.DefaultBounds()
		b.Part, b.Unpacked, b.Parts, b.Text = 1<<20, 4<<20, 200, 1<<20
		a, err := Open(data, b)
		if err != nil {
			wantInvalidError(t, err)
			return
		}
		var total int64
		for _, name := range a.Names() {
			body, err := a.Read(name)
			wantInvalidError(t, err)
			if total += int64(len(body)); int64(len(body)) > b.Part || total > b.Unpacked {
				t.Fatalf("part of %d bytes, %d in all: over the bounds", len(body), total)
			}
			if d, err := a.XML(name); err == nil {
				walk(t, d, b.Depth)
			}
		}
	})
}

// corpus gives the packed files of the folder that DOCBATCH_CORPUS names.
func corpus(f *testing.F) (files [][]byte) {
	folder := os.Getenv("DOCBATCH_CORPUS")
	if folder == "" {
		return nil
	}
	for _, ext := range []string{"docx", "pptx", "odt", "ods", "odp", "epub", "xlsx"} {
		names, _ := filepath.Glob(filepath.Join(folder, ext, "*"))
		for _, name := range names {
			if data, err := os.ReadFile(name); err == nil && len(data) <= 200<<10 {
				files = append(files, data)
			}
		}
	}
	return files
}
