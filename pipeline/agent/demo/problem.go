package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// A problem is an error answer in OpenAI's form.
type problem struct {
	status  int
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func (p *problem) write(w http.ResponseWriter) {
	writeJSON(w, p.status, map[string]*problem{"error": p})
}

// writeJSON sends v with a length, so that the client can tell a cut body from a whole one.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // all that is sent is made of strings and numbers
	}
	writeBody(w, status, "application/json", body)
}

func writeBody(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the client is gone: nobody is left to tell
}

func invalid(status int, param, code, format string, args ...any) *problem {
	p := &problem{status: status, Message: fmt.Sprintf(format, args...), Type: "invalid_request_error"}
	if param != "" {
		p.Param = &param
	}
	if code != "" {
		p.Code = &code
	}
	return p
}

func badRequest(param, format string, args ...any) *problem {
	return invalid(http.StatusBadRequest, param, "", format, args...)
}

func noKey() *problem {
	return invalid(http.StatusUnauthorized, "", "", "You didn't provide an API key: send it as Authorization: Bearer KEY.")
}

func wrongKey() *problem {
	return invalid(http.StatusUnauthorized, "", "invalid_api_key", "Incorrect API key provided.")
}

func revokedKey() *problem {
	return invalid(http.StatusUnauthorized, "", "invalid_api_key", "This API key was revoked or has expired.")
}

func tooLong(limit, n int) *problem {
	return invalid(http.StatusBadRequest, "messages", "context_length_exceeded", "This model's maximum context length is %d tokens. "+
		"However, your messages resulted in %d tokens. Please reduce the length of the messages.", limit, n)
}

func unknownAgent(status int, agent string) *problem {
	return invalid(status, "model", "model_not_found", "The agent %s does not exist.", clip(strconv.Quote(agent), 100))
}

func unknownURL(r *http.Request) *problem {
	return invalid(http.StatusNotFound, "", "unknown_url", "There is nothing at %s %s; the base URL ends with /v1.", r.Method, clip(strconv.Quote(r.URL.Path), 200))
}

func notAllowed(r *http.Request, method string) *problem {
	return invalid(http.StatusMethodNotAllowed, "", "method_not_allowed", "%s takes %s, not %s.", r.URL.Path, method, clip(r.Method, 20))
}

func tooLarge(limit int64) *problem {
	return invalid(http.StatusRequestEntityTooLarge, "", "request_too_large", "The request is larger than %d bytes.", limit)
}

// limitProblem is a 429; kind says of what there is too much.
func limitProblem(kind, code, format string, args ...any) *problem {
	return &problem{status: http.StatusTooManyRequests, Type: kind, Code: &code, Message: fmt.Sprintf(format, args...)}
}

func tooMany(agent, what, short string, limit, used, requested int, wait time.Duration) *problem {
	return limitProblem(what, "rate_limit_exceeded", "Rate limit reached for %s on %s per min (%s): Limit %d, Used %d, Requested %d. Please try again in %v.",
		clip(agent, 100), what, short, limit, used, requested, wait.Round(time.Millisecond))
}

func tooLargeForLimit(agent string, limit, requested int) *problem {
	return limitProblem("tokens", "rate_limit_exceeded", "Request too large for %s on tokens per min (TPM): Limit %d, Requested %d. "+
		"The input or output tokens must be reduced in order to run successfully.", clip(agent, 100), limit, requested)
}

func tooManyAtOnce(limit int) *problem {
	return limitProblem("requests", "too_many_concurrent_requests", "Too many concurrent requests: at most %d are allowed at once.", limit)
}

func noQuota() *problem {
	return limitProblem("insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.")
}

// clip cuts s to n bytes; it is for what a client sent and a message repeats.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "..."
}
