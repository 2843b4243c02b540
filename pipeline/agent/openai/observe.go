package openai

import (
	"crypto/tls"
	"net/http"
)

// A Response is the head of what a service sent for one request, for Options.Observe.
type Response struct {
	Status int
	Proto  string      // such as "HTTP/1.1"
	TLS    string      // such as "TLS 1.3"; "" for plain http
	Header http.Header // a copy, without the key
}

// observe shows the head of a response to whoever wants to see it.
func (c *call) observe(resp *http.Response) {
	show := c.agent.options.Observe
	if show == nil {
		return
	}
	r := Response{Status: resp.StatusCode, Proto: resp.Proto, Header: resp.Header.Clone()}
	if resp.TLS != nil {
		r.TLS = tls.VersionName(resp.TLS.Version)
	}
	for _, values := range r.Header {
		for i := range values {
			values[i] = c.agent.secret.scrub(values[i])
		}
	}
	show(r)
}
