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
	status     int
	retryAfter time.Duration // 0 sends no header
	Message    string        `json:"message"`
	Type       string        `json:"type"`
	Param      *string       `json:"param"`
	Code       *string       `json:"code"`
}

func (p *problem) write(w http.ResponseWriter) {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	writeJSON(w, p.status, map[string]*problem{"error": p})
}

// writeJSON sends v with a length, so that the client can tell a cut body from a whole one.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // all that is sent is made of strings and numbers
	}
	writeBody(w, status, body)
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
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

func tooMany(rpm int, wait time.Duration) *problem {
	code := "rate_limit_exceeded"
	return &problem{
		status: http.StatusTooManyRequests, retryAfter: wait, Type: "requests", Code: &code,
		Message: fmt.Sprintf("Rate limit reached: %d requests in 60 seconds. Please try again in %v.", rpm, wait.Round(time.Millisecond)),
	}
}

// clip cuts s to n bytes; it is for what a client sent and a message repeats.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "..."
}
