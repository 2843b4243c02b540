package openai

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// Pieces of streams.
const (
	pieceA   = `data: {"model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":"a "}}]}` + "\n\n"
	pieceB   = `data: {"model":"m-1","choices":[{"index":0,"delta":{"content":"letter"}}]}` + "\n\n"
	stopped  = `data: {"model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	usage    = `data: {"model":"m-1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}` + "\n\n"
	doneLine = "data: [DONE]\n\n"
)

func TestStreams(t *testing.T) {
	whole := agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop", Tokens: pipeline.Tokens{Prompt: 7, Completion: 3}}
	noUsage := agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "stop"}
	noReason := agent.Answer{Text: "a letter", Model: "m-1"}
	all := pieceA + pieceB + stopped + usage + doneLine
	tests := []struct {
		name, body string
		want       agent.Answer
	}{
		{"as it should be", all, whole},
		{"without usage", pieceA + pieceB + stopped + doneLine, noUsage},
		{"finish reason, no [DONE]", pieceA + pieceB + stopped, noUsage},
		{"[DONE], no finish reason", pieceA + pieceB + doneLine, noReason},
		{"[DONE] without a newline", pieceA + pieceB + "data:[DONE]", noReason},
		{"last line without a newline", pieceA + pieceB + strings.TrimSpace(stopped), noUsage},
		{"CR LF", strings.ReplaceAll(all, "\n", "\r\n"), whole},
		{"CR", strings.ReplaceAll(all, "\n", "\r"), whole},
		{"byte order mark", "\uFEFF" + all, whole},
		{"no blank lines", strings.ReplaceAll(all, "\n\n", "\n"), whole},
		{"400 comments", strings.Repeat(": keep-alive\n\n", 400) + all, whole},
		{"400 comments between", pieceA + strings.Repeat(": keep-alive\n", 400) + pieceB + stopped + usage + doneLine, whole},
		{"other fields and words", "id: 1\nretry: 5\nevent: message\n" + all[:len(pieceA)] + "data: ping\n\ndata:\n\n" + all[len(pieceA):], whole},
		{"an event in several lines", "data: {\ndata: \"choices\":[{\"delta\":{\"content\":\"a \"}}]\ndata: }\n\n" + pieceB + stopped, noUsage},
		{"error null first", strings.ReplaceAll(all, `data: {`, `data: {"error":null,`), whole},
		{"a member of another type", strings.ReplaceAll(all, `"index":0`, `"logprobs":[1],"index":"0","created":1.5`), whole},
		{"a second choice", pieceA + `data: {"choices":[{"index":1,"delta":{"content":"X"},"finish_reason":"length"}]}` + "\n\n" + pieceB + stopped, noUsage},
		{"cut at the length limit", pieceA + pieceB + strings.Replace(stopped, "stop", "length", 1), agent.Answer{Text: "a letter", Model: "m-1", FinishReason: "length"}},
		{"a whole completion instead", good, whole},
		{"a whole completion, indented", strings.ReplaceAll(good, ",", ",\n  "), whole},
		{"a whole completion, no reason", strings.Replace(good, `"stop"`, "null", 1), agent.Answer{Text: "a letter", Model: "m-1", Tokens: whole.Tokens}},
		{"rubbish after the end", all + "data: {broken\n\n", whole},
		{"an error after the finish reason", pieceA + pieceB + stopped + "data: {\"error\":{\"message\":\"late\"}}\n\n", noUsage},
		{"parts", `data: {"choices":[{"delta":{"content":[{"type":"text","text":"a letter"}]},"finish_reason":"stop"}]}` + "\n\n", agent.Answer{Text: "a letter", FinishReason: "stop"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var said strings.Builder
			req := question()
			req.Stream, req.OnText = true, func(s string) { said.WriteString(s) }
			got, err := serve(t, with200("text/event-stream", tt.body)).Ask(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if *got != tt.want {
				t.Errorf("got %+v, want %+v", *got, tt.want)
			}
			if said.String() != got.Text {
				t.Errorf("OnText got %q, want %q", said.String(), got.Text)
			}
		})
	}
}

func TestStreamsThatAreNoAnswer(t *testing.T) {
	tests := []struct {
		name, body string
		class      pipeline.Class
		kind       string
		says       string
	}{
		{"clean end without a sign", pieceA + pieceB, pipeline.Transient, pipeline.KindResponse, "before the answer was whole"},
		{"cut in the last line", pieceA + pieceB[:40], pipeline.Transient, pipeline.KindResponse, "cut or broken JSON"},
		{"a piece is broken", pieceA + "data: {\"choices\":[{]}\n\n" + pieceB + doneLine, pipeline.Transient, pipeline.KindResponse, "cut or broken JSON"},
		{"nothing", "", pipeline.Transient, pipeline.KindResponse, "before the answer was whole"},
		{"comments only", strings.Repeat(": wait\n\n", 350), pipeline.Transient, pipeline.KindResponse, "before the answer was whole"},
		{"[DONE] only", doneLine, pipeline.Transient, pipeline.KindResponse, "no choices"},
		{"no text", stopped + doneLine, pipeline.Transient, pipeline.KindEmpty, "empty"},
		{"reasoning only", `data: {"choices":[{"delta":{"reasoning":"hm"},"finish_reason":"stop"}]}` + "\n\n", pipeline.Transient, pipeline.KindEmpty, "reasoning"},
		{"filtered", pieceA + strings.Replace(stopped, "stop", "content_filter", 1), pipeline.Refused, pipeline.KindFilter, "filter"},
		{"refusal", `data: {"choices":[{"delta":{"refusal":"I "}}]}` + "\n\n" + `data: {"choices":[{"delta":{"refusal":"won't"},"finish_reason":"stop"}]}` + "\n\n", pipeline.Refused, pipeline.KindFilter, "I won't"},
		{"tool calls", `data: {"choices":[{"delta":{"tool_calls":[{"index":0}]},"finish_reason":"tool_calls"}]}` + "\n\n", pipeline.Refused, pipeline.KindEmpty, "tool"},
		{"event: error", pieceA + "event: error\ndata: {\"message\":\"it broke\"}\n\n", pipeline.Transient, pipeline.KindServer, "it broke"},
		{"event: error in words", pieceA + "event: error\ndata: it broke\n\n", pipeline.Transient, pipeline.KindServer, "it broke"},
		{"error object", pieceA + "data: {\"error\":{\"message\":\"it broke\"}}\n\n" + doneLine, pipeline.Transient, pipeline.KindServer, "it broke"},
		{"error object with a space", pieceA + "data: { \"error\": \"it broke\" }\n\n" + doneLine, pipeline.Transient, pipeline.KindServer, "it broke"},
		{"error is not the first member", pieceA + "data: {\"id\":1,\"error\":{\"message\":\"slow\",\"code\":429}}\n\n" + doneLine, pipeline.Throttled, pipeline.KindRate, "slow"},
		{"vLLM's error", "data: {\"object\":\"error\",\"message\":\"it broke\",\"code\":500}\n\n" + doneLine, pipeline.Transient, pipeline.KindServer, "it broke"},
		{"error object after comments", ": wait\n: wait\n" + `{"error":{"message":"it broke"}}`, pipeline.Transient, pipeline.KindServer, "it broke"},
		{"error after a piece, no data line", pieceA + "\n{\"error\":\n{\"message\":\"it broke\"}}\n", pipeline.Transient, pipeline.KindServer, "it broke"},
		{"JSON that is no sign after a piece", pieceA + "\n{\"status\":\"gone\"}\n", pipeline.Transient, pipeline.KindResponse, "before the answer was whole"},
		{"JSON error instead", `{"error":{"message":"pay","code":"insufficient_quota"}}`, pipeline.Fatal, pipeline.KindQuota, "pay"},
		{"cut completion instead", good[:len(good)-50], pipeline.Transient, pipeline.KindResponse, "cut or broken JSON"},
		{"text", "upstream error: no worker\n", pipeline.Transient, pipeline.KindResponse, "is not JSON: upstream error: no worker"},
		{"page", "<html><title>Log in</title></html>", pipeline.Transient, pipeline.KindResponse, "Log in"},
		{"page after a piece", pieceA + "<html><title>504 Time-out</title>", pipeline.Transient, pipeline.KindResponse, "504 Time-out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := question()
			req.Stream = true
			got, err := serve(t, with200("text/event-stream", tt.body)).Ask(t.Context(), req)
			if err == nil {
				t.Fatalf("got the answer %+v, want an error", got)
			}
			wantError(t, err, tt.class, tt.kind, tt.says)
		})
	}
}

