package demo_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline/agent/demo"
)

const letter = "Return of the deposit\n\nI moved out of the flat on 31 January 2026 and the deposit of £1,150.00 has not been returned. " +
	"Please return the deposit by 6 March 2026.\n"

// ask sends a body to a handler and gives what it recorded.
func ask(h http.Handler, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// question is the body of a request with one message, and further members.
func question(text, more string) string {
	content, _ := json.Marshal(text)
	return fmt.Sprintf(`{"model":"a","messages":[{"role":"user","content":%s}]%s}`, content, more)
}

type reply struct {
	ID, Object, Model string
	Choices           []struct {
		Message, Delta struct {
			Role, Content string
		}
		FinishReason *string `json:"finish_reason"`
	}
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	}
	Error *struct {
		Message, Type string
		Param, Code   *string
	}
}

func decode(t *testing.T, body []byte) reply {
	t.Helper()
	var r reply
	if err := json.Unmarshal(body, &r); err != nil {
		t.Fatalf("decode %.200q: %v", body, err)
	}
	return r
}

func TestPlainAnswer(t *testing.T) {
	w := ask(demo.New(demo.Options{}), question(letter, ""))
	r := decode(t, w.Body.Bytes())
	if w.Code != 200 || r.Object != "chat.completion" || r.Model != "a" || len(r.Choices) != 1 || w.Header().Get("X-Request-Id") == "" {
		t.Fatalf("got status %d, %+v", w.Code, r)
	}
	const want = "Title: Return of the deposit\nLanguage: English\n" +
		"Summary: I moved out of the flat on 31 January 2026 and the deposit of £1,150.00 has not been returned. Please return the deposit by 6 March 2026.\n" +
		"Key terms: deposit, return, returned, moved, flat\n" +
		"Counts: 31 words, 2 sentences, 2 paragraphs, 2 dates, 1 amount, 0 other numbers"
	if got := r.Choices[0].Message.Content; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := *r.Choices[0].FinishReason; got != "stop" {
		t.Errorf("finish reason: got %q, want stop", got)
	}
	if u := r.Usage; u == nil || u.Prompt != (len(letter)+3)/4+4 || u.Completion != (len(want)+3)/4 || u.Total != u.Prompt+u.Completion {
		t.Errorf("usage: got %+v", u)
	}
}

func TestWhatIsTheDocument(t *testing.T) {
	fence := func(s string) string {
		return "Say what it is about.\n<<<DOCUMENT 0123abcd>>>\n" + s + "\n<<<END DOCUMENT 0123abcd>>>\nThank you."
	}
	for _, tt := range []struct {
		name, body, want string
	}{
		{"fenced", question(fence("Title of it\n\nThe text of the document."), ""), "Title: Title of it\n"},
		{"fence with carriage returns", question("Ask\r\n<<<DOCUMENT 0123abcd>>>\r\nOf it\r\n\r\nThe text.\r\n<<<END DOCUMENT 0123abcd>>>\r\n", ""), "Title: Of it\n"},
		{"another fence inside", question(fence("Outer\n\n<<<DOCUMENT ffffffff>>>\nx\n<<<END DOCUMENT ffffffff>>>"), ""), "Title: Outer\n"},
		{"end with another tag inside", question(fence("<<<END DOCUMENT 11111111>>>\n\nstill inside"), ""), "still inside"},
		{"fence named in the instructions", question("Between <<<DOCUMENT 0123abcd>>> lines.\n"+fence("Inner"), ""), "Title: Inner\n"},
		{"never closed", question("Ask\n<<<DOCUMENT 0123abcd>>>\nOpen end", ""), "Title: Open end\n"},
		{"no fence", question("Just this", ""), "Title: Just this\n"},
		{"empty", question(fence(""), ""), "Title: (none)\n"},
		{"last user message", `{"model":"a","messages":[{"role":"user","content":"First"},{"role":"assistant","content":"x"},{"role":"user","content":"Second"},{"role":"assistant","content":"y"}]}`, "Title: Second\n"},
		{"no user message", `{"model":"a","messages":[{"role":"system","content":"Only this"}]}`, "Title: Only this\n"},
		{"a picture", `{"model":"a","messages":[{"role":"user","content":[{"type":"text","text":"Look\n"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}`, "picture (image/png) of 3 bytes"},
		{"parts", `{"model":"a","messages":[{"role":"user","content":[{"type":"text","text":"One\n"},{"type":"text","text":"and more words."}]}]}`, "Title: One\n"},
		{"JSON in the document asks for nothing", question(fence("About JSON"), ""), "Title: About JSON\n"},
		{"JSON asked for by word", question("Answer in JSON.\n"+fence("About it"), ""), `{"title":"About it","language":`},
		{"JSON asked for by the system prompt", `{"model":"a","messages":[{"role":"system","content":"Reply with a JSON object"},{"role":"user","content":"About it"}]}`, `{"title":"About it","language":`},
		{"JSON asked for by format", question("About it", `,"response_format":{"type":"json_object"}`), `"key_terms":[`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(demo.New(demo.Options{}), tt.body)
			if w.Code != 200 {
				t.Fatalf("got status %d: %s", w.Code, w.Body)
			}
			got := decode(t, w.Body.Bytes()).Choices[0].Message.Content
			if !strings.Contains(got, tt.want) {
				t.Errorf("got\n%s\nwant in it %q", got, tt.want)
			}
			if got[0] == '{' && !json.Valid([]byte(got)) {
				t.Errorf("not JSON: %s", got)
			}
		})
	}
}

