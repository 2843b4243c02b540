package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	codes "modernc.org/sqlite/lib"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// Reader reads a state file, also while another process writes it: each call sees what was committed when it began. It is
// used by many goroutines at once.
type Reader struct {
	name   string
	db     *sql.DB
	after  *sql.Stmt
	answer *sql.Stmt
}

var _ jobs.Reader = (*Reader)(nil)

// readers is how many connections read at once.
const readers = 4

// OpenReader opens the state file at path for reading. It takes no lock and never makes or changes the file.
//
// The error is ErrNotState, ErrNewer or ErrDamaged where the file can't be used, ErrLost where it holds less than was stored in it, ErrOlder where Open must bring it up to date
// first, and fs.ErrNotExist where there is none.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	path, err := followLinks(path)
	if err != nil {
		return nil, err
	}
	return openToRead(ctx, path, "", schemaVersion)
}

// openToRead is OpenReader for a path that is no link; how is added to the name that the driver gets. A file of an older version than
// oldest is refused; one that is older than this docbatch's can only be copied.
func openToRead(ctx context.Context, path, how string, oldest int) (*Reader, error) {
	if err := inspect(path); err != nil {
		return nil, err
	}
	noted := notedBeside(path) // before the file is looked at: who writes to it notes afterwards
	if isEmpty(path) {
		return nil, errors.Join(lossOf(path, noted.missing(mark{})), stateError(fmt.Errorf("%s %w: it is empty", filepath.Base(path), ErrNotState)))
	}
	r, err := openReader(ctx, path, readerDSN(path)+how, oldest)
	if code := codeOf(err); (code == codes.SQLITE_CANTOPEN || code == codes.SQLITE_READONLY) && !hasLog(path) {
		// A folder that can't be written to, such as a backup's: SQLite can't make the index of a log there, and needs none.
		r, err = openReader(ctx, path, readerDSN(path)+"&immutable=1", oldest)
	}
	if err != nil {
		return nil, err
	}
	if err := r.compare(ctx, path, noted); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// hasLog reports whether something may stand in the log of the state file at path.
func hasLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist)
}

// compare finds out whether the file lost something since a mark was noted.
func (r *Reader) compare(ctx context.Context, path string, noted mark) error {
	var has mark
	if err := r.db.QueryRowContext(ctx, selectMark).Scan(has.dest()...); err != nil {
		return r.failure(ctx, "open", err)
	}
	return lossOf(path, noted.missing(has))
}

func openReader(ctx context.Context, path, dsn string, oldest int) (*Reader, error) {
	name := filepath.Base(path)
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	r := &Reader{name: name, db: db}
	if err := r.prepare(ctx, oldest); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

func (r *Reader) prepare(ctx context.Context, oldest int) error {
	version, err := versionOf(ctx, r.db, r.name)
	if err != nil {
		return err
	}
	if version < oldest {
		return stateError(fmt.Errorf("%s %w: its version is %d, this one reads %d", r.name, ErrOlder, version, schemaVersion))
	}
	if version < schemaVersion {
		return nil // what is read in other ways may not be there
	}
	if r.after, err = r.db.PrepareContext(ctx, selectAfter); err != nil {
		return r.failure(ctx, "open", err)
	}
	if r.answer, err = r.db.PrepareContext(ctx, selectAnswer); err != nil {
		return r.failure(ctx, "open", err)
	}
	return nil
}

// Close closes the file. No other method is called after it.
func (r *Reader) Close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{r.after, r.answer} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(append(errs, r.db.Close())...)
}

// failure is what a caller is told of an error while reading: the context's, where that has ended. What SQLite gives and can't
// be understood is damage.
func (r *Reader) failure(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = fmt.Errorf("%s: %w", what, err)
	if codeOf(err) == -1 {
		return damaged(r.name, err)
	}
	return sqlError(r.name, err)
}

// query runs a query and calls scan for each of its rows.
func (r *Reader) query(ctx context.Context, what, query string, args []any, scan func(rows *sql.Rows) error) error {
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return r.failure(ctx, what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return r.failure(ctx, what, err)
		}
	}
	return r.failure(ctx, what, rows.Err())
}

// Counts implements jobs.Reader.
func (r *Reader) Counts(ctx context.Context) (jobs.Counts, error) {
	var c jobs.Counts
	err := r.query(ctx, "count items", `SELECT iif(gone_at IS NULL, state, 'gone'), count(*) FROM items GROUP BY 1`, nil,
		func(rows *sql.Rows) error {
			var state string
			var n int
			err := rows.Scan(&state, &n)
			at := countOf(&c, state)
			if err == nil && at == nil {
				err = fmt.Errorf("there is no state %q", state)
			}
			if err == nil {
				*at = n
			}
			return err
		})
	return c, err
}

