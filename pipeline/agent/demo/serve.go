package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	headerTime = 10 * time.Second       // for a header to arrive
	idleTime   = 2 * time.Minute        // for the next request on a connection
	grace      = 100 * time.Millisecond // for answers that are being sent when the server ends; a connection that was never used waits as long
)

// Serve answers what comes in on l until ctx ends; then requests that still wait for their answer are dropped, and it
// returns nil. A listener that is not on a loopback address is refused unless Options.Public is set. Serve closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if err := s.allowed(l); err != nil {
		return err
	}
	if s.opts.DownFile != "" {
		return s.serveUpAndDown(ctx, l)
	}
	return s.serve(ctx, l)
}

func (s *Server) serve(ctx context.Context, l net.Listener) error {
	requests, drop := context.WithCancel(context.Background())
	defer drop()
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return requests },
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		drop()
		shutdown(server)
	})
	err := server.Serve(l)
	if stop() {
		return errors.Join(fmt.Errorf("serve on %s: %w", l.Addr(), err), server.Close())
	}
	<-ended
	return nil
}

// allowed refuses, and closes, a listener that others can reach, unless that is wanted.
func (s *Server) allowed(l net.Listener) error {
	if s.opts.Public || isLoopback(l.Addr()) {
		return nil
	}
	return errors.Join(fmt.Errorf("serve on %s: other machines can reach this address", l.Addr()), l.Close())
}

// shutdown ends a server within grace.
func shutdown(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // there is no gentler way left
	}
}

// Start listens on addr, such as "127.0.0.1:0", and serves in the background as Serve does. stop ends that, waits for it
// and gives its error; it must be called once, and may be more often.
func (s *Server) Start(addr string) (baseURL string, stop func() error, err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, err
	}
	if err := s.allowed(l); err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	return BaseURL(l.Addr()), sync.OnceValue(func() error {
		cancel()
		return <-served
	}), nil
}

// BaseURL is what clients of a server that listens on addr need: "http://127.0.0.1:8080/v1".
func BaseURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String() + "/v1"
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/v1"
}

// isLoopback reports whether only this machine can reach addr.
func isLoopback(addr net.Addr) bool {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}