func TestMaxTokens(t *testing.T) {
	for _, member := range []string{"max_tokens", "max_completion_tokens"} {
		r := decode(t, ask(demo.New(demo.Options{}), question("Äpfel und Öl über Ähren.", `,"`+member+`":3`)).Body.Bytes())
		if got := r.Choices[0].Message.Content; got != "Title: Äpfe" || *r.Choices[0].FinishReason != "length" || r.Usage.Completion != 3 {
			t.Errorf("%s: got %q, %s, %+v", member, got, *r.Choices[0].FinishReason, r.Usage)
		}
	}
}

func TestRefusals(t *testing.T) {
	ok := question("hello", "")
	for _, tt := range []struct {
		name        string
		opts        demo.Options
		body, key   string
		status      int
		code, param string
		message     string
	}{
		{"no key", demo.Options{Key: "k"}, ok, "", 401, "", "", "didn't provide"},
		{"no scheme", demo.Options{Key: "k"}, ok, "k", 401, "", "", "didn't provide"},
		{"wrong key", demo.Options{Key: "k"}, ok, "Bearer other", 401, "invalid_api_key", "", "Incorrect"},
		{"right key", demo.Options{Key: "k"}, ok, "bearer k", 200, "", "", ""},
		{"any key", demo.Options{}, ok, "Bearer whatever", 200, "", "", ""},
		{"unknown agent", demo.Options{Agents: []string{"b"}}, ok, "", 404, "model_not_found", "model", `"a" does not exist`},
		{"unknown agent, as Swiftask says it", demo.Options{Agents: []string{"b"}, BadRequest: true}, ok, "", 400, "model_not_found", "model", "does not exist"},
		{"known agent", demo.Options{Agents: []string{"b", "a"}}, ok, "", 200, "", "", ""},
		{"not JSON", demo.Options{}, "<html>", "", 400, "", "", "not a valid request"},
		{"empty body", demo.Options{}, "", "", 400, "", "", "not a valid request"},
		{"cut JSON", demo.Options{}, ok[:40], "", 400, "", "", "not a valid request"},
		{"no messages", demo.Options{}, `{"model":"a"}`, "", 400, "", "messages", "no messages"},
		{"messages null", demo.Options{}, `{"model":"a","messages":null}`, "", 400, "", "messages", "no messages"},
		{"messages no list", demo.Options{}, `{"model":"a","messages":{}}`, "", 400, "", "", "messages is not a list"},
		{"too many messages", demo.Options{}, `{"model":"a","messages":[` + strings.Repeat("{},", 10000) + "{}]}", "", 400, "", "", "more than 10000 messages"},
		{"too many parts", demo.Options{}, `{"model":"a","messages":[{"content":[` + strings.Repeat("{\"type\":\"text\"},", 1000) + "{}]}]}", "", 400, "", "", "more than 1000 parts"},
		{"a picture", demo.Options{}, `{"model":"a","messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, "", 400, "", "", "takes text, and pictures as data URLs"},
		{"content a number", demo.Options{}, `{"model":"a","messages":[{"role":"user","content":7}]}`, "", 400, "", "", "neither a string"},
		{"role", demo.Options{}, `{"model":"a","messages":[{"role":"boss","content":"x"}]}`, "", 400, "", "messages[0].role", "not a role"},
		{"no model", demo.Options{}, `{"messages":[{"role":"user","content":"x"}]}`, "", 400, "", "model", "model parameter"},
		{"model a number", demo.Options{}, `{"model":7}`, "", 400, "", "model", "not a valid request"},
		{"max_tokens 0", demo.Options{}, question("x", `,"max_tokens":0`), "", 400, "", "max_tokens", "at least 1"},
		{"n", demo.Options{}, question("x", `,"n":2`), "", 400, "", "n", "one answer"},
		{"schema", demo.Options{}, question("x", `,"response_format":{"type":"json_schema"}`), "", 400, "", "response_format", "json_object"},
		{"stream options alone", demo.Options{}, question("x", `,"stream_options":{"include_usage":true}`), "", 400, "", "stream_options", "stream is true"},
		{"too large", demo.Options{MaxBodyBytes: 50}, ok + strings.Repeat(" ", 50), "", 413, "request_too_large", "", "50 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(demo.New(tt.opts), tt.body, "Authorization", tt.key)
			if w.Code != tt.status {
				t.Fatalf("got status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if tt.status == 200 {
				return
			}
			e := decode(t, w.Body.Bytes()).Error
			if e == nil || e.Type != "invalid_request_error" || str(e.Code) != tt.code || str(e.Param) != tt.param || !strings.Contains(e.Message, tt.message) {
				t.Errorf("got %s, want code %q, param %q, message with %q", w.Body, tt.code, tt.param, tt.message)
			}
			if strings.Contains(w.Body.String(), "other") {
				t.Errorf("the key is in the answer: %s", w.Body)
			}
		})
	}
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestPaths(t *testing.T) {
	s := demo.New(demo.Options{Agents: []string{"a", "team/b"}, Key: "k"})
	for _, tt := range []struct {
		method, path, key string
		status            int
		want              string
	}{
		{"GET", "/v1/models", "k", 200, `"id":"team/b","object":"model"`},
		{"GET", "/v1/models/team/b", "k", 200, `"id":"team/b"`},
		{"GET", "/v1/models/c", "k", 404, `"model_not_found"`},
		{"GET", "/v1/models", "x", 401, `"invalid_api_key"`},
		{"POST", "/v1/models", "k", 405, `takes GET`},
		{"GET", "/v1/chat/completions", "k", 405, `takes POST`},
		{"POST", "/chat/completions", "k", 404, `base URL ends with /v1`},
		{"POST", "/v1/v1/chat/completions", "k", 404, `base URL ends with /v1`},
		{"POST", "//v1/chat/completions", "k", 404, `base URL ends with /v1`},
	} {
		r := httptest.NewRequest(tt.method, "http://h/", nil)
		r.URL.Path = tt.path
		r.Header.Set("Authorization", "Bearer "+tt.key)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s %s: got %d %s, want %d with %s", tt.method, tt.path, w.Code, w.Body, tt.status, tt.want)
		}
	}
}

// events gives the data of a stream's events.
func events(t *testing.T, body io.Reader) (data []string, err error) {
	t.Helper()
	in := bufio.NewScanner(body)
	for in.Scan() {
		if d, ok := strings.CutPrefix(in.Text(), "data: "); ok {
			data = append(data, d)
		} else if in.Text() != "" {
			t.Errorf("a line that is no event: %q", in.Text())
		}
	}
	return data, in.Err()
}

func TestStream(t *testing.T) {
	server := httptest.NewServer(demo.New(demo.Options{}))
	defer server.Close()
	plain := decode(t, ask(demo.New(demo.Options{}), question(letter, "")).Body.Bytes())
	for _, withUsage := range []bool{false, true} {
		more := `,"stream":true`
		if withUsage {
			more += `,"stream_options":{"include_usage":true}`
		}
		resp, err := http.Post(server.URL+"/v1/chat/completions", "application/json", strings.NewReader(question(letter, more)))
		if err != nil {
			t.Fatal(err)
		}
		data, err := events(t, resp.Body)
		if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
			t.Fatalf("got %v, %v", err, resp.Header)
		}
		checkStream(t, data, withUsage, plain)
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}

func checkStream(t *testing.T, data []string, withUsage bool, plain reply) {
	t.Helper()
	if len(data) < 5 || data[len(data)-1] != "[DONE]" {
		t.Fatalf("got %q, want [DONE] at the end", data)
	}
	var text strings.Builder
	var chunks []reply
	for _, d := range data[:len(data)-1] {
		r := decode(t, []byte(d))
		chunks = append(chunks, r)
		for _, c := range r.Choices {
			text.WriteString(c.Delta.Content)
		}
	}
	if got, want := text.String(), plain.Choices[0].Message.Content; got != want {
		t.Errorf("got %q, want the plain answer %q", got, want)
	}
	if first := chunks[0].Choices[0]; first.Delta.Role != "assistant" || first.FinishReason != nil {
		t.Errorf("first chunk: got %+v", first)
	}
	last := chunks[len(chunks)-1]
	if withUsage {
		if len(last.Choices) != 0 || last.Usage == nil || *last.Usage != *plain.Usage {
			t.Errorf("usage chunk: got %+v, want %+v", last, plain.Usage)
		}
		last = chunks[len(chunks)-2]
	}
	if last.Usage != nil || len(last.Choices) != 1 || str(last.Choices[0].FinishReason) != "stop" || last.ID != chunks[0].ID {
		t.Errorf("last chunk: got %+v", last)
	}
}

// A sliding window: never more than the limit in any 60 s, and all of the limit is given out.
func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rpm = 10
		var journal bytes.Buffer
		s := demo.New(demo.Options{RPM: rpm, Journal: &journal})
		start := time.Now()
		var admitted []time.Duration
		for at := time.Duration(0); at < 5*time.Minute; at += 700 * time.Millisecond {
			w := ask(s, question("x", ""))
			switch w.Code {
			case 200:
				admitted = append(admitted, at)
			case 429:
				checkLimited(t, w, at-admitted[len(admitted)-rpm])
			default:
				t.Fatalf("got status %d", w.Code)
			}
			time.Sleep(time.Until(start.Add(at + 700*time.Millisecond)))
		}
		for i := rpm; i < len(admitted); i++ {
			if d := admitted[i] - admitted[i-rpm]; d < time.Minute {
				t.Errorf("%d requests within %v", rpm+1, d)
			}
		}
		if got := len(admitted); got != 5*rpm {
			t.Errorf("admitted %d in 5 minutes, want %d", got, 5*rpm)
		}
		if n := s.Stats(); n.Status[200] != 5*rpm || n.Requests != n.Status[200]+n.Status[429] || n.Requests != bytes.Count(journal.Bytes(), []byte("\n")) {
			t.Errorf("stats: got %+v", n)
		}
	})
}

// checkLimited checks a 429 at a time when the oldest request in the window is of age.
func checkLimited(t *testing.T, w *httptest.ResponseRecorder, age time.Duration) {
	t.Helper()
	seconds := int((time.Minute - age + time.Second - 1) / time.Second)
	h := w.Header()
	if got, want := h.Get("Retry-After"), fmt.Sprint(seconds); got != want {
		t.Errorf("Retry-After: got %s, want %s", got, want)
	}
	if h.Get("X-Ratelimit-Limit-Requests") != "10" || h.Get("X-Ratelimit-Remaining-Requests") != "0" {
		t.Errorf("headers: got %v", h)
	}
	if reset, err := time.ParseDuration(h.Get("X-Ratelimit-Reset-Requests")); err != nil || reset < time.Minute-age || reset > time.Minute {
		t.Errorf("reset: got %v, %v, want between %v and a minute", reset, err, time.Minute-age)
	}
	if e := decode(t, w.Body.Bytes()).Error; e == nil || str(e.Code) != "rate_limit_exceeded" {
		t.Errorf("got %s", w.Body)
	}
}

func TestRemaining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := demo.New(demo.Options{RPM: 3})
		remaining := func() string {
			return ask(s, question("x", "")).Header().Get("X-Ratelimit-Remaining-Requests")
		}
		var got []string
		for _, pause := range []time.Duration{0, 30 * time.Second, 0, 0, 30 * time.Second, 31 * time.Second} {
			time.Sleep(pause)
			got = append(got, remaining())
		}
		if want := "[2 1 0 0 0 1]"; fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	})
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ask(demo.New(demo.Options{Latency: 3 * time.Second}), question("x", ""))
		if got := time.Since(start); got != 3*time.Second {
			t.Errorf("answered after %v, want 3s", got)
		}
	})
}
