package demo

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// nginxTitles are the words of nginx that net/http has others for.
var nginxTitles = map[int]string{
	http.StatusRequestEntityTooLarge: "Request Entity Too Large",
	http.StatusServiceUnavailable:    "Service Temporarily Unavailable",
	http.StatusGatewayTimeout:        "Gateway Time-out",
}

// page answers in place of the service as nginx does, without any header of the service's own.
func page(w http.ResponseWriter, status int) {
	title := nginxTitles[status]
	if title == "" {
		title = http.StatusText(status)
	}
	if status == http.StatusOK {
		title = "Welcome to nginx!"
	} else {
		title = strconv.Itoa(status) + " " + title
	}
	body := fmt.Sprintf("<html>\r\n<head><title>%[1]s</title></head>\r\n<body>\r\n<center><h1>%[1]s</h1></center>\r\n"+
		"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", title)
	clear(w.Header())
	w.Header().Set("Server", "nginx")
	writeBody(w, status, "text/html", []byte(body))
}

// refuse sends a fault that is an error answer.
func (f Fault) refuse(w http.ResponseWriter, c *completion) {
	switch {
	case f.form == formPage:
		page(w, f.status)
		return
	case f.name == faultTooLong:
		tooLong(c.promptTokens()-1, c.promptTokens()).write(w)
		return
	}
	p := &problem{status: f.status, Type: "server_error", Message: fmt.Sprintf("The server had an error (a fault that was asked for: %d %s).", f.status, http.StatusText(f.status))}
	switch {
	case f.status == http.StatusTooManyRequests:
		p = tooMany(c.Model, "requests", "RPM", 1, 1, 1, time.Second)
	case f.status < 500:
		p.Type = "invalid_request_error"
	}
	if f.form == formAfter || f.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	p.write(w)
}

// The bodies with status 200 that hold no answer; a stream has them in an event.
const (
	noChoices   = `{"object":"chat.completion","choices":[]}`
	nullContent = `{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":null},"finish_reason":"stop"}]}`
	nullDelta   = `{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":null},"finish_reason":"stop"}]}`
	error200    = `{"error":{"message":"The server had an error (a fault that was asked for).","type":"server_error","param":null,"code":null}}`
)

// noAnswer is what a fault with status 200 says in place of an answer; ok is false for other faults.
func (f Fault) noAnswer(streaming bool) (body string, ok bool) {
	switch {
	case f.name == faultNothing:
		return "", true
	case f.name == faultNoChoices:
		return noChoices, true
	case f.name == faultNull && streaming:
		return nullDelta, true
	case f.name == faultNull:
		return nullContent, true
	case f.name == faultError200:
		return error200, true
	}
	return "", false
}

// writeNoAnswer sends what noAnswer says. A stream that says nothing has no event at all.
func writeNoAnswer(w http.ResponseWriter, body string, streaming bool) {
	if !streaming {
		writeBody(w, http.StatusOK, "application/json", []byte(body))
		return
	}
	out := newStream(w)
	if body != "" {
		out.event([]byte(body))
		out.event([]byte(done))
	}
}

// spoil makes of a good answer the one that a fault leaves.
func (f Fault) spoil(a answer) answer {
	half := max(1, tokens(a.text)/2)
	switch f.name {
	case faultEmpty:
		return answer{"", "stop"}
	case faultTruncate:
		return shorten(a.text, half)
	case faultFilter:
		return answer{shorten(a.text, half).text, "content_filter"}
	}
	return a
}

// reset breaks the connection, as a peer that died does.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 or a recorder: the best that net/http can do
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = tcp.SetLinger(0)
	}
	_ = errors.Join(err, conn.Close()) // it is broken either way, which is the aim
}
