// Package jsonl writes records as JSON Lines: one object a line, UTF-8, keys always in the same order, nothing escaped but
// what must be and what no eye sees. It is the output for programs: texts are whole and unchanged but for NUL and bytes that are not UTF-8, and
// counts are numbers.
//
// The keys are id, name, fields, answer, state, class, error, warnings, model, prompt_tokens, completion_tokens, tokens, duration_ms,
// attempts, source; every line has them all. fields is an object with the original columns that the record has, in its order.
package jsonl

import (
	"io"
	"strconv"

	"docbatch/pipeline"
	"docbatch/sinks/output"
	"docbatch/sinks/table"
)

// A Sink writes records to one file or stream.
type Sink struct {
	out  output.Writer
	line []byte
}

var _ pipeline.Sink = (*Sink)(nil)

// Open begins a file; see output.Open for what happens to an old one.
func Open(path string) (*Sink, error) {
	f, err := output.Open(path)
	if err != nil {
		return nil, err
	}
	return &Sink{out: f}, nil
}

// New begins a stream on w. Commit flushes it and leaves w open.
func New(w io.Writer) *Sink { return &Sink{out: output.NewStream(w)} }

// Write adds the record as one line.
func (s *Sink) Write(rec *pipeline.Record) error {
	s.line = appendRecord(s.line[:0], rec)
	_, err := s.out.Write(s.line)
	return err
}

// Commit puts the file in its place, or flushes the stream.
func (s *Sink) Commit() error { return s.out.Commit() }

// Discard drops what was written; of a stream, what was not sent yet.
func (s *Sink) Discard() error { return s.out.Discard() }

// appendRecord is written by hand because encoding/json can't keep the order of the fields without a second pass
// over every line.
func appendRecord(b []byte, rec *pipeline.Record) []byte {
	state, class, message := table.Outcome(rec)
	b = append(b, '{')
	b = appendText(b, table.ID, rec.ID)
	b = appendText(b, table.Name, rec.Name)
	b = appendFields(b, rec.Fields)
	b = appendText(b, table.Answer, rec.Answer)
	b = appendText(b, table.State, string(state))
	b = appendText(b, table.Class, string(class))
	b = appendText(b, table.Error, message)
	b = appendText(b, table.Warnings, table.WarningsOf(rec))
	b = appendText(b, table.Model, rec.Model)
	b = appendCount(b, table.PromptTokens, int64(rec.Tokens.Prompt))
	b = appendCount(b, table.CompletionTokens, int64(rec.Tokens.Completion))
	b = appendCount(b, table.Tokens, int64(rec.Tokens.Total()))
	b = appendCount(b, table.Duration, rec.Duration.Milliseconds())
	b = appendCount(b, table.Attempts, int64(rec.Tries))
	b = appendText(b, table.Source, rec.Source)
	return append(b, '}', '\n')
}

func appendFields(b []byte, fields []pipeline.Field) []byte {
	b = appendKey(b, "fields")
	b = append(b, '{')
	for _, f := range fields {
		b = appendText(b, f.Name, f.Value)
	}
	return append(b, '}')
}

func appendText(b []byte, key, text string) []byte {
	return appendString(appendKey(b, key), text)
}

func appendCount(b []byte, key string, n int64) []byte {
	return strconv.AppendInt(appendKey(b, key), n, 10)
}

func appendKey(b []byte, key string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(appendString(b, key), ':')
}
