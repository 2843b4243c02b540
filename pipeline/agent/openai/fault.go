package openai

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// A fault is what a service says of an error, whatever the dialect it says it in.
type fault struct {
	sentence string   // its own words, as they came
	codes    []string // codes, types and reasons, reduced by codeWord
	status   int      // a code that is an HTTP status; 0 where there is none
}

// readFault reads the body of an error: JSON in one of its dialects, or else text or a page.
func readFault(body []byte) fault {
	var v any
	if err := json.Unmarshal(bytes.TrimPrefix(body, bom), &v); err != nil {
		return fault{sentence: string(body)}
	}
	var f fault
	f.read(v, 0)
	return f
}

// faultIn finds the error in a body that came with status 200.
func faultIn(w *wireCompletion, raw []byte) (fault, bool) {
	if present(w.Error) {
		return readFault(w.Error), true
	}
	if len(w.Choices) > 0 {
		if present(w.Choices[0].Error) {
			return readFault(w.Choices[0].Error), true
		}
		return fault{}, false
	}
	if len(raw) > faultBytes {
		return fault{}, false
	}
	f := readFault(raw)
	return f, f.sentence != ""
}

// faultDepth bounds how deep an error may lie in others.
const faultDepth = 4

// read takes what v says: a sentence, an object with one, or a list of either.
func (f *fault) read(v any, depth int) {
	if depth > faultDepth {
		return
	}
	switch v := v.(type) {
	case string:
		f.say(v)
	case []any:
		for _, one := range v[:min(len(v), 3)] {
			f.read(one, depth+1)
		}
	case map[string]any:
		f.readObject(v, depth)
	}
}

// readObject takes the members of v that services use. What lies inside goes first: it is more exact.
func (f *fault) readObject(v map[string]any, depth int) {
	if inner, ok := v["error"]; ok {
		word, isWord := inner.(string)
		if isWord && (v["message"] != nil || v["error_description"] != nil) {
			f.code(word) // {"error":"invalid_request","message":"..."}
		} else {
			f.read(inner, depth+1)
		}
	}
	for _, name := range []string{"code", "type", "status", "reason"} {
		f.code(v[name])
	}
	for _, name := range []string{"innererror", "details", "errors"} {
		f.readCodes(v[name])
	}
	for _, name := range []string{"message", "msg", "error_description", "detail", "title", "errors"} {
		if f.sentence == "" || name == "msg" {
			f.read(v[name], depth+1)
		}
	}
}

// readCodes takes the codes of what lies inside an error: Azure's innererror, Google's details.
func (f *fault) readCodes(v any) {
	switch v := v.(type) {
	case map[string]any:
		f.code(v["code"])
		f.code(v["reason"])
	case []any:
		for _, one := range v[:min(len(v), 3)] {
			if m, ok := one.(map[string]any); ok {
				f.readCodes(m)
			}
		}
	}
}

func (f *fault) say(s string) {
	if f.sentence != "" && s != "" {
		f.sentence += "; "
	}
	f.sentence += s
}

// code takes a code, which may be a number.
func (f *fault) code(v any) {
	switch v := v.(type) {
	case string:
		if n, err := strconv.Atoi(v); err == nil {
			f.code(float64(n))
		} else if word := codeWord(v); word != "" {
			f.codes = append(f.codes, word)
		}
	case float64:
		if v >= 400 && v <= 599 && f.status == 0 {
			f.status = int(v)
		}
	}
}

// codeWord reduces insufficient_quota, insufficientQuota and INSUFFICIENT-QUOTA to one word.
func codeWord(s string) string {
	if len(s) > 100 {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// sentenceBytes bounds what an error holds of the service's own words.
const sentenceBytes = 500

// sentence makes what a service said fit for an error: without the key, control characters and HTML, and not long.
func (a *Agent) sentence(said string) string {
	said = a.secret.scrub(cut(said, faultBytes)) // before a tag is taken out of the key, and after an entity is resolved
	if looksPage(said) {
		said = pageTitle(said)
	}
	return cut(a.secret.scrub(tidy(said, faultBytes)), sentenceBytes)
}

// tidy puts one space for each run of spaces and control characters, drops what can't be seen, and cuts after limit bytes.
func tidy(s string, limit int) string {
	s = strings.ToValidUTF8(cut(s, 2*limit), "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r): // zero width, writing direction
			return -1
		}
		return r
	}, s)
	return cut(strings.Join(strings.Fields(s), " "), limit)
}

// cut bounds s to limit bytes, the ellipsis included.
func cut(s string, limit int) string {
	const ellipsis = "…"
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit-len(ellipsis)], "") + ellipsis
}

var (
	page  = regexp.MustCompile(`(?i)^\s*<|<(!doctype|html|head|body)\b`)
	title = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	tag   = regexp.MustCompile(`<[^>]*>`)
)

func looksPage(s string) bool { return page.MatchString(cut(s, faultBytes)) }

// pageTitle is what a page of HTML says, in a line.
func pageTitle(s string) string {
	m := title.FindStringSubmatch(cut(s, faultBytes))
	if m == nil {
		return "HTML page instead of JSON"
	}
	said := strings.TrimSpace(strings.NewReplacer("<", " ", ">", " ").Replace(html.UnescapeString(tag.ReplaceAllString(m[1], " "))))
	if said == "" {
		return "HTML page instead of JSON"
	}
	return "HTML page instead of JSON: " + said
}

// statusLine is an HTTP status in words.
func statusLine(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}
