package ooxml

import (
	"regexp"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A slideParagraph is an a:p (DrawingML), the paragraph of a slide, a diagram or a drawing.
type slideParagraph struct {
	*container
	relations byID // of the part that it is in

	level  int    // from 0
	bullet string // "" where nothing is said; noBullet, signBullet, or the scheme of automatic numbers: "arabicPeriod"
	start  int    // of automatic numbers

	text    *content.Writer
	address string // that the text since linkAt leads to
	linkAt  int
}

const (
	noBullet   = "none"
	signBullet = "sign"
)

// read reads the paragraph's properties and gives its text.
func (p *slideParagraph) read(x *pack.Decoder) (string, error) {
	p.text, p.start = content.NewWriter(p.file.Bounds.Text), 1
	err := x.Children(func(n *pack.Node) error { return p.child(x, n) })
	p.link("")
	if err == nil {
		err = p.text.Err()
	}
	return p.text.String(), err
}

func (p *slideParagraph) child(x *pack.Decoder, n *pack.Node) error {
	switch n.Name {
	case "a:pPr":
		p.level = clamp(n.Attr("lvl"), 0, maxLevels-1)
		return x.Children(p.property)
	case "a:r", "a:fld":
		return p.run(x)
	case "a:br":
		p.text.WriteString("\n")
	case "a14:m", "m:oMathPara", "m:oMath":
		text, err := math(x)
		p.text.WriteString(text)
		return err
	case "mc:AlternateContent":
		return alternate(x, p.text.Len, func(n *pack.Node) error { return p.child(x, n) })
	}
	return nil
}

func (p *slideParagraph) property(n *pack.Node) error {
	switch n.Name {
	case "a:buNone":
		p.bullet = noBullet
	case "a:buChar", "a:buBlip":
		p.bullet = signBullet
	case "a:buAutoNum":
		p.bullet = n.Attr("type")
		if start, ok := n.Lookup("startAt"); ok {
			p.start = clamp(start, 1, 1<<15)
		}
	}
	return nil
}

// run reads an a:r or an a:fld.
func (p *slideParagraph) run(x *pack.Decoder) error {
	address := ""
	return x.Children(func(n *pack.Node) error {
		switch n.Name {
		case "a:rPr":
			return x.Children(func(n *pack.Node) error {
				if r := p.relations[n.Attr("r:id")]; n.Name == "a:hlinkClick" && r.external {
					address = r.target
				}
				return nil
			})
		case "a:t":
			text, err := x.Text()
			if address != p.address {
				p.link(address)
			}
			p.text.WriteString(escaped.ReplaceAllString(text, "\n"))
			return err
		}
		return nil
	})
}

// escaped is how PowerPoint keeps the characters that XML does not allow (ST_Xstring); all that are in use are line breaks.
var escaped = regexp.MustCompile(`_x00[01][0-9A-Fa-f]_`)

// link ends the link that the text stands in, with its address where the text does not show it, and begins the next.
func (p *slideParagraph) link(next string) {
	if text := p.text.String()[p.linkAt:]; p.address != "" && strings.TrimSpace(text) != "" && !shows(text, p.address) {
		p.text.WriteString(" (" + p.address + ")")
	}
	p.address, p.linkAt = next, p.text.Len()
}

// A slideText is the text of a shape while its paragraphs are read: one a line, with bullets and numbers.
type slideText struct {
	*container
	relations byID
	bullets   bool // where a paragraph does not say

	lines  []slideLine
	counts [maxLevels]int
	scheme [maxLevels]string
	size   int
}

// A slideLine is a paragraph of a shape that holds text.
type slideLine struct {
	text, mark string
	level      int
}

// read reads a txBody.
func (t *slideText) read(x *pack.Decoder) error {
	return x.Children(func(n *pack.Node) error {
		if n.Name != "a:p" {
			return nil
		}
		p := slideParagraph{container: t.container, relations: t.relations}
		text, err := p.read(x)
		t.add(&p, strings.TrimSpace(text))
		if t.size > t.file.Bounds.Text {
			return content.TooLarge("a shape holds more than %s of text (the bound on text)", content.Bytes(int64(t.file.Bounds.Text)))
		}
		return err
	})
}

func (t *slideText) add(p *slideParagraph, text string) {
	if text == "" {
		return
	}
	line := slideLine{text: text, level: p.level}
	scheme := ""
	switch p.bullet {
	case "":
		if t.bullets {
			line.mark = "-"
		}
	case noBullet:
	case signBullet:
		line.mark = "-"
	default:
		scheme = p.bullet
		if t.scheme[p.level] != scheme {
			t.counts[p.level] = p.start - 1
		}
		t.counts[p.level]++
		line.mark = autoNumber(t.counts[p.level], scheme)
	}
	t.scheme[p.level] = scheme
	clear(t.scheme[p.level+1:])
	t.lines = append(t.lines, line)
	t.size += len(text) + 64 // what a line takes
}

// autoNumber writes a number in a scheme of ST_TextAutonumberScheme (ISO/IEC 29500-1, 20.1.10.61): "romanLcParenR" is "iv)".
func autoNumber(n int, scheme string) string {
	format := "decimal"
	for prefix, f := range map[string]string{"alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman",
		"circleNum": "decimalEnclosedCircle"} {
		if strings.HasPrefix(scheme, prefix) {
			format = f
		}
	}
	number := formatNumber(n, format)
	switch {
	case strings.HasSuffix(scheme, "ParenBoth"):
		return "(" + number + ")"
	case strings.HasSuffix(scheme, "ParenR"):
		return number + ")"
	case strings.HasSuffix(scheme, "Plain"):
		return number
	}
	return number + "."
}

// String is the text, one paragraph a line. One line alone has no bullet.
func (t *slideText) String() string {
	var b strings.Builder
	for _, line := range t.lines {
		indent := strings.Repeat("  ", line.level)
		switch {
		case line.mark == "-" && len(t.lines) == 1, line.mark == "":
			b.WriteString(line.text)
		default:
			b.WriteString(indent + line.mark + " " + strings.ReplaceAll(line.text, "\n", "\n"+indent+"  "))
		}
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n")
}
