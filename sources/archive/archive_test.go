package archive

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestFormats(t *testing.T) {
	two := files("a.txt", "b/c.txt")
	for _, tt := range []struct {
		name, file string
		data       func(t *testing.T) string
		want       []string
	}{
		{"zip", "x.zip", func(t *testing.T) string { return makeZip(t, two...) }, []string{"a.txt: text of a.txt", "b/c.txt: text of b/c.txt"}},
		{"tar", "x.tar", func(t *testing.T) string { return makeTar(t, two...) }, []string{"a.txt: text of a.txt", "b/c.txt: text of b/c.txt"}},
		{"tar.gz", "x.tar.gz", func(t *testing.T) string { return makeGzip(t, makeTar(t, two...)) }, []string{"a.txt: text of a.txt", "b/c.txt: text of b/c.txt"}},
		{"tgz", "x.TGZ", func(t *testing.T) string { return makeGzip(t, makeTar(t, two...)) }, []string{"a.txt: text of a.txt", "b/c.txt: text of b/c.txt"}},
		{"tar.xz", "x.tar.xz", func(t *testing.T) string { return makeXZ(t, makeTar(t, two...)) }, []string{"a.txt: text of a.txt", "b/c.txt: text of b/c.txt"}},
		{"tar.zst", "x.tar.zst", func(t *testing.T) string { return makeZstd(t, makeTar(t, two...)) }, []string{"a.txt: text of a.txt", "b/c.txt: text of b/c.txt"}},
		{"gz", "letter.txt.gz", func(t *testing.T) string { return makeGzip(t, "hello") }, []string{"letter.txt: hello"}},
		{"xz", "letter.txt.xz", func(t *testing.T) string { return makeXZ(t, "hello") }, []string{"letter.txt: hello"}},
		{"zst", "letter.txt.zst", func(t *testing.T) string { return makeZstd(t, "hello") }, []string{"letter.txt: hello"}},
		{"bz2", "letter.txt.bz2", func(t *testing.T) string { return unbase64(t, letterBzip2) }, []string{"letter.txt: a letter\n"}},
		{"bytes decide between formats", "x.tar", func(t *testing.T) string { return makeZip(t, two[0]) }, []string{"a.txt: text of a.txt"}},
		{"a tar of gz's name", "x.gz", func(t *testing.T) string { return makeGzip(t, makeTar(t, two[0])) }, []string{"a.txt: text of a.txt"}},
		{"empty members", "x.tar.gz", func(t *testing.T) string { return makeGzip(t, makeTar(t, file{"a", ""}, file{"b", ""})) }, []string{"a: ", "b: "}},
		{"no members", "x.zip", func(t *testing.T) string { return makeZip(t) }, nil},
		{"folders and links", "x.tar", func(t *testing.T) string {
			return makeTar(t, file{"d/", ""}, file{"d/l", "-> /etc/passwd"}, file{"d/a", "text"})
		}, []string{"d/a: text"}},
		{"an old tar", "x.tar", func(t *testing.T) string { return oldTar(t) }, []string{"a.txt: old"}},
		{"a sparse tar", "x.tar", func(t *testing.T) string { return sparseTar(t) }, []string{"s: " + strings.Repeat("\x00", 512) + "X" + strings.Repeat("\x00", 511) + "ab"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			for _, w := range tt.want {
				want = append(want, tt.file+"!/"+w)
			}
			if got := archived(t, tt.file, tt.data(t)); !reflect.DeepEqual(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// oldTar is a tar of the seventh edition of Unix: without a magic.
func oldTar(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "a.txt", Size: 3, Format: tar.FormatUSTAR}); err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("old"))
	w.Close()
	return checksummed(b.Bytes(), func(header []byte) { clear(header[257:265]) })
}

// sparseTar is a member of 1,026 bytes of which GNU tar stored only a part: a hole, a block, the last bytes.
func sparseTar(t *testing.T) string {
	t.Helper()
	stored := "X" + strings.Repeat("\x00", 511) + "ab"
	data := []byte(makeTar(t, file{"s", stored}))
	return checksummed(data, func(header []byte) {
		header[156] = 'S'
		copy(header[257:265], "ustar  \x00")
		clear(header[329:500]) // device numbers and prefix, where the old GNU format has its map
		for i, n := range []string{"00000001000", "00000001000", "00000002000", "00000000002"} {
			copy(header[386+12*i:], n+"\x00")
		}
		copy(header[483:], "00000002002\x00")
	})
}

// checksummed changes the first header of a tar.
func checksummed(data []byte, change func(header []byte)) string {
	header := data[:tarBlock]
	change(header)
	copy(header[148:156], "        ")
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:156], []byte{byte('0' + sum>>15&7), byte('0' + sum>>12&7), byte('0' + sum>>9&7), byte('0' + sum>>6&7), byte('0' + sum>>3&7), byte('0' + sum&7), 0, ' '})
	return string(data)
}

