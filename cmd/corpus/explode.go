package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// What a bomb may take.
const (
	bombMemory = 256 << 20 // bytes of docbatch and its children at one time
	bombTime   = 10 * time.Second
)

// What docbatch says when a bound was reached, and of a document that leads in a circle, which PDFium breaks by itself.
const (
	theBound = "(the bound on"
	aLoop    = "leads back to itself"
)

// explode reads each bomb by itself, and then has docbatch run work on all of them.
func explode(ctx context.Context, x extractor, dir string, pattern *regexp.Regexp, out io.Writer) (ok bool, err error) {
	inbox := filepath.Join(dir, "bombs")
	if err := os.Mkdir(inbox, 0o755); err != nil {
		return false, err
	}
	if err := x.warmUp(ctx, dir); err != nil {
		return false, err
	}
	fmt.Fprintf(out, bombFormat, "bomb", "KB", "s", "CPU s", "MB", "outcome")
	n, short := 0, 0
	for _, b := range bombs() {
		if !pattern.MatchString(b.name) {
			continue
		}
		path, err := writeBomb(inbox, b)
		if err != nil {
			return false, fmt.Errorf("%s: %w", b.name, err)
		}
		faults, err := x.explode(ctx, b, path, out)
		if err != nil {
			return false, err
		}
		n++
		if faults > 0 {
			short++
		}
	}
	faults, err := x.runAll(ctx, inbox, out)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(out, "\n%d bombs, %d fall short\n", n, short)
	return short+faults == 0, nil
}

const bombFormat = "%-34s %9v %6v %6v %5v  %s\n"

// warmUp reads a document of a page, so that the first bomb does not pay for what is made once.
func (x extractor) warmUp(ctx context.Context, dir string) error {
	path, err := writeBomb(dir, bomb{name: "warm-up.pdf", write: pdf(catalogue, onePage, page, stream("", shown), font)})
	if err != nil {
		return err
	}
	_, err = x.run(ctx, []string{path}, func(reading) {})
	return err
}

// explode reads one bomb and prints what came of it, and where it falls short.
func (x extractor) explode(ctx context.Context, b bomb, path string, out io.Writer) (faults int, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	var lines []reading
	used, runErr := x.run(ctx, []string{path}, func(r reading) {
		r.Text = ""
		lines = append(lines, r)
	})
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	fmt.Fprintf(out, bombFormat, b.name, info.Size()>>10, fmt.Sprintf("%.1f", used.wall.Seconds()), fmt.Sprintf("%.1f", used.cpu.Seconds()), used.memory>>20, describe(lines, path))
	found := bombFaults(b, used, lines, runErr)
	for _, fault := range found {
		fmt.Fprintf(out, "    ! %s\n", clip(fault, 200))
	}
	return len(found), nil
}

// describe says what came of a file, or of the files within it.
func describe(lines []reading, path string) string {
	counts := map[string]int{}
	for _, r := range lines {
		counts[r.Outcome]++
	}
	var said []string
	for _, outcome := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[outcome]; n > 1 {
			outcome = fmt.Sprintf("%d x %s", n, outcome)
		}
		said = append(said, outcome)
	}
	text := strings.Join(said, ", ")
	for _, r := range lines {
		if words := strings.Join(append(slices.Clone(r.Warnings), r.Error), " "); words != "" {
			return text + ": " + clip(strings.ReplaceAll(words, path, filepath.Base(path)), 150)
		}
	}
	return text
}

// bombFaults are the promises that were not kept.
func bombFaults(b bomb, used usage, lines []reading, runErr error) (faults []string) {
	if len(lines) == 0 {
		faults = append(faults, fmt.Sprintf("it came to nothing: %v", runErr))
	}
	for _, r := range lines {
		faults = append(faults, r.faults()...)
		if (r.Outcome == "too_large" || r.Outcome == "timeout") && !strings.Contains(r.Error, theBound) {
			faults = append(faults, fmt.Sprintf("no bound is named: %s", r.Error))
		}
		if r.Outcome == "text" && b.refusal != "" || !strings.Contains(r.Error, b.refusal) {
			faults = append(faults, fmt.Sprintf("it came to %s %q, want it refused with %q", r.Outcome, r.Error, b.refusal))
		}
	}
	if used.memory > bombMemory {
		faults = append(faults, fmt.Sprintf("it took %d MB, want at most %d", used.memory>>20, bombMemory>>20))
	}
	if used.wall > bombTime {
		faults = append(faults, fmt.Sprintf("it took %v, want at most %v", used.wall.Round(time.Second/10), bombTime))
	}
	return faults
}

// exitDocuments is how docbatch run ends when it has done what it could and some documents have failed.
const exitDocuments = 3

// runAll has docbatch run work on a folder of bombs with the built-in agent.
func (x extractor) runAll(ctx context.Context, inbox string, out io.Writer) (faults int, err error) {
	cmd := exec.CommandContext(ctx, x.docbatch, "run", inbox, "--demo", "--state", filepath.Join(x.dir, "bombs.db"), "-o", filepath.Join(x.dir, "bombs.csv"))
	cmd.Dir = x.dir
	used, err := timed(cmd, often)
	if cmd.ProcessState == nil || ctx.Err() != nil {
		return 0, errors.Join(err, ctx.Err())
	}
	fmt.Fprintf(out, bombFormat, "all of them, docbatch run --demo", "", fmt.Sprintf("%.1f", used.wall.Seconds()), fmt.Sprintf("%.1f", used.cpu.Seconds()), used.memory>>20, cmd.ProcessState)
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != exitDocuments {
		fmt.Fprintf(out, "    ! %v\n", err)
		faults++
	}
	if most := int64(bombMemory * (1 + runtime.NumCPU())); used.memory > most {
		fmt.Fprintf(out, "    ! it took %d MB, want at most %d\n", used.memory>>20, most>>20)
		faults++
	}
	return faults, nil
}