// TestStreamConnectionBreaks cuts the connection, not the body: the class is another.
func TestStreamConnectionBreaks(t *testing.T) {
	broken := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, body)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}
	req := question()
	req.Stream = true
	_, err := serve(t, broken(pieceA+pieceB)).Ask(t.Context(), req)
	wantError(t, err, pipeline.Transient, pipeline.KindNetwork, "broke within the answer")

	got, err := serve(t, broken(pieceA+pieceB+stopped)).Ask(t.Context(), req)
	if err != nil || got.Text != "a letter" {
		t.Errorf("after the finish reason: got %v, %v, want the answer", got, err)
	}
}

func TestStreamOptionsRefused(t *testing.T) {
	var with, without atomic.Int32
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "stream_options") {
			with.Add(1)
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":{"message":"Unrecognized request argument supplied: stream_options"}}`)
			return
		}
		without.Add(1)
		io.WriteString(w, pieceA+pieceB+stopped+doneLine)
	})
	for range 3 {
		req := question()
		req.Stream = true
		if got, err := a.Ask(t.Context(), req); err != nil || got.Text != "a letter" {
			t.Fatalf("got %v, %v, want the answer", got, err)
		}
	}
	if with.Load() != 1 || without.Load() != 3 {
		t.Errorf("got %d requests with stream_options and %d without, want 1 and 3", with.Load(), without.Load())
	}
}