// Test7z reads what 7-Zip made of the same files; see testdata.
func Test7z(t *testing.T) {
	plain := []string{"letters/.hidden: hidden", "letters/1.txt: The first letter.\n", "letters/Grüße.txt: Grüße aus Köln.\n",
		"letters/nothing.txt: ", "notes.md: Notes, notes and notes.\n"}
	const unread = "invalid unsupported: open in/FILE!/NAME: it is compressed by a method that docbatch can't read: repack the archive"
	const locked = "FILE: invalid encrypted: open in/FILE: it is protected by a password"
	for file, want := range map[string][]string{
		"copy.7z": plain, "lzma.7z": plain, "lzma2.7z": plain, "deflate.7z": plain, "bzip2.7z": plain, "notsolid.7z": plain,
		"encrypted.7z":       {locked},
		"encryptedheader.7z": {locked},
		"bcj.7z":             {"notes.md: " + strings.ReplaceAll(unread, "NAME", "notes.md")},
	} {
		t.Run(file, func(t *testing.T) {
			got := documents(t, newShelf(t), filepath.Join("testdata", file))
			slices.Sort(got)
			for i := range want {
				w := strings.ReplaceAll(want[i], "FILE", file)
				if !strings.HasPrefix(w, file+": ") {
					w = file + "!/" + w
				}
				if i >= len(got) || got[i] != w {
					t.Errorf("got %q, want %q among them", got, w)
				}
			}
			if len(got) != len(want) {
				t.Errorf("got %d documents, want %d: %q", len(got), len(want), got)
			}
		})
	}
}

// Test7zPackedDirectory has so many members that 7-Zip packed its directory too.
func Test7zPackedDirectory(t *testing.T) {
	got := documents(t, newShelf(t), "testdata/many.7z")
	if want := "many.7z!/many/letter-40.txt: letter number 40\n"; len(got) != 40 || !slices.Contains(got, want) {
		t.Errorf("got %d documents %q, want 40 with %q", len(got), got, want)
	}
}

