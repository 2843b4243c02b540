package ask

import (
	"context"
	"fmt"
	"strings"

	"docbatch/pipeline"
)

type checking struct{}

var _ pipeline.Step = checking{}

// Check gives the step that judges the answer in the record: one that was cut is kept with an error of kind KindTruncated, one
// that is nothing but white space is an error of class Refused and kind KindEmpty.
func Check() pipeline.Step { return checking{} }

// Name implements pipeline.Step.
func (checking) Name() string { return "check" }

// Do implements pipeline.Step.
func (checking) Do(_ context.Context, _ *pipeline.Document, rec *pipeline.Record) error {
	cut := rec.State == pipeline.Truncated
	if strings.TrimSpace(rec.Answer) == "" {
		rec.Answer = ""
		if cut {
			return pipeline.Errorf(pipeline.Refused, pipeline.KindTruncated, "the agent's length limit%s was reached before the answer had any text", limit(rec))
		}
		return pipeline.Errorf(pipeline.Refused, pipeline.KindEmpty, "the answer is nothing but white space")
	}
	if cut {
		rec.Err = pipeline.Errorf(pipeline.Refused, pipeline.KindTruncated, "the answer was cut at the agent's length limit%s", limit(rec))
	}
	return nil
}

// limit is the length at which an answer was cut, where the service counted it.
func limit(rec *pipeline.Record) string {
	if rec.Tokens.Completion == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d tokens)", rec.Tokens.Completion)
}
