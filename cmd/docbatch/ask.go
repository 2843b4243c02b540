package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"docbatch/pipeline/agent"
)

type askOptions struct {
	jobFlags
	noStream bool
}

func newAskCommand(e env) *cobra.Command {
	// A question is one call, tried once: the person is there to try again.
	o := &askOptions{jobFlags: jobFlags{limitFlags: limitFlags{workers: 1, attempts: 1, grace: time.Second, maxPause: time.Second}, state: defaultState}}
	cmd := &cobra.Command{
		Use:   "ask QUESTION...",
		Short: "Ask the agent one question and print its answer",
		Long: `Send one question to the agent, as it is, and print the answer as it arrives. The question - is read from stdin.
Nothing is stored.`,
		Example: `  docbatch ask --agent invoice-analyst "What can you do?"
  docbatch ask --demo - < letter.txt`,
		Args: usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := loadJob(cmd, e, &o.jobFlags, nil)
			if err != nil {
				return err
			}
			question := strings.Join(args, " ")
			if question == "-" {
				if question, err = readQuestion(e.stdin); err != nil {
					return err
				}
			}
			return askOnce(cmd.Context(), e, o, j, question)
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.file, "file", "f", "", "the job file whose agent is asked (default: "+defaultJobFile+", if it is there)")
	fs.StringVar(&o.system, "system", "", "the system prompt, sent as it is")
	o.agentFlags.add(fs)
	fs.BoolVar(&o.noStream, "no-stream", false, "print the answer when it is whole")
	return cmd
}

// maxQuestion bounds what is read from stdin.
const maxQuestion = 8 << 20

func readQuestion(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxQuestion+1))
	switch {
	case err != nil:
		return "", err
	case len(b) > maxQuestion:
		return "", withExit(exitUsage, errors.New("the question on stdin is over 8 MiB"), "")
	case !utf8.Valid(b):
		return "", withExit(exitUsage, errors.New("the question on stdin is not UTF-8"), "docbatch run reads documents of any encoding.")
	}
	return string(b), nil
}

func askOnce(ctx context.Context, e env, o *askOptions, j *job, question string) error {
	if strings.TrimSpace(question) == "" {
		return withExit(exitUsage, errors.New("the question is empty"), "")
	}
	if err := j.ready(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	a, done, err := connect(e, j, nil)
	if err != nil {
		return err
	}
	defer done()
	req := &agent.Request{Agent: j.slug, Params: j.params, Stream: !o.noStream}
	if o.system != "" {
		req.Messages = append(req.Messages, agent.Message{Role: "system", Content: o.system})
	}
	req.Messages = append(req.Messages, agent.Message{Role: "user", Content: question})
	printed := 0
	req.OnText = func(text string) {
		n, _ := io.WriteString(e.stdout, printable(text))
		printed += n
	}
	answer, err := a.Ask(ctx, req)
	if printed > 0 {
		fmt.Fprintln(e.stdout)
	}
	switch {
	case ctx.Err() != nil:
		return withExit(exitInterrupt, errors.New("interrupted"), "")
	case err != nil:
		return withExit(askExit(err), err, whatNext(err))
	case printed == 0:
		fmt.Fprintln(e.stdout, printable(answer.Text))
	}
	if answer.Truncated() {
		return withExit(exitDocuments, errors.New("the answer was cut at the agent's length limit"), "Raise --max-answer-tokens.")
	}
	return nil
}

// askExit is the exit code for a question without an answer: that of a document that failed, unless the failure is fatal.
func askExit(err error) int {
	if code := exitCode(err); code != exitFailed {
		return code
	}
	return exitDocuments
}
