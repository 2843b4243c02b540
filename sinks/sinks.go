// Package sinks opens the outputs of a job: one format for each file extension, each in a folder below. What the formats
// share lies beside them: the columns in sinks/table, the replacing of files in sinks/output.
//
// The columns are id, name, the original columns of the row in their order, answer, state, class, error, model,
// prompt_tokens, completion_tokens, tokens, duration_ms, attempts, source.
package sinks

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"docbatch/pipeline"
	"docbatch/sinks/csv"
	"docbatch/sinks/jsonl"
	"docbatch/sinks/output"
	"docbatch/sinks/xlsx"
)

// The formats, by the name that Stream takes.
const (
	CSV   = "csv"
	JSONL = "jsonl"
	XLSX  = "xlsx"
)

// Version changes when the same records are written in another way.
const Version = 2

// Open begins the output at path, in the format that its extension names: .csv, .jsonl, .ndjson or .xlsx, in any case. fields
// are the names of the original columns, the union over all sources, each once; JSONL doesn't need them. What is at
// path stays until Commit.
func Open(path string, fields []string) (pipeline.Sink, error) {
	format, err := formatOf(path)
	if err != nil {
		return nil, err
	}
	switch format {
	case CSV:
		return asSink(csv.Open(path, fields))
	case JSONL:
		return asSink(jsonl.Open(path))
	default:
		return asSink(xlsx.Open(path, fields))
	}
}

// Stream begins an output on w, which stays open: Commit flushes it. The format is CSV or JSONL. What has left for w stays
// written after Discard.
func Stream(format string, w io.Writer, fields []string) (pipeline.Sink, error) {
	switch format {
	case CSV:
		return asSink(csv.New(w, fields))
	case JSONL:
		return jsonl.New(w), nil
	case XLSX:
		return nil, fmt.Errorf("open a stream: %s needs a file: use %s or %s", XLSX, CSV, JSONL)
	}
	return nil, fmt.Errorf("open a stream: unknown format %q: use %s or %s", format, CSV, JSONL)
}

// Check says, before a run, whether Open would succeed: the extension is known, the folder is there and can be
// written, and what is at path can be replaced.
func Check(path string) error {
	if _, err := formatOf(path); err != nil {
		return err
	}
	return output.Check(path)
}

func formatOf(path string) (string, error) {
	ext := filepath.Ext(path)
	switch strings.ToLower(ext) {
	case ".csv":
		return CSV, nil
	case ".jsonl", ".ndjson":
		return JSONL, nil
	case ".xlsx":
		return XLSX, nil
	}
	return "", fmt.Errorf("open %s: unknown output format %q: use .csv, .jsonl, .ndjson or .xlsx", path, ext)
}

// asSink keeps a nil of a concrete type from becoming a Sink that is not nil.
func asSink[S pipeline.Sink](s S, err error) (pipeline.Sink, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}
