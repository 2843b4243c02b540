package mail_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/mail"
)

// What is hostile costs time and memory in proportion to its bytes. The bounds on both are generous: what they guard against is a power
// of the size.
func TestBombs(t *testing.T) {
	nested := func(n int) string {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		}
		return text.String() + "\ninnermost"
	}
	for _, tt := range []struct {
		name, in string
		bound    string // in the error; "" where there is text
	}{
		{"multiparts 20 deep", nested(20), ""},
		{"multiparts 100,000 deep", nested(100_000), ""},
		{"alternatives in alternatives", strings.ReplaceAll(nested(1000), "mixed", "alternative"), ""},
		{"messages in messages", strings.Repeat("Content-Type: message/rfc822\n\n", 100_000) + "x", ""},
		{"20,000 parts", "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 19_999), ""},
		{"too many parts", "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 100_000), "the bound on parts"},
		{"too many messages", "From a 12:00:00\n\n" + strings.Repeat("x\n\nFrom a 12:00:00\n\n", 100_000), "the bound on parts"},
		{"delimiters of others", "Content-Type: multipart/mixed; boundary=a\n\n" + strings.Repeat("--ab\n\nx\n", 500_000), ""},
		{"almost delimiters", "Content-Type: multipart/mixed; boundary=a\n\n" + strings.Repeat("--a--a", 500_000) + strings.Repeat("\n--a "+strings.Repeat(" ", 1000)+"x", 2000), ""},
		{"a long header line", "Subject: " + strings.Repeat("x", 8<<20) + "\n\nhello", ""},
		{"many header lines", strings.Repeat("X: y\n", 1<<20) + "\nhello", ""},
		{"a header line folded often", "Subject: x\n" + strings.Repeat(" y\n", 1<<20) + "\nhello", ""},
		{"lines that are no header", "Subject: x;\n" + strings.Repeat("y;\n", 1<<20) + "\nhello", ""},
		{"words that never end", "Subject: " + strings.Repeat("=?utf-8?Q?", 1<<17) + "\n\nhello", ""},
		{"beginnings of words", "Subject: " + strings.Repeat("=?", 1<<19) + "\n\nhello", ""},
		{"escapes at the end of words", "Subject: =?utf-8?Q?" + strings.Repeat("?=3D", 1<<18) + "\n\nhello", ""},
		{"many words", "Subject: " + strings.Repeat("=?utf-8?B?w6Q=?= ", 1<<16) + "\n\nhello", ""},
		{"words of changing encodings", "Subject: " + strings.Repeat("=?utf-8?Q?a?= =?iso-8859-1?Q?b?= ", 1<<15) + "\n\nhello", ""},
		{"words of unknown encodings", "Subject: " + strings.Repeat("=?x-a?Q?=E9?= =?x-b?Q?=E9?= ", 1<<13) + "\n\nhello", ""},
		{"parts in unknown encodings", "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: text/plain; name=\"\xe9\"\n\n\xe9\n", 15_000), ""},
		{"many parameters", "Content-Type: text/plain; " + strings.Repeat("a=b; ", 1<<20) + "\n\nhello", ""},
		{"pieces of a parameter", "Content-Disposition: attachment; " + strings.Repeat("filename*99999999999999=b; ", 1<<18) + "\n\nhello", ""},
		{"base64", "Content-Transfer-Encoding: base64\n\n" + strings.Repeat("QUJD", 3<<20), ""},
		{"soft line ends", "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("=\n", 4<<20) + "x", ""},
		{"only CR", "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("=\r", 4<<20) + "x", ""},
		{"files in the text", "Subject: x\n\n" + strings.Repeat("begin 644 a\n#0V%T\n`\nend\n", 10_000), ""},
		{"beginnings of files in the text", "Subject: x\n\n" + strings.Repeat("begin 644 a\n", 1<<20), ""},
		{"flowed lines", "Content-Type: text/plain; format=flowed\n\n" + strings.Repeat("> \n", 4<<20), ""},
		{"CMS within CMS", strings.Repeat("Content-Type: application/pkcs7-mime\n\n"+string(cms("x"))[:57], 10_000), ""},
		{"tags for a stub", multipart("alternative", "b", plain, "Content-Type: text/html\n\n"+strings.Repeat("<style><!--<", 1<<20)), ""},
		{"too much text", "Subject: x\n\n" + strings.Repeat("x", 17<<20), "the bound on text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := file(tt.in)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			read := mail.Read
			if strings.HasPrefix(tt.in, "From ") {
				read = mail.ReadMBOX
			}
			_, err := read(t.Context(), f)
			runtime.ReadMemStats(&after)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(40*len(tt.in)+192<<20); got > limit {
				t.Errorf("%d bytes were allocated for %d, want at most %d", got, len(tt.in), limit)
			}
			switch {
			case tt.bound == "" && err != nil && pipeline.AsError(err).Kind != pipeline.KindEncrypted:
				t.Errorf("got the error %v", err)
			case tt.bound != "" && (err == nil || !strings.Contains(err.Error(), tt.bound) || pipeline.AsError(err).Kind != pipeline.KindTooLarge):
				t.Errorf("got %v, want %s", err, tt.bound)
			}
		})
	}
}

// An attachment over the bound on text is left out; the letter stays.
func TestLargeAttachment(t *testing.T) {
	f := file(multipart("mixed", "b", plain, notes, "Content-Disposition: attachment; filename=big\n\n"+strings.Repeat("x", 2000), notes))
	f.Bounds.Text = 1000
	c, err := mail.Read(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	note := "--- attachment: notes.txt ---\n\nof the notes\n\n"
	if want := "plain text\n\n" + note + "--- attachment: big (text/plain, 2.0 KiB) ---\n\n" + note; c.Text != want || len(c.Warnings) != 1 {
		t.Errorf("got %q and %q, want %q and a warning", c.Text, c.Warnings, want)
	}
}

func TestManyWarnings(t *testing.T) {
	var parts []string
	for range 500 {
		parts = append(parts, "Content-Type: application/x-broken\n\n1")
	}
	c, err := mail.Read(t.Context(), file(multipart("mixed", "b", parts...)))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 101 {
		t.Errorf("%d warnings, want 101", len(c.Warnings))
	}
}
