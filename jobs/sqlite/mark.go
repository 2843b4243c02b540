package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
)

// A mark is how far a state file got: the numbers of its newest run, document and answer, which only grow. The lock file
// beside it notes it after each commit, so that a file that lost its log, or that is an older copy, is noticed before
// anything is asked again.
type mark struct {
	Runs      int64 `json:"runs"`
	Documents int64 `json:"documents"`
	Answers   int64 `json:"answers"`
}

// selectMark reads the ends of three trees: 3 microseconds.
const selectMark = `SELECT coalesce((SELECT max(num) FROM runs), 0), coalesce((SELECT max(num) FROM items), 0),
	coalesce((SELECT max(num) FROM answers), 0)`

func (m *mark) dest() []any { return []any{&m.Runs, &m.Documents, &m.Answers} }

// parseMark gives the mark that was noted; none where what is there is none.
func parseMark(note []byte) mark {
	var m mark
	if err := json.Unmarshal(note, &m); err != nil {
		return mark{}
	}
	return m
}

// missing says what a file that got as far as has lacks; nil where nothing.
func (m mark) missing(has mark) error {
	for _, n := range []struct {
		what          string
		has, expected int64
	}{{"answers", has.Answers, m.Answers}, {"documents", has.Documents, m.Documents}, {"runs", has.Runs, m.Runs}} {
		if n.has < n.expected {
			return fmt.Errorf("it holds %d %s, %d were stored", n.has, n.what, n.expected)
		}
	}
	return nil
}

// checkMark finds out whether the state file at path lost something since a mark was noted. It changes nothing: who opens a
// file for writing, and closes it again, writes what is in its log.
func checkMark(ctx context.Context, path string, noted mark) error {
	if noted == (mark{}) {
		return nil
	}
	if isEmpty(path) {
		return lossOf(path, noted.missing(mark{}))
	}
	db, err := sql.Open("sqlite", readerDSN(path))
	if err != nil {
		return err
	}
	var has mark
	version, err := versionOf(ctx, db, filepath.Base(path))
	if err == nil && version > 0 {
		err = sqlError(filepath.Base(path), db.QueryRowContext(ctx, selectMark).Scan(has.dest()...))
	}
	if err == nil {
		err = lossOf(path, noted.missing(has))
	}
	return errors.Join(err, db.Close())
}

func lossOf(path string, missing error) error {
	if missing == nil {
		return nil
	}
	name := filepath.Base(path)
	return stateError(fmt.Errorf("%s %w: %w. Its log %s-wal was deleted, or an older copy was put in its place", name, ErrLost, missing, name))
}
