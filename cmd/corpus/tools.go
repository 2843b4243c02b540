package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// debianPackage names what apt-get installs a program or a file from.
var debianPackage = map[string]string{
	"pdftotext":  "poppler-utils",
	"pandoc":     "pandoc",
	"soffice":    "libreoffice",
	"python3":    "python3-venv",
	"msgconvert": "libemail-outlook-message-perl",
	emailAddress: "libemail-address-perl",
}

// emailAddress is what msgconvert needs too, though its package in Debian 12 does not say so.
const emailAddress = "/usr/share/perl5/Email/Address.pm"

// install makes programs available, from the packages of Debian where they are not there.
func install(ctx context.Context, programs []string) error {
	var packages []string
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if _, err := os.Stat(program); err != nil {
			packages = append(packages, debianPackage[program])
		}
	}
	if len(packages) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("%v are not installed, and installing them needs apt-get and root", packages)
	}
	fmt.Fprintf(os.Stderr, "apt-get install %v\n", packages)
	for _, args := range [][]string{{"update", "-qq"}, slices.Concat([]string{"install", "-qq", "-y", "--no-install-recommends"}, packages)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if err := said(cmd); err != nil {
			return err
		}
	}
	return nil
}

// pythonPackages are of the Python in the cache; without them an anchor of the standard library stands in.
var pythonPackages = []string{"python-pptx==1.0.2"}

func (a *anchors) interpreter() string { return filepath.Join(a.dir, "python", "bin", "python") }

// installPython makes a Python of our own with what the scripts like to have.
func (a *anchors) installPython(ctx context.Context) error {
	if _, err := os.Stat(a.interpreter()); err == nil {
		return nil
	}
	if err := said(exec.CommandContext(ctx, "python3", "-m", "venv", filepath.Join(a.dir, "python"))); err != nil {
		return err
	}
	args := slices.Concat([]string{"-m", "pip", "install", "-q", "--disable-pip-version-check"}, pythonPackages)
	if err := said(exec.CommandContext(ctx, a.interpreter(), args...)); err != nil {
		fmt.Fprintf(os.Stderr, "slides are compared without python-pptx: %v\n", err)
	}
	return nil
}

// python is a command of our own Python.
func (a *anchors) python(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, a.interpreter(), args...)
}

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
	return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, clip(string(out), 300))
}