func TestNames(t *testing.T) {
	absolute, out := ": its name is an absolute path, which no member of an archive may have", ": its name leads out of the archive"
	lost := func(id, why string) string { return "x.tar!/" + id + ": invalid damaged: open in/x.tar!/" + id + why }
	for _, tt := range []struct {
		name  string
		names []string
		want  []string
	}{
		{"as they are", []string{"a b/ä/請求.txt", "100%"}, []string{"x.tar!/a b/ä/請求.txt: ", "x.tar!/100%: "}},
		{"dots and slashes", []string{"./a", "b//c", "./d/./e"}, []string{"x.tar!/a: ", "x.tar!/b/c: ", "x.tar!/d/e: "}},
		{"control", []string{"a\x1b[2J\nb", "\u202etxt.exe"}, []string{"x.tar!/a%1B[2J%0Ab: ", "x.tar!/%E2%80%AEtxt.exe: "}},
		{"not UTF-8", []string{"d\xe9j\xe0"}, []string{"x.tar!/d%E9j%E0: "}},
		{"backslashes", []string{`a\b.txt`}, []string{"x.tar!/a/b.txt: "}},
		{"what looks like an archive", []string{"wow!/a", "b!"}, []string{"x.tar!/wow%21/a: ", "x.tar!/b!: "}},
		{"absolute", []string{"/etc/passwd", `\\host\share`, `C:\boot.ini`, "1: note"},
			[]string{lost("/etc/passwd", absolute), lost("//host/share", absolute), lost("C:/boot.ini", absolute), "x.tar!/1: note: "}},
		{"leads out", []string{"../a", "a/../../b", `..\c`, "..", "a..b"},
			[]string{lost("../a", out), lost("a/../../b", out), lost("../c", out), lost("..", out), "x.tar!/a..b: "}},
		{"twice", []string{"a.txt", "a.txt", "a (2).txt", "./a.txt", "d.d/e", "d.d/e"},
			[]string{"x.tar!/a.txt: ", "x.tar!/a (2).txt: ", "x.tar!/a (2) (2).txt: ", "x.tar!/a (3).txt: ", "x.tar!/d.d/e: ", "x.tar!/d.d/e (2): "}},
		{"litter of macOS", []string{"__MACOSX/._a", "a/__MACOSX/b", ".DS_Store", "a/.DS_Store", "a/b"}, []string{"x.tar!/a/b: "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var members []file
			for _, name := range tt.names {
				members = append(members, file{name, ""})
			}
			if got := archived(t, "x.tar", makeTar(t, members...)); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLongName(t *testing.T) {
	long := strings.Repeat("n", maxName+1)
	got := archived(t, "x.tar", makeTar(t, file{long, ""}, file{long + "m", ""}, file{"a", ""}))
	if len(got) != 3 || !strings.HasSuffix(got[1], "its name is longer than 4096 bytes (the bound on a name)") || len(got[1]) > 1000 {
		t.Errorf("got %q", got)
	}
}

// TestLegacyNames are zips of the time before Unicode, and of programs that have not heard of it.
func TestLegacyNames(t *testing.T) {
	for _, tt := range []struct{ name, raw, want string }{
		{"code page 437", "Gr\x81\xe1e/caf\x82.txt", "Grüße/café.txt"},
		{"French", "ch\x83teau/\x82l\x8ave.txt", "château/élève.txt"},
		{"UTF-8 that does not say so", "Grüße.txt", "Grüße.txt"},
		{"code page 866", "\x84\xae\xaa\xe3\xac\xa5\xad\xe2/\xaf\xa8\xe1\xec\xac\xae.txt", "Документ/письмо.txt"},
		{"Shift JIS", "\x83\x8a\x83|\x81[\x83g/\x90\xbf\x8b\x81\x8f\x91.txt", "リポート/請求書.txt"},
		{"GBK", "\xce\xc4\xbc\xfe/\xb1\xa8\xb8\xe6.txt", "文件/报告.txt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := makeZip(t, file{strings.Repeat("x", len(tt.raw)), ""})
			data = strings.ReplaceAll(data, strings.Repeat("x", len(tt.raw)), tt.raw)
			if got, want := archived(t, "x.zip", data), []string{"x.zip!/" + tt.want + ": "}; !reflect.DeepEqual(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestUnicodePath(t *testing.T) {
	for _, tt := range []struct{ name, extra, want string }{
		{"none", "", ""},
		{"after another", "\x01\x00\x02\x00ab" + "up\x08\x00" + "\x01CRC3" + "ä!", "ä!"},
		{"cut", "up\x09\x00\x01CRC3ab", ""},
		{"another version", "up\x07\x00\x02CRC3ab", ""},
		{"not UTF-8", "up\x07\x00\x01CRC3a\xff", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := unicodePath([]byte(tt.extra)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNesting(t *testing.T) {
	inner, docx := makeZip(t, file{"x.txt", "deep"}), makeZip(t, file{"[Content_Types].xml", ""})
	deep := makeGzip(t, makeTar(t, file{"c.zip", inner}, file{"y.txt", "less deep"}))
	deeper := makeZip(t, file{"b.tar.gz", makeGzip(t, makeTar(t, file{"c.zip", makeZip(t, file{"d.zip", inner})}))})
	for _, tt := range []struct {
		name, data string
		want       []string
	}{
		{"to the bound", makeZip(t, file{"b/b.tgz", deep}, file{"z.txt", "flat"}), []string{
			"a.zip!/b/b.tgz!/c.zip!/x.txt: deep", "a.zip!/b/b.tgz!/y.txt: less deep", "a.zip!/z.txt: flat"}},
		{"over it", deeper, []string{"a.zip!/b.tar.gz!/c.zip!/d.zip: " +
			"invalid too_large: open in/a.zip!/b.tar.gz!/c.zip!/d.zip: archives lie more than 3 deep (the bound on nesting)"}},
		{"no archives", makeZip(t, file{"b.zip", "not one"}, file{"c.gz", ""}), []string{"a.zip!/b.zip: not one", "a.zip!/c.gz: "}},
		{"a document", makeZip(t, file{"b.zip", docx}), []string{"a.zip!/b.zip: " + docx}},
		{"compressed alone", makeZip(t, file{"b.txt.gz", makeGzip(t, "b")}, file{"c.zip.gz", makeGzip(t, inner)}), []string{
			"a.zip!/b.txt.gz!/b.txt: b", "a.zip!/c.zip.gz!/c.zip!/x.txt: deep"}},
		{"one is damaged", makeZip(t, file{"b.tgz", deep[:len(deep)/2]}, file{"c.zip", inner[:20]}, file{"d.zip", inner}), []string{
			"a.zip!/b.tgz: invalid damaged: open in/a.zip!/b.tgz: the archive is damaged: unexpected EOF",
			"a.zip!/c.zip: invalid damaged: open in/a.zip!/c.zip: the archive is damaged: the directory at its end is missing or broken, as in a file that was cut",
			"a.zip!/d.zip!/x.txt: deep"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := archived(t, "a.zip", tt.data)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNotArchives(t *testing.T) {
	for name, data := range map[string]string{
		"text.zip":  "PK is not enough",
		"empty.tar": "",
		"zeros.tar": strings.Repeat("\x00", 10240),
		"text.gz":   "\x1f",
		"docx.zip":  makeZip(t, file{"[Content_Types].xml", ""}, file{"word/document.xml", ""}),
		"odt.zip":   makeZip(t, file{"mimetype", "application/vnd.oasis.opendocument.text"}, file{"content.xml", ""}),
		"epub.zip":  makeZip(t, file{"META-INF/container.xml", ""}),
		"jar.zip":   makeZip(t, file{"META-INF/MANIFEST.MF", ""}, file{"A.class", ""}),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			write(t, path, data)
			s := newShelf(t)
			if members, err := s.List(t.Context(), openFile(t, path), all); err != ErrNotArchive {
				t.Errorf("got %v, %v, want %v", members, err, ErrNotArchive)
			}
			_, err := s.Read(t.Context(), openFile(t, path), name+"!/a")
			checkError(t, err, "invalid", "read", "it lay in an archive that is none any more")
		})
	}
}

func TestNamed(t *testing.T) {
	for name, want := range map[string]bool{"a.zip": true, "a.ZIP": true, "a.tar.gz": true, "a.tbz2": true, "a.docx": false, "zip": false,
		"a.zipx": false, "a": false, "a.jar": false, ".zip": true, "a.7z": true, "a.z": false, "a.rar": false} {
		if got := Named(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// openFiles is how many files the process has open; 0 where the system does not say.
func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}
