package openai

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"docbatch/pipeline"
)

// listen serves each connection with serve, on loopback until the test ends, and gives the address.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

// readRequest reads one request from c.
func readRequest(c net.Conn) {
	if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
		io.Copy(io.Discard, req.Body)
	}
}

// hang reads nothing and says nothing until the other side is gone.
func hang(c net.Conn) { io.Copy(io.Discard, c) }

// reset breaks a connection with a reset instead of an end.
func reset(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }

// TestSentOrNot breaks calls at each of their stages: what was not sent is of kind connect.
func TestSentOrNot(t *testing.T) {
	through := func(serve func(net.Conn)) func(*testing.T, func(*Options)) *Agent {
		return func(t *testing.T, change func(*Options)) *Agent { return throughProxy(t, listen(t, serve), change) }
	}
	at := func(scheme string, serve func(net.Conn)) func(*testing.T, func(*Options)) *Agent {
		return func(t *testing.T, change func(*Options)) *Agent {
			return dial(t, scheme+"://"+listen(t, serve), change)
		}
	}
	refuse := func(t *testing.T, change func(*Options)) *Agent {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return dial(t, "http://"+l.Addr().String(), change)
	}
	say := func(s string) func(net.Conn) {
		return func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, s)
		}
	}
	shortCall := func(o *Options) { o.CallTimeout = 50 * time.Millisecond }
	shortConnect := func(o *Options) { o.ConnectTimeout = 50 * time.Millisecond }
	tests := []struct {
		name   string
		agent  func(*testing.T, func(*Options)) *Agent
		change func(*Options)
		class  pipeline.Class
		kind   string
		says   string
	}{
		{"refused", refuse, nil, pipeline.Transient, pipeline.KindConnect, "connection refused"},
		{"TLS, silence", at("https", hang), shortConnect, pipeline.Transient, pipeline.KindConnect, "in time: net/http: TLS handshake timeout"},
		{"TLS, the call's time is up", at("https", hang), shortCall, pipeline.Transient, pipeline.KindConnect, "no connection to https://127.0.0.1"},
		{"TLS, end", at("https", func(net.Conn) {}), nil, pipeline.Transient, pipeline.KindConnect, "connect to https://"},
		{"TLS, reset", at("https", reset), nil, pipeline.Transient, pipeline.KindConnect, "connect to https://"},
		{"proxy, end", through(func(net.Conn) {}), nil, pipeline.Transient, pipeline.KindConnect, "connect to https://"},
		{"proxy, silence", through(hang), shortCall, pipeline.Transient, pipeline.KindConnect, "no connection to https://agents.test"},
		{"proxy, 502", through(say("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")), nil, pipeline.Transient, pipeline.KindConnect, "the proxy on the way answered 502 Bad Gateway"},
		{"proxy, 403", through(say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")), nil, pipeline.Transient, pipeline.KindConnect, "the proxy on the way answered 403 Forbidden"},
		{"proxy, 407", through(say("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")), nil, pipeline.Fatal, pipeline.KindConfig, "the proxy on the way asks for a password"},
		{"reset after the request", at("http", func(c net.Conn) { readRequest(c); reset(c) }), nil, pipeline.Transient, pipeline.KindNetwork, "connection reset by peer"},
		{"end after the request", at("http", readRequest), nil, pipeline.Transient, pipeline.KindNetwork, "EOF"},
		{"silence after the request", at("http", hang), shortCall, pipeline.Transient, pipeline.KindTimeout, "no answer from http://127.0.0.1"},
		{"not HTTP", at("http", say("SSH-2.0-OpenSSH_9.6\r\n")), nil, pipeline.Transient, pipeline.KindNetwork, "malformed HTTP"},
	}
	for _, tt := range tests {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%v", tt.name, stream), func(t *testing.T) {
				if tt.change == nil {
					tt.change = func(*Options) {}
				}
				req := question()
				req.Stream = stream
				_, err := tt.agent(t, tt.change).Ask(t.Context(), req)
				wantError(t, err, tt.class, tt.kind, tt.says)
			})
		}
	}
}

// throughProxy gives an agent that asks over https through the proxy at address.
func throughProxy(t *testing.T, address string, change func(*Options)) *Agent {
	a := dial(t, "https://agents.test/v1", change)
	transport := newTransport(a.options)
	transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: address})
	t.Cleanup(transport.CloseIdleConnections)
	a.client = clientOver(transport, a.base)
	return a
}

// TestSentIsOfTheLastConnection has the transport take another connection when the first was closed before it was written to.
func TestSentIsOfTheLastConnection(t *testing.T) {
	a := dial(t, "http://127.0.0.1:1/v1")
	a.client = clientOver(roundTripFunc(func(r *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(r.Context())
		trace.GotConn(httptrace.GotConnInfo{})
		trace.GetConn("127.0.0.1:1")
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}), a.base)
	_, err := a.Ask(t.Context(), question())
	wantError(t, err, pipeline.Transient, pipeline.KindConnect, "connection refused")
}

