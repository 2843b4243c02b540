package demo_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"docbatch/pipeline/agent/demo"
)

// Whatever is sent, the server answers with valid JSON, or with a stream that ends as one.
func FuzzCompletion(f *testing.F) {
	for _, s := range []string{
		question(letter, ""), question(letter, `,"stream":true,"stream_options":{"include_usage":true},"max_tokens":7`),
		`{"model":"a","messages":[{"role":"user","content":[{"type":"text","text":"<<<DOCUMENT 0123abcd>>>\n"}]}]}`,
		question("x", `,"max_tokens":-5`), `{"model":7}`, `[]`, `{"messages":null}`, "", "\xff", `{"model":"a","messages":[{"role":"user","content":"\ud800 JSON"}]}`,
	} {
		f.Add(s)
	}
	s := demo.New(demo.Options{MaxBodyBytes: 1 << 16, TPM: 1 << 50})
	f.Fuzz(func(t *testing.T, body string) {
		w := ask(s, body)
		got := w.Body.String()
		switch {
		case strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream"):
			if !strings.HasSuffix(got, "data: [DONE]\n\n") {
				t.Errorf("the stream ends with %.100q", got[max(0, len(got)-100):])
			}
		case !json.Valid([]byte(got)):
			t.Errorf("status %d, not JSON: %.200q", w.Code, got)
		}
		if w.Code != 200 && w.Code != 400 && w.Code != 413 || !utf8.ValidString(got) {
			t.Errorf("status %d: %.200q", w.Code, got)
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	for _, size := range []int{2 << 10, 10 << 10, 1 << 20} {
		body := question("<<<DOCUMENT 0123abcd>>>\n"+text(size)+"\n<<<END DOCUMENT 0123abcd>>>", "")
		for _, stream := range []string{"", `,"stream":true`} {
			b.Run(fmt.Sprintf("%dKB/stream=%v", size>>10, stream != ""), func(b *testing.B) {
				s := demo.New(demo.Options{})
				asked := strings.TrimSuffix(body, "}") + stream + "}"
				b.ReportAllocs()
				for b.Loop() {
					if w := ask(s, asked); w.Code != 200 {
						b.Fatal(w.Code)
					}
				}
			})
		}
	}
}

// Over real connections, as a run with the built-in agent sees it.
func BenchmarkServer(b *testing.B) {
	server := httptest.NewServer(demo.New(demo.Options{}))
	defer server.Close()
	body := question(text(2<<10), "")
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			resp, err := server.Client().Post(server.URL+"/v1/chat/completions", "application/json", strings.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				b.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// text is believable English of a size, with changing words.
func text(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "The committee of district %d resolved on %d March 2026 to repair the bridge near station %d for £%d. ", i%97, i%28+1, i, 100+i%900)
		if i%5 == 4 {
			b.WriteString("\n\n")
		}
	}
	return b.String()[:size]
}
