package main

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"docbatch/jobs/sqlite"
	"docbatch/pipeline"
)

// What --redo may be, besides a glob.
const (
	redoAll    = "all"
	redoFailed = "failed"
)

// checkRedo finds globs that are none, before anything is put back.
func checkRedo(which []string) error {
	for _, glob := range which {
		if glob == "" || !doublestar.ValidatePattern(glob) {
			return fmt.Errorf("--redo is %q; it must be failed, all, or a glob of IDs; it may hold *, **, ?, [a-z] and {a,b}", glob)
		}
	}
	return nil
}

// putBack makes documents wait again that had an outcome, because somebody wants them asked again: all that are named, or none where
// a glob names none.
func putBack(ctx context.Context, store *sqlite.Store, question string, which []string) error {
	if len(which) == 0 {
		return nil
	}
	names := make([]int, len(which)) // how many documents each of them names
	err := store.Known(ctx, func(source, id string, state pipeline.State) {
		for i, glob := range which {
			if isRedone(glob, source, id, state) {
				names[i]++
			}
		}
	})
	if err != nil {
		return err
	}
	for i, glob := range which {
		if names[i] == 0 && glob != redoAll && glob != redoFailed {
			return withExit(exitUsage, fmt.Errorf("--redo %s: no document that was answered, or failed, has such an ID", printable(glob)),
				"An ID is the path below the input; docbatch export lists all. Nothing was sent or put back.")
		}
	}
	_, err = store.Redo(ctx, question, func(source, id string, state pipeline.State) bool {
		for _, glob := range which {
			if isRedone(glob, source, id, state) {
				return true
			}
		}
		return false
	})
	return err
}

// isRedone reports whether one --redo names a document: by its ID, or by its source and ID with a slash or a colon between. A glob
// without a slash is for the last element, as that of --include.
func isRedone(glob, source, id string, state pipeline.State) bool {
	switch {
	case glob == redoAll:
		return true
	case glob == redoFailed:
		return state == pipeline.Failed
	case !strings.Contains(glob, "/") && doublestar.MatchUnvalidated(glob, path.Base(id)):
		return true
	}
	return doublestar.MatchUnvalidated(glob, id) || doublestar.MatchUnvalidated(glob, source+"/"+id) || doublestar.MatchUnvalidated(glob, source+":"+id)
}
