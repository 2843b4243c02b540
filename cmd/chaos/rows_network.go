package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// goesOn takes the agent away in the middle of a run, for a minute, and wants the run to go on soon after its return.
func goesOn(g *rig, base string, down, up func()) {
	p := g.begin(base)
	g.untilAsked(p, len(g.docs)/3)
	down()
	g.pass(of(g, 3*time.Second, time.Minute))
	back := time.Now()
	up()
	g.wantExit("the run", p.wait(), 0)
	rest := after(g.entries(), back)
	if len(rest) == 0 {
		g.fault("nothing was asked after the agent's return")
		return
	}
	waited := rest[0].Time.Sub(back)
	g.note("it went on %.1f s after the agent's return", waited.Seconds())
	g.want(waited <= 30*time.Second, "it went on %.1f s after the agent's return, want 30 s", waited.Seconds())
	g.mayRepeat = workers // what was being answered when the agent went away
}

// slowAgent is one that leaves time for something to happen in the middle of a run.
func slowAgent(g *rig, args ...string) *agent {
	g.documents(of(g, 60, 1000))
	return g.serve(append([]string{"--latency", of(g, "100ms", "200ms")}, args...)...)
}

func downRefused(g *rig) {
	file := g.path("down")
	a := slowAgent(g, "--down-file", file)
	goesOn(g, a.url, func() { g.must(os.WriteFile(file, nil, 0o644)) }, func() { g.must(os.Remove(file)) })
}

func downBehindNginx(g *rig) {
	a := slowAgent(g)
	n := g.nginx("", g.proxied(""))
	goesOn(g, n.url, a.kill, func() { a.start() })
	pages := n.statuses()["502"]
	g.note("%d pages of 502", pages)
	g.want(pages > 0, "nginx sent no 502: the fault did not happen")
}

func downBehindProxy(g *rig) {
	slowAgent(g)
	t := g.toxiproxy()
	goesOn(g, t.url, func() { t.enable(false) }, func() { t.enable(true) })
}

// downByName takes the agent's name out of the hosts file, and its connections away, so that the name is looked up again.
func downByName(g *rig) {
	const name = "agent.docbatch.test"
	down := g.path("down")
	a := slowAgent(g, "--down-file", down)
	hosts := g.write("hosts", []byte("127.0.0.1 "+name+"\n"))
	g.underHosts(hosts)
	_, port, err := net.SplitHostPort(a.address)
	g.must(err)
	goesOn(g, "http://"+net.JoinHostPort(name, port)+"/v1",
		func() {
			g.must(os.WriteFile(down, nil, 0o644))
			g.write("hosts", []byte("127.0.0.1 localhost\n"))
		},
		func() {
			g.must(os.Remove(down))
			g.write("hosts", []byte("127.0.0.1 "+name+"\n"))
		})
}

// redirected counts what arrives at a host that nobody named.
func redirected(g *rig, status string) {
	g.documents(of(g, 30, 1000))
	g.serve()
	var arrived atomic.Int64
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.must(err)
	other := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = other.Serve(listener) }() // until it is closed
	g.later(func() error { err := other.Close(); <-done; return err })
	n := g.nginx("", fmt.Sprintf("location / { return %s http://%s$request_uri; }", status, listener.Addr()))
	g.wantExit("the run", g.run(n.url), 2, "redirect")
	g.want(arrived.Load() == 0, "%d requests went to the other host", arrived.Load())
	requests, _ := n.counted()
	g.want(requests <= workers, "%d requests, want at most %d", requests, workers)
	g.wantNothingFailed()
	g.mended()
}

// mended runs the row's documents on the agent itself, as one who has corrected the base URL.
func (g *rig) mended() { g.wantExit("with the right base URL", g.run(g.agent.url), 0) }

func nginxTooLarge(g *rig) {
	for i := range of(g, 60, 1000) {
		size := 0
		if i%12 == 5 && i < 60 {
			size = 20 << 10
		}
		g.document(i, size)
		if size > 0 {
			g.mustFail(i)
		}
	}
	g.serve("--latency", "20ms")
	n := g.nginx("", g.proxied("client_max_body_size 8k;"))
	g.wantExit("the run", g.run(n.url), 3)
	requests, _ := n.counted()
	g.want(requests == len(g.docs), "%d requests for %d documents, want one each", requests, len(g.docs))
}

