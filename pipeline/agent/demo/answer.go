package demo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"docbatch/pipeline/agent/demo/digest"
)

// An answer is what is said, and whether all of it.
type answer struct {
	text   string
	reason string // "stop", "length" or, for a fault, "content_filter"
}

// answer is the answer to the request, made when it is first asked for.
func (c *completion) answer() answer {
	if c.composed.reason == "" {
		c.composed = compose(c)
	}
	return c.composed
}

// compose digests the document in the prompt.
func compose(c *completion) answer {
	before, document, after := cutFence(c.question())
	d := digest.Of(document)
	text := plain(d)
	if c.wantsJSON(before, after) {
		text = asJSON(d)
	}
	return shorten(text, c.limit())
}

// shorten cuts an answer to a number of tokens; 0 leaves it whole.
func shorten(text string, limit int) answer {
	if limit == 0 || tokens(text) <= limit {
		return answer{text, "stop"}
	}
	n := limit * bytesPerToken
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return answer{text[:n], "length"}
}

const (
	openFence  = "<<<DOCUMENT "
	closeFence = "<<<END DOCUMENT "
)

// cutFence finds the document between the fence lines that docbatch writes: "<<<DOCUMENT tag>>>" and "<<<END DOCUMENT
// tag>>>", tag being the same hexadecimal digits. The first line that opens counts, so a document can't bring its own; one
// that never closes goes on to the end. Without a fence all of the question is the document.
func cutFence(question string) (before, document, after string) {
	for pos := 0; pos < len(question); {
		line, rest, _ := strings.Cut(question[pos:], "\n")
		tag, ok := fenceTag(line)
		if !ok {
			pos += len(line) + 1
			continue
		}
		before = question[:pos]
		end := closeFence + tag + ">>>"
		for at := 0; ; {
			i := strings.Index(rest[at:], end)
			if i < 0 {
				return before, rest, ""
			}
			i += at
			if at = i + len(end); i == 0 || rest[i-1] == '\n' {
				return before, strings.TrimSuffix(rest[:i], "\n"), rest[at:]
			}
		}
	}
	return question, question, ""
}

// fenceTag is the tag of a line that opens a fence.
func fenceTag(line string) (string, bool) {
	tag, ok := strings.CutPrefix(strings.TrimSuffix(line, "\r"), openFence)
	if !ok {
		return "", false
	}
	tag, ok = strings.CutSuffix(tag, ">>>")
	if !ok || len(tag) < 8 || len(tag) > 64 || strings.Trim(tag, "0123456789abcdefABCDEF") != "" {
		return "", false
	}
	return tag, true
}

// wantsJSON reports whether the request asks for JSON, by its format or by the word, which does not count in the document.
func (c *completion) wantsJSON(before, after string) bool {
	if c.Format != nil && c.Format.Type == "json_object" {
		return true
	}
	question := c.question()
	for _, m := range c.Messages {
		if s := string(m.Content); s != question && namesJSON(s) {
			return true
		}
	}
	return namesJSON(before) || namesJSON(after)
}

func namesJSON(s string) bool {
	return strings.Contains(s, "JSON") || strings.Contains(s, "json") || strings.Contains(s, "Json")
}

// plain writes a digest as lines that a person reads.
func plain(d digest.Digest) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Title: %s\n", or(d.Title, "(none)"))
	fmt.Fprintf(&b, "Language: %s\n", digest.LanguageName(d.Language))
	fmt.Fprintf(&b, "Summary: %s\n", or(d.SummaryText(), "(the document has no sentences)"))
	fmt.Fprintf(&b, "Key terms: %s\n", or(strings.Join(d.Terms, ", "), "(none)"))
	b.WriteString("Counts: ")
	for i, c := range []struct {
		n         int
		one, many string
	}{
		{d.Counts.Words, "word", "words"},
		{d.Counts.Sentences, "sentence", "sentences"},
		{d.Counts.Paragraphs, "paragraph", "paragraphs"},
		{d.Counts.Dates, "date", "dates"},
		{d.Counts.Amounts, "amount", "amounts"},
		{d.Counts.Numbers, "other number", "other numbers"},
	} {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(c.n))
		b.WriteByte(' ')
		if c.n == 1 {
			b.WriteString(c.one)
		} else {
			b.WriteString(c.many)
		}
	}
	if d.Counts.Partial {
		fmt.Fprintf(&b, " (in the first %d MiB)", digest.MaxBytes>>20)
	}
	return b.String()
}

// asJSON writes a digest as a JSON object.
func asJSON(d digest.Digest) string {
	object := struct {
		Title    string        `json:"title"`
		Language string        `json:"language"`
		Summary  string        `json:"summary"`
		Terms    []string      `json:"key_terms"`
		Counts   digest.Counts `json:"counts"`
	}{d.Title, d.Language, d.SummaryText(), append([]string{}, d.Terms...), d.Counts}
	body, err := json.Marshal(object)
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(body)
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
