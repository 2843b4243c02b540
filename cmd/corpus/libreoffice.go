package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// allSheets is the CSV filter with commas, UTF-8, values as shown, and every sheet in a file of its own:
// https://wiki.documentfoundation.org/Documentation/DevGuide/Spreadsheet_Documents
const allSheets = `csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1`

const (
	officeBatch  = 25       // files of one start: it takes seconds
	officeBlocks = "131072" // of 512 bytes, of one file that it writes: a fuzzed workbook of 20 kB became 4.3 GB
)

// libreoffice is an anchor of LibreOffice: what it converts a file to by filter, in the files that pattern matches.
func libreoffice(filter, pattern string) anchor {
	programs := []string{"soffice"}
	if pattern == "*.pdf" {
		programs = append(programs, "pdftotext")
	}
	return anchor{programs: programs, version: []string{"soffice", "--version"}, recipe: filter, make: func(ctx context.Context, samples []sample, save func(sample, string) error) error {
		dir, err := os.MkdirTemp("", "docbatch-office-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o := office{dir: dir, filter: filter, pattern: pattern}
		for batch := range slices.Chunk(samples, officeBatch) {
			if err := o.convertAll(ctx, batch, save); err != nil {
				return err
			}
		}
		return nil
	}}
}

// An office is LibreOffice with a profile of its own.
type office struct {
	dir, filter, pattern string
}

// convertAll converts files in one start, and those that came to nothing once more by themselves: one file can end the program.
func (o office) convertAll(ctx context.Context, samples []sample, save func(sample, string) error) error {
	if err := o.convert(ctx, samples); err != nil {
		return err
	}
	for _, s := range samples {
		text, ok := o.take(ctx, s)
		if !ok && len(samples) > 1 {
			if err := o.convert(ctx, []sample{s}); err != nil {
				return err
			}
			text, _ = o.take(ctx, s)
		}
		if err := save(s, text); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// convert leaves for each file one or more beside it. Files lie under their hash: names of the corpus come twice.
func (o office) convert(ctx context.Context, samples []sample) error {
	limited, cancel := context.WithTimeout(ctx, anchorTime+time.Duration(len(samples))*5*time.Second)
	defer cancel()
	args := []string{"-c", `ulimit -f "$1"; shift; exec "$@"`, "sh", officeBlocks,
		"soffice", "-env:UserInstallation=file://" + filepath.Join(o.dir, "profile"), "--headless", "--convert-to", o.filter, "--outdir", o.dir}
	for _, s := range samples {
		data, err := os.ReadFile(s.path)
		if err != nil {
			return err
		}
		path := filepath.Join(o.dir, s.hash+filepath.Ext(s.path))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return err
		}
		args = append(args, path)
	}
	cmd := exec.CommandContext(limited, "sh", args...)
	cmd.WaitDelay = time.Second
	_ = cmd.Run() // whatever it says: what counts is what it left
	return ctx.Err()
}

// take reads and removes what became of a file.
func (o office) take(ctx context.Context, s sample) (text string, ok bool) {
	_ = os.Remove(filepath.Join(o.dir, s.hash+filepath.Ext(s.path)))
	made, _ := filepath.Glob(filepath.Join(o.dir, s.hash+o.pattern)) // the pattern is well-formed
	var all strings.Builder
	for _, path := range made {
		var part []byte
		var err error
		if filepath.Ext(path) == ".pdf" {
			var printed string
			printed, err = pdftotext(ctx, path)
			part = []byte(printed)
		} else {
			part, err = os.ReadFile(path)
		}
		if err == nil {
			all.Write(part)
			all.WriteByte('\n')
		}
		_ = os.Remove(path)
	}
	return all.String(), len(made) > 0
}