// nginxTooMany has nginx keep a limit: its 429 is a page of HTML that does not say how long to wait.
func nginxTooMany(g *rig) {
	g.documents(of(g, 60, 1000))
	g.serve("--latency", "20ms")
	n := g.nginx("limit_req_zone $binary_remote_addr zone=all:1m rate=20r/s; limit_req_status 429;", g.proxied("limit_req zone=all burst=5 nodelay;"))
	g.wantExit("the run", g.run(n.url), 0)
	requests, throttled := n.counted()
	g.note("%.1f %% of %d requests got 429", 100*float64(throttled)/float64(requests), requests)
	g.want(throttled > 0, "nginx sent no 429: the fault did not happen")
	g.want(throttled <= requests/5, "%d of %d requests got 429", throttled, requests)
}

// nginxTooBusy has nginx refuse more than a few connections at once, with pages of 503.
func nginxTooBusy(g *rig) {
	g.documents(of(g, 60, 1000))
	g.serve("--latency", "100ms")
	n := g.nginx("limit_conn_zone $binary_remote_addr zone=all:1m; limit_conn_status 503;", g.proxied("limit_conn all 6;"))
	g.wantExit("the run", g.run(n.url, "--attempts", "10"), 0)
	pages := n.statuses()["503"]
	g.note("%d pages of 503", pages)
	g.want(pages > 0, "nginx sent no 503: the fault did not happen")
}

// nginxTooSlow has nginx give up on some answers, with pages of 504. The agent may have answered by then.
func nginxTooSlow(g *rig) {
	g.documents(of(g, 100, 1000))
	g.serve("--latency", "20ms", "--fail", "hang=0.05")
	n := g.nginx("", g.proxied("proxy_read_timeout 1s;"))
	g.wantExit("the run", g.run(n.url, "--attempts", "8"), 0)
	pages := n.statuses()["504"]
	g.note("%d pages of 504", pages)
	g.want(pages > 0, "nginx sent no 504: the fault did not happen")
}

// refusesTLS wants a run that trusts nobody it should not, and says why.
func refusesTLS(g *rig, c certificate, says string) {
	g.documents(of(g, 30, 1000))
	g.serve()
	n := g.nginxTLS(c)
	l := g.run(n.url)
	g.wantExit("the run", l, 2, says)
	g.want(l.says("certificate"), "it does not say that the certificate is why")
	g.want(g.asked() == 0, "%d requests went through", g.asked())
	g.wantNothingFailed()
	g.mended()
}

func selfSigned(g *rig) {
	c, err := newCertificate(time.Now().Add(24*time.Hour), nil)
	g.must(err)
	refusesTLS(g, c, "unknown authority")
}

// trusted makes a certificate of an authority that docbatch trusts in this row.
func trusted(g *rig, until time.Time) certificate {
	a, root, err := newAuthority()
	g.must(err)
	c, err := newCertificate(until, a)
	g.must(err)
	g.prefix = []string{"env", "SSL_CERT_FILE=" + g.write("root.pem", root)}
	return c
}

func expired(g *rig) { refusesTLS(g, trusted(g, time.Now().Add(-24*time.Hour)), "expired") }

// goodTLS shows that the rows before it fail because of their certificates.
func goodTLS(g *rig) {
	g.documents(of(g, 30, 1000))
	g.serve()
	n := g.nginxTLS(trusted(g, time.Now().Add(24*time.Hour)))
	g.wantExit("the run", g.run(n.url), 0)
}

// mostMemory is what docbatch may need however large an answer is.
const mostMemory = 150 << 20

