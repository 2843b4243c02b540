package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// transport answers requests in a test.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

// answered is an answer without a body.
func answered(code int) (*http.Response, error) {
	return &http.Response{StatusCode: code, Body: http.NoBody}, nil
}

func plainPost(url string) *post {
	return &post{url: url, body: []byte("said"), head: func(http.Header) {}}
}

// TestPostIsBounded is a service that fails in every way: how often it is tried, for how long, and what is said of it.
func TestPostIsBounded(t *testing.T) {
	hangs := func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	fails := func(err error) transport { return func(*http.Request) (*http.Response, error) { return nil, err } }
	answers := func(code int) transport { return func(*http.Request) (*http.Response, error) { return answered(code) } }
	for name, tt := range map[string]struct {
		service transport
		bound   time.Duration
		tries   int
		took    time.Duration
		says    string // "" where it is taken
	}{
		"taken":               {answers(200), endBound, 1, 0, ""},
		"taken with 204":      {answers(204), endBound, 1, 0, ""},
		"not found":           {answers(404), endBound, 1, 0, "answered 404"},
		"redirected":          {answers(302), endBound, 1, 0, "answered 302, a redirect; none is followed"},
		"failing":             {answers(500), endBound, 3, 3 * time.Second, "answered 500"},
		"throttled":           {answers(429), endBound, 3, 3 * time.Second, "answered 429"},
		"hanging":             {hangs, endBound, 3, endBound, "no answer in time"},
		"hanging at the end":  {hangs, endBoundNow, 1, endBoundNow, "no answer in time"},
		"refused":             {fails(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), endBound, 3, 3 * time.Second, "connection refused"},
		"unknown host":        {fails(&net.DNSError{Name: "canary.example.com", IsNotFound: true}), endBound, 3, 3 * time.Second, "its host was not found"},
		"another certificate": {fails(x509.HostnameError{Host: "canary", Certificate: &x509.Certificate{}}), endBound, 1, 0, "its certificate is for another host"},
		"a wrong certificate": {fails(&tls.CertificateVerificationError{Err: errors.New("canary")}), endBound, 1, 0, "its certificate is not one that this machine trusts"},
		"not HTTP":            {fails(errors.New("malformed HTTP response \"canary\"")), endBound, 3, 3 * time.Second, "no answer that is HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries, began := 0, time.Now()
				client := newPostClient()
				client.Transport = transport(func(req *http.Request) (*http.Response, error) { tries++; return tt.service(req) })
				ctx, cancel := context.WithTimeout(t.Context(), tt.bound)
				defer cancel()
				err := plainPost("https://canary.example.com/canary?key=canary").send(ctx, client)
				if got := fmt.Sprint(err); err != nil && got != tt.says || err == nil && tt.says != "" {
					t.Errorf("says %q, want %q", got, tt.says)
				}
				if took := time.Since(began); tries != tt.tries || took != tt.took {
					t.Errorf("%d tries in %v, want %d in %v", tries, took, tt.tries, tt.took)
				}
			})
		})
	}
}

// TestPostUntilItIsTaken is a service that is back at the third try.
func TestPostUntilItIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		client := &http.Client{Transport: transport(func(req *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				t.Error(err)
			}
			if bodies = append(bodies, string(body)); len(bodies) < 3 {
				return answered(503)
			}
			return answered(200)
		})}
		if err := plainPost("http://localhost/").send(t.Context(), client); err != nil {
			t.Error(err)
		}
		if got := strings.Join(bodies, " "); got != "said said said" {
			t.Errorf("sent %q, want all of it in each of three tries", got)
		}
	})
}

// TestPostOverTheNetwork has what a fake transport can't show: certificates, redirects, endless answers, proxies.
func TestPostOverTheNetwork(t *testing.T) {
	redirected := false
	mux := http.NewServeMux()
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/target", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/target", func(http.ResponseWriter, *http.Request) { redirected = true })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	plain, secure := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it is to fail
	for name, tt := range map[string]struct{ url, says string }{
		"a redirect":              {plain.URL + "/redirect", "answered 307, a redirect; none is followed"},
		"an answer without end":   {plain.URL + "/endless", ""},
		"an unknown certificate":  {secure.URL + "/target", "its certificate is not one that this machine trusts"},
		"HTTP where HTTPS is due": {strings.Replace(plain.URL, "http:", "https:", 1) + "/target", "no answer that is HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			err := plainPost(tt.url).try(t.Context(), newPostClient())
			if err == nil && tt.says != "" || err != nil && err.why != tt.says {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
	if redirected {
		t.Error("a redirect was followed")
	}
}

// TestPostThroughProxy is a proxy that lets nobody through.
func TestPostThroughProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }))
	t.Cleanup(proxy.Close)
	client := newPostClient()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	client.Transport.(*http.Transport).Proxy = http.ProxyURL(at)
	if err := plainPost("https://canary.example.com/").try(t.Context(), client); err == nil || err.why != "the proxy answered 407" {
		t.Errorf("got %v, want what the proxy answered", err)
	}
}
