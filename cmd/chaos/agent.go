package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"time"
)

// An agent is the built-in one, in a process of its own, with a journal. It lives on loopback and always at the same address.
type agent struct {
	rig     *rig
	url     string // its base URL
	address string // its host and port
	cmd     *exec.Cmd
}

// serve starts the agent with the row's options. It accepts one key.
func (g *rig) serve(args ...string) *agent {
	a := &agent{rig: g, address: "127.0.0.1:0"}
	g.agent = a
	a.start(args...)
	g.later(func() error { a.kill(); return nil })
	return a
}

// start starts the process, at the address that it had before.
func (a *agent) start(args ...string) {
	line := slices.Concat([]string{"demo-agent", "--listen", a.address, "--journal", a.rig.path("journal.jsonl"), "--key-env", keyVariable}, args)
	a.cmd = exec.CommandContext(a.rig.ctx, a.rig.docbatch, line...)
	a.cmd.Env = environment(a.rig.dir, cmp.Or(a.rig.agentKey, a.rig.key))
	var complaint bytes.Buffer
	a.cmd.Stderr = &complaint
	stdout, err := a.cmd.StdoutPipe()
	a.rig.must(err)
	a.rig.must(a.cmd.Start())
	base, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		_ = a.cmd.Wait()
		a.rig.must(fmt.Errorf("the agent did not start: %s", clip(complaint.String(), 300)))
	}
	a.url = base[:len(base)-1]
	u, err := url.Parse(a.url)
	a.rig.must(err)
	a.address = u.Host
}

// kill ends the agent: nothing listens at its address any more.
func (a *agent) kill() {
	if a.cmd.ProcessState == nil {
		_ = a.cmd.Process.Kill() // it may have ended by itself
		_ = a.cmd.Wait()         // that it was killed is known
	}
}

// restart puts an agent with other options in its place: whatever was wrong has been mended.
func (a *agent) restart(args ...string) {
	a.kill()
	a.start(args...)
}

// freeAddress is a port of loopback that is free now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// opened reports whether somebody listens at an address.
func opened(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// peer starts a program that listens at address, and waits until it does.
func (g *rig) peer(address, program string, args ...string) {
	log := g.path("peer-" + address[len("127.0.0.1:"):] + ".log")
	f, err := os.Create(log)
	g.must(err)
	defer f.Close()
	cmd := exec.CommandContext(g.ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = g.dir, f, f
	cmd.WaitDelay = time.Second
	g.must(cmd.Start())
	g.later(func() error {
		_ = cmd.Process.Kill() // it goes on until then
		_ = cmd.Wait()         // that it was killed is known
		return nil
	})
	if !g.until(10*time.Second, func() bool { return opened(address) }) {
		said, _ := os.ReadFile(log)
		g.must(fmt.Errorf("%s does not listen at %s: %s", program, address, clip(string(said), 300)))
	}
}
