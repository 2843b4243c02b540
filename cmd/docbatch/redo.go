package main

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"docbatch/jobs/sqlite"
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

// putBack makes documents wait again that are finished, because somebody wants them asked again.
func putBack(ctx context.Context, store *sqlite.Store, which []string) error {
	for _, glob := range which {
		switch glob {
		case redoFailed:
			if _, err := store.Retry(ctx); err != nil {
				return err
			}
			continue
		case redoAll:
			glob = "**"
		}
		n, err := store.Redo(ctx, func(id string) bool { return matchesID(glob, id) })
		if err != nil {
			return err
		}
		if n == 0 && glob != "**" {
			return withExit(exitUsage, fmt.Errorf("--redo %s: no finished document has such an ID", printable(glob)),
				"docbatch export lists all documents with their IDs. Nothing was sent.")
		}
	}
	return nil
}

// matchesID reports whether an ID matches a glob; one without a slash is for the last element, as that of --include.
func matchesID(glob, id string) bool {
	if glob == "**" {
		return true
	}
	if !strings.Contains(glob, "/") {
		id = path.Base(id)
	}
	return doublestar.MatchUnvalidated(glob, id)
}