func countOf(c *jobs.Counts, state string) *int {
	switch pipeline.State(state) {
	case pipeline.Pending:
		return &c.Pending
	case pipeline.Claimed:
		return &c.Claimed
	case pipeline.Done:
		return &c.Done
	case pipeline.Truncated:
		return &c.Truncated
	case pipeline.Failed:
		return &c.Failed
	case "gone":
		return &c.Gone
	}
	return nil
}

// GoneSince counts the documents of a source that were found to be gone at that time or later.
func (r *Reader) GoneSince(ctx context.Context, source string, at time.Time) (n int, err error) {
	err = r.query(ctx, "count what is gone", `SELECT count(*) FROM sources s CROSS JOIN items i ON i.source = s.num
		WHERE s.name = ? AND i.gone_at >= ?`, []any{source, at.UnixMilli()},
		func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n, err
}

// Columns gives the names of the columns that the rows have, those of the first row first; none where all documents are
// files. With gone, those of rows that are gone are among them.
func (r *Reader) Columns(ctx context.Context, gone bool) ([]string, error) {
	var columns []string
	seen := map[string]bool{}
	err := r.query(ctx, "read columns", `SELECT h.names FROM headers h
		JOIN (SELECT header, min(pos) AS first FROM items WHERE (?1 OR gone_at IS NULL) AND header IS NOT NULL GROUP BY header) i ON i.header = h.num
		ORDER BY i.first`, []any{gone},
		func(rows *sql.Rows) error {
			var raw []byte
			if err := rows.Scan(&raw); err != nil {
				return err
			}
			var names []string
			if err := json.Unmarshal(raw, &names); err != nil {
				return err
			}
			for _, name := range names {
				if !seen[name] {
					seen[name] = true
					columns = append(columns, name)
				}
			}
			return nil
		})
	return columns, err
}

// selectRef and selectOutcome are the columns that a recordScanner scans, of tables named as in the joins.
const (
	selectRef     = `s.name, i.id, i.name, i.stamp, i.row, h.names, d.fields, i.state`
	selectOutcome = `r.state, r.class, r.kind, r.status, r.error, r.request, a.text, r.model, r.prompt_tokens, r.completion_tokens,
		r.cached, r.started_at, r.duration_ms, r.tries, r.warnings`
	joinRef = ` CROSS JOIN sources s ON s.num = i.source LEFT JOIN headers h ON h.num = i.header
		LEFT JOIN documents d ON d.item = i.num`
)

// Records implements jobs.Reader. It is one read of what was committed when it began; while it lasts, the write-ahead log
// can't be emptied.
func (r *Reader) Records(ctx context.Context) iter.Seq2[pipeline.Record, error] {
	return r.records(ctx, selection{from: `items i INDEXED BY items_order`, where: `WHERE i.gone_at IS NULL`, order: `ORDER BY i.pos, i.num`})
}

// AllRecords implements jobs.Reader. As Records it is one read. It sorts the numbers of all items first: no index has those that are
// gone in their places. (Without the LIMIT, SQLite takes the order for needless.)
func (r *Reader) AllRecords(ctx context.Context) iter.Seq2[pipeline.Record, error] {
	return r.records(ctx, selection{
		with: `WITH sorted AS MATERIALIZED (SELECT num FROM items ORDER BY pos, num LIMIT -1) `,
		from: `sorted CROSS JOIN items i ON i.num = sorted.num`,
	})
}

// A selection says which items are read, and how: parts of a query.
type selection struct {
	with, from, where, order string
}

// records reads the records of items in item order. An index that is damaged can leave some out and look sound: so they are counted
// in the table too, as of the same moment.
func (r *Reader) records(ctx context.Context, which selection) iter.Seq2[pipeline.Record, error] {
	return func(yield func(pipeline.Record, error) bool) {
		tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		if err != nil {
			yield(pipeline.Record{}, r.failure(ctx, "read records", err))
			return
		}
		defer tx.Rollback()
		n, more, err := r.yieldRecords(ctx, tx, which, yield)
		if err == nil && more {
			err = countAll(ctx, tx, which.where, n)
		}
		if err != nil && more {
			yield(pipeline.Record{}, r.failure(ctx, "read records", err))
		}
	}
}

// yieldRecords yields records until yield returns false, or there are no more; n is how many there were.
func (r *Reader) yieldRecords(ctx context.Context, tx *sql.Tx, which selection, yield func(pipeline.Record, error) bool) (n int, more bool, err error) {
	rows, err := tx.QueryContext(ctx, which.with+`SELECT `+selectRef+`, i.gone_at, `+selectOutcome+` FROM `+which.from+joinRef+`
		LEFT JOIN records r ON r.item = i.num AND r.num = i.record AND i.state IN ('done', 'truncated', 'failed')
		LEFT JOIN answers a ON a.num = r.answer
		`+which.where+` `+which.order)
	if err != nil {
		return 0, true, err
	}
	defer rows.Close()
	var row recordScanner
	for ; rows.Next(); n++ {
		rec, err := row.scan(rows)
		if err != nil {
			return n, true, err
		}
		if !yield(rec, nil) {
			return n, false, nil
		}
	}
	return n, true, rows.Err()
}

// countAll finds out whether n is the number of items.
func countAll(ctx context.Context, tx *sql.Tx, where string, n int) error {
	var all int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM items i NOT INDEXED `+where).Scan(&all); err != nil {
		return err
	}
	if all != n {
		return fmt.Errorf("%d documents were read of %d", n, all)
	}
	return nil
}

// recordScanner scans the columns of selectRef, when the item was found to be gone, and those of selectOutcome.
type recordScanner struct {
	ref struct {
		source, id, name, stamp, state string
		row                            int
		gone                           sql.NullInt64
		fieldDecoder
	}
	outcome outcomeColumns
}

func (c *recordScanner) scan(rows *sql.Rows) (pipeline.Record, error) {
	f := &c.ref
	dest := append([]any{&f.source, &f.id, &f.name, &f.stamp, &f.row, &f.names, &f.values, &f.state, &f.gone}, c.outcome.dest()...)
	if err := rows.Scan(dest...); err != nil {
		return pipeline.Record{}, err
	}
	fields, err := f.fields()
	if err != nil {
		return pipeline.Record{}, err
	}
	rec := c.outcome.record()
	if err := c.outcome.whole(pipeline.State(f.state)); err != nil {
		return pipeline.Record{}, fmt.Errorf("document %q of %s: %w", f.id, f.source, err)
	}
	rec.Ref = pipeline.Ref{Source: f.source, ID: f.id, Name: f.name, Stamp: f.stamp, Row: f.row, Fields: fields}
	rec.State, rec.Gone = pipeline.State(f.state), timeOf(f.gone)
	return rec, nil
}

// outcomeColumns are the columns of selectOutcome, all NULL where there is no outcome.
type outcomeColumns struct {
	state, class, kind, message, text, model, warnings   sql.NullString
	status, prompt, completion, started, duration, tries sql.NullInt64
	cached                                               sql.NullBool
	request                                              []byte
}

func (c *outcomeColumns) dest() []any {
	return []any{&c.state, &c.class, &c.kind, &c.status, &c.message, &c.request, &c.text, &c.model, &c.prompt, &c.completion,
		&c.cached, &c.started, &c.duration, &c.tries, &c.warnings}
}

// whole says what is missing of the outcome of an item in a state: in a damaged file what is joined is not found.
func (c *outcomeColumns) whole(state pipeline.State) error {
	if !state.Final() && state != pipeline.Pending && state != pipeline.Claimed {
		return fmt.Errorf("there is no state %q", state)
	}
	if state.Final() && c.state.String != string(state) {
		return fmt.Errorf("it is %s, its record is missing or of another state", state)
	}
	if (state == pipeline.Done || state == pipeline.Truncated) && !c.text.Valid {
		return errors.New("its answer is missing")
	}
	return nil
}

// record is the outcome without its ref.
func (c *outcomeColumns) record() pipeline.Record {
	return pipeline.Record{
		State:    pipeline.State(c.state.String),
		Answer:   c.text.String,
		Err:      errorOf(c.class, c.kind, c.message, c.status),
		Request:  hex.EncodeToString(c.request),
		Model:    c.model.String,
		Tokens:   pipeline.Tokens{Prompt: int(c.prompt.Int64), Completion: int(c.completion.Int64)},
		Cached:   c.cached.Bool,
		Started:  timeOf(c.started),
		Duration: time.Duration(c.duration.Int64) * time.Millisecond,
		Tries:    int(c.tries.Int64),
		Warnings: listOf(c.warnings.String),
	}
}

// listOf reads a JSON array of texts; the column's check says that it is JSON.
func listOf(array string) (texts []string) {
	if array != "" {
		_ = json.Unmarshal([]byte(array), &texts)
	}
	return texts
}
