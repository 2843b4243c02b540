package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// asks reports whether a person is there to be asked, and wants to be. The built-in agent costs nothing.
func (o *runOptions) asks(e env, j *job) bool {
	_, tty := terminal(e.stderr)
	in, isFile := e.stdin.(*os.File)
	return tty && isFile && term.IsTerminal(int(in.Fd())) && !o.yes && !o.quiet && !o.json && !j.demo
}

// errDeclined is why a run does not begin whose plan a person declined, or did not wait for.
var errDeclined = errors.New("nothing was sent")

// confirm asks a person before more documents are sent than the job allows without; its error says that the answer was no.
func confirm(ctx context.Context, e env, o *runOptions, j *job, q *question) error {
	if !o.asks(e, j) {
		return nil
	}
	return untilSignal(ctx, func(ctx context.Context) error {
		fmt.Fprint(e.stderr, "docbatch: looking at what is to be sent ...")
		p, err := makePlan(ctx, j, q, o.partFlags)
		fmt.Fprintf(e.stderr, "\r%s", clearLine)
		if err != nil || p.Requests <= j.confirmAbove {
			return err
		}
		p.tell(e.stderr)
		fmt.Fprintf(e.stderr, "Send %s to %s? [y/N] ", plural(p.Requests, "request"), printable(j.asked()))
		yes := readYes(ctx, e.stdin)
		if ctx.Err() != nil {
			fmt.Fprintln(e.stderr) // what comes next begins a line
		}
		if !yes {
			return withExit(exitInterrupt, errDeclined, "--sample 20 works on a few first; --yes does not ask.")
		}
		return nil
	})
}

// readYes reads a line and reports whether it says yes. It returns early when ctx ends.
func readYes(ctx context.Context, in io.Reader) bool {
	line := make(chan string, 1)
	go func() { // what is left behind reads from a terminal that nobody else reads from
		text, _ := bufio.NewReader(in).ReadString('\n')
		line <- text
	}()
	select {
	case text := <-line:
		text = strings.ToLower(strings.TrimSpace(text))
		return text == "y" || text == "yes"
	case <-ctx.Done():
		return false
	}
}
