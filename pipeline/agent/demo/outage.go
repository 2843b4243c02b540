package demo

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// lookTime is how often Serve looks for Options.DownFile.
const lookTime = 100 * time.Millisecond

// serveUpAndDown serves as serve does, except while there is Options.DownFile: then the listener and all connections are
// closed, and whoever connects is refused.
func (s *Server) serveUpAndDown(ctx context.Context, l net.Listener) error {
	for {
		if err := s.serveUntilDown(ctx, l); err != nil {
			return err
		}
		if !s.await(ctx, false) {
			return nil
		}
		again, err := net.Listen(l.Addr().Network(), l.Addr().String())
		if err != nil {
			return fmt.Errorf("serve again after %s is gone: %w", s.opts.DownFile, err)
		}
		l = again
	}
}

// serveUntilDown closes l.
func (s *Server) serveUntilDown(ctx context.Context, l net.Listener) error {
	if s.isDown() {
		return l.Close()
	}
	up, end := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		s.await(up, true)
		end()
	})
	defer watch.Wait()
	defer end()
	return s.serve(up, l)
}

// await waits until the server is to be down, or up; false means that ctx ended.
func (s *Server) await(ctx context.Context, down bool) bool {
	t := time.NewTicker(lookTime)
	defer t.Stop()
	for ctx.Err() == nil {
		if s.isDown() == down {
			return true
		}
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
	return false
}

func (s *Server) isDown() bool {
	_, err := os.Stat(s.opts.DownFile)
	return err == nil
}
