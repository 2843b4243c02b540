package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"docbatch/pipeline/prompt"
)

//go:embed init.yaml
var initJobFile string

func newInitCommand(e env) *cobra.Command {
	return &cobra.Command{
		Use:   "init [FOLDER]",
		Short: "Write a commented job file and a prompt to begin with",
		Long:  "Write docbatch.yaml and prompt.txt into the folder (default: this one). Files that are there are never overwritten.",
		Args:  usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return initJob(e, dir)
		},
	}
}

func initJob(e env, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return withExit(exitUsage, err, "")
	}
	files := []struct{ name, text string }{{defaultJobFile, initJobFile}, {"prompt.txt", prompt.Default}}
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(dir, f.name)); err == nil {
			return withExit(exitUsage, fmt.Errorf("%s is there already; nothing was written", filepath.Join(dir, f.name)), "")
		}
	}
	for _, f := range files {
		if err := writeNew(filepath.Join(dir, f.name), f.text); err != nil {
			return err
		}
	}
	fmt.Fprintf(e.stderr, "docbatch: wrote %s and %s. Name your inputs in the first, then try: docbatch run --demo -f %s\n",
		filepath.Join(dir, defaultJobFile), filepath.Join(dir, "prompt.txt"), filepath.Join(dir, defaultJobFile))
	return nil
}

// writeNew writes a file that must not be there yet.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return withExit(exitUsage, fmt.Errorf("%s is there already; it was not changed", path), "")
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