// survives wants answers that are too large to be refused in little memory.
func survives(g *rig, n *nginx) {
	l := g.run(n.url, "--attempts", "2")
	g.want(l.exit == 3 || l.exit == 6 || l.exit == 2, "exit %d, want 2, 3 or 6: %s", l.exit, lastError(l))
	g.note("exit %d after %.1f s, at most %d MB: %s", l.exit, l.elapsed.Seconds(), l.peak>>20, lastError(l))
	g.want(l.peak > 0 && l.peak < mostMemory, "it needed %d MB, want less than %d", l.peak>>20, mostMemory>>20)
	g.command("retry", "--state", g.state())
	g.mended()
}

func hugeBody(g *rig) {
	g.documents(workers)
	g.serve()
	path := g.path("html/answer.json")
	g.must(os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	g.must(err)
	_, err = f.WriteString(`{"choices":[{"message":{"role":"assistant","content":"`)
	g.must(err)
	g.must(f.Truncate(2 << 30))
	g.must(f.Close())
	survives(g, g.nginx("", g.always("answer.json", "")))
	g.must(os.Remove(path))
}

// always is a location that answers every request with a file; nginx takes GET only for files, so its refusal is the answer.
func (g *rig) always(file, more string) string {
	return fmt.Sprintf("location / { error_page 405 =200 /%s; return 405; } location = /%[1]s { error_page 405 =200 /%[1]s; default_type application/json; %[2]s }", file, more)
}

func gzipBomb(g *rig) {
	g.documents(workers)
	g.serve()
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	g.must(err)
	_, err = io.WriteString(z, `{"choices":[{"message":{"role":"assistant","content":"`)
	g.must(err)
	piece := bytes.Repeat([]byte{'a'}, 1<<20)
	for range of(g, 256, 1024) {
		_, err := z.Write(piece)
		g.must(err)
	}
	g.must(z.Close())
	g.must(os.MkdirAll(g.path("html"), 0o755))
	g.write("html/bomb.json", packed.Bytes())
	survives(g, g.nginx("", g.always("bomb.json", "add_header Content-Encoding gzip always;")))
}

// connectionsHang has nothing come back for a time: docbatch can't know whether it was answered.
func connectionsHang(g *rig) {
	slowAgent(g)
	t := g.toxiproxy()
	p := g.begin(t.url, "--timeout", "2s", "--attempts", "10", "--repeats", "5")
	g.untilAsked(p, len(g.docs)/3)
	t.toxic("timeout", map[string]any{"timeout": 0})
	g.pass(of(g, 3*time.Second, 20*time.Second))
	t.heal("timeout")
	g.wantExit("the run", p.wait(), 0)
	g.mayRepeat = of(g, 6, 24) * workers // what arrived and was not seen, every 2 s
}

func connectionsReset(g *rig) {
	slowAgent(g)
	t := g.toxiproxy()
	p := g.begin(t.url, "--attempts", "10")
	g.untilAsked(p, len(g.docs)/3)
	t.toxic("reset_peer", map[string]any{"timeout": 0})
	g.pass(of(g, 2*time.Second, 10*time.Second))
	t.heal("reset_peer")
	g.wantExit("the run", p.wait(), 0)
	g.mayRepeat = len(g.docs)
}

// answersCut lets some bytes of each connection through.
func answersCut(g *rig) {
	slowAgent(g)
	t := g.toxiproxy()
	p := g.begin(t.url, "--attempts", "10")
	g.untilAsked(p, len(g.docs)/3)
	t.toxic("limit_data", map[string]any{"bytes": 300})
	g.pass(of(g, 2*time.Second, 10*time.Second))
	t.heal("limit_data")
	g.wantExit("the run", p.wait(), 0)
	g.mayRepeat = len(g.docs)
}

// slowNetwork delivers answers late, in small pieces, slowly: but whole.
func slowNetwork(g *rig) {
	g.documents(of(g, 60, 400))
	g.serve()
	t := g.toxiproxy()
	t.toxic("latency", map[string]any{"latency": 200, "jitter": 100})
	t.toxic("slicer", map[string]any{"average_size": 20, "size_variation": 10, "delay": 2000})
	t.toxic("bandwidth", map[string]any{"rate": 20})
	g.wantExit("the run", g.run(t.url), 0)
}
