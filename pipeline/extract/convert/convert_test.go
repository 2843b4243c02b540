package convert

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
)

// TestMain runs the test binary as one of the fake programs where its first argument names one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if program, ok := fakes[os.Args[1]]; ok {
			program(os.Args[2:])
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// fakes are programs to convert with, by the argument that chooses them.
var fakes = map[string]func(args []string){
	"fake-upper": func(args []string) { fmt.Print(strings.ToUpper(read(args[0]))) },
	"fake-write": func(args []string) { write(args[1], "<p>"+read(args[0])) },
	"fake-fill": func(args []string) {
		for i, name := range args[2:] {
			write(filepath.Join(args[1], name), fmt.Sprint(i)+read(args[0]))
		}
	},
	"fake-show": func(args []string) {
		wd, _ := os.Getwd()
		fmt.Println(strings.Join(os.Environ(), "\n"))
		fmt.Println("args", args, "wd", wd)
		n, err := os.Stdin.Read(make([]byte, 1))
		fmt.Println("stdin", n, err)
	},
	"fake-fail": func(args []string) {
		fmt.Fprintf(os.Stderr, "\nWarning: no java\n%s: %s\nmore\n", args[0], strings.Join(args[1:], " "))
		os.Exit(3)
	},
	"fake-silent": func([]string) { os.Exit(4) },
	"fake-link":   func(args []string) { check(os.Symlink(args[0], args[1])) },
	"fake-flood": func([]string) {
		for block := make([]byte, 1<<20); ; {
			_, err := os.Stdout.Write(block)
			check(err)
		}
	},
	"fake-large": func([]string) { check(os.Stdout.Truncate(maxOutput + 1)) },
	"fake-wait":  wait,
	"fake-hang": func(args []string) {
		startWaiting(args[0])
		wait(args)
	},
	"fake-leave": func(args []string) {
		startWaiting(args[0])
		fmt.Print("done")
	},
}

// wait says that it waits on a socket, which ends with it, and on its standard output.
func wait(args []string) {
	conn, err := net.Dial("tcp", args[0])
	check(err)
	_, err = conn.Write([]byte("."))
	check(err)
	fmt.Println("waiting")
	_, err = conn.Read(make([]byte, 1))
	check(err)
}

// startWaiting starts a child that waits, and returns when it does.
func startWaiting(addr string) {
	child := exec.Command(os.Args[0], "fake-wait", addr)
	out, err := child.StdoutPipe()
	check(err)
	check(child.Start())
	_, err = out.Read(make([]byte, 1))
	check(err)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(path string) string {
	b, err := os.ReadFile(path)
	check(err)
	return string(b)
}

func write(path, text string) { check(os.WriteFile(path, []byte(text), 0o600)) }

// fake is the command that runs a fake program.
func fake(args ...string) Command {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return Command{Args: append([]string{program}, args...)}
}

func TestRun(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, tt := range []struct {
		name            string
		c               Command
		doc             string
		want, extension string
	}{
		{"standard output", fake("fake-upper", "{in}"), "a.doc", "HELLO", ""},
		{"a file", fake("fake-write", "{in}", "{out}"), "a.doc", "<p>hello", ""},
		{"a file with an extension", fake("fake-write", "{in}", "{out}.html"), "a.doc", "<p>hello", ".html"},
		{"a folder", fake("fake-fill", "{in}", "{outdir}", "in.docx"), "a.doc", "0hello", ".docx"},
		{"the next program", Command{Args: fake("fake-fail", "{in}", "no").Args, or: new(fake("fake-upper", "{in}"))}, "a.doc", "HELLO", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, name, err := tt.c.Run(t.Context(), tt.doc, []byte("hello"))
			if err != nil {
				t.Fatal(err)
			}
			if string(out) != tt.want || filepath.Ext(name) != tt.extension {
				t.Errorf("got %q in %s, want %q with extension %q", out, name, tt.want, tt.extension)
			}
		})
	}
	noneLeft(t)
}

