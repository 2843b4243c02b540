package openai

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"docbatch/pipeline"
)

// newTransport is the default transport with the time-outs and connections that o asks for.
func newTransport(o Options) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = o.ConnectTimeout
	t.ResponseHeaderTimeout = o.HeaderTimeout
	t.MaxIdleConns = 0 // the default of 100 would undo the next line
	t.MaxIdleConnsPerHost = o.Connections
	t.MaxResponseHeaderBytes = 1 << 20
	t.OnProxyConnectResponse = checkProxy
	// Without pings an HTTP/2 connection that a firewall forgot swallows every call until its time-out.
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second}
	return t
}

// checkProxy says what net/http does not: that a refusal to connect is the proxy's.
func checkProxy(_ context.Context, _ *url.URL, req *http.Request, resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusProxyAuthRequired:
		return pipeline.Errorf(pipeline.Fatal, pipeline.KindConfig, "connect to %s: the proxy on the way asks for a password", req.Host)
	}
	return errors.New("the proxy on the way answered " + statusLine(resp.StatusCode))
}

// A wire is the transport in use. Another takes its place when its connections are taken for dead: closing those that are
// idle is not enough with HTTP/2, where all calls go over one.
type wire struct {
	options Options
	inUse   atomic.Pointer[http.Transport]
}

func newWire(o Options) *wire {
	w := &wire{options: o}
	w.inUse.Store(newTransport(o))
	return w
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	return w.inUse.Load().RoundTrip(req)
}

// renew has all further calls go over new connections.
func (w *wire) renew() { w.inUse.Swap(newTransport(w.options)).CloseIdleConnections() }

// traced gives ctx a trace that notes whether c has a connection. The transport asks for another one where the one it gave was
// closed before anything was written.
func (c *call) traced(ctx context.Context) context.Context {
	c.trace = httptrace.ClientTrace{
		GetConn: func(string) { c.connected = false },
		GotConn: func(httptrace.GotConnInfo) { c.connected = true },
	}
	return httptrace.WithClientTrace(ctx, &c.trace)
}

// network classes an error of the transport.
func (c *call) network(err error) error {
	a := c.agent
	if !c.connected {
		return c.unconnected(err, a.sentence(err.Error()))
	}
	late, _ := errors.AsType[net.Error](err)
	broken, _ := errors.AsType[*net.OpError](err)
	switch {
	case broken != nil:
		err = broken.Err // the rest are port numbers, another pair each time
	case late != nil && late.Timeout():
		return c.timeout("%s did not begin to answer within %v", a.base, a.options.HeaderTimeout)
	}
	said, what := a.sentence(err.Error()), "ask %s: %s"
	if c.body != nil {
		what = "the connection to %s broke within the answer: %s"
	}
	return a.errorf(pipeline.Transient, pipeline.KindNetwork, c.status, what, a.base, said)
}

// unconnected classes the error of a connection that could not be made.
func (c *call) unconnected(err error, said string) error {
	a := c.agent
	if lack := machineFault(err); lack != "" {
		return a.errorf(pipeline.Fatal, pipeline.KindMachine, 0, "connect to %s: this machine has no %s left: %s", a.base, lack, said)
	}
	if why := certificateFault(err); why != "" {
		return a.errorf(pipeline.Fatal, pipeline.KindConfig, 0, "connect to %s: %s: %s", a.base, why, said)
	}
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return a.errorf(pipeline.Transient, pipeline.KindConnect, 0, "no connection to %s in time: %s", a.base, said)
	}
	return a.errorf(pipeline.Transient, pipeline.KindConnect, 0, "connect to %s: %s", a.base, said)
}

// machineFaults are what a machine can run out of when it connects.
var machineFaults = []struct {
	errno syscall.Errno
	lack  string
}{
	{syscall.EMFILE, "file descriptors"},
	{syscall.ENFILE, "file descriptors"},
	{syscall.ENOBUFS, "memory for connections"},
	{syscall.ENOMEM, "memory"},
	{syscall.EADDRNOTAVAIL, "ports"},
}

// machineFault says what this machine has run out of; "" where it is not that.
func machineFault(err error) string {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		err = noDescriptor(err)
	}
	for _, f := range machineFaults {
		if errors.Is(err, f.errno) && (f.errno != syscall.EADDRNOTAVAIL || toIPv4(err)) {
			return f.lack
		}
	}
	return ""
}

// noDescriptor gives the error of opening a file, or else err. A look-up is the first to want a descriptor, and without one it
// says that there is no such host.
func noDescriptor(err error) error {
	f, lack := os.Open(os.DevNull)
	if lack != nil {
		return lack
	}
	_ = f.Close()
	return err
}

// toIPv4 reports whether err is of a connection to an IPv4 address. To an IPv6 address EADDRNOTAVAIL is also what a machine
// without IPv6 says.
func toIPv4(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Addr == nil {
		return false
	}
	to, err := netip.ParseAddrPort(op.Addr.String())
	return err == nil && to.Addr().Unmap().Is4()
}

// certificateFault says what is wrong with the service's certificate, or with asking for one; "" where nothing is.
// None of it gets better by asking again.
func certificateFault(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is signed by an authority that this machine does not know"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another host"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return "its certificate is expired or not valid yet, or the clock of this machine is wrong"
		}
		return "its certificate is not valid"
	}
	if _, ok := errors.AsType[x509.SystemRootsError](err); ok {
		return "this machine has no root certificates"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate can't be verified"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "it does not speak https"
	}
	return ""
}