// TestPiecesAsTheyCome sends the second piece only when the first was seen.
func TestPiecesAsTheyCome(t *testing.T) {
	seen := make(chan struct{})
	var once sync.Once
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.TrimSpace(pieceA)+"\r")
		w.(http.Flusher).Flush()
		<-seen
		io.WriteString(w, "\n\r\n"+pieceB+stopped)
	})
	req := question()
	req.Stream, req.OnText = true, func(string) { once.Do(func() { close(seen) }) }
	if got, err := a.Ask(t.Context(), req); err != nil || got.Text != "a letter" {
		t.Errorf("got %v, %v, want the answer", got, err)
	}
}

// TestStreamSettles has a service go on with comments for ever behind a finish reason: usage may come late, but not that late.
func TestStreamSettles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var service sync.WaitGroup
		defer service.Wait() // it ends when it next writes
		a := dial(t, "http://127.0.0.1:1/v1")
		a.client = clientOver(roundTripFunc(func(r *http.Request) (*http.Response, error) {
			out, in := io.Pipe()
			context.AfterFunc(r.Context(), func() { in.CloseWithError(r.Context().Err()) })
			service.Go(func() {
				_, err := io.WriteString(in, pieceA+pieceB+stopped)
				for err == nil {
					time.Sleep(time.Second)
					_, err = io.WriteString(in, ": wait\n\n")
				}
			})
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: out}, nil
		}), a.base)
		req := question()
		req.Stream = true
		begin := time.Now()
		got, err := a.Ask(t.Context(), req)
		if err != nil || got.Text != "a letter" {
			t.Errorf("got %v, %v, want the answer", got, err)
		}
		if took := time.Since(begin); took != settleTimeout {
			t.Errorf("got the answer after %v, want %v", took, settleTimeout)
		}
	})
}
