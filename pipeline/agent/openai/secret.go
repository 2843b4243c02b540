package openai

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A secret holds the forms in which a service may echo the key, the longest first.
type secret struct {
	forms []string
	coded []string // in base64, where the case of letters counts
}

const (
	// shortestSecret is the length from which on a key is one: a local server's dummy "x" would blot out every message.
	shortestSecret = 4

	// shortestCoded is the same for the key in base64, of which only the part is known that does not depend on what is around it.
	shortestCoded = 8
)

func newSecret(key string) secret {
	if len(key) < shortestSecret {
		return secret{}
	}
	s := secret{forms: longestFirst([]string{
		key,
		url.QueryEscape(key),
		url.PathEscape(key),
		html.EscapeString(key),
		quote(key),
		quoteGo(key),
		quote(quote(key)), // JSON of one service in a string of another's
	})}
	if len(key) >= shortestCoded {
		s.coded = codings(key)
	}
	return s
}

// codings gives what is in every text in base64 that has the key somewhere within, alone or as in "Bearer KEY": the letters
// that depend on the key only, for each place that it may have in a group of three bytes.
func codings(key string) []string {
	var all []string
	for _, coding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			whole := coding.EncodeToString([]byte(strings.Repeat("\x00", before) + key))
			all = append(all, whole[(before*8+5)/6:(before+len(key))*8/6])
		}
	}
	return longestFirst(all)
}

// longestFirst sorts forms and drops what is there twice.
func longestFirst(forms []string) []string {
	slices.SortFunc(forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(forms)
}

// quote gives s as it stands between the quotes of a JSON string.
func quote(s string) string {
	quoted, _ := json.Marshal(s) // a string always encodes
	return string(quoted[1 : len(quoted)-1])
}

// quoteGo is the same for an error of net/http that quotes what came.
func quoteGo(s string) string {
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

// scrub replaces the key in text, whatever the case of its letters.
func (s secret) scrub(text string) string {
	for _, form := range s.forms {
		text = replaceFold(text, form, "***")
	}
	for _, form := range s.coded {
		text = strings.ReplaceAll(text, form, "***")
	}
	return text
}

// replaceFold replaces old, which is ASCII, in text without regard to case.
func replaceFold(text, old, with string) string {
	var out strings.Builder
	first := old[0] | ' '
	for i := 0; i+len(old) <= len(text); {
		if text[i]|' ' != first || !strings.EqualFold(text[i:i+len(old)], old) { // the first byte alone rules out most places
			i++
			continue
		}
		out.WriteString(text[:i])
		out.WriteString(with)
		text, i = text[i+len(old):], 0
	}
	if out.Len() == 0 {
		return text
	}
	out.WriteString(text)
	return out.String()
}
