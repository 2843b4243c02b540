package pack

import (
	"archive/zip"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// walk reads all of a document and checks what a Decoder promises. It gives the document with the short names: "(w:p x(w:t)y)".
func walk(t testing.TB, d *Decoder, depth int) (string, error) {
	t.Helper()
	var out strings.Builder
	level := 0
	var visit func(n *Node) error
	visit = func(n *Node) error {
		if !utf8.ValidString(n.Text) || !utf8.ValidString(n.Name) {
			t.Fatalf("node %q %q is not UTF-8", n.Name, n.Text)
		}
		if n.Name == "" {
			out.WriteString(n.Text)
			return nil
		}
		out.WriteString("(" + n.Name)
		for _, a := range n.attrs {
			if !strings.HasPrefix(a.Name.Local, "xmlns") {
				out.WriteString(" " + a.Name.Local + "=" + a.Value)
			}
		}
		out.WriteString(" ")
		if level++; level > depth {
			t.Fatalf("element at level %d, the bound is %d", level, depth)
		}
		err := d.Children(visit)
		level--
		out.WriteString(")")
		return err
	}
	err := d.Children(visit)
	wantInvalidError(t, err)
	return out.String(), err
}

func wantInvalidError(t testing.TB, err error) {
	t.Helper()
	if err != nil && pipeline.AsError(err).Class != pipeline.Invalid {
		t.Fatalf("error of class %s: %v", pipeline.AsError(err).Class, err)
	}
}

const (
	transitional = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
	strict       = "http://purl.oclc.org/ooxml/wordprocessingml/main"
)

func TestDecoder(t *testing.T) {
	for _, test := range []struct {
		name, xml, want string
		damaged         bool
	}{
		{"elements and texts", `<a x="1">b<c/>d</a>`, "(a x=1 b(c )d)", false},
		{"usual prefix", `<w:p xmlns:w="` + transitional + `" w:val="1"/>`, "(w:p w:val=1 )", false},
		{"other prefix", `<n0:p xmlns:n0="` + transitional + `" n0:val="1"/>`, "(w:p w:val=1 )", false},
		{"default namespace", `<p xmlns="` + transitional + `" val="1"/>`, "(w:p val=1 )", false},
		{"strict", `<w:p xmlns:w="` + strict + `"/>`, "(w:p )", false},
		{"unknown namespace", `<z:p xmlns:z="urn:z"/>`, "(z:p )", false},
		{"undeclared prefix", `<w:p/>`, "(w:p )", false},
		{"declared again within", `<w:p xmlns:w="` + strict + `"><w:q xmlns:w="http://www.w3.org/1999/xhtml"/><w:r/></w:p>`,
			"(w:p (html:q )(w:r ))", false},
		{"entities", `<a b="&lt;&#65;">&amp;&#x42;&quot;&apos;&gt;</a>`, `(a b=<A &B"'>)`, false},
		{"unknown entity", `<a>x&nbsp;y</a>`, "(a x&nbsp;y)", false},
		{"CDATA and comments", `<a>x<!-- no --><![CDATA[<y>]]></a>`, "(a x<y>)", false},
		{"controls", "<a>x\x01y\x00z</a>", "(a x y z)", false},
		{"end tag missing", `<a><b>x</a>`, "(a (b x))", false},
		{"end tag too many", `<a>x</b>y</a>`, "(a xy)", false},
		{"two roots", `<a/><b/>`, "(a )(b )", false},
		{"cut in a text", `<a><b>some te`, "(a (b some te))", true},
		{"cut in a tag", `<a>x<b c="`, "(a x)", true},
		{"broken", `<a>x< y</a>`, "(a x)", true},
		{"Latin-1 declared", "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>caf\xe9</a>", "(a café)", false},
		{"Greek declared", "<?xml version='1.0' encoding='ISO-8859-7'?><a>\xe1\xe2</a>", "(a αβ)", false},
		{"UTF-8 declared, not kept", "<?xml version='1.0' encoding='UTF-8'?><a>caf\xe9</a>", "(a café)", false},
		{"UTF-16", "\xff\xfe" + utf16le(`<?xml version="1.0" encoding="UTF-16"?><a>é</a>`), "(a é)", false},
		{"UTF-16 declared, not kept", `<?xml version="1.0" encoding="UTF-16"?><a>é</a>`, "(a é)", false},
		{"unknown encoding", `<?xml version="1.0" encoding="klingon"?><a>é</a>`, "(a é)", false},
		{"document type", `<!DOCTYPE a SYSTEM "a.dtd"><a>x</a>`, "(a x)", false},
		{"nothing", ``, "", false},
		{"text alone", `no XML`, "no XML", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := walk(t, NewDecoder([]byte(test.xml), content.DefaultBounds()), 512)
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if errors.Is(err, ErrDamaged) != test.damaged || !test.damaged && err != nil {
				t.Errorf("error %v, want damaged %v", err, test.damaged)
			}
		})
	}
}

