package pack

import (
	"bufio"
	"io"
	"regexp"
	"strings"

	"docbatch/pipeline/charset"
	"docbatch/pipeline/extract/content"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"
)

// maxTag bounds one tag, in bytes. encoding/xml makes 64 bytes out of each attribute, and the shortest takes five; the longest that
// programs write are the pictures in attributes of VML.
const maxTag = 4 << 20

// An input gives encoding/xml its bytes: UTF-8, without the control characters that it would stop at, and only so many for one token.
type input struct {
	name  string
	src   *source
	text  io.Reader // of src, as UTF-8
	buf   []byte
	rest  []byte // of buf, not read yet
	max   int    // bytes of a token that is no tag
	bound int    // bytes of this token
	n     int    // bytes of this token so far
	first byte   // of this token
	err   error
}

// A source ends where r has an error, which it keeps: decoders of encodings then give what came before.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil {
		s.err, err = err, io.EOF
	}
	return n, err
}

func newInput(r io.Reader, name string, max int) *input {
	in := &input{name: name, src: &source{r: r}, buf: make([]byte, 16<<10), max: max, bound: max}
	in.text, in.err = decode(in.src)
	return in
}

// declaration finds the encoding that an XML declaration names.
var declaration = regexp.MustCompile(`^\s*<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']`)

// decode gives r as UTF-8.
func decode(r io.Reader) (io.Reader, error) {
	head := bufio.NewReader(r)
	b, _ := head.Peek(256) // fewer where there are fewer
	if m := declaration.FindSubmatch(b); m != nil && !strings.HasPrefix(strings.ToLower(string(m[1])), "utf") {
		if e, err := htmlindex.Get(string(m[1])); err == nil {
			return transform.NewReader(head, e.NewDecoder()), nil
		}
	}
	text, _, err := charset.NewReader(head)
	return text, err
}

// begin begins a token. After a text, encoding/xml has read the next token's first byte already.
func (in *input) begin(afterText bool) {
	in.n, in.bound = 0, in.max
	if afterText {
		in.n, in.first = 1, '<'
	}
}

// ReadByte implements io.ByteReader.
func (in *input) ReadByte() (byte, error) {
	for len(in.rest) == 0 {
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	c := in.rest[0]
	in.rest = in.rest[1:]
	if in.n++; in.n <= 2 {
		in.classify(c)
	}
	if in.n > in.bound {
		in.err = content.TooLarge("%s holds one text or tag of more than %s (the bound on a token)", in.name, content.Bytes(int64(in.bound)))
		return 0, in.err
	}
	if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
		c = ' '
	}
	return c, nil
}

// classify narrows the bound of a token whose first two bytes begin a tag.
func (in *input) classify(c byte) {
	if in.n == 1 {
		in.first = c
	} else if in.first == '<' && c != '!' && c != '?' {
		in.bound = min(in.max, maxTag)
	}
}

// fill reads on.
func (in *input) fill() error {
	if in.err != nil {
		return in.err
	}
	n, err := in.text.Read(in.buf)
	in.rest = in.buf[:n]
	if err == io.EOF && in.src.err != nil {
		err = in.src.err
	}
	in.err = err
	return nil
}

// Read implements io.Reader, for encoding/xml's signature only: it reads by ReadByte.
func (in *input) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c, err := in.ReadByte()
	if err != nil {
		return 0, err
	}
	b[0] = c
	return 1, nil
}
