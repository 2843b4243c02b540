package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// rendering is the request for a document, made again: what is stored of it is its hash.
type rendering struct {
	messages []agent.Message
	images   []pipeline.Image // shown with the last one
	sent     bool             // these are the messages that the record in force answers
	differs  bool             // other ones were sent
	err      error            // why it can't be made; then the rest is empty
}

// renderAgain makes the request for d as a run of the job would now, and sends nothing.
func renderAgain(ctx context.Context, j *job, d *sqlite.Entry) rendering {
	req, err := render(ctx, j, d.Ref)
	if err != nil {
		return rendering{err: err}
	}
	r := rendering{messages: req.Messages, images: req.Images}
	if rec := outcome(d); rec != nil && rec.Request != "" {
		r.sent = agent.Hash(j.baseURL, req) == rec.Request
		r.differs = !r.sent
	}
	return r
}

// render takes a document through the steps up to where it would be sent.
func render(ctx context.Context, j *job, ref pipeline.Ref) (req *agent.Request, err error) {
	q, err := openQuestion(ctx, j)
	if err != nil {
		return nil, err
	}
	defer q.close()
	caught := agent.Func(func(_ context.Context, r *agent.Request) (*agent.Answer, error) {
		req = r
		return &agent.Answer{Text: "not sent"}, nil
	})
	doc, rec := &pipeline.Document{Ref: ref}, &pipeline.Record{Ref: ref}
	for _, step := range q.steps(j, caught) {
		if err := step.Do(ctx, doc, rec); err != nil {
			return nil, fmt.Errorf("%s: %w", step.Name(), err)
		}
	}
	return req, nil
}

// heading says what the messages are.
func (r *rendering) heading() string {
	switch {
	case r.sent:
		return "the request, as it was sent"
	case r.differs:
		return "the request as it would be sent now; it differs from what was sent: the document, the prompt or the agent has changed since, or is named otherwise here"
	}
	return "the request, as it would be sent"
}

// howToRender says what is missing where the request can't be made.
const howToRender = "Say what run was told: docbatch show ID INPUT... with its --prompt, --agent and so on, or -f JOBFILE."

// shownLines and shownRunes bound what show prints of a request.
const (
	shownLines = 40
	shownRunes = 400
)

// write writes the messages for people: not all of long ones.
func (r *rendering) write(w io.Writer) {
	if r.err != nil {
		fmt.Fprintf(w, "the request can't be shown: %s\n  %s\n", indented(r.err.Error()), howToRender)
		return
	}
	fmt.Fprintf(w, "%s:\n", r.heading())
	left, cut := shownLines, 0
	for _, m := range r.messages {
		for line := range strings.Lines(m.Role + ":\n" + strings.TrimRight(m.Content, "\n") + "\n") {
			line, short := firstRunes(printable(strings.TrimRight(line, "\r\n")), shownRunes)
			if left == 0 || short {
				cut++
			}
			if left > 0 {
				fmt.Fprintf(w, "  %s\n", line)
				left--
			}
		}
	}
	for _, image := range r.images {
		fmt.Fprintf(w, "  picture: %s\n", sayImage(image))
	}
	if cut > 0 {
		fmt.Fprintf(w, "  … %s not shown in full; --request prints all\n", plural(cut, "line"))
	}
}

// firstRunes is s, or its first n runes with a mark that something is missing.
func firstRunes(s string, n int) (first string, short bool) {
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…", true
		}
	}
	return s, false
}

// print prints the messages as they are, and on a terminal without what that would act on.
func (r *rendering) print(e env) error {
	if r.err != nil {
		return withExit(exitUsage, fmt.Errorf("the request can't be shown: %w", r.err), howToRender)
	}
	if !r.sent {
		fmt.Fprintf(e.stderr, "docbatch: this is %s\n", r.heading())
	}
	_, tty := terminal(e.stdout)
	for i, m := range r.messages {
		if i > 0 {
			fmt.Fprintln(e.stdout)
		}
		if tty {
			m.Content = printable(m.Content)
		}
		fmt.Fprintf(e.stdout, "%s:\n%s\n", m.Role, m.Content)
	}
	for _, image := range r.images {
		fmt.Fprintf(e.stdout, "picture: %s\n", sayImage(image))
	}
	return nil
}

// json adds the request for programs.
func (r *rendering) json(fields map[string]any) {
	if r.err != nil {
		fields["messages_error"] = r.err.Error()
		return
	}
	images := []map[string]any{}
	for _, image := range r.images {
		images = append(images, map[string]any{"page": image.Page, "media_type": image.MediaType, "bytes": len(image.Data)})
	}
	fields["messages"], fields["images"], fields["messages_sent"] = r.messages, images, r.sent
}
