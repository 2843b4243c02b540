package openai

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// A testClock is now, with sleeps added that nobody waited for.
type testClock struct {
	slept atomic.Int64 // nanoseconds
	looks atomic.Int64
}

func (c *testClock) sleep(d time.Duration) { c.slept.Add(int64(d)) }

func (c *testClock) now() instant {
	c.looks.Add(1)
	i := now()
	i.wall += time.Duration(c.slept.Load())
	return i
}

func TestAsleep(t *testing.T) {
	tests := []struct {
		name     string
		from, to instant
		want     time.Duration
	}{
		{"awake", instant{100, 10}, instant{150, 60}, 0},
		{"slept", instant{100, 10}, instant{1150, 60}, 1000},
		{"the clock was set back", instant{100, 10}, instant{50, 60}, -100},
	}
	for _, tt := range tests {
		if got := asleep(tt.from, tt.to); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestClocksAgree reads the real clocks: the machine does not sleep between.
func TestClocksAgree(t *testing.T) {
	from := now()
	time.Sleep(10 * time.Millisecond) // so that both have something to count
	to := now()
	if nap := asleep(from, to).Abs(); nap > time.Second || to.awake <= from.awake || to.wall <= from.wall {
		t.Errorf("got %v asleep from %+v to %+v, want 0 and later", nap, from, to)
	}
}

// sleeper gives an agent with a clock of its own whose calls hang, after a connection was made if the agent asked for
// is "connected".
func sleeper(t *testing.T) (*Agent, *testClock, *int) {
	clock, renewed := &testClock{}, new(int)
	a := dial(t, "http://127.0.0.1:1/v1")
	a.traffic = newTraffic(clock.now, func() { *renewed++ })
	a.client = clientOver(roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if callOf(r.Context()).req.Agent == "connected" {
			httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
		}
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}), a.base)
	return a, clock, renewed
}

// TestSleepEndsCalls has the machine sleep for an hour while calls are in flight: their time-outs slept too.
func TestSleepEndsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, clock, renewed := sleeper(t)
		kinds := map[string]string{"connected": pipeline.KindTimeout, "connecting": pipeline.KindConnect}
		var calls sync.WaitGroup
		began := time.Now()
		for name, kind := range kinds {
			for _, stream := range []bool{false, true} {
				calls.Go(func() {
					_, err := a.Ask(t.Context(), &agent.Request{Agent: name, Messages: question().Messages, Stream: stream})
					wantError(t, err, pipeline.Transient, kind, "this machine slept for 1h0m0s: the connection to http://127.0.0.1:1/v1 is taken for dead")
				})
			}
		}
		time.Sleep(90 * time.Second)
		clock.sleep(time.Hour)
		calls.Wait()
		if took := time.Since(began) - 90*time.Second; took > lookEvery {
			t.Errorf("got the errors %v after the machine woke, want at most %v", took, lookEvery)
		}
		if *renewed != 1 {
			t.Errorf("connections were renewed %d times, want 1", *renewed)
		}
	})
}

// TestNapsAndSetClocks: calls outlive a short nap and a clock that is set back.
func TestNapsAndSetClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, clock, renewed := sleeper(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go func() {
			for _, d := range []time.Duration{longestNap, -time.Hour, longestNap} {
				time.Sleep(10 * time.Second)
				clock.sleep(d)
			}
		}()
		if _, err := a.Ask(ctx, question()); !errors.Is(err, context.DeadlineExceeded) || *renewed != 0 {
			t.Errorf("got %v, renewed %d times, want the caller's deadline and no renewal", err, *renewed)
		}
	})
}

// TestNoLooksAtRest: the clocks are looked at every second while there are calls, and not at all without.
func TestNoLooksAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, clock, _ := sleeper(t)
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
			before := clock.looks.Load()
			a.Ask(ctx, question())
			cancel()
			time.Sleep(time.Minute)
			if looks := clock.looks.Load() - before; looks != 12 { // one to begin with, ten, and one that finds no call
				t.Errorf("got %d looks, want 12", looks)
			}
		}
	})
}

// TestSleepBetweenCalls: what was connected before the machine slept is not used after, by either version of HTTP.
func TestSleepBetweenCalls(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		name := map[bool]string{false: "HTTP/1", true: "HTTP/2"}[http2]
		t.Run(name, func(t *testing.T) {
			var connections atomic.Int32
			srv := httptest.NewUnstartedServer(with200("application/json", good))
			srv.EnableHTTP2 = http2
			srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					connections.Add(1)
				}
			}
			srv.StartTLS()
			defer srv.Close()
			a := dial(t, srv.URL)
			clock, w := &testClock{}, newWire(a.options)
			trust := func() {
				w.inUse.Load().TLSClientConfig = srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			}
			trust()
			a.traffic = newTraffic(clock.now, func() { w.renew(); trust() })
			a.client = clientOver(w, a.base)
			defer w.renew() // closes the last connections
			for i, want := range []int32{1, 1, 2, 2} {
				if i == 2 {
					clock.sleep(time.Hour)
				}
				if _, err := a.Ask(t.Context(), question()); err != nil {
					t.Fatal(err)
				}
				if n := connections.Load(); n != want {
					t.Errorf("call %d: got %d connections, want %d", i, n, want)
				}
			}
		})
	}
}
