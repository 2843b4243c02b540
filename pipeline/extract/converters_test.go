package extract

import (
	"context"
	"errors"
	"strings"
	"testing"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/convert"
)

// TestConverters has fake programs convert, of those that the user names. The shell is there to write them, and has no other part.
func TestConverters(t *testing.T) {
	fakeProgram(t, "nothing", "") // and no other program
	picture := pngOf(t, drawn("2"))
	sh := func(script string) convert.Command {
		return convert.Command{Args: []string{"/bin/sh", "-c", script, "sh", "{in}"}}
	}
	toFile := func(out, script string) convert.Command {
		return convert.Command{Args: []string{"/bin/sh", "-c", script, "sh", "{in}", out}}
	}
	const doc = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x01\x02\x03"
	step := New(Options{Pool: shared, Converters: map[string]convert.Command{
		".doc":            sh(`echo "text of ${1##*/}"`),
		".web":            toFile("{out}.html", `echo "<h1>Title</h1><p>words" >"$2"`),
		".pic":            toFile("{out}.png", `printf '\211PNG\r\n\032\n' >"$2"`),
		".empty":          sh(`:`),
		".latin":          sh(`printf 'caf\351\r\n'`),
		".fails":          sh(`echo "it is too old" >&2; exit 2`),
		".bound":          sh(`echo "it needs a password" >&2; exit 2`),
		".gone":           {Args: []string{"docbatch-no-such-program", "{in}"}},
		".html":           sh(`echo "not by the reader"`),
		"image/png":       sh(`echo "a picture of ${1##*/}"`),
		"application/zip": sh(`echo "not reached where the extension is known"`),
	}})
	for _, tt := range []struct {
		name, file, data, want, mediaType string
		kind                              string
		err                               string
	}{
		{"by extension", "A.DOC", doc, "text of in.doc\n", "application/msword", "", ""},
		{"to what a reader reads", "a.web", "\x00\x01\x02\x03\x04\x05", "# Title\n\nwords\n", "application/octet-stream", "", ""},
		{"by media type", "a.png", picture, "a picture of in.png\n", "image/png", "", ""},
		{"before the reader", "a.html", "<p>words", "not by the reader\n", "text/html", "", ""},
		{"in another encoding", "a.latin", "\x00\x01\x02\x03\x04\x05", "café\n", "application/octet-stream", "", ""},
		{"to nothing", "a.empty", "\x00\x01\x02\x03\x04\x05", "", "application/octet-stream", "", ""},
		{"to what no reader reads", "a.pic", "\x00\x01\x02\x03\x04\x05", "", "application/octet-stream", pipeline.KindDamaged, "the converter made image/png of it, which no reader reads"},
		{"it fails", "a.fails", "\x00\x01\x02\x03\x04\x05", "", "application/octet-stream", pipeline.KindDamaged, "sh can't read it (exit status 2): it is too old"},
		{"it needs a password", "a.bound", "\x00\x01\x02\x03\x04\x05", "", "application/octet-stream", pipeline.KindEncrypted, "sh can't read it: it needs a password"},
		{"it is not installed", "a.gone", "\x00\x01\x02\x03\x04\x05", "", "application/octet-stream", pipeline.KindUnsupported, "docbatch-no-such-program is not installed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := step.Read(t.Context(), tt.file, []byte(tt.data))
			if tt.kind != "" {
				wantError(t, err, tt.kind, tt.err)
			} else if err != nil || r.Text != tt.want {
				t.Errorf("got %q, %v, want %q", r.Text, err, tt.want)
			}
			if r.MediaType != tt.mediaType {
				t.Errorf("media type %s, want %s", r.MediaType, tt.mediaType)
			}
		})
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := step.Read(ctx, "a.doc", []byte(doc)); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v, want %v", err, context.Canceled)
	}
}

// TestFound has a program convert that is known for a format, once with a fake and once in earnest.
func TestFound(t *testing.T) {
	const postScript = "%!PS-Adobe-3.0\n/Helvetica findfont 20 scalefont setfont 100 700 moveto (Dear Ms Keller) show showpage\n"
	step := New(Options{Pool: shared})
	t.Run("ps2pdf", func(t *testing.T) {
		installed(t, "ps2pdf")
		r, err := step.Read(t.Context(), "a.ps", []byte(postScript))
		if err != nil || !strings.Contains(r.Text, "Dear Ms Keller") || r.MediaType != "application/postscript" {
			t.Errorf("got %+v, %v, want its text", r, err)
		}
	})
	t.Run("a fake", func(t *testing.T) {
		fakeProgram(t, "ps2pdf", `echo "%PDF-1.7 made of ${1##*/}" >"$2"`)
		_, err := step.Read(t.Context(), "a.ps", []byte(postScript))
		wantError(t, err, pipeline.KindDamaged, "")
	})
	t.Run("none", func(t *testing.T) {
		t.Setenv("PATH", "")
		r, err := step.Read(t.Context(), "a.ps", []byte(postScript))
		wantError(t, err, pipeline.KindUnsupported, `no reader for PostScript (application/postscript); install ghostscript, or leave it out with --exclude "*.ps"`)
		if r.Text != "" || r.MediaType != "application/postscript" {
			t.Errorf("got %+v, want nothing but the media type", r)
		}
	})
}