// noneLeft checks that nothing is left in the folder for temporary files.
func noneLeft(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestRunFails(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		c    Command
		kind string
		want string
	}{
		{"says why", fake("fake-fail", "{in}", "not a Word document"), pipeline.KindDamaged, "can't read it (exit status 3): in.doc: not a Word document"},
		{"says nothing", fake("fake-silent", "{in}"), pipeline.KindDamaged, "can't read it (exit status 4)"},
		{"encrypted", fake("fake-fail", "{in}", "Encrypted documents are not supported"), pipeline.KindEncrypted, "Encrypted documents"},
		{"encrypted, and the next would print noise", Command{Args: fake("fake-fail", "{in}", "needs a password").Args, or: new(fake("fake-upper", "{in}"))},
			pipeline.KindEncrypted, "password"},
		{"not installed", Command{Args: []string{"docbatch-no-such-program", "{in}"}}, pipeline.KindUnsupported, "docbatch-no-such-program is not installed"},
		{"no place for the document", fake("fake-upper"), pipeline.KindUnsupported, "{in}"},
		{"makes no file", fake("fake-upper", "{in}", "{out}"), pipeline.KindDamaged, "made nothing of it"},
		{"makes two files", fake("fake-fill", "{in}", "{outdir}", "a.csv", "b.csv"), pipeline.KindDamaged, "made 2 files of it, not one"},
		{"makes a link", fake("fake-link", secret, "{out}", "{in}"), pipeline.KindDamaged, "no file"},
		{"makes a folder", fake("fake-fill", "{in}", "{outdir}"), pipeline.KindDamaged, "made nothing"},
		{"makes too much", fake("fake-large", "{in}"), pipeline.KindTooLarge, "more than 64 MiB"},
		{"floods the disk", fake("fake-flood", "{in}"), pipeline.KindTooLarge, "the bound on what it writes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, _, err := tt.c.Run(t.Context(), "a.doc", []byte("hello"))
			e, ok := errors.AsType[*pipeline.Error](err)
			if !ok || e.Class != pipeline.Invalid || e.Kind != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, %v, want kind %s with %q", out, err, tt.kind, tt.want)
			}
		})
	}
	noneLeft(t)
}

// TestSurroundings looks at what a program sees of docbatch, and of a document with a hostile name.
func TestSurroundings(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-secret")
	t.Setenv("TMPDIR", t.TempDir())
	for _, name := range []string{"../../-rf $(id) ;x'.d\noc", "-o", "a.averyveryverylongextension", "a.do/c", ""} {
		out, _, err := fake("fake-show", "{in}", "{tmp}").Run(t.Context(), name, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := string(out)
		for _, want := range []string{"LC_ALL=C.UTF-8\n", "OMP_THREAD_LIMIT=1\n", "PATH=", "stdin 0 EOF", "docbatch-convert-", string(filepath.Separator) + "in /"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q: %q is not in %s", name, want, got)
			}
		}
		for _, bad := range []string{"sk-secret", "HOME=" + os.Getenv("HOME") + "\n", "rf", "$("} {
			if strings.Contains(got, bad) {
				t.Errorf("%q: %q is in %s", name, bad, got)
			}
		}
	}
}

