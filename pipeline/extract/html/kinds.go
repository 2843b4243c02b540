package html

// blocks are the elements that begin and end a line, and what they leave between it and the next.
var blocks = func() map[string]int {
	gaps := map[string]int{}
	for _, name := range []string{"body", "center", "dd", "details", "dialog", "div", "dt", "figcaption", "frameset", "head", "iframe", "legend", "marquee", "optgroup",
		"summary", "tbody", "td", "tfoot", "th", "thead", "tr", "li"} {
		gaps[name] = newLine
	}
	for _, name := range []string{"address", "article", "aside", "blockquote", "caption", "dl", "fieldset", "figure", "footer", "form",
		"h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "main", "nav", "ol", "p", "pre", "search", "section", "table", "ul"} {
		gaps[name] = newBlock
	}
	return gaps
}()

// isSpaced are elements within a line that a person sees apart from the text around them.
var isSpaced = set("annotation", "audio", "button", "canvas", "label", "math", "object", "select", "textarea", "video")

// isSkipped are elements that hold no text for a person, or text that is there a second time.
var isSkipped = set("datalist", "rp", "script", "style", "svg", "template", "xml")

// isParsed are elements that hold markup for a browser without scripts or frames, which we are; the tokenizer takes it for text.
var isParsed = set("iframe", "noembed", "noframes", "noscript")

// isVoid are elements that have no end.
var isVoid = set("area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link", "meta", "param", "source",
	"track", "wbr")

// endsAlone are elements that the next one of the same name ends.
var endsAlone = set("dd", "dt", "li", "option", "p", "td", "th", "tr")

func set(names ...string) map[string]bool {
	s := make(map[string]bool, len(names))
	for _, name := range names {
		s[name] = true
	}
	return s
}
