package openai

import (
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
)

// A secret holds the forms in which a service may echo the key, the longest first.
type secret []string

// shortestSecret is the length from which on a key is one: a local server's dummy "x" would blot out every message.
const shortestSecret = 4

func newSecret(key string) secret {
	if len(key) < shortestSecret {
		return nil
	}
	forms := []string{
		key,
		url.QueryEscape(key),
		url.PathEscape(key),
		html.EscapeString(key),
		quote(key),
		quote(quote(key)), // JSON of one service in a string of another's
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(forms)
}

// quote gives s as it stands between the quotes of a JSON string.
func quote(s string) string {
	quoted, _ := json.Marshal(s) // a string always encodes
	return string(quoted[1 : len(quoted)-1])
}

// scrub replaces the key in text, whatever the case of its letters.
func (s secret) scrub(text string) string {
	for _, form := range s {
		text = replaceFold(text, form, "***")
	}
	return text
}

// replaceFold replaces old, which is ASCII, in text without regard to case.
func replaceFold(text, old, with string) string {
	var out strings.Builder
	for i := 0; i+len(old) <= len(text); {
		if !strings.EqualFold(text[i:i+len(old)], old) {
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
