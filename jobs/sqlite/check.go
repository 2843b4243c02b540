package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// invariants are what must hold in a row and between the tables, each as a query that counts where it does not.
var invariants = []struct{ name, violations string }{
	// The schema has these as CHECKs, but in a file that is opened for reading only SQLite does not even remember them.
	{"items of an impossible state", `SELECT count(*) FROM items WHERE state NOT IN ('pending', 'claimed', 'done', 'truncated', 'failed')
		OR (state = 'claimed') <> (owner IS NOT NULL) OR (state NOT IN ('pending', 'claimed') AND record IS NULL)
		OR (fault IS NOT NULL AND state <> 'failed')`},
	{"records of an impossible state", `SELECT count(*) FROM records WHERE state NOT IN ('done', 'truncated', 'failed')
		OR (state = 'failed') <> (answer IS NULL) OR (class IS NULL) <> (error IS NULL) OR (state = 'failed' AND class IS NULL)
		OR class NOT IN ('transient', 'throttled', 'invalid', 'refused', 'fatal', 'internal')`},
	{"limits that are not JSON", `SELECT count(*) FROM limits WHERE NOT json_valid(state)`},
	// Else an output would have a document without its answer.
	{"items whose record is missing or of another state", `SELECT count(*) FROM items i
		LEFT JOIN records r ON r.item = i.num AND r.num = i.record
		WHERE i.state IN ('done', 'truncated', 'failed') AND r.state IS NOT i.state`},
	{"records whose answer is missing", `SELECT count(*) FROM records r
		WHERE r.state IN ('done', 'truncated') AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.num = r.answer)`},
	// Else an older outcome would be shown.
	{"records newer than their item's", `SELECT count(*) FROM records r JOIN items i ON i.num = r.item
		WHERE r.num > coalesce(i.record, 0)`},
	// An answer belongs to its document (P3).
	{"records whose request is not that of their answer", `SELECT count(*) FROM records r JOIN answers a ON a.num = r.answer
		WHERE a.request IS NOT r.request`},
	// Else the next listing or claim fails.
	{"items whose source, question or header is missing", `SELECT count(*) FROM items i
		WHERE i.source NOT IN (SELECT num FROM sources) OR i.question NOT IN (SELECT num FROM questions)
		OR (i.header IS NOT NULL AND i.header NOT IN (SELECT num FROM headers))`},
	{"rows without fields, or fields without a row", `SELECT
		(SELECT count(*) FROM items i WHERE i.header IS NOT NULL AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.item = i.num)) +
		(SELECT count(*) FROM documents d WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.num = d.item AND i.header IS NOT NULL))`},
	// Else they are counted for nothing.
	{"records or attempts of no item or run", `SELECT
		(SELECT count(*) FROM records WHERE item NOT IN (SELECT num FROM items) OR run NOT IN (SELECT num FROM runs)) +
		(SELECT count(*) FROM attempts WHERE item NOT IN (SELECT num FROM items) OR run NOT IN (SELECT num FROM runs))`},
	// Each outcome and each attempt takes the next number: one that is missing is lost.
	{"documents with a gap in their records or attempts", `SELECT
		(SELECT count(*) FROM (SELECT 1 FROM records GROUP BY item HAVING max(num) <> count(*))) +
		(SELECT count(*) FROM (SELECT 1 FROM attempts GROUP BY item HAVING max(num) <> count(*)))`},
	// Else nobody would ever finish them, or give them back.
	{"items that no lease holds", `SELECT count(*) FROM items i LEFT JOIN runs r ON r.num = i.owner
		WHERE i.owner IS NOT NULL AND r.lease_until_at IS NULL`},
}

// Check reads the whole state file at path and looks for damage: SQLite's own integrity check, what must hold between items,
// records and answers, and whether all is there that was noted beside it. It takes no lock and changes nothing; the file may
// be written to meanwhile. The error is ErrDamaged and says all that was found, each on a line of its own, or one of OpenReader's.
func Check(ctx context.Context, path string) error {
	r, err := OpenReader(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(r.check(ctx), r.Close())
}

// A Size is how much a state file holds.
type Size struct {
	Documents int // also those that are gone from the inputs
	Answers   int // also those that are not used again
	Runs      int
	Schema    int // the version of its schema
}

// Size counts what the file holds.
func (r *Reader) Size(ctx context.Context) (Size, error) {
	var s Size
	err := r.query(ctx, "count", `SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM answers), (SELECT count(*) FROM runs), user_version
		FROM pragma_user_version`, nil,
		func(rows *sql.Rows) error { return rows.Scan(&s.Documents, &s.Answers, &s.Runs, &s.Schema) })
	return s, err
}

func (r *Reader) check(ctx context.Context) error {
	// One transaction: all that is looked at is of one moment.
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return r.failure(ctx, "check", err)
	}
	defer tx.Rollback()
	found, err := integrity(ctx, tx)
	if err == nil && len(found) == 0 { // in what is broken nothing can be compared
		found, err = inconsistencies(ctx, tx)
	}
	if err != nil {
		return r.failure(ctx, "check", err)
	}
	if len(found) == 0 {
		return nil
	}
	return stateError(fmt.Errorf("%s %w:\n%w", r.name, ErrDamaged, errors.Join(found...)))
}

func integrity(ctx context.Context, tx *sql.Tx) (found []error, err error) {
	rows, err := tx.QueryContext(ctx, "PRAGMA integrity_check(20)")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if text != "ok" {
			found = append(found, errors.New(text))
		}
	}
	return found, rows.Err()
}

func inconsistencies(ctx context.Context, tx *sql.Tx) (found []error, err error) {
	for _, inv := range invariants {
		var n int
		if err := tx.QueryRowContext(ctx, inv.violations).Scan(&n); err != nil {
			return nil, err
		}
		if n > 0 {
			found = append(found, fmt.Errorf("%s: %d", inv.name, n))
		}
	}
	return found, nil
}
