package sqlite

import (
	"context"
	"errors"

	codes "modernc.org/sqlite/lib"
)

// Copy writes what is committed in the state file at path to a new one at to, which must not be there: a file that another
// Store can open while the first goes on being written. A file of an older version is copied as it is; Open brings the copy up to
// date. It is not made durable. Errors are those of OpenReader, but for ErrOlder; where there is no room, it names the copy.
func Copy(ctx context.Context, path, to string) error {
	path, err := followLinks(path)
	if err != nil {
		return err
	}
	r, err := openToRead(ctx, path, "", 1)
	if err != nil {
		return err
	}
	return errors.Join(r.copyTo(ctx, to), r.Close())
}

// copyTo copies what a reader that is used for nothing else reads: its connection may write from then on. With SQLite's own setting
// for synchronous, which goes for the copy, it took twice as long.
func (r *Reader) copyTo(ctx context.Context, to string) error {
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return r.failure(ctx, "copy", err)
	}
	defer conn.Close()
	_, err = conn.ExecContext(ctx, `PRAGMA query_only = OFF; PRAGMA synchronous = OFF; VACUUM INTO ?`, to)
	if ctx.Err() == nil {
		switch codeOf(err) {
		case codes.SQLITE_FULL, codes.SQLITE_CANTOPEN: // path is open, and nothing is written to it
			return writeError(to, err)
		}
	}
	return r.failure(ctx, "copy", err)
}
