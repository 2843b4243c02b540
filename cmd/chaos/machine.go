package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// tmpfs makes a folder of the row one of so many KiB; grow gives it more.
func (g *rig) tmpfs(name string, kib int) (dir string, grow func(kib int)) {
	dir = g.path(name)
	g.must(os.Mkdir(dir, 0o755))
	mount := func(options string, kib int) {
		g.must(said(exec.CommandContext(g.ctx, "mount", "-t", "tmpfs", "-o", fmt.Sprintf("%ssize=%dk", options, kib), "tmpfs", dir)))
	}
	mount("", kib)
	g.later(func() error { return said(exec.Command("umount", dir)) })
	return dir, func(kib int) { mount("remount,", kib) }
}

// underStrace has a system call on the state files fail, the n-th of each thread; what was injected is in the returned log. Go moves
// its work between threads, less so with GOMAXPROCS=1: then the busiest makes half of 200 calls, else a quarter.
func (g *rig) underStrace(n int, calls, errno string) (log string) {
	log = g.path(fmt.Sprintf("strace-%03d.log", n))
	g.prefix = []string{"env", "GOMAXPROCS=1", "strace", "-f", "-qq", "--seccomp-bpf", "-o", log, "-e", "trace=" + calls,
		"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", calls, errno, n)}
	for _, suffix := range []string{"", "-wal", "-journal", ".lock"} {
		g.prefix = append(g.prefix, "-P", g.state()+suffix)
	}
	return log
}

// injected counts the calls that were made to fail.
func (g *rig) injected(log string) int {
	b, err := os.ReadFile(log)
	g.must(err)
	return bytes.Count(b, []byte("(INJECTED)"))
}

// underHosts gives docbatch a hosts file of its own, which may change while it runs, and no name server that answers.
func (g *rig) underHosts(hosts string) {
	resolv := g.write("resolv.conf", []byte("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"))
	g.prefix = []string{"unshare", "--mount", "sh", "-c",
		`mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"`, "sh", hosts, resolv}
}

// sqlite3 has the sqlite3 shell carry out SQL on a file.
func (g *rig) sqlite3(file, sql string) {
	g.must(said(exec.CommandContext(g.ctx, needSQLite, "-bail", file, sql)))
}

// hold has the sqlite3 shell hold the state file, as a backup tool may, until release is called.
func (g *rig) hold(begin string) (release func()) {
	cmd := exec.CommandContext(g.ctx, needSQLite, "-bail", g.state())
	stdin, err := cmd.StdinPipe()
	g.must(err)
	stdout, err := cmd.StdoutPipe()
	g.must(err)
	g.must(cmd.Start())
	_, err = fmt.Fprintf(stdin, ".timeout 10000\n%s;\nSELECT 'held';\n", begin)
	g.must(err)
	answer := make([]byte, len("held"))
	if _, err := stdout.Read(answer); err != nil || string(answer) != "held" {
		g.must(fmt.Errorf("the sqlite3 shell could not hold %s: %q, %v", g.state(), answer, err))
	}
	g.later(func() error {
		_ = cmd.Process.Kill() // it has ended, but in a row that was broken off
		return nil
	})
	return func() { g.must(errors.Join(stdin.Close(), cmd.Wait())) }
}

// snapshot is the content of the state file and of its log, to see whether they were changed.
func (g *rig) snapshot() string {
	var b strings.Builder
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(g.state() + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			g.must(err)
		}
		fmt.Fprintf(&b, "%d:%s", len(content), content)
	}
	return b.String()
}
