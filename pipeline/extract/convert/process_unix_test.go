//go:build unix

package convert

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"docbatch/pipeline"
)

// started waits for n programs that wait, and gives a function that returns when all of them have ended.
func started(t *testing.T, l net.Listener, n int) (ended func()) {
	t.Helper()
	var conns []net.Conn
	for range n {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	return func() {
		for _, conn := range conns {
			_, _ = io.ReadAll(conn) // until its end, or until it is reset: either way the program is gone
			conn.Close()
		}
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestEnded ends programs in each of the ways there are, and looks for what they have started.
func TestEnded(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Run("by the context", func(t *testing.T) {
		l := listen(t)
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, _, err := fake("fake-hang", l.Addr().String(), "{in}").Run(ctx, "a", nil)
			failed <- err
		}()
		ended := started(t, l, 2)
		cancel()
		ended()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
	t.Run("by the time", func(t *testing.T) {
		c := fake("fake-wait", listen(t).Addr().String(), "{in}")
		c.time = 50 * time.Millisecond
		_, _, err := c.Run(t.Context(), "a", nil)
		if e, ok := errors.AsType[*pipeline.Error](err); !ok || e.Kind != pipeline.KindSlow {
			t.Errorf("got %v, want kind %s", err, pipeline.KindSlow)
		}
	})
	t.Run("by itself, with a child left", func(t *testing.T) {
		l := listen(t)
		out, _, err := fake("fake-leave", l.Addr().String(), "{in}").Run(t.Context(), "a", nil)
		if err != nil || string(out) != "done" {
			t.Errorf("got %q, %v", out, err)
		}
		started(t, l, 1)()
	})
	noneLeft(t)
}
