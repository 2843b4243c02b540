package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A reading is what docbatch says of one file: a line of docbatch extract --json.
type reading struct {
	File      string   `json:"file"`
	Outcome   string   `json:"outcome"`
	MediaType string   `json:"media_type"`
	Text      string   `json:"text"`
	Warnings  []string `json:"warnings"`
	Error     string   `json:"error"`
	Millis    float64  `json:"ms"`
	Memory    int64    `json:"memory_bytes"`
}

// outcomes are those that a document may have, in the order of the table. crashed is none of them: docbatch ended without a line for
// the file, or was silent for too long.
var outcomes = []string{"text", "encrypted", "damaged", "empty", "no_text", "too_large", "unsupported", "timeout"}

const crashed = "crash"

const (
	batchSize = 200             // files on a command line
	silence   = 2 * time.Minute // without a line; docbatch's own bound for a file is one minute
)

// An extractor runs docbatch extract.
type extractor struct {
	docbatch string
	dir      string // where it runs: one without a job file
}

// A usage is what a process and its children took.
type usage struct {
	wall, cpu time.Duration
	memory    int64 // at one time, in bytes
}

// extract reads files. Where docbatch does not survive them together, those that are left are read one by one. cpu is what docbatch and
// its children used.
func (x extractor) extract(ctx context.Context, paths []string) (readings map[string]reading, cpu time.Duration, err error) {
	readings = map[string]reading{}
	keep := func(r reading) { readings[r.File] = r }
	for batch := range slices.Chunk(paths, batchSize) {
		used, err := x.run(ctx, batch, keep)
		cpu += used.cpu
		for _, path := range batch {
			if _, ok := readings[path]; !ok && len(batch) > 1 && ctx.Err() == nil {
				used, err = x.run(ctx, []string{path}, keep)
				cpu += used.cpu
			}
			if _, ok := readings[path]; !ok {
				readings[path] = reading{File: path, Outcome: crashed, Error: fmt.Sprint(err)}
			}
		}
	}
	return readings, cpu, ctx.Err()
}

// run reads files in one process. The error is only how it ended, which is with an exit code too where a file is refused.
func (x extractor) run(ctx context.Context, paths []string, each func(reading)) (used usage, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, x.docbatch, append([]string{"extract", "--json", "--"}, paths...)...)
	cmd.Dir = x.dir
	cmd.WaitDelay = 5 * time.Second
	complaint := &beginning{max: 16 << 10}
	cmd.Stderr = complaint
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return used, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return used, err
	}
	memory := watchTree(cmd.Process.Pid, often)
	quiet := time.AfterFunc(silence, func() { cancel(fmt.Errorf("silent for %v", silence)) })
	defer quiet.Stop()
	decodeErr := decode(stdout, func(r reading) {
		quiet.Reset(silence)
		each(r)
	})
	_, _ = io.Copy(io.Discard, stdout) // after a line that is none, so that it can end
	waitErr := cmd.Wait()
	used = usage{wall: time.Since(began), memory: memory.stop(), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if cause := context.Cause(ctx); cause != nil {
		waitErr = cause
	}
	if waitErr != nil {
		waitErr = fmt.Errorf("%w: %s", waitErr, clip(complaint.String(), 300))
	}
	return used, errors.Join(decodeErr, waitErr)
}

// decode reads JSON values to the end.
func decode(r io.Reader, each func(reading)) error {
	for dec := json.NewDecoder(r); ; {
		var line reading
		if err := dec.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		each(line)
	}
}

// A beginning keeps so many bytes of what is written to it.
type beginning struct {
	max  int
	kept []byte
}

func (b *beginning) Write(p []byte) (int, error) {
	b.kept = append(b.kept, p[:min(len(p), b.max-len(b.kept))]...)
	return len(p), nil
}

func (b *beginning) String() string { return string(b.kept) }

// clip is s on one line, at most n bytes long.
func clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.ToValidUTF8(s[:min(n, len(s))], "")
}
