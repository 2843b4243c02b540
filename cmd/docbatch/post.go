package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"time"

	"docbatch/pipeline"
)

// Bounds of a post.
const (
	postTries    = 3
	postTimeout  = 5 * time.Second // of one try
	postPause    = time.Second     // before the second try; twice that before the third
	maxPostReply = 64 << 10
)

// A post is a message to a URL that is a secret.
type post struct {
	url  string
	body []byte
	head func(http.Header) // gives each try its header
}

// A postError is why a post was not taken. It tells nothing of the URL, not even the host: there are services that hide the secret in
// that.
type postError struct {
	why   string
	again bool // another try may do
}

func (e *postError) Error() string { return e.why }

// send sends the post until it is taken: three times at most, and no longer than ctx allows. Its error is a *postError.
func (p *post) send(ctx context.Context, client *http.Client) error {
	for try := 1; ; try++ {
		err := p.try(ctx, client)
		if err == nil || !err.again || try == postTries {
			return asError(err)
		}
		if pipeline.Sleep(ctx, time.Duration(try)*postPause) != nil {
			return err
		}
	}
}

func asError(err *postError) error {
	if err == nil {
		return nil
	}
	return err
}

func (p *post) try(ctx context.Context, client *http.Client) *postError {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		return &postError{why: "it is no URL"}
	}
	req.Header.Set("User-Agent", "docbatch/"+versionName())
	p.head(req.Header)
	resp, err := client.Do(req)
	if err != nil {
		return unsent(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxPostReply)) // the status says it all
	return refusal(resp.StatusCode)
}

// refusal is what a status says; nil where the post was taken.
func refusal(status int) *postError {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return &postError{why: fmt.Sprintf("answered %d, a redirect; none is followed", status)}
	}
	return &postError{why: fmt.Sprintf("answered %d", status), again: status == http.StatusTooManyRequests || status >= 500}
}

// unsent says why there was no answer. The errors of net/http name the URL, the host, or what the other side said, so none of their text
// is used.
func unsent(err error) *postError {
	var (
		own     *postError
		timeout net.Error
		dns     *net.DNSError
		errno   syscall.Errno
		host    x509.HostnameError
		cert    *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return &postError{why: "no answer in time", again: true}
	case errors.Is(err, context.Canceled):
		return &postError{why: "no answer until the end of the run"}
	case errors.As(err, &dns):
		return &postError{why: "its host was not found", again: true}
	case errors.As(err, &host):
		return &postError{why: "its certificate is for another host"}
	case errors.As(err, &cert):
		return &postError{why: "its certificate is not one that this machine trusts"}
	case errors.As(err, &errno):
		return &postError{why: errno.Error(), again: true}
	}
	return &postError{why: "no answer that is HTTP", again: true}
}

// newPostClient makes the client of posts: it verifies certificates, follows no redirect, and goes by the proxy that the environment names.
func newPostClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableKeepAlives = true
	t.MaxResponseHeaderBytes = maxPostReply
	t.Proxy = func(req *http.Request) (*url.URL, error) {
		proxy, err := http.ProxyFromEnvironment(req)
		if err != nil { // it names the proxy, which may have a password
			return nil, &postError{why: "HTTPS_PROXY or HTTP_PROXY is no URL of a proxy"}
		}
		return proxy, nil
	}
	t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
		if resp.StatusCode == http.StatusOK {
			return nil
		}
		return &postError{why: fmt.Sprintf("the proxy answered %d", resp.StatusCode), again: resp.StatusCode >= 500}
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
