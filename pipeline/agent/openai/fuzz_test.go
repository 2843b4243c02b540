package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode"

	library "github.com/sashabaranov/go-openai"

	"docbatch/pipeline"
)

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// clientOver gives a client like New's over another transport.
func clientOver(transport http.RoundTripper, base string) *library.Client {
	config := library.DefaultConfig(testKey)
	config.BaseURL = base
	config.HTTPClient = &guard{transport: transport}
	return library.NewClientWithConfig(config)
}

// canned gives an agent whose every request is answered with body, without a network.
func canned(t testing.TB, status int, body []byte) *Agent {
	a := dial(t, "http://127.0.0.1:1/v1", func(o *Options) { o.MaxResponseBytes = 1 << 20 })
	a.client = clientOver(roundTripFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}, nil
	}), a.base)
	return a
}

var classes = map[pipeline.Class]bool{pipeline.Transient: true, pipeline.Throttled: true, pipeline.Refused: true, pipeline.Fatal: true}

// checkError checks what holds for every error.
func checkError(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*pipeline.Error](err)
	if !ok || !classes[e.Class] || e.Kind == "" || e.RetryAfter != 0 {
		t.Errorf("got %#v, want a classed error", err)
	}
	if strings.ContainsFunc(err.Error(), unicode.IsControl) || len(err.Error()) > 2*sentenceBytes {
		t.Errorf("got %q, want a short clean sentence", err)
	}
}

func seed(f *testing.F) {
	for _, body := range []string{
		good, good[:90], good + "x", "\uFEFF" + good, `{}`, `null`, `"x"`, `{"error":{"message":"no","code":429}}`, `[{"error":{"message":"no"}}]`,
		`{"detail":[{"msg":"no"}]}`, `{"choices":[{"message":{"content":["a",{"text":{"value":"b"}}]}}]}`, "<html><title>no</title>", "",
		`{"choices":[{"text":"x","message":{"content":"y"},"delta":{"content":"z"}}]}`, `{"choices":[{"message":{"content":"y","content":["z"]}}]}`,
		pieceA + pieceB + stopped + usage + doneLine, pieceA + "data:", pieceA + "event: error\ndata: no\n\n", ": x\r\r\n" + pieceA, "data: {\ndata: }\n\n",
		"data: [DONE]", "data: {\"error\":null,\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}",
	} {
		f.Add([]byte(body), 200)
	}
	f.Add([]byte(`{"error":"no"}`), 500)
	f.Add([]byte(`x`), 304)
}

// FuzzPlain: no body makes Ask panic, no cut one is an answer, and the two ways to decode agree.
func FuzzPlain(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		a := canned(t, status, body)
		answer, err := a.Ask(t.Context(), question())
		if err != nil {
			checkError(t, err)
			return
		}
		var v any
		whole := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, bom))).Decode(&v) == nil
		if streamed := bytes.Contains(body, []byte("data")); !whole && !(streamed && signed(body)) {
			t.Errorf("got the answer %q of a body that is not whole", answer.Text)
		}
		checkAnswer(t, answer.Text, status)
		checkSame(t, body, answer.Text)
	})
}

// FuzzStream: no body makes Ask panic, and none is an answer without a sign that it is whole.
func FuzzStream(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		a := canned(t, status, body)
		var said strings.Builder
		req := question()
		req.Stream, req.OnText = true, func(s string) { said.WriteString(s) }
		answer, err := a.Ask(t.Context(), req)
		if err != nil {
			checkError(t, err)
			return
		}
		if !signed(body) && !endsInJSON(body) {
			t.Errorf("got the answer %q without a sign of its end", answer.Text)
		}
		checkAnswer(t, answer.Text, status)
		if said.String() != answer.Text {
			t.Errorf("OnText got %q, want %q", said.String(), answer.Text)
		}
	})
}

// signed reports whether a stream may say of itself that it is whole. A member's name may be escaped, and encoding/json
// takes two letters outside of ASCII for s and k.
func signed(body []byte) bool {
	low := strings.ToLower(string(body))
	for _, sign := range []string{"[done]", "finish_reason", `\u`, "\u017f", "\u212a"} {
		if strings.Contains(low, sign) {
			return true
		}
	}
	return false
}

// endsInJSON reports whether body is one JSON value from the beginning of some line on.
func endsInJSON(body []byte) bool {
	rest := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(bytes.TrimPrefix(body, bom)))
	for found := true; found; _, rest, found = strings.Cut(rest, "\n") {
		if json.Valid([]byte(rest)) {
			return true
		}
	}
	return false
}

func checkAnswer(t *testing.T, text string, status int) {
	t.Helper()
	if strings.TrimSpace(text) == "" || status < 200 || status > 299 {
		t.Errorf("got the answer %q with status %d", text, status)
	}
}

// checkSame decodes body leniently, as is done where the library finds nothing.
func checkSame(t *testing.T, body []byte, want string) {
	t.Helper()
	var w wireCompletion
	if looksStreamed(body) || decodeLoose(body, &w) != nil || len(w.Choices) == 0 {
		return
	}
	var d completion
	if d.add(&w.Choices[0]); string(d.text) != want {
		t.Errorf("got %q by the library, %q by our own decoding", want, d.text)
	}
}
