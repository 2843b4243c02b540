package openai

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// nginxPage is an error page of nginx.
func nginxPage(title string) string {
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
}

// TestField has one case for each line of what is met in the field: of the dialects of errors, the answers with 200 that are
// none, and the streams. Each is sent to a plain and to a streaming request. The sentences hold the key, as some services
// echo it; {key} stands for it as it is within JSON.
func TestField(t *testing.T) {
	const sentence = `cannot take this, you sent Bearer {key}`
	choice := func(message, finish string) string {
		return `{"choices":[{"index":0,"message":` + message + `,"finish_reason":` + finish + `}]}`
	}
	tests := []struct {
		name   string
		status int
		header string // a header line, if any
		body   string
		class  pipeline.Class // "" for an answer
		kind   string         // or the answer's finish reason
		says   string         // or its text
	}{
		// Section 2, the dialects.
		{"OpenAI", 400, "", `{"error":{"message":"` + sentence + `","type":"invalid_request_error","code":"bad"}}`, pipeline.Refused, pipeline.KindRequest, "refused the request: cannot take this, you sent Bearer ***"},
		{"vLLM, new", 400, "", `{"error":{"message":"` + sentence + `","type":"BadRequestError","code":400}}`, pipeline.Refused, pipeline.KindRequest, ": cannot take this, you sent Bearer ***"},
		{"vLLM, old", 400, "", `{"object":"error","message":"` + sentence + `","code":400}`, pipeline.Refused, pipeline.KindRequest, ": cannot take this, you sent Bearer ***"},
		{"FastAPI", 400, "", `{"detail":"` + sentence + `"}`, pipeline.Refused, pipeline.KindRequest, ": cannot take this, you sent Bearer ***"},
		{"Ollama", 400, "", `{"error":{"message":"` + sentence + `","type":"api_error","param":null,"code":null}}`, pipeline.Refused, pipeline.KindRequest, ": cannot take this, you sent Bearer ***"},
		{"error is a string", 400, "", `{"error":"` + sentence + `"}`, pipeline.Refused, pipeline.KindRequest, ": cannot take this, you sent Bearer ***"},
		{"error is null", 400, "", `{"error":null}`, pipeline.Refused, pipeline.KindRequest, ": 400 Bad Request"},
		{"Gemini", 400, "", `[{"error":{"code":400,"message":"` + sentence + `","status":"INVALID_ARGUMENT"}}]`, pipeline.Refused, pipeline.KindRequest, ": cannot take this, you sent Bearer ***"},
		{"proxy, 401", 401, "", nginxPage("401 Authorization Required"), pipeline.Fatal, pipeline.KindKey, "HTML page instead of JSON: 401 Authorization Required"},
		{"proxy, 413", 413, "", nginxPage("413 Request Entity Too Large"), pipeline.Refused, pipeline.KindTooLong, "HTML page instead of JSON: 413 Request Entity Too Large"},
		{"proxy, 429", 429, "", nginxPage("429 Too Many Requests"), pipeline.Throttled, pipeline.KindRate, "HTML page instead of JSON: 429 Too Many Requests"},
		{"proxy, 502", 502, "", nginxPage("502 Bad Gateway"), pipeline.Transient, pipeline.KindServer, "HTML page instead of JSON: 502 Bad Gateway"},
		{"proxy, 504", 504, "", nginxPage("504 Gateway Time-out"), pipeline.Transient, pipeline.KindServer, "HTML page instead of JSON: 504 Gateway Time-out"},
		{"proxy, empty", 502, "", "", pipeline.Transient, pipeline.KindServer, ": 502 Bad Gateway"},
		{"proxy, the key in its title", 502, "", nginxPage("no way for Bearer " + testKey), pipeline.Transient, pipeline.KindServer, "no way for Bearer ***"},

		// Section 2, below the table.
		{"429, wait", 429, "Retry-After: 7", `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`, pipeline.Throttled, pipeline.KindRate, "asks for a pause: Rate limit reached"},
		{"429, out of money", 429, "Retry-After: 7", `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","code":"insufficient_quota"}}`, pipeline.Fatal, pipeline.KindQuota, "is used up: You exceeded your current quota"},
		{"429, a slope", 429, "", `{"error":{"message":"Your requests come faster and faster","type":"slow_down","code":"slow_down"}}`, pipeline.Throttled, pipeline.KindRate, "faster and faster"},
		{"400, no such agent", 400, "", `{"error":{"message":"Agent with slug inbox-reader does not exist"}}`, pipeline.Fatal, pipeline.KindAgent, "does not exist"},
		{"400, too long, by code", 400, "", `{"error":{"message":"no","code":"context_length_exceeded"}}`, pipeline.Refused, pipeline.KindTooLong, "too long"},
		{"400, too long, by sentence", 400, "", `{"object":"error","message":"This model's maximum context length is 4096 tokens.","code":400}`, pipeline.Refused, pipeline.KindTooLong, "4096 tokens"},
		{"401, the key expired", 401, "", `{"error":{"message":"the key {key} expired","code":"invalid_api_key"}}`, pipeline.Fatal, pipeline.KindKey, "refused the key: the key *** expired"},
		{"403, the key expired", 403, "", `{"error":{"message":"the key {key} expired"}}`, pipeline.Fatal, pipeline.KindKey, "the key *** expired"},
		{"503", 503, "", nginxPage("503 Service Temporarily Unavailable"), pipeline.Transient, pipeline.KindServer, "503 Service Temporarily Unavailable"},
		{"503, wait", 503, "Retry-After: 7", nginxPage("503 Service Temporarily Unavailable"), pipeline.Throttled, pipeline.KindServer, "asks for a pause"},
		{"529", 529, "", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, pipeline.Transient, pipeline.KindServer, ": Overloaded"},
		{"529, wait", 529, "Retry-After: 7", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, pipeline.Throttled, pipeline.KindServer, ": Overloaded"},

		// Section 3.
		{"200, error", 200, "", `{"error":{"message":"` + sentence + `","type":"server_error"}}`, pipeline.Transient, pipeline.KindServer, ": cannot take this, you sent Bearer ***"},
		{"200, error, throttled", 200, "Retry-After: 7", `{"error":{"message":"no","code":429}}`, pipeline.Throttled, pipeline.KindRate, "asks for a pause: no"},
		{"200, error, fatal", 200, "", `{"error":{"message":"no","code":"insufficient_quota"}}`, pipeline.Fatal, pipeline.KindQuota, "is used up: no"},
		{"200, error, refused", 200, "", `{"error":{"message":"no","code":"content_filter"}}`, pipeline.Refused, pipeline.KindFilter, "refused the document: no"},
		{"200, object", 200, "", `{}`, pipeline.Transient, pipeline.KindResponse, ""},
		{"200, no choices", 200, "", `{"choices":[]}`, pipeline.Transient, pipeline.KindResponse, "no choices"},
		{"200, choices null", 200, "", `{"choices":null}`, pipeline.Transient, pipeline.KindResponse, ""},
		{"200, content null", 200, "", choice(`{"content":null}`, `"stop"`), pipeline.Transient, pipeline.KindEmpty, "is empty"},
		{"200, content empty", 200, "", choice(`{"content":""}`, `"stop"`), pipeline.Transient, pipeline.KindEmpty, "is empty"},
		{"200, HTML", 200, "", "<!DOCTYPE html><html><title>Log in</title></html>", pipeline.Transient, pipeline.KindResponse, "HTML page instead of JSON: Log in"},
		{"200, empty body", 200, "", "", pipeline.Transient, pipeline.KindResponse, ""},
		{"200, cut body", 200, "Content-Length: 1000", choice(`{"content":"a letter"}`, `"stop"`)[:40], pipeline.Transient, pipeline.KindNetwork, "broke within the answer"},
		{"200, cut at the length limit", 200, "", choice(`{"content":"a let"}`, `"length"`), "", "length", "a let"},
		{"200, filtered", 200, "", choice(`{"content":"a let"}`, `"content_filter"`), pipeline.Refused, pipeline.KindFilter, "content filter"},
		{"200, content in parts", 200, "", choice(`{"content":[{"type":"text","text":"a "},{"type":"text","text":"letter"}]}`, `"stop"`), "", "stop", "a letter"},
		{"200, created is a float", 200, "", `{"created":1.5,"more":{},` + choice(`{"content":"a letter"}`, `"stop"`)[1:], "", "stop", "a letter"},

		// Section 4; a plain request may be answered so too.
		{"stream, finish reason and [DONE]", 200, "", pieceA + pieceB + stopped + doneLine, "", "stop", "a letter"},
		{"stream, finish reason only", 200, "", pieceA + pieceB + stopped, "", "stop", "a letter"},
		{"stream, [DONE] only", 200, "", pieceA + pieceB + doneLine, "", "", "a letter"},
		{"stream, neither", 200, "", pieceA + pieceB, pipeline.Transient, pipeline.KindResponse, "before the answer was whole"},
		{"stream, last line without a newline", 200, "", pieceA + pieceB + strings.TrimSpace(stopped), "", "stop", "a letter"},
		{"stream, event: error", 200, "", pieceA + "event: error\ndata: {\"message\":\"" + sentence + "\"}\n\n", pipeline.Transient, pipeline.KindServer, ": cannot take this, you sent Bearer ***"},
		{"stream, error after a comment", 200, "", ": wait\n\ndata: {\"error\":{\"message\":\"" + sentence + "\"}}\n\n", pipeline.Transient, pipeline.KindServer, ": cannot take this, you sent Bearer ***"},
		{"stream, 400 keep-alives", 200, "", strings.Repeat(": wait\n\n", 400) + pieceA + pieceB + stopped, "", "stop", "a letter"},
		{"stream, cut", 200, "Content-Length: 1000", pieceA + pieceB[:40], pipeline.Transient, pipeline.KindNetwork, "broke within the answer"},
		{"stream, usage last", 200, "", pieceA + pieceB + stopped + usage + doneLine, "", "stop", "a letter"},
	}
	for _, tt := range tests {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%v", tt.name, stream), func(t *testing.T) {
				var requests atomic.Int32
				a := serve(t, func(w http.ResponseWriter, r *http.Request) {
					requests.Add(1)
					if name, value, ok := strings.Cut(tt.header, ": "); ok {
						w.Header().Set(name, value)
					}
					w.WriteHeader(tt.status)
					io.WriteString(w, strings.ReplaceAll(tt.body, "{key}", quote(testKey)))
				})
				req := question()
				req.Stream = stream
				answer, err := a.Ask(t.Context(), req)
				if n := requests.Load(); n != 1 {
					t.Errorf("got %d requests, want 1", n)
				}
				if tt.class == "" {
					wantAnswer(t, answer, err, tt.says, tt.kind)
					return
				}
				e := wantError(t, err, tt.class, tt.kind, tt.says)
				wantClean(t, e.Error())
				if asked := strings.HasPrefix(tt.header, "Retry-After"); e.Status != tt.status || (e.RetryAfter == 7*time.Second) != asked {
					t.Errorf("got status %d, RetryAfter %v, want %d, with Retry-After: %v", e.Status, e.RetryAfter, tt.status, asked)
				}
			})
		}
	}
}

func wantAnswer(t *testing.T, got *agent.Answer, err error, text, finish string) {
	t.Helper()
	if err != nil {
		t.Fatalf("got error %v, want the answer %q", err, text)
	}
	if got.Text != text || got.FinishReason != finish {
		t.Errorf("got %q, %q, want %q, %q", got.Text, got.FinishReason, text, finish)
	}
}

// wantClean checks that what a person reads and the state keeps is a sentence, without the key.
func wantClean(t *testing.T, message string) {
	t.Helper()
	if strings.ContainsAny(message, "<>") || strings.ContainsFunc(message, unicode.IsControl) {
		t.Errorf("got %q, want no HTML and no control characters", message)
	}
	if _, said, _ := strings.Cut(message, ": "); len(said) > sentenceBytes {
		t.Errorf("got a sentence of %d bytes, want at most %d", len(said), sentenceBytes)
	}
	if strings.Contains(message, "canary") {
		t.Errorf("got %q, want the key scrubbed", message)
	}
}
