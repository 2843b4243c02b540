package main

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxPingBody is how much of the last words a ping has: healthchecks.io keeps 100 kB, others 10.
const maxPingBody = 10_000

// A ping is a check in the convention of healthchecks.io (https://healthchecks.io/docs/http_api/): POST URL/start when a run begins,
// URL/EXIT with what is to be said of it when it ends. A run that finds the lock held only sends URL/11. That marks the check as down,
// as two runs at once should, and ends what the service times for the run that goes on; the end of that one puts it right.
type ping struct{ url *url.URL }

func (p ping) started() *post { return p.post("start", "") }

func (p ping) ended(code int, words []string) *post {
	return p.post(strconv.Itoa(code), strings.Join(words, "\n"))
}

func (p ping) post(event, text string) *post {
	if len(text) > maxPingBody {
		text = strings.ToValidUTF8(text[:maxPingBody], "")
	}
	return &post{url: p.url.JoinPath(event).String(), body: []byte(printable(text)), head: func(h http.Header) {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}}
}
