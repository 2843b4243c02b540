package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"docbatch/jobs/sqlite"
	"docbatch/sinks"
)

// checkOutputs finds, before anything is sent or written, outputs that can't be written, and outputs that would destroy a file
// of the job: protected are those, and inputs.
func checkOutputs(outputs []string, protected map[string]string) error {
	seen := map[string]bool{}
	for _, path := range outputs {
		if err := sinks.Check(path); err != nil {
			return withExit(exitUsage, err, "Name a .csv, .xlsx or .jsonl file in a folder that can be written to.")
		}
		real := realPath(path)
		if seen[real] {
			return withExit(exitUsage, fmt.Errorf("the output %s is named twice", path), "")
		}
		seen[real] = true
		for file, what := range protected {
			if real == realPath(file) {
				return withExit(exitUsage, fmt.Errorf("the output %s is %s: it would be overwritten", path, what), "Name another file with -o.")
			}
		}
	}
	return nil
}

// protected are the files that no output may replace, and what they are.
func (j *job) protected() map[string]string {
	files := stateFiles(j.state)
	for _, in := range j.inputs {
		if info, err := os.Stat(in.Path); err == nil && !info.IsDir() {
			files[in.Path] = "an input"
		}
	}
	for path, what := range map[string]string{j.file: "the job file", j.promptName: "the prompt", j.systemName: "the system prompt",
		j.keyFile: "the key file", j.extraction.secrets: "the passwords file", j.dotenv: "the .env file"} {
		if path != "" {
			files[path] = what
		}
	}
	for _, f := range []struct{ path, what string }{{j.logFile, logFileName}, {j.metrics, metricsName}} {
		if _, taken := files[f.path]; f.path != "" && !taken {
			files[f.path] = f.what
		}
	}
	return files
}

func stateFiles(state string) map[string]string {
	files := map[string]string{}
	for _, path := range sqlite.Files(state) {
		files[path] = "the state"
	}
	return files
}

// realPath is a path without symbolic links, also that of a file that is not there yet; two paths of one file are equal then.
func realPath(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(dir, filepath.Base(abs))
	}
	return abs
}

// keepOutput brings one output up to date. One that holds what the records say is not written again, which takes longer than all
// else in a night without news; it is only given the time of now, because it is as of now.
func keepOutput(ctx context.Context, store *sqlite.Store, path string, part selection) error {
	real, how := realPath(path), fmt.Sprintf("gone %t, finished %t, version %d", part.gone, part.finished, sinks.Version)
	holds, err := store.OutputHolds(ctx, real, how, outputStamp(real))
	if err != nil {
		return err
	}
	if now := time.Now(); !holds || os.Chtimes(real, now, now) != nil {
		// What can't be noted is written again the next time.
		noted := store.BeginOutput(ctx, real, how)
		if err := writeOutput(ctx, store, path, part); err != nil || noted != nil {
			return err
		}
	}
	_ = store.EndOutput(ctx, real, outputStamp(real))
	return nil
}

// outputStamp is a mark that changes when the file does; "" where there is none.
func outputStamp(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return fmt.Sprint(info.Size(), " ", info.ModTime().UnixNano())
}
