package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// invariants are what must hold between the tables, each as a query that counts where it does not.
var invariants = []struct{ name, violations string }{
	{"items whose record is missing or of another state", `SELECT count(*) FROM items i
		LEFT JOIN records r ON r.item = i.num AND r.num = i.record
		WHERE i.state IN ('done', 'truncated', 'failed') AND r.state IS NOT i.state`},
	{"records whose answer is missing", `SELECT count(*) FROM records r
		WHERE r.state IN ('done', 'truncated') AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.num = r.answer)`},
	{"records newer than their item's", `SELECT count(*) FROM records r JOIN items i ON i.num = r.item
		WHERE r.num > coalesce(i.record, 0)`},
	{"records whose request is not that of their answer", `SELECT count(*) FROM records r JOIN answers a ON a.num = r.answer
		WHERE a.request IS NOT r.request`},
	{"items whose source, question or header is missing", `SELECT count(*) FROM items i
		WHERE i.source NOT IN (SELECT num FROM sources) OR i.question NOT IN (SELECT num FROM questions)
		OR (i.header IS NOT NULL AND i.header NOT IN (SELECT num FROM headers))`},
	{"rows without fields, or fields without a row", `SELECT
		(SELECT count(*) FROM items i WHERE i.header IS NOT NULL AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.item = i.num)) +
		(SELECT count(*) FROM documents d WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.num = d.item AND i.header IS NOT NULL))`},
	{"records or attempts of no item or run", `SELECT
		(SELECT count(*) FROM records WHERE item NOT IN (SELECT num FROM items) OR run NOT IN (SELECT num FROM runs)) +
		(SELECT count(*) FROM attempts WHERE item NOT IN (SELECT num FROM items) OR run NOT IN (SELECT num FROM runs))`},
	{"items that no lease holds", `SELECT count(*) FROM items i LEFT JOIN runs r ON r.num = i.owner
		WHERE i.owner IS NOT NULL AND r.lease_until_at IS NULL`},
}

// Check reads the whole state file at path and looks for damage: SQLite's own integrity check, and what must
// hold between items, records and answers. It takes no lock and changes nothing. The error is ErrDamaged and says all that
// was found.
func Check(ctx context.Context, path string) error {
	r, err := OpenReader(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(r.check(ctx), r.Close())
}

func (r *Reader) check(ctx context.Context) error {
	// One transaction: the file may be written to meanwhile.
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return r.failure(ctx, "check", err)
	}
	defer tx.Rollback()
	var found []error
	for _, look := range []func(context.Context, *sql.Tx) ([]error, error){integrity, inconsistencies} {
		errs, err := look(ctx, tx)
		if err != nil {
			return r.failure(ctx, "check", err)
		}
		found = append(found, errs...)
	}
	if len(found) == 0 {
		return nil
	}
	return stateError(fmt.Errorf("%s %w: %w", r.name, ErrDamaged, errors.Join(found...)))
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
