package openai

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"docbatch/pipeline"
)

func TestNew(t *testing.T) {
	tests := []struct {
		name, base, key string
		says            string // "" where New succeeds
		not             string // never in the error
	}{
		{name: "https", base: "https://api.swiftask.fr/v1", key: testKey},
		{name: "slash at the end, no key", base: "http://localhost:11434/v1/"},
		{name: "capitals", base: "HTTPS://API.swiftask.fr/v1"},
		{name: "empty", base: "", says: "empty"},
		{name: "no scheme", base: "api.swiftask.fr/v1", says: "does not begin with https://"},
		{name: "another scheme", base: "ftp://api.swiftask.fr/v1", says: "does not begin with https://"},
		{name: "no host", base: "https:///v1", says: "no host"},
		{name: "not a URL", base: "https://[api/v1", says: "can't be read"},
		{name: "space", base: "https://api.swiftask.fr/v1 ", says: "space"},
		{name: "query", base: "https://api.swiftask.fr/v1?key=hush", says: "query", not: "hush"},
		{name: "empty query", base: "https://api.swiftask.fr/v1?", says: "query"},
		{name: "fragment", base: "https://api.swiftask.fr/v1#hush", says: "fragment", not: "hush"},
		{name: "user", base: "https://me:hush@api.swiftask.fr/v1", says: "user or password", not: "hush"},
		{name: "a call's URL", base: "https://api.swiftask.fr/v1/chat/completions/", says: "the base URL is https://api.swiftask.fr/v1"},
		{name: "line break in the key", base: "https://api.swiftask.fr/v1", key: "hush\n", says: "line break", not: "hush"},
		{name: "space in the key", base: "https://api.swiftask.fr/v1", key: "Bearer hush", says: "space", not: "hush"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(Options{BaseURL: tt.base, Key: tt.key})
			switch {
			case tt.says == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || pipeline.ClassOf(err) != pipeline.Fatal):
				t.Errorf("got %v, want a fatal error with %q", err, tt.says)
			case tt.not != "" && strings.Contains(err.Error(), tt.not):
				t.Errorf("got %v, want no %q in it", err, tt.not)
			}
		})
	}
	if _, err := New(Options{BaseURL: "https://api.swiftask.fr/v1", CallTimeout: -1}); err == nil {
		t.Error("got no error for a negative time-out")
	}
}

func TestInsecure(t *testing.T) {
	for base, want := range map[string]bool{
		"https://api.swiftask.fr/v1": false, "http://api.swiftask.fr/v1": true, "HTTP://10.0.0.1/v1": true,
		"http://localhost:1/v1": false, "http://a.localhost/": false, "http://127.1.2.3/v1": false, "http://[::1]:80/v1": false, "http://localhost.evil.org": true,
	} {
		if got := Insecure(base); got != want {
			t.Errorf("Insecure(%q): got %v, want %v", base, got, want)
		}
	}
}

// TestKeyInBase64 has services echo the key in base64, alone and within other words, such as those of basic authentication.
func TestKeyInBase64(t *testing.T) {
	for _, key := range []string{testKey, "sk-12345", "sk-canary-?~?~?~?~", "sk-proj-0123456789abcdefghij"} {
		for _, around := range [][2]string{{"", ""}, {"Bearer ", ""}, {"x:", "\n"}, {"user:", "y"}, {":", "zz"}} {
			for name, coding := range map[string]*base64.Encoding{
				"std": base64.StdEncoding, "raw": base64.RawStdEncoding, "url": base64.URLEncoding, "raw url": base64.RawURLEncoding,
			} {
				echo := coding.EncodeToString([]byte(around[0] + key + around[1]))
				got := newSecret(key).scrub("you sent " + echo + " to us")
				// What is left may hold two letters at each end of the key, and what was around it.
				if left := len(got) - len("you sent *** to us"); !strings.Contains(got, "***") || left > len(coding.EncodeToString([]byte(around[0]+around[1])))+8 {
					t.Errorf("%s of %q: got %q, want the key scrubbed", name, around[0]+key+around[1], got)
				}
			}
		}
	}
	if got := newSecret("demo123").scrub("aGVsbG8gd29ybGQ="); got != "aGVsbG8gd29ybGQ=" {
		t.Errorf("got %q, want what does not hold the key as it was", got)
	}
}

// TestKeyIsNowhere has services echo the key in every form and place.
func TestKeyIsNowhere(t *testing.T) {
	quoted, _ := json.Marshal(testKey)
	twice, _ := json.Marshal(string(quoted[1 : len(quoted)-1]))
	inJSON := func(s string) string {
		b, _ := json.Marshal(s)
		return string(b)
	}
	forms := map[string]string{
		"exact": testKey, "query": url.QueryEscape(testKey), "path": url.PathEscape(testKey), "html": html.EscapeString(testKey),
		"json": string(quoted[1 : len(quoted)-1]), "json twice": string(twice[1 : len(twice)-1]), "lower case": strings.ToLower(url.QueryEscape(testKey)),
		"bearer": "Authorization: Bearer " + testKey, "go": strconv.Quote(testKey), "twice in a row": testKey + testKey,
		"near the cut": strings.Repeat("x", sentenceBytes-10) + testKey, "split by a control character": "\x00" + testKey + "\x00",
	}
	for name, form := range forms {
		for place, body := range map[string]string{
			"message": `{"error":{"message":` + inJSON("bad key "+form+" given") + `}}`,
			"text":    "bad key " + form + " given",
			"title":   "<html><title>bad key " + form + " given</title>",
			"refusal": `{"choices":[{"message":{"refusal":` + inJSON(form) + `}}]}`,
		} {
			for _, status := range []int{200, 400, 401, 500} {
				for _, stream := range []bool{false, true} {
					a := canned(t, status, []byte(body))
					req := question()
					req.Stream = stream
					_, err := a.Ask(t.Context(), req)
					if err == nil {
						t.Fatalf("%s, %s, %d: got an answer, want an error", name, place, status)
					}
					if strings.Contains(strings.ToLower(err.Error()), "canary") {
						t.Errorf("%s, %s, %d: got %q, want the key scrubbed", name, place, status, err)
					}
				}
			}
		}
	}
}
