package main

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// A logFile keeps what is said to people, each line with its time and the job that it is of: several jobs may share a file. A nil
// logFile keeps nothing. It is used by many goroutines at once.
type logFile struct {
	job  string
	tell func(format string, args ...any) // says that it can't be written to any more
	file io.WriteCloser

	mu   sync.Mutex
	torn bool // the last line may not be whole
	told bool
}

// openLog opens the job's log file to append to, and makes it where there is none; nil where the job has none.
func openLog(e env, j *job) (*logFile, error) {
	if j.logFile == "" {
		return nil, nil
	}
	var f *os.File
	err := checkLog(j.logFile)
	if err == nil {
		f, err = os.OpenFile(j.logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	}
	if err != nil {
		return nil, withExit(exitUsage, fmt.Errorf("the log file: %w", err), "Name a file that can be written to, in a folder that is there, with --log-file. Nothing was sent.")
	}
	return &logFile{job: oneLine(j.name, lineWidth), tell: e.tell, file: f}, nil
}

// checkLog refuses what a run would wait for: a pipe can't be opened before someone reads from it, nor written to when he stops.
func checkLog(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() || info.Mode().IsRegular() || info.Mode()&fs.ModeCharDevice != 0 {
		return nil // opening it says what is wrong
	}
	return fmt.Errorf("%s is not a regular file, nor a terminal or the like", path)
}

// say keeps a text, line by line.
func (l *logFile) say(text string) {
	if l == nil {
		return
	}
	var b strings.Builder
	at := time.Now().Format(time.RFC3339)
	for line := range strings.Lines(indented(text)) {
		fmt.Fprintf(&b, "%s %s: %s\n", at, l.job, strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", " "))
	}
	l.append(b.String())
}

// append writes lines in one call, so that those of several runs don't mix. What can't be written is lost: a full disk is no reason
// to stop the run that it tells of.
func (l *logFile) append(lines string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.torn {
		lines = "\n" + lines
	}
	_, err := io.WriteString(l.file, lines)
	l.torn = err != nil
	if err != nil && !l.told {
		l.told = true
		l.tell("what is said is not kept in the log file any more: %v; the run goes on", err)
	}
}

// Write keeps what slog says.
func (l *logFile) Write(p []byte) (int, error) {
	l.say(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

func (l *logFile) close() {
	if l != nil {
		_ = l.file.Close() // every line was written when it was said
	}
}

// handler is for slog, without the time that each line has here.
func (l *logFile) handler() slog.Handler {
	return slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
}

// tell says something to people, and keeps it in the log file.
func (e env) tell(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintln(e.stderr, "docbatch:", indented(text))
	e.log.say(text)
}

// tellError says what went wrong and what to do next.
func (e env) tellError(err error) {
	e.tell("%s", err)
	if next := whatNext(err); next != "" {
		fmt.Fprintln(e.stderr, printable(next))
		e.log.say(next)
	}
}
