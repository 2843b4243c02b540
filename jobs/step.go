package jobs

import (
	"context"
	"runtime/debug"

	"docbatch/pipeline"
)

// do applies one step. A panic in it is our bug, and costs this document only: it becomes an internal error with its stack.
func do(ctx context.Context, step pipeline.Step, doc *pipeline.Document, rec *pipeline.Record) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = pipeline.Errorf(pipeline.Internal, pipeline.KindPanic, "panic in step %s: %v\n%s", step.Name(), p, debug.Stack())
		}
	}()
	return step.Do(ctx, doc, rec)
}
