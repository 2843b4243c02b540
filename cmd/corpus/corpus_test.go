package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"nothing":     {"", nil},
		"marks only":  {"| --- | *", nil},
		"lower case":  {"Straße ÉTÉ", []string{"straße", "été"}},
		"digits":      {"no. 17b, 3.5", []string{"no", "17b", "3", "5"}},
		"CJK":         {"第2章abc 한국", []string{"第", "2", "章", "abc", "한", "국"}},
		"end of text": {"the end", []string{"the", "end"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := words(tt.text); !slices.Equal(got, tt.want) {
				t.Errorf("words(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	for name, tt := range map[string]struct {
		anchor, got string
		want        score
	}{
		"equal":         {"a b c", "a b c", score{1, 1, 1}},
		"nothing found": {"a b", "", score{0, 0, 0}},
		"half found":    {"a b c d", "a b", score{.5, 1, 1. / 3}},
		"noise":         {"a b", "a b x y", score{1, .5, 1}},
		"other order":   {"a b c", "c b a", score{1, 1, 0}},
		"as often":      {"a a a a", "a a", score{.5, 1, 1. / 3}},
		"too often":     {"a b", "a a a b", score{1, .5, 1}},
		"one word":      {"a", "a", score{1, 1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := compare(words(tt.anchor), words(tt.got)); got != tt.want {
				t.Errorf("compare(%q, %q) = %+v, want %+v", tt.anchor, tt.got, got, tt.want)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	got := missing(words("b a a c c c d"), words("d b c"), 2)
	if want := []string{"a", "c"}; !slices.Equal(got, want) {
		t.Errorf("missing = %q, want %q", got, want)
	}
}

func numberedWords(n int) string {
	var b strings.Builder
	_ = numbered("w%d ", n)(&b) // to memory
	return b.String()
}

func TestSumAndTable(t *testing.T) {
	anchor := numberedWords(20)
	results := []result{
		newResult(sample{format: "pdf", path: "a.pdf", size: 1 << 20}, reading{Outcome: "text", Text: anchor, Millis: 1500, Memory: 64 << 20}, anchor),
		newResult(sample{format: "pdf", path: "b.pdf", size: 1 << 20}, reading{Outcome: "encrypted", Error: "no password opens it"}, anchor),
		newResult(sample{format: "pdf", path: "c.pdf"}, reading{Outcome: "text", Text: "x"}, "too few words"),
		newResult(sample{format: "pdf", path: "d.pdf"}, reading{Outcome: crashed, Error: "signal: killed"}, ""),
		newResult(sample{format: "pdf", path: "e.pdf"}, reading{Outcome: "text"}, strings.Repeat("U\x00T\x00F\x00 ", 20)),
	}
	r := sum("pdf", results, 2*time.Second)
	if r.files != 5 || r.scored != 2 || r.good != .5 || r.mean != (score{.5, .5, .5}) || r.memory != 64<<20 || r.slowest != 1500*time.Millisecond {
		t.Errorf("sum = %+v", r)
	}
	var table bytes.Buffer
	printHead(&table)
	r.print(&table)
	want := "pdf         5     3     1     0     0     0     0     0     0     1 |      2  0.500  0.500  0.500  0.500      - |    2.00    1.00    1.5     64\n"
	if _, got, _ := strings.Cut(table.String(), "\n"); got != want {
		t.Errorf("the row is\n%swant\n%s", got, want)
	}
	faults := strings.Join(r.faults(), "\n")
	for _, want := range []string{"pdf: recall 0.500, want 0.960", `pdf/d.pdf: the outcome "crash" is none: signal: killed`} {
		if !strings.Contains(faults, want) {
			t.Errorf("faults are\n%s\nwant %q among them", faults, want)
		}
	}
}

func TestWorst(t *testing.T) {
	anchor := numberedWords(20)
	var results []result
	for name, text := range map[string]string{"good.txt": anchor, "bad.txt": "w1 w2 noise", "few.txt": numberedWords(10)} {
		results = append(results, newResult(sample{format: "txt", path: name}, reading{Outcome: "text", Text: text, Warnings: []string{"a warning"}}, anchor))
	}
	var out bytes.Buffer
	printWorst(&out, results, 2, true)
	got := out.String()
	bad, few := strings.Index(got, "txt/bad.txt"), strings.Index(got, "txt/few.txt")
	if bad < 0 || few < bad || strings.Contains(got, "good.txt") {
		t.Errorf("the worst are\n%s", got)
	}
	for _, want := range []string{"recall 0.100", "a warning", "missing  w10 w11", "too many noise"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func TestNoCorpus(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	var out bytes.Buffer
	ok, err := run(t.Context(), options{dir: dir}, &out)
	if want := "skipped: there is no corpus at " + dir + "\n"; !ok || err != nil || out.String() != want {
		t.Errorf("run = %t, %v, %q; want true, nil, %q", ok, err, out.String(), want)
	}
}

func TestChoose(t *testing.T) {
	samples := []sample{{format: "pdf", path: "/c/pdf/a__1.pdf"}, {format: "pdf", path: "/c/pdf/b__1.pdf"}, {format: "rtf", path: "/c/rtf/a__1.rtf"}}
	got := choose(samples, split("pdf, odt"), regexp.MustCompile("a__"))
	if len(got) != 1 || got[0].name() != "pdf/a__1.pdf" {
		t.Errorf("choose = %v, want pdf/a__1.pdf", got)
	}
}

// TestEncodings has the texts written, and looks whether their bytes say the same by the encoding that they are in.
func TestEncodings(t *testing.T) {
	samples, err := writeEncodings(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	encodings := map[string]bool{}
	for _, s := range samples {
		name := strings.TrimSuffix(filepath.Base(s.path), filepath.Ext(s.path))
		encodings[name[:strings.LastIndex(name[:strings.LastIndex(name, "-")], "-")]] = true
		if strings.HasSuffix(name, "-short") && s.size > shortBytes+4 {
			t.Errorf("%s is %d bytes long, want at most %d", name, s.size, shortBytes)
		}
		data, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := encode(s.truth, "utf-8"); err != nil || string(again) != s.truth {
			t.Errorf("%s: the truth is no UTF-8: %v", name, err)
		}
		if strings.HasPrefix(name, "utf-") {
			if got, err := rightEncoding(data).NewDecoder().String(string(data)); err != nil || plain(got) != plain(s.truth) {
				t.Errorf("%s: %q, %v; want %q", name, clip(got, 50), err, clip(s.truth, 50))
			}
		}
	}
	if len(encodings) < 25 {
		t.Errorf("%d encodings, want at least 25", len(encodings))
	}
}

func TestPlain(t *testing.T) {
	if got, want := plain("\ufeffa\r\nb\rc\x00\x1b\td\n\n"), "a\nb\nc\td"; got != want {
		t.Errorf("plain = %q, want %q", got, want)
	}
}

func TestParseStat(t *testing.T) {
	stat := "42 (a) b (c) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 100 200000 300 18446744073709551615"
	pid, parent, resident := parseStat([]byte(stat))
	if pid != 42 || parent != 7 || resident != 300*int64(os.Getpagesize()) {
		t.Errorf("parseStat = %d, %d, %d", pid, parent, resident)
	}
	if pid, parent, resident := parseStat([]byte("42 (cut")); pid != 42 || parent != 0 || resident != 0 {
		t.Errorf("parseStat of a part = %d, %d, %d, want 42, 0, 0", pid, parent, resident)
	}
}

func TestDecode(t *testing.T) {
	var got []string
	err := decode(strings.NewReader("{\"file\":\"a\"}\n{\"file\":\"b\"}\nno JSON"), func(r reading) { got = append(got, r.File) })
	if err == nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("decode = %v, %v; want a, b and an error", got, err)
	}
}

func TestBombFaults(t *testing.T) {
	refused := reading{Outcome: "too_large", Error: "more than 16 MiB of text (the bound on text)"}
	for name, tt := range map[string]struct {
		bomb bomb
		used usage
		line []reading
		want string
	}{
		"refused":        {bomb{refusal: theBound}, usage{}, []reading{refused}, ""},
		"read":           {bomb{}, usage{}, []reading{{Outcome: "text"}}, ""},
		"a warning":      {bomb{refusal: theBound}, usage{}, []reading{{Outcome: "text", Warnings: []string{"deeper than 512 (the bound on depth)"}}}, "want it refused"},
		"unnamed":        {bomb{}, usage{}, []reading{{Outcome: "too_large", Error: "too large"}}, "no bound is named"},
		"not refused":    {bomb{refusal: theBound}, usage{}, []reading{{Outcome: "text"}}, "want it refused"},
		"one of two":     {bomb{refusal: theBound}, usage{}, []reading{refused, {Outcome: "damaged", Error: "cut off"}}, "want it refused"},
		"another reason": {bomb{refusal: aLoop}, usage{}, []reading{refused}, "want it refused"},
		"nothing":        {bomb{}, usage{}, nil, "came to nothing"},
		"memory":         {bomb{}, usage{memory: 300 << 20}, []reading{refused}, "it took 300 MB"},
		"time":           {bomb{}, usage{wall: 12 * time.Second}, []reading{refused}, "it took 12s"},
		"other outcome":  {bomb{}, usage{}, []reading{{Outcome: "internal"}}, `"internal" is none`},
		"a reader broke": {bomb{}, usage{}, []reading{{Outcome: "damaged", Error: "the reader gave up: index out of range; please report it"}}, "please report it"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(bombFaults(tt.bomb, tt.used, tt.line, errors.New("exit status 2")), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("faults are %q, want %q", got, tt.want)
			}
		})
	}
}

// TestBombs has the small bombs written: their names differ, and they are what they claim to be.
func TestBombs(t *testing.T) {
	magic := map[string]string{".docx": "PK\x03\x04", ".xlsx": "PK\x03\x04", ".msg": "\xd0\xcf\x11\xe0", ".pdf": "%PDF-1.7", ".png": "\x89PNG", ".rtf": `{\rtf1`}
	seen := map[string]bool{}
	for _, b := range bombs() {
		if seen[b.name] {
			t.Errorf("two bombs are called %s", b.name)
		}
		seen[b.name] = true
		want, ok := magic[filepath.Ext(b.name)]
		if !ok || strings.Contains(b.name, "mb") || strings.Contains(b.name, "gb") {
			continue
		}
		head := &beginning{max: len(want)}
		if err := b.write(head); err != nil || head.String() != want {
			t.Errorf("%s begins with %q, %v; want %q", b.name, head.String(), err, want)
		}
	}
}

func TestMany(t *testing.T) {
	for _, n := range []int{0, 1, 3, 40_000} {
		var b strings.Builder
		if err := many("abc", n)(&b); err != nil || b.String() != strings.Repeat("abc", n) {
			t.Errorf("many(abc, %d) writes %d bytes, %v; want %d", n, b.Len(), err, 3*n)
		}
	}
}

func TestMutant(t *testing.T) {
	var packed bytes.Buffer
	if err := zipped(part{"a.xml", text(numberedWords(500))}, part{"b.xml", many("words ", 500)})(&packed); err != nil {
		t.Fatal(err)
	}
	differs := 0
	for seed := range uint64(50) {
		for _, data := range [][]byte{nil, {1}, []byte(numberedWords(100)), packed.Bytes()} {
			before := bytes.Clone(data)
			got := mutant(data, rand.New(rand.NewPCG(seed, 1)))
			if again := mutant(data, rand.New(rand.NewPCG(seed, 1))); !bytes.Equal(got, again) {
				t.Fatalf("seed %d: not the same mutant twice", seed)
			}
			if !bytes.Equal(data, before) {
				t.Fatalf("seed %d: the original was changed", seed)
			}
			if !bytes.Equal(got, data) {
				differs++
			}
		}
	}
	if differs < 100 {
		t.Errorf("%d of 200 mutants differ from their original, want at least 100", differs)
	}
}

func TestSpread(t *testing.T) {
	samples := []sample{{format: "pdf", path: "1"}, {format: "pdf", path: "2"}, {format: "rtf", path: "3"}}
	var got []string
	for _, s := range spread(samples, 5) {
		got = append(got, s.path)
	}
	if want := []string{"1", "3", "2", "3", "1"}; !slices.Equal(got, want) {
		t.Errorf("spread = %v, want %v", got, want)
	}
}

// TestAnchorsAreKept has an anchor made once for two calls.
func TestAnchorsAreKept(t *testing.T) {
	made := 0
	how := anchor{make: func(_ context.Context, samples []sample, save func(sample, string) error) error {
		for _, s := range samples {
			made++
			if err := save(s, "text of "+s.path); err != nil {
				return err
			}
		}
		return nil
	}}
	dir := t.TempDir()
	samples := []sample{{path: "a", hash: "1"}, {path: "b", hash: "2"}}
	want := map[string]string{"1": "text of a", "2": "text of b"}
	for range 2 {
		got, err := kept(t.Context(), dir, "pdf", how, samples)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("kept = %v, %v; want %v", got, err, want)
		}
	}
	if made != 2 {
		t.Errorf("%d anchors were made for 2 files", made)
	}
}

func TestSlug(t *testing.T) {
	if got, want := slug("pandoc 2.17.1.1\nCompiled with"), "pandoc-2.17.1.1"; got != want {
		t.Errorf("slug = %q, want %q", got, want)
	}
}

func TestPageCounter(t *testing.T) {
	c := &pageCounter{}
	if _, err := io.WriteString(c, "one\ftwo\f"); err != nil || c.n != 2 {
		t.Errorf("%d pages, %v; want 2", c.n, err)
	}
}
