// Command chaos runs docbatch against real faults and says which of its promises hold. It builds docbatch, starts real peers on
// loopback (the built-in agent with its journal, nginx, toxiproxy, the sqlite3 shell, strace, a small tmpfs), breaks one thing at
// a time, and compares what docbatch then has in its state file with what the agent was asked:
//
//	go run ./cmd/chaos                  the whole matrix with its real figures: 1,000 documents, 16 workers; about an hour
//	go run ./cmd/chaos -short           what CI runs: fewer documents, higher limits, shorter faults; about a minute
//	go run ./cmd/chaos -run 'down|kill' some rows
//	go run ./cmd/chaos -list            their names
//
// It prints one row a fault and exits with 1 if one falls short. A row whose peer is not there and can't be installed is left out,
// and named at the end.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
)

type options struct {
	short    bool
	run      string
	repeat   int
	parallel int
	keep     bool
	list     bool
	docbatch string
}

func main() {
	var o options
	flag.BoolVar(&o.short, "short", false, "fewer documents, higher limits and shorter faults")
	flag.StringVar(&o.run, "run", "", "only the rows whose name matches this regular expression")
	flag.IntVar(&o.repeat, "n", 1, "how often each row is run; the worst counts")
	flag.IntVar(&o.parallel, "p", 0, "rows at once (default: 4, with -short 8); one that measures speed runs alone")
	flag.BoolVar(&o.keep, "keep", false, "keep the folders of all rows; those of rows that fall short are kept anyway")
	flag.BoolVar(&o.list, "list", false, "print the names of the rows")
	flag.StringVar(&o.docbatch, "docbatch", "", "the program to test (default: it is built)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := run(ctx, o, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run runs the rows that are asked for. ok is whether none falls short.
func run(ctx context.Context, o options, out io.Writer) (ok bool, err error) {
	pattern, err := regexp.Compile(o.run)
	if err != nil {
		return false, fmt.Errorf("-run: %w", err)
	}
	var chosen []row
	for _, r := range rows() {
		if pattern.MatchString(r.name) {
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		return false, fmt.Errorf("-run %q matches no row; -list names them", o.run)
	}
	if o.list {
		for _, r := range chosen {
			fmt.Fprintln(out, r.name)
		}
		return true, nil
	}
	m, err := newMatrix(ctx, o)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	return m.work(ctx, chosen, &printer{w: out}), nil
}

// newMatrix builds docbatch and makes the folder for everything.
func newMatrix(ctx context.Context, o options) (*matrix, error) {
	dir, err := os.MkdirTemp("", "docbatch-chaos-")
	if err != nil {
		return nil, err
	}
	m := &matrix{options: o, dir: dir, docbatch: o.docbatch, key: keyPrefix + randomHex(), tools: newTools(dir)}
	if m.docbatch == "" {
		m.docbatch = filepath.Join(dir, "docbatch")
		err = build(ctx, m.docbatch)
	} else if m.docbatch, err = filepath.Abs(m.docbatch); err == nil {
		_, err = os.Stat(m.docbatch)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return m, nil
}

// randomHex tells the key of this time from everything else that could be in a file.
func randomHex() string {
	b := make([]byte, 12)
	rand.Read(b)
	return hex.EncodeToString(b)
}