func utf16le(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

func TestDecoderBounds(t *testing.T) {
	for _, test := range []struct{ name, xml, want string }{
		{"depth", strings.Repeat("<a>", 100), "(the bound on depth)"},
		{"text", "<a>" + strings.Repeat("x", 2000) + "</a>", "(the bound on a token)"},
		{"attributes", "<a " + strings.Repeat("b='' ", 1000) + "/>", "(the bound on a token)"},
		{"tag after a text", "<a>x<a " + strings.Repeat("b='' ", 1000) + "/>", "(the bound on a token)"},
		{"comment", "<a><!-- " + strings.Repeat("x", 2000) + "--></a>", "(the bound on a token)"},
		{"entities", `<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>`, "(the bound on XML entities is 0)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := content.DefaultBounds()
			b.Depth, b.Text = 50, 1000
			_, err := walk(t, NewDecoder([]byte(test.xml), b), 50)
			if kind(err) != pipeline.KindTooLarge || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want too large, %s", err, test.want)
			}
		})
	}
}

// The bound on a tag is smaller than that on a text, for its attributes take 13 times their size.
func TestTagBound(t *testing.T) {
	b := content.DefaultBounds()
	long := strings.Repeat("x", maxTag+1)
	if _, err := walk(t, NewDecoder([]byte("<a>"+long+"</a>"), b), 512); err != nil {
		t.Errorf("a text of %d bytes: %v", len(long), err)
	}
	if _, err := walk(t, NewDecoder([]byte("<a b='"+long+"'/>"), b), 512); kind(err) != pipeline.KindTooLarge {
		t.Errorf("an attribute of %d bytes: %v, want too large", len(long), err)
	}
}

func TestPartAsXML(t *testing.T) {
	data := makeZip(t, file{"a.xml", "<a>" + words + "</a>", zip.Deflate})
	a, err := Open(data[:len(data)-190], content.DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.XML("a.xml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := walk(t, d, 512)
	if !strings.HasPrefix(got, "(a all the words") || !errors.Is(err, ErrDamaged) {
		t.Errorf("got %.40q, error %v, want what is there and ErrDamaged", got, err)
	}
}

func TestSkipAndText(t *testing.T) {
	d := NewDecoder([]byte(`<a><skip>no<x>no</x></skip><b>yes <i>and</i> yes</b><c/></a>`), content.DefaultBounds())
	var got []string
	err := d.Children(func(a *Node) error {
		return d.Children(func(n *Node) error {
			if n.Name == "b" {
				text, err := d.Text()
				got = append(got, text)
				return err
			}
			got = append(got, n.Name)
			return nil
		})
	})
	if want := "skip|yes and yes|c"; err != nil || strings.Join(got, "|") != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestAttr(t *testing.T) {
	d := NewDecoder([]byte(`<p:sldId xmlns:p="http://purl.oclc.org/ooxml/presentationml/main" id="256" rel:id="rId2" e=""
		xmlns:rel="http://schemas.openxmlformats.org/officeDocument/2006/relationships"/>`), content.DefaultBounds())
	err := d.Children(func(n *Node) error {
		for name, want := range map[string]string{"id": "256", "r:id": "rId2", "e": "", "none": ""} {
			if got := n.Attr(name); got != want {
				t.Errorf("Attr(%q) = %q, want %q", name, got, want)
			}
		}
		if _, ok := n.Lookup("e"); !ok {
			t.Error("Lookup(e): not there")
		}
		if _, ok := n.Lookup("none"); ok {
			t.Error("Lookup(none): there")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzDecoder(f *testing.F) {
	for _, seed := range []string{
		`<a x="1">b<c/>d</a>`, `<w:p xmlns:w="` + strict + `"><w:t>x</w:t></w:p>`, `<a>&#1;&#x10FFFF;&lt;</a>`,
		`<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, "\xff\xfe" + utf16le(`<a>é</a>`), `<a></b></a></a>`, `<a><![CDATA[x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := content.DefaultBounds()
		b.Depth, b.Text = 20, 10_000
		walk(t, NewDecoder(data, b), b.Depth)
	})
}
