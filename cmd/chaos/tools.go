package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// What rows need beside docbatch.
const (
	needNginx     = "nginx"
	needToxiproxy = "toxiproxy"
	needStrace    = "strace"
	needSQLite    = "sqlite3"
	needPrlimit   = "prlimit"
	needMount     = "mount" // the right to mount a small tmpfs, and a file over /etc/hosts for one process
)

// toxiproxyModule is pinned: its API is what toxiproxy.go speaks.
const toxiproxyModule = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0"

// debianPackage names what apt-get installs a tool from.
var debianPackage = map[string]string{needNginx: "nginx-light", needStrace: "strace", needSQLite: "sqlite3", needPrlimit: "util-linux"}

// tools are the programs that rows need. One that is not there is installed, once, when the first row needs it.
type tools struct {
	dir string

	mu      sync.Mutex
	looked  map[string]error
	updated bool // apt-get knows what there is
}

func newTools(dir string) *tools { return &tools{dir: dir, looked: map[string]error{}} }

// have makes a tool available, or says why it can't be had.
func (t *tools) have(ctx context.Context, name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	err, known := t.looked[name]
	if !known {
		err = t.look(ctx, name)
		t.looked[name] = err
	}
	return err
}

func (t *tools) look(ctx context.Context, name string) error {
	switch name {
	case needToxiproxy:
		cmd := exec.CommandContext(ctx, "go", "install", toxiproxyModule)
		cmd.Env = append(os.Environ(), "GOBIN="+t.dir)
		return said(cmd)
	case needMount:
		return said(exec.CommandContext(ctx, "unshare", "--mount", "true"))
	}
	if _, err := exec.LookPath(name); err == nil {
		return nil
	}
	return t.install(ctx, name)
}

// install takes a tool from the packages of Debian.
func (t *tools) install(ctx context.Context, name string) error {
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("%s is not installed, and installing it needs apt-get and root", name)
	}
	apt := func(args ...string) error {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		return said(cmd)
	}
	if !t.updated {
		if err := apt("update", "-qq"); err != nil {
			return err
		}
		t.updated = true
	}
	return apt("install", "-qq", "-y", "--no-install-recommends", debianPackage[name])
}

func (t *tools) toxiproxy() string { return filepath.Join(t.dir, "server") }

// build builds docbatch as it is in the tree.
func build(ctx context.Context, path string) error {
	return said(exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "docbatch/cmd/docbatch"))
}

// said runs a command; its error has what the command printed.
func said(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) || err == nil {
		return err
	}
	return fmt.Errorf("%s %s: %w: %s", filepath.Base(cmd.Path), cmd.Args[1], err, clip(string(out), 300))
}
