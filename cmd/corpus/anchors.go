package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

//go:embed mail.py
var mailScript string

//go:embed slides.py
var slidesScript string

// anchorTime is what another program gets for one file.
const anchorTime = time.Minute

// An anchor is the text that another program gives of a format.
type anchor struct {
	programs []string // what it needs
	version  []string // the command that tells the version of the program
	recipe   string   // how it is asked: with the version, this names the cache
	make     func(ctx context.Context, samples []sample, save func(sample, string) error) error
}

// anchor is that of a format; false for csv and txt, whose anchor is the right decoding: see exact.go.
func (a *anchors) anchor(format string) (anchor, bool) {
	switch format {
	case "pdf":
		return oneByOne("pdftotext", pdftotext), true
	case "docx", "odt", "epub", "html":
		return oneByOne("pandoc", func(ctx context.Context, path string) (string, error) {
			return output(exec.CommandContext(ctx, "pandoc", "+RTS", "-M2g", "-RTS", "-f", format, "-t", "plain", "--wrap=none", path))
		}), true
	case "pptx":
		return a.byPython(slidesScript, []string{a.slides(), "--version"}, func(ctx context.Context, path string) (string, error) {
			return output(a.python(ctx, a.slides(), path))
		}), true
	case "eml", "mbox":
		return a.byPython(mailScript, []string{"--version"}, func(ctx context.Context, path string) (string, error) {
			return output(a.python(ctx, a.mail(), path))
		}), true
	case "msg":
		msg := a.byPython(mailScript, []string{"--version"}, a.outlook)
		msg.programs = append(msg.programs, "msgconvert", emailAddress)
		return msg, true
	case "rtf", "doc":
		return libreoffice("txt:Text (encoded):UTF8", "*.txt"), true
	case "xlsx", "xls", "ods":
		return libreoffice(allSheets, "*.csv"), true
	case "odp", "ppt":
		return libreoffice("pdf", "*.pdf"), true
	}
	return anchor{}, false
}

// oneByOne is an anchor of a program that reads one file at a time.
func oneByOne(program string, read func(context.Context, string) (string, error)) anchor {
	return anchor{programs: []string{program}, version: []string{program, "-v"}, make: func(ctx context.Context, samples []sample, save func(sample, string) error) error {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(runtime.NumCPU())
		for _, s := range samples {
			group.Go(func() error {
				limited, cancel := context.WithTimeout(ctx, anchorTime)
				defer cancel()
				text, err := read(limited, s.path)
				if err != nil { // what it can't read has no anchor
					text = ""
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return save(s, text)
			})
		}
		return group.Wait()
	}}
}

// byPython is an anchor of a script of ours.
func (a *anchors) byPython(script string, version []string, read func(context.Context, string) (string, error)) anchor {
	made := oneByOne("python3", read)
	made.version, made.recipe = append([]string{a.interpreter()}, version...), script
	return made
}

func pdftotext(ctx context.Context, path string) (string, error) {
	return output(exec.CommandContext(ctx, "pdftotext", "-enc", "UTF-8", path, "-"))
}

// outlook makes a mail of an Outlook message first.
func (a *anchors) outlook(ctx context.Context, path string) (string, error) {
	eml, err := output(exec.CommandContext(ctx, "msgconvert", "--outfile", "-", path))
	if err != nil {
		return "", err
	}
	cmd := a.python(ctx, a.mail(), "-")
	cmd.Stdin = strings.NewReader(eml)
	return output(cmd)
}

// output runs a program for what it prints.
func output(cmd *exec.Cmd) (string, error) {
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	return string(out), err
}

// anchors makes the texts to compare with and keeps them for the next time, under what made them and the hash of the file.
type anchors struct {
	dir string // of the cache
}

// newAnchors opens the cache.
func newAnchors() (*anchors, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	a := &anchors{dir: filepath.Join(cache, "docbatch-corpus")}
	return a, errors.Join(os.MkdirAll(a.dir, 0o755), keep(a.mail(), mailScript), keep(a.slides(), slidesScript))
}

func (a *anchors) mail() string   { return filepath.Join(a.dir, "mail.py") }
func (a *anchors) slides() string { return filepath.Join(a.dir, "slides.py") }

// keep writes a file of the cache whole: others may read it at the same time.
func keep(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// of gives the anchors of samples of one format, by hash.
func (a *anchors) of(ctx context.Context, format string, samples []sample) (map[string]string, error) {
	how, ok := a.anchor(format)
	if !ok {
		return exactAnchors(samples)
	}
	dir, err := a.folder(ctx, format, how)
	if err != nil {
		return nil, err
	}
	return kept(ctx, dir, format, how, samples)
}

// kept gives the anchors that a folder of the cache has, and has the others made for it.
func kept(ctx context.Context, dir, format string, how anchor, samples []sample) (map[string]string, error) {
	found := map[string]string{}
	var wanted []sample
	for _, s := range samples {
		text, err := os.ReadFile(filepath.Join(dir, s.hash))
		if err != nil {
			wanted = append(wanted, s)
		}
		found[s.hash] = string(text)
	}
	if len(wanted) == 0 {
		return found, nil
	}
	fmt.Fprintf(os.Stderr, "%d anchors of %s are made; the next time they are there\n", len(wanted), format)
	made := make(chan sample, len(wanted))
	err := how.make(ctx, wanted, func(s sample, text string) error {
		made <- s
		return keep(filepath.Join(dir, s.hash), text)
	})
	close(made)
	for s := range made {
		text, readErr := os.ReadFile(filepath.Join(dir, s.hash))
		err = errors.Join(err, readErr)
		found[s.hash] = string(text)
	}
	return found, err
}

// folder makes the folder of the cache for what the installed program gives.
func (a *anchors) folder(ctx context.Context, format string, how anchor) (string, error) {
	if err := install(ctx, how.programs); err != nil {
		return "", err
	}
	if how.programs[0] == "python3" {
		if err := a.installPython(ctx); err != nil {
			return "", err
		}
	}
	printed, err := exec.CommandContext(ctx, how.version[0], how.version[1:]...).CombinedOutput()
	if len(printed) == 0 {
		return "", fmt.Errorf("%s: no version: %w", strings.Join(how.version, " "), err)
	}
	recipe := sha256.Sum256([]byte(how.recipe))
	dir := filepath.Join(a.dir, fmt.Sprintf("%s-%s-%x", format, slug(string(printed)), recipe[:4]))
	return dir, os.MkdirAll(dir, 0o755)
}

var notSlug = regexp.MustCompile(`[^A-Za-z0-9.]+`)

// slug makes a part of a file name of the version that a program prints.
func slug(version string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(version), "\n")
	return strings.Trim(notSlug.ReplaceAllString(first, "-"), "-")
}