// TestDialFaults has the transport give errors that are hard to bring about.
func TestDialFaults(t *testing.T) {
	to4, to6 := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}, &net.TCPAddr{IP: net.IPv6loopback, Port: 443}
	dialing := func(to net.Addr, call string, no syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: to, Err: os.NewSyscallError(call, no)}
	}
	lookup := func(e net.DNSError) error {
		e.Name, e.Server = "agents.test", "127.0.0.53:53"
		return &net.OpError{Op: "dial", Net: "tcp", Err: &e}
	}
	tests := []struct {
		name  string
		err   error
		class pipeline.Class
		kind  string
		says  string
	}{
		{"no such host", lookup(net.DNSError{Err: "no such host", IsNotFound: true}), pipeline.Transient, pipeline.KindConnect, "no such host"},
		{"name server silent", lookup(net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true}), pipeline.Transient, pipeline.KindConnect, "no connection to http://127.0.0.1:1/v1 in time"},
		{"name server down", lookup(net.DNSError{Err: "server misbehaving", IsTemporary: true}), pipeline.Transient, pipeline.KindConnect, "server misbehaving"},
		{"no route", dialing(to4, "connect", syscall.EHOSTUNREACH), pipeline.Transient, pipeline.KindConnect, "connect to http://127.0.0.1:1/v1"},
		{"network down", dialing(to4, "connect", syscall.ENETUNREACH), pipeline.Transient, pipeline.KindConnect, "connect to http://127.0.0.1:1/v1"},
		{"no answer", dialing(to4, "connect", syscall.ETIMEDOUT), pipeline.Transient, pipeline.KindConnect, "in time"},
		{"no IPv6 here", dialing(to6, "connect", syscall.EADDRNOTAVAIL), pipeline.Transient, pipeline.KindConnect, "connect to http://127.0.0.1:1/v1"},
		{"out of ports", dialing(to4, "connect", syscall.EADDRNOTAVAIL), pipeline.Fatal, pipeline.KindMachine, "this machine has no ports left"},
		{"out of descriptors", dialing(to4, "socket", syscall.EMFILE), pipeline.Fatal, pipeline.KindMachine, "this machine has no file descriptors left"},
		{"all out of descriptors", dialing(to6, "socket", syscall.ENFILE), pipeline.Fatal, pipeline.KindMachine, "this machine has no file descriptors left"},
		{"no descriptor for root certificates", x509.SystemRootsError{Err: &os.PathError{Op: "open", Path: "/etc/ssl", Err: syscall.EMFILE}}, pipeline.Fatal, pipeline.KindMachine, "this machine has no file descriptors left"},
		{"no buffers", dialing(to4, "connect", syscall.ENOBUFS), pipeline.Fatal, pipeline.KindMachine, "this machine has no memory for connections left"},
		{"no memory", dialing(to4, "socket", syscall.ENOMEM), pipeline.Fatal, pipeline.KindMachine, "this machine has no memory left"},
		{"the key in it", fmt.Errorf("proxy says %q", testKey), pipeline.Transient, pipeline.KindConnect, "***"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := dial(t, "http://127.0.0.1:1/v1")
			a.client = clientOver(roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, tt.err }), a.base)
			_, err := a.Ask(t.Context(), question())
			e := wantError(t, err, tt.class, tt.kind, tt.says)
			if e.Status != 0 {
				t.Errorf("got status %d, want 0", e.Status)
			}
		})
	}
}

func TestTimeouts(t *testing.T) {
	silent := func(begin string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if begin != "" {
				io.WriteString(w, begin)
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		}
	}
	slow := func(o *Options) { o.CallTimeout = 50 * time.Millisecond }
	hush := func(o *Options) { o.IdleTimeout = 50 * time.Millisecond }
	head := func(o *Options) { o.HeaderTimeout, o.CallTimeout = 50*time.Millisecond, 10*time.Second }
	tests := []struct {
		name   string
		h      http.HandlerFunc
		change func(*Options)
		stream bool
		says   string
	}{
		{"slow header", silent(""), slow, false, "no answer from http"},
		{"slow header, stream", silent(""), slow, true, "no answer from http"},
		{"slow body", silent(good[:80]), slow, false, "within 50ms"},
		{"no header", silent(""), head, false, "did not begin to answer within 50ms"},
		{"no header, stream", silent(""), head, true, "did not begin to answer within 50ms"},
		{"silent body", silent(good[:80]), hush, false, "fell silent for 50ms"},
		{"silent stream", silent(pieceA), hush, true, "fell silent for 50ms"},
		{"stream that goes on for ever", func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			for r.Context().Err() == nil {
				io.WriteString(w, ": wait\n\n")
				w.(http.Flusher).Flush()
			}
		}, slow, true, "no answer from http"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := question()
			req.Stream = tt.stream
			_, err := serve(t, tt.h, tt.change).Ask(t.Context(), req)
			wantError(t, err, pipeline.Transient, pipeline.KindTimeout, tt.says)
		})
	}
}

func TestCertificates(t *testing.T) {
	srv := httptest.NewUnstartedServer(with200("application/json", good))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	_, err := dial(t, srv.URL).Ask(t.Context(), question())
	wantError(t, err, pipeline.Fatal, pipeline.KindConfig, "authority that this machine does not know")

	plain := httptest.NewServer(with200("application/json", good))
	defer plain.Close()
	_, err = dial(t, strings.Replace(plain.URL, "http:", "https:", 1)).Ask(t.Context(), question())
	wantError(t, err, pipeline.Fatal, pipeline.KindConfig, "does not speak https")
}

func TestCertificateFault(t *testing.T) {
	for _, tt := range []struct {
		err  error
		says string // "" where it is no fault of the certificate
	}{
		{x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}, "another host"},
		{x509.CertificateInvalidError{Reason: x509.Expired}, "expired"},
		{x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}, "not valid"},
		{&tls.CertificateVerificationError{Err: io.EOF}, "can't be verified"},
		{x509.SystemRootsError{}, "no root certificates"},
		{io.EOF, ""},
	} {
		if got := certificateFault(fmt.Errorf("connect: %w", tt.err)); (got == "") != (tt.says == "") || !strings.Contains(got, tt.says) {
			t.Errorf("%T: got %q, want %q in it", tt.err, got, tt.says)
		}
	}
}
