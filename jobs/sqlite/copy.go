package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// Copy writes what is committed in the state file at path to a new one at to, which must not be there: a file that another
// Store can open while the first goes on being written. Errors are those of OpenReader.
func Copy(ctx context.Context, path, to string) error {
	r, err := OpenReader(ctx, path) // it checks the file
	if err != nil {
		return err
	}
	// Its own connections may run no statement that writes anything, anywhere.
	db, err := sql.Open("sqlite", dsn(path, "mode=ro"))
	if err == nil {
		_, err = db.ExecContext(ctx, `VACUUM INTO ?`, to)
		err = errors.Join(r.failure(ctx, "copy", err), db.Close())
	}
	return errors.Join(err, r.Close())
}
