package sqlite

import (
	"context"
	"database/sql"
	"time"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// An Entry is everything that is known of one document.
type Entry struct {
	jobs.Item
	State   pipeline.State
	Gone    time.Time // when a listing no longer had it; zero where the newest one has it
	History []Past    // its outcomes, the newest last; that one is in force if State is final
	Sent    []Sent    // every request that was sent for it, or tried, in order
}

// A Past is one outcome of an item. Its Record.Ref is that of the item as it is now.
type Past struct {
	Run    int64 // 0 where the listing found that the document can't be had
	Record pipeline.Record
}

// A Sent is one attempt, and the run that made it.
type Sent struct {
	Run int64
	pipeline.Attempt
}

// matchID finds an item by its ID, or by its source and ID with a colon between: each is one look into an index for every
// source.
const matchID = `SELECT i.num FROM sources s CROSS JOIN items i ON i.source = s.num AND i.id = ?1
	UNION SELECT i.num FROM sources s CROSS JOIN items i ON i.source = s.num AND i.id = substr(?1, length(s.name) + 2)
	WHERE substr(?1, 1, length(s.name) + 1) = s.name || ':'`

// matchName finds an item that is there by its name, or by the number of its row: it reads all items.
const matchName = `SELECT num FROM items WHERE gone_at IS NULL AND (name = ?1 OR row > 0 AND CAST(row AS TEXT) = ?1)`

// MostFound is how many documents Find gives at most.
const MostFound = 100

// Find gives the documents that have the ID, or that "SOURCE:ID" names, those that are gone included. Where there is none it gives
// those that are there with that name, or in the row of that number: it has to read all of them for that. None that fits is no
// error. History and Sent are filled where there is only one.
func (r *Reader) Find(ctx context.Context, what string) ([]Entry, error) {
	entries, err := r.entries(ctx, matchID, what)
	if err == nil && len(entries) == 0 {
		entries, err = r.entries(ctx, matchName, what)
	}
	if err == nil && len(entries) == 1 {
		err = r.fillEntry(ctx, &entries[0])
	}
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// entries gives the items that match selects.
func (r *Reader) entries(ctx context.Context, match, what string) ([]Entry, error) {
	var (
		entries []Entry
		row     fieldDecoder
	)
	err := r.query(ctx, "find "+what, `SELECT i.num, s.name, i.id, i.name, i.stamp, i.row, i.attempts,
			iif(i.record IS NULL, 'new', coalesce(i.reason, 'again')), h.names, d.fields, i.state, i.gone_at
		FROM items i`+joinRef+` WHERE i.num IN (`+match+`) ORDER BY i.pos, i.num LIMIT ?2`, []any{what, MostFound},
		func(rows *sql.Rows) error {
			var (
				e    Entry
				gone sql.NullInt64
			)
			err := rows.Scan(&e.Num, &e.Source, &e.ID, &e.Name, &e.Stamp, &e.Row, &e.Attempts, &e.Reason, &row.names, &row.values,
				&e.State, &gone)
			if err != nil {
				return err
			}
			e.Gone = timeOf(gone)
			e.Fields, err = row.fields()
			entries = append(entries, e)
			return err
		})
	return entries, err
}

func (r *Reader) fillEntry(ctx context.Context, e *Entry) error {
	err := r.query(ctx, "read history", `SELECT coalesce(r.run, 0), `+selectOutcome+`
		FROM records r LEFT JOIN answers a ON a.num = r.answer WHERE r.item = ? ORDER BY r.num`, []any{e.Num},
		func(rows *sql.Rows) error {
			var (
				p Past
				c outcomeColumns
			)
			err := rows.Scan(append([]any{&p.Run}, c.dest()...)...)
			if err == nil {
				err = c.whole(pipeline.State(c.state.String))
			}
			p.Record = c.record()
			p.Record.Ref = e.Ref
			e.History = append(e.History, p)
			return err
		})
	if err != nil {
		return err
	}
	return r.query(ctx, "read attempts", `SELECT run, started_at, duration_ms, status, class, kind, message FROM attempts WHERE item = ?1
		UNION ALL SELECT run, asked_at, asked_ms, 200, '', '', '' FROM records WHERE item = ?1 AND asked_at IS NOT NULL ORDER BY 1, 2`,
		[]any{e.Num},
		func(rows *sql.Rows) error {
			var (
				s        Sent
				started  sql.NullInt64
				duration int64
			)
			err := rows.Scan(&s.Run, &started, &duration, &s.Status, &s.Class, &s.Kind, &s.Message)
			s.Started, s.Duration = timeOf(started), time.Duration(duration)*time.Millisecond
			e.Sent = append(e.Sent, s)
			return err
		})
}

// A Failure is a group of documents that failed, or whose answers were truncated, in the same way.
type Failure struct {
	Class   pipeline.Class `json:"class"`
	Kind    string         `json:"kind"`
	Status  int            `json:"status"` // HTTP status; 0 where there was none
	Count   int            `json:"count"`
	Example string         `json:"example"` // the first of them as Find knows it: a row's name, a file's ID
	Message string         `json:"message"` // why that one failed
}

// Failures groups the documents that failed by class, kind and status, the largest group first. Messages may name their document,
// so they make no groups: each has the first one's for an example.
func (r *Reader) Failures(ctx context.Context) ([]Failure, error) {
	return r.causes(ctx, pipeline.Failed)
}

// Truncations groups the documents whose answer was truncated, as Failures does those that failed.
func (r *Reader) Truncations(ctx context.Context) ([]Failure, error) {
	return r.causes(ctx, pipeline.Truncated)
}

// causes groups the documents in a state by why they are in it.
func (r *Reader) causes(ctx context.Context, state pipeline.State) ([]Failure, error) {
	causes := []Failure{} // in JSON, none is a list too
	// Where min is the one aggregate of its kind SQLite takes bare columns, name and message, from the row of the minimum:
	// https://www.sqlite.org/lang_select.html#bareagg
	err := r.query(ctx, "read failures", `SELECT coalesce(r.class, ''), coalesce(r.kind, ''), coalesce(r.status, 0), coalesce(r.error, ''),
			count(*) AS n, iif(i.row > 0, i.name, i.id), min(i.pos) AS first
		FROM items i JOIN records r ON r.item = i.num AND r.num = i.record
		WHERE i.state = ? AND i.gone_at IS NULL GROUP BY r.class, r.kind, r.status ORDER BY n DESC, first`, []any{string(state)},
		func(rows *sql.Rows) error {
			var (
				f     Failure
				first int64
			)
			err := rows.Scan(&f.Class, &f.Kind, &f.Status, &f.Message, &f.Count, &f.Example, &first)
			causes = append(causes, f)
			return err
		})
	return causes, err
}
