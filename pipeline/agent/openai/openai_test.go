package openai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

const testKey = `sk-canary/7+"q"<&>`

// serve starts a server and gives an agent for it.
func serve(t testing.TB, h http.HandlerFunc, change ...func(*Options)) *Agent {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return dial(t, srv.URL+"/v1", change...)
}

func dial(t testing.TB, base string, change ...func(*Options)) *Agent {
	t.Helper()
	o := Options{BaseURL: base, Key: testKey}
	for _, f := range change {
		f(&o)
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func question() *agent.Request {
	return &agent.Request{Agent: "inbox-reader", Messages: []agent.Message{{Role: "user", Content: "what is this?"}}}
}

// wantError checks an error's class and kind and that it says each of words.
func wantError(t *testing.T, err error, class pipeline.Class, kind string, words ...string) *pipeline.Error {
	t.Helper()
	e, ok := errors.AsType[*pipeline.Error](err)
	if !ok {
		t.Fatalf("got error %v (%T), want a *pipeline.Error", err, err)
	}
	if e.Class != class || e.Kind != kind {
		t.Errorf("got %s/%s, want %s/%s: %v", e.Class, e.Kind, class, kind, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got %q, want %q in it", err, w)
		}
	}
	return e
}

const good = `{"id":"c1","object":"chat.completion","created":1700000000,"model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"a letter"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`

// with200 answers each request with body.
func with200(kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		io.WriteString(w, body)
	}
}

func TestAnswers(t *testing.T) {
	message := func(m, finish string) string {
		return fmt.Sprintf(`{"model":"m-1","choices":[{"index":0,"message":%s,"finish_reason":%s}]}`, m, finish)
	}
	tests := []struct {
		name, body string
		want       agent.Answer
	}{
		{"good", good, agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop", Tokens: pipeline.Tokens{Prompt: 7, Completion: 3}}},
		{"cut at the length limit", message(`{"content":"a let"}`, `"length"`), agent.Answer{Text: "a let", Model: "m-1", FinishReason: "length"}},
		{"cut, in Gemini's words", message(`{"content":"a let"}`, `"MAX_TOKENS"`), agent.Answer{Text: "a let", Model: "m-1", FinishReason: "length"}},
		{"no finish reason", message(`{"content":"a letter"}`, `null`), agent.Answer{Text: "a letter", Model: "m-1"}},
		{"parts", message(`{"content":[{"type":"text","text":"a "},{"type":"text","text":"letter"}]}`, `"stop"`), agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop"}},
		{"parts with thoughts", message(`{"content":[{"type":"thinking","text":"hm"},"a ",{"type":"text","text":{"value":"letter"}}]}`, `"stop"`), agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop"}},
		{"created is a float", strings.Replace(good, "1700000000", "1700000000.25", 1), agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop", Tokens: pipeline.Tokens{Prompt: 7, Completion: 3}}},
		{"tokens are floats", strings.Replace(good, `"prompt_tokens":7`, `"prompt_tokens":7.0`, 1), agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop", Tokens: pipeline.Tokens{Prompt: 7, Completion: 3}}},
		{"tokens are nonsense", strings.Replace(good, `"prompt_tokens":7`, `"prompt_tokens":-7`, 1), agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop", Tokens: pipeline.Tokens{Completion: 3}}},
		{"id is a number, model an object", `{"id":1,"model":{"a":1},"choices":[{"message":{"content":"a letter"}}]}`, agent.Answer{Text: "a letter"}},
		{"unknown members", `{"x":[1],"choices":[{"y":{},"message":{"z":1,"content":"a letter"}}]}`, agent.Answer{Text: "a letter"}},
		{"an error that is null", `{"error":null,` + good[1:], agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop", Tokens: pipeline.Tokens{Prompt: 7, Completion: 3}}},
		{"text that speaks of an error", message(`{"content":"it says \"error\""}`, `"stop"`), agent.Answer{Text: `it says "error"`, Model: "m-1", FinishReason: "stop"}},
		{"byte order mark", "\uFEFF" + good, agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop", Tokens: pipeline.Tokens{Prompt: 7, Completion: 3}}},
		{"junk behind it", good + "\n\njunk", agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop", Tokens: pipeline.Tokens{Prompt: 7, Completion: 3}}},
		{"a stream that nobody asked for", "data: {\"choices\":[{\"delta\":{\"content\":\"a \"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"letter\"}}]}\n\ndata: [DONE]\n\n", agent.Answer{Text: "a letter"}},
		{"content and tool calls", message(`{"content":"a letter","tool_calls":[{"id":"x"}]}`, `"stop"`), agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop"}},
		{"a legacy completion", `{"choices":[{"text":"a letter","finish_reason":"stop"}]}`, agent.Answer{Text: "a letter", FinishReason: "stop"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := serve(t, with200("application/json", tt.body)).Ask(t.Context(), question())
			if err != nil {
				t.Fatal(err)
			}
			if *got != tt.want {
				t.Errorf("got %+v, want %+v", *got, tt.want)
			}
		})
	}
}

func Test200ThatIsNoAnswer(t *testing.T) {
	message := func(m, finish string) string {
		return fmt.Sprintf(`{"choices":[{"message":%s,"finish_reason":%s}]}`, m, finish)
	}
	tests := []struct {
		name, body string
		class      pipeline.Class
		kind       string
		says       string
	}{
		{"error, unknown", `{"error":{"message":"it broke"}}`, pipeline.Transient, pipeline.KindServer, "it broke"},
		{"error as a string", `{"error":"it broke"}`, pipeline.Transient, pipeline.KindServer, "it broke"},
		{"error with a status", `{"error":{"message":"slow down","code":429}}`, pipeline.Throttled, pipeline.KindRate, "slow down"},
		{"error with a word", `{"error":{"message":"slow down","type":"rate_limit_error"}}`, pipeline.Throttled, pipeline.KindRate, "slow down"},
		{"error with the key's word", `{"error":{"message":"who?","code":"invalid_api_key"}}`, pipeline.Fatal, pipeline.KindKey, "who?"},
		{"error of quota", `{"error":{"message":"pay","code":"insufficient_quota"}}`, pipeline.Fatal, pipeline.KindQuota, "pay"},
		{"error of length", `{"error":{"message":"long","code":"context_length_exceeded"}}`, pipeline.Refused, pipeline.KindTooLong, "long"},
		{"error beside a text", `{"error":{"message":"it broke"},` + good[1:], pipeline.Transient, pipeline.KindServer, "it broke"},
		{"error in the choice", `{"choices":[{"error":{"message":"it broke","code":502},"message":{"content":"a let"}}]}`, pipeline.Transient, pipeline.KindServer, "it broke"},
		{"detail", `{"detail":"it broke"}`, pipeline.Transient, pipeline.KindServer, "it broke"},
		{"object", `{}`, pipeline.Transient, pipeline.KindResponse, "no choices"},
		{"no choices", `{"choices":[]}`, pipeline.Transient, pipeline.KindResponse, "no choices"},
		{"choices null", `{"choices":null}`, pipeline.Transient, pipeline.KindResponse, "no choices"},
		{"choices of another type", `{"choices":"none"}`, pipeline.Transient, pipeline.KindResponse, "no choices"},
		{"JSON null", `null`, pipeline.Transient, pipeline.KindResponse, "no choices"},
		{"content null", message(`{"content":null}`, `"stop"`), pipeline.Transient, pipeline.KindEmpty, "empty"},
		{"content empty", message(`{"content":""}`, `"stop"`), pipeline.Transient, pipeline.KindEmpty, "empty"},
		{"content blank", message(`{"content":" \n"}`, `"stop"`), pipeline.Transient, pipeline.KindEmpty, "empty"},
		{"no message", `{"choices":[{}]}`, pipeline.Transient, pipeline.KindEmpty, "empty"},
		{"reasoning only", message(`{"content":"","reasoning_content":"hm"}`, `"stop"`), pipeline.Transient, pipeline.KindEmpty, "reasoning"},
		{"cut before any text", message(`{"content":""}`, `"length"`), pipeline.Refused, pipeline.KindTruncated, "length limit"},
		{"filtered", message(`{"content":"a let"}`, `"content_filter"`), pipeline.Refused, pipeline.KindFilter, "filter"},
		{"filtered, in Gemini's word", message(`{"content":""}`, `"SAFETY"`), pipeline.Refused, pipeline.KindFilter, "filter"},
		{"broken off", message(`{"content":"a let"}`, `"error"`), pipeline.Transient, pipeline.KindServer, "broke off"},
		{"refusal", message(`{"content":null,"refusal":"I can't\nhelp"}`, `"stop"`), pipeline.Refused, pipeline.KindFilter, "I can't help"},
		{"tool calls", message(`{"content":null,"tool_calls":[{"id":"x"}]}`, `"tool_calls"`), pipeline.Refused, pipeline.KindEmpty, "tool"},
		{"page", `<!DOCTYPE html><html><head><title>Log in</title></head></html>`, pipeline.Transient, pipeline.KindResponse, "HTML page instead of JSON: Log in"},
		{"text", `all is well`, pipeline.Transient, pipeline.KindResponse, "is not JSON: all is well"},
		{"nothing", ``, pipeline.Transient, pipeline.KindResponse, "is empty"},
		{"cut", good[:len(good)-60], pipeline.Transient, pipeline.KindResponse, "cut or broken JSON"},
		{"a cut stream that nobody asked for", "data: {\"choices\":[{\"delta\":{\"content\":\"a let\"}}]}\n\n", pipeline.Transient, pipeline.KindResponse, "before the answer was whole"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := serve(t, with200("application/json", tt.body)).Ask(t.Context(), question())
			if err == nil {
				t.Fatalf("got the answer %+v, want an error", a)
			}
			e := wantError(t, err, tt.class, tt.kind, tt.says)
			if e.Status != 200 {
				t.Errorf("got status %d, want 200", e.Status)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	openAI := func(message, code string) string {
		return fmt.Sprintf(`{"error":{"message":%q,"type":"some_error","param":null,"code":%s}}`, message, code)
	}
	page := "<html>\r\n<head><title>502 Bad <b>Gateway</b></title></head>\r\n<body>x</body></html>"
	tests := []struct {
		name   string
		status int
		body   string
		class  pipeline.Class
		kind   string
		says   string
	}{
		// The dialects.
		{"OpenAI", 400, openAI("bad thing", `"bad"`), pipeline.Refused, pipeline.KindRequest, ": bad thing"},
		{"vLLM", 400, openAI("bad thing", `400`), pipeline.Refused, pipeline.KindRequest, ": bad thing"},
		{"Ollama", 400, openAI("bad thing", `null`), pipeline.Refused, pipeline.KindRequest, ": bad thing"},
		{"vLLM, old", 400, `{"object":"error","message":"bad thing","type":"BadRequestError","code":400}`, pipeline.Refused, pipeline.KindRequest, ": bad thing"},
		{"FastAPI", 422, `{"detail":"bad thing"}`, pipeline.Refused, pipeline.KindRequest, ": bad thing"},
		{"FastAPI, validation", 422, `{"detail":[{"loc":["body","x"],"msg":"bad","input":"model not found"},{"msg":"thing"}]}`, pipeline.Refused, pipeline.KindRequest, ": bad; thing"},
		{"error is a string", 400, `{"error":"bad thing"}`, pipeline.Refused, pipeline.KindRequest, ": bad thing"},
		{"error is a word", 400, `{"error":"bad","message":"bad thing"}`, pipeline.Refused, pipeline.KindRequest, ": bad thing"},
		{"error is null", 400, `{"error":null}`, pipeline.Refused, pipeline.KindRequest, "400 Bad Request"},
		{"message is a list", 400, `{"error":{"message":["bad","thing"]}}`, pipeline.Refused, pipeline.KindRequest, ": bad; thing"},
		{"Gemini", 400, `[{"error":{"code":400,"message":"bad thing","status":"INVALID_ARGUMENT"}}]`, pipeline.Refused, pipeline.KindRequest, ": bad thing"},
		{"text", 400, "bad\tthing\x00\n", pipeline.Refused, pipeline.KindRequest, ": bad thing"},
		{"page", 502, page, pipeline.Transient, pipeline.KindServer, ": HTML page instead of JSON: 502 Bad Gateway"},
		{"page without a title", 502, "<p>no", pipeline.Transient, pipeline.KindServer, "HTML page instead of JSON"},
		{"page within JSON", 502, `{"error":{"message":"upstream: <html><body>x</body>"}}`, pipeline.Transient, pipeline.KindServer, ": HTML page instead of JSON"},
		{"empty", 500, "", pipeline.Transient, pipeline.KindServer, ": 500 Internal Server Error"},
		{"deep", 400, strings.Repeat(`{"error":`, 50) + `"x"` + strings.Repeat(`}`, 50), pipeline.Refused, pipeline.KindRequest, "400 Bad Request"},

		// The key.
		{"401", 401, openAI("Incorrect API key provided", `"invalid_api_key"`), pipeline.Fatal, pipeline.KindKey, "refused the key: Incorrect"},
		{"401 page", 401, page, pipeline.Fatal, pipeline.KindKey, "refused the key"},
		{"403", 403, openAI("forbidden", `null`), pipeline.Fatal, pipeline.KindKey, "forbidden"},
		{"403, a firewall's page", 403, "<html><head><title>Access denied</title></head></html>", pipeline.Refused, pipeline.KindRequest, "Access denied"},
		{"400 of Google", 400, `[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","details":[{"reason":"API_KEY_INVALID"}]}}]`, pipeline.Fatal, pipeline.KindKey, "API key not valid"},

		// The agent.
		{"agent, by code", 404, openAI("The model `x` does not exist or you do not have access to it.", `"model_not_found"`), pipeline.Fatal, pipeline.KindAgent, `the agent "inbox-reader" does not exist at http://`},
		{"agent, 400", 400, openAI("Agent not found", `null`), pipeline.Fatal, pipeline.KindAgent, ": Agent not found"},
		{"agent, 400, named", 400, `{"message":"The agent 'inbox-reader' does not exist"}`, pipeline.Fatal, pipeline.KindAgent, ""},
		{"agent, with slug", 400, `{"message":"Agent with slug \"inbox reader\" was not found"}`, pipeline.Fatal, pipeline.KindAgent, ""},
		{"agent, Ollama", 404, `{"error":{"message":"model \"x\" not found, try pulling it first","code":null}}`, pipeline.Fatal, pipeline.KindAgent, ""},
		{"agent, vLLM", 404, `{"object":"error","message":"The model x does not exist.","type":"NotFoundError","code":404}`, pipeline.Fatal, pipeline.KindAgent, ""},
		{"agent, LiteLLM", 400, `{"error":{"message":"litellm.BadRequestError: Invalid model name passed in model=x","code":"400"}}`, pipeline.Fatal, pipeline.KindAgent, ""},
		{"agent, invalid model", 400, openAI("invalid model", `null`), pipeline.Fatal, pipeline.KindAgent, ""},
		{"agent, French", 400, openAI("Agent introuvable", `null`), pipeline.Fatal, pipeline.KindAgent, ""},
		{"agent, French, named", 400, openAI("L’agent « lecteur » n’existe pas", `null`), pipeline.Fatal, pipeline.KindAgent, ""},
		{"agent, French, est", 400, openAI("L'agent lecteur est inconnu", `null`), pipeline.Fatal, pipeline.KindAgent, ""},
		{"not about the agent", 400, openAI("agent error: file a.pdf not found", `null`), pipeline.Refused, pipeline.KindRequest, ""},
		{"nor about it", 400, openAI("Unsupported parameter: 'max_tokens' is not supported with this model.", `"unsupported_parameter"`), pipeline.Refused, pipeline.KindRequest, ""},
		{"the document speaks of an agent", 400, openAI("could not work on this document, which begins as follows and so on and so on and on: the agent x does not exist", `null`), pipeline.Refused, pipeline.KindRequest, ""},

		// The place.
		{"404 page", 404, page, pipeline.Fatal, pipeline.KindConfig, "/v1/chat/completions (a base URL mostly ends in /v1)"},
		{"404 of FastAPI", 404, `{"detail":"Not Found"}`, pipeline.Fatal, pipeline.KindConfig, ": Not Found"},
		{"405", 405, ``, pipeline.Fatal, pipeline.KindConfig, "405 Method Not Allowed"},
		{"407", 407, ``, pipeline.Fatal, pipeline.KindConfig, "proxy"},
		{"http to https", 400, "Client sent an HTTP request to an HTTPS server.\n", pipeline.Fatal, pipeline.KindConfig, "https://"},

		// Money and pauses.
		{"402", 402, openAI("pay", `null`), pipeline.Fatal, pipeline.KindQuota, "pay"},
		{"429, quota by code", 429, openAI("no", `"insufficient_quota"`), pipeline.Fatal, pipeline.KindQuota, ""},
		{"429, quota by type", 429, `{"error":{"message":"no","type":"insufficient_quota","code":null}}`, pipeline.Fatal, pipeline.KindQuota, ""},
		{"429, quota by words", 429, openAI("You exceeded your current quota, please check your plan and billing details.", `null`), pipeline.Fatal, pipeline.KindQuota, ""},
		{"403, billing", 403, openAI("your account has a billing problem", `null`), pipeline.Fatal, pipeline.KindQuota, ""},
		{"400, balance", 400, openAI("Your credit balance is too low to access the API", `null`), pipeline.Fatal, pipeline.KindQuota, ""},
		{"429", 429, openAI("slow down", `"rate_limit_exceeded"`), pipeline.Throttled, pipeline.KindRate, "asks for a pause: slow down"},
		{"429 page", 429, page, pipeline.Throttled, pipeline.KindRate, ""},
		{"429 that advertises billing", 429, openAI("Rate limit reached: 3 / min. Please try again in 20s. Visit /account/billing to add a payment method.", `null`), pipeline.Throttled, pipeline.KindRate, ""},
		{"429 of Google, a minute's quota", 429, `[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. Please retry in 24.5s.","status":"RESOURCE_EXHAUSTED"}}]`, pipeline.Throttled, pipeline.KindRate, ""},
		{"429 that no wait helps", 429, openAI("Request too large for gpt-4 on tokens per min (TPM): Limit 10000, Requested 12000.", `"rate_limit_exceeded"`), pipeline.Refused, pipeline.KindTooLong, ""},

		{"429, a slope", 429, openAI("Your request rate is rising too fast.", `"slow_down"`), pipeline.Throttled, pipeline.KindRate, ""},
		{"503, a slope", 503, `{"error":{"message":"no","type":"slow_down","code":null}}`, pipeline.Throttled, pipeline.KindRate, ""},
		{"503, a slope in words", 503, openAI("Slow Down. Please reduce your request rate.", `null`), pipeline.Throttled, pipeline.KindRate, ""},
		{"403 of Google, a rate", 403, `{"error":{"code":403,"message":"no","details":[{"reason":"rateLimitExceeded"}]}}`, pipeline.Throttled, pipeline.KindRate, ""},
		{"413 of Groq", 413, openAI("Request too large for model x on tokens per minute (TPM): Limit 6000, Requested 7000", `"rate_limit_exceeded"`), pipeline.Refused, pipeline.KindTooLong, ""},
		{"429, quota by type, rate by code", 429, `{"error":{"message":"no","type":"insufficient_quota","code":"rate_limit_exceeded"}}`, pipeline.Fatal, pipeline.KindQuota, ""},

		// The document.
		{"413 page", 413, page, pipeline.Refused, pipeline.KindTooLong, ""},
		{"context, by code", 400, openAI("no", `"context_length_exceeded"`), pipeline.Refused, pipeline.KindTooLong, ""},
		{"context, vLLM", 400, `{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens","code":400}`, pipeline.Refused, pipeline.KindTooLong, "4096"},
		{"context, llama.cpp", 500, openAI("the request exceeds the available context size", `500`), pipeline.Refused, pipeline.KindTooLong, ""},
		{"context, Anthropic", 400, openAI("prompt is too long: 210000 tokens > 200000 maximum", `null`), pipeline.Refused, pipeline.KindTooLong, ""},
		{"filter, by code", 400, openAI("no", `"content_filter"`), pipeline.Refused, pipeline.KindFilter, ""},
		{"filter, Azure", 400, `{"error":{"message":"no","code":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, pipeline.Refused, pipeline.KindFilter, ""},
		{"filter, by words", 400, openAI("The response was filtered due to the prompt triggering the content management policy", `null`), pipeline.Refused, pipeline.KindFilter, ""},
		{"409", 409, ``, pipeline.Refused, pipeline.KindRequest, "409 Conflict"},
		{"418", 418, ``, pipeline.Refused, pipeline.KindRequest, ""},

		// The service.
		{"408", 408, ``, pipeline.Transient, pipeline.KindServer, ""},
		{"425", 425, ``, pipeline.Transient, pipeline.KindServer, ""},
		{"500", 500, openAI("oops", `null`), pipeline.Transient, pipeline.KindServer, "oops"},
		{"503", 503, ``, pipeline.Transient, pipeline.KindServer, "503 Service Unavailable"},
		{"529", 529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, pipeline.Transient, pipeline.KindServer, ": Overloaded"},
	}
	for _, tt := range tests {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%v", tt.name, stream), func(t *testing.T) {
				a := serve(t, func(w http.ResponseWriter, r *http.Request) {
					w.WriteHeader(tt.status)
					io.WriteString(w, tt.body)
				})
				req := question()
				req.Stream = stream
				_, err := a.Ask(t.Context(), req)
				e := wantError(t, err, tt.class, tt.kind, tt.says)
				if e.Status != tt.status || e.RetryAfter != 0 {
					t.Errorf("got status %d, RetryAfter %v, want %d, 0", e.Status, e.RetryAfter, tt.status)
				}
				if strings.ContainsAny(err.Error(), "\n\r\t\x00<") {
					t.Errorf("got %q, want no control characters and no HTML", err)
				}
			})
		}
	}
}

func TestContextEnds(t *testing.T) {
	for _, stream := range []bool{false, true} {
		arrived := make(chan struct{})
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			close(arrived)
			<-r.Context().Done()
		})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		req := question()
		req.Stream = stream
		_, err := a.Ask(ctx, req)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("stream=%v: got %v, want context.Canceled", stream, err)
		}
		if _, classed := errors.AsType[*pipeline.Error](err); classed {
			t.Errorf("stream=%v: got a class for %v, want none", stream, err)
		}
	}
}

func TestImages(t *testing.T) {
	var got string
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = string(body)
		with200("application/json", good)(w, r)
	})
	req := question()
	req.Messages = append([]agent.Message{{Role: "system", Content: "look"}}, req.Messages...)
	req.Images = []pipeline.Image{{MediaType: "image/png", Data: []byte{1, 2, 3}, Page: 1}, {MediaType: "image/jpeg", Data: []byte{4}}}
	if _, err := a.Ask(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	want := `{"model":"inbox-reader","messages":[{"role":"system","content":"look"},{"role":"user","content":[{"type":"text","text":"what is this?"},` +
		`{"type":"image_url","image_url":{"url":"data:image/png;base64,AQID"}},{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,BA=="}}]}]}` + "\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