// TestStale removes the folders that killed processes have left, and nothing else.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-2 * stale)
	for name, at := range map[string]time.Time{folderPrefix + "1": old, folderPrefix + "2": time.Now(), "docbatch-other": old} {
		check(os.MkdirAll(filepath.Join(dir, name, "tmp"), 0o700))
		check(os.WriteFile(filepath.Join(dir, name, "in.doc"), nil, 0o600))
		check(os.Chtimes(filepath.Join(dir, name), at, at))
	}
	check(os.WriteFile(filepath.Join(dir, folderPrefix+"3"), nil, 0o600))
	check(os.Chtimes(filepath.Join(dir, folderPrefix+"3"), old, old))
	removeStale(dir)
	removeStale(filepath.Join(dir, "nowhere"))
	left, err := os.ReadDir(dir)
	var names []string
	for _, e := range left {
		names = append(names, e.Name())
	}
	if want := []string{folderPrefix + "2", folderPrefix + "3", "docbatch-other"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("left: %q, %v, want %q", names, err, want)
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"good", []string{"a", "{in}", "{out}"}, ""},
		{"nothing", nil, "no program"},
		{"no program", []string{""}, "no program"},
		{"program is a place", []string{"{in}"}, "only the arguments"},
		{"no document", []string{"a", "b"}, "no argument of a holds {in}"},
		{"two places", []string{"a", "{in}", "{out}", "{outdir}"}, "both {out} and {outdir}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Command{Args: tt.args}.Check()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestFound(t *testing.T) {
	programs := t.TempDir()
	t.Setenv("PATH", programs)
	if _, missing := Found("image/x-photo", nil); missing != "convert it to text first" {
		t.Errorf("unknown format: got %q", missing)
	}
	if _, missing := Found("application/msword", nil); missing != "install antiword or libreoffice or catdoc" {
		t.Errorf("nothing installed: got %q", missing)
	}
	for _, name := range []string{"catdoc", "soffice"} {
		if err := os.WriteFile(filepath.Join(programs, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c, missing := Found("application/msword", nil)
	if missing != "" || c.Args[0] != "soffice" || c.or == nil || c.or.Args[0] != "catdoc" || c.or.or != nil {
		t.Errorf("got %v, %q, want soffice, then catdoc", c, missing)
	}
	if err := os.WriteFile(filepath.Join(programs, "antiword"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	sectors := func(second string) []byte { return []byte(strings.Repeat("x", 512) + second) }
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"Word 97", sectors("\xec\xa5\xc1\x00"), "antiword"},
		{"Word 95", sectors("\xdc\xa5\x68\x00"), "soffice"},
		{"no version of Word", sectors("\xdc\xa5\xff\x00"), "antiword"},
		{"cut", sectors("\xdc\xa5"), "antiword"},
		{"not known", nil, "antiword"},
	} {
		if c, missing := Found("application/msword", tt.data); missing != "" || c.Args[0] != tt.want {
			t.Errorf("%s: got %v, %q, want %s", tt.name, c, missing, tt.want)
		}
	}
	for mediaType, converters := range known {
		for _, k := range converters {
			if err := (Command{Args: strings.Fields(k.args)}).Check(); err != nil || k.debian == "" {
				t.Errorf("%s: %q: %v", mediaType, k.args, err)
			}
		}
	}
}

// installed skips a test where a program is not.
func installed(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skip(program + " is not installed")
	}
}

func TestOCR(t *testing.T) {
	installed(t, "tesseract")
	if !HasOCR() {
		t.Error("HasOCR says no")
	}
	if text, err := OCR(t.Context(), picture(t, "2026"), "eng"); err != nil || !strings.Contains(text, "026") {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := OCR(t.Context(), picture(t, "6"), "nosuchlanguage"); err == nil || !strings.Contains(err.Error(), "install them") {
		t.Errorf("unknown language: got %v", err)
	}
	if _, err := OCR(t.Context(), []byte("no picture"), ""); pipeline.ClassOf(err) != pipeline.Invalid {
		t.Errorf("no picture: got %v", err)
	}
}

// digits are the shapes of the characters that picture draws, a row after the other.
var digits = map[rune][7]string{
	'0': {" ### ", "#   #", "#   #", "#   #", "#   #", "#   #", " ### "},
	'2': {" ### ", "#   #", "    #", "  ## ", " #   ", "#    ", "#####"},
	'6': {" ### ", "#    ", "#    ", "#### ", "#   #", "#   #", " ### "},
}

// picture is a PNG that shows text.
func picture(t *testing.T, text string) []byte {
	t.Helper()
	const scale = 6
	img := image.NewGray(image.Rect(0, 0, (6*len(text)+10)*scale, 20*scale))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for i, r := range text {
		for y, row := range digits[r] {
			for x, c := range row {
				for dot := range scale * scale * map[bool]int{true: 1}[c == '#'] {
					img.SetGray((5+6*i+x)*scale+dot%scale, (6+y)*scale+dot/scale, color.Gray{})
				}
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestOffice(t *testing.T) {
	if testing.Short() {
		t.Skip("LibreOffice takes seconds")
	}
	installed(t, "soffice")
	c := Command{Args: strings.Fields(office("docx").args)}
	out, name, err := c.Run(t.Context(), "a.rtf", []byte(`{\rtf1 hello}`))
	if err != nil || filepath.Ext(name) != ".docx" || !bytes.HasPrefix(out, []byte("PK")) {
		t.Errorf("got %d bytes in %s, %v", len(out), name, err)
	}
}
