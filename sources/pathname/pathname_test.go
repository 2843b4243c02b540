package pathname

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "a b/ä/請求.txt", "a b/ä/請求.txt"},
		{"line ends", "a\nb\rc\u2028d\u2029e\u0085f", "a%0Ab%0Dc%E2%80%A8d%E2%80%A9e%C2%85f"},
		{"escape sequences", "\x1b[2J\u009b31m\x7f", "%1B[2J%C2%9B31m%7F"},
		{"direction", "\u202etxt.exe\u2066x\u2069", "%E2%80%AEtxt.exe%E2%81%A6x%E2%81%A9"},
		{"joiners stay", "می\u200cشود 👩\u200d👧 \u200e", "می\u200cشود 👩\u200d👧 \u200e"},
		{"not UTF-8", "a\xff\xc3", "a%FF%C3"},
		{"what looks like an archive", "wow!/a!b/c!", "wow%21/a!b/c!"},
		{"what looks escaped", "100%/%1B/%zz", "100%/%251B/%zz"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Escape(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestControls(t *testing.T) {
	for s, want := range map[string]bool{"": false, "100%1B": false, "é": false, "a\nb": true, "\x1b": true, "\xff": true, "\u202e": true} {
		if got := Controls(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a%", "%41%1B\x1b", "\xff\u202e", "%%%25", "!/!", "%21/!/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := Escape(name)
		if Unescape(got) != name {
			t.Errorf("%q became %q and came back as %q", name, got, Unescape(got))
		}
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) || Controls(got) || strings.Contains(got, "!/") {
			t.Errorf("%q became %q", name, got)
		}
	})
}
