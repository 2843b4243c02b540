package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"docbatch/pipeline"
)

// What is wrong with a state file, for errors.Is. The errors themselves name the file and the cause.
var (
	ErrNotState = errors.New("is not a docbatch state file")
	ErrNewer    = errors.New("is from a newer docbatch")
	ErrOlder    = errors.New("is from an older docbatch") // sound; Open brings it up to date
	ErrDamaged  = errors.New("is damaged")
	ErrLost     = fmt.Errorf("%w: it lost something", ErrDamaged) // it holds less than was stored in it
	ErrBusy     = errors.New("is held by another program")
)

// stateError classes an error as one of the state: no document can succeed.
func stateError(err error) error {
	kind := pipeline.KindState
	if lacking(err) {
		kind = pipeline.KindMachine
	}
	return &pipeline.Error{Class: pipeline.Fatal, Kind: kind, Err: err}
}

// lacking reports whether the machine lacks something, and nothing is wrong with the file.
func lacking(err error) bool {
	if code := codeOf(err); code == codes.SQLITE_FULL || code == codes.SQLITE_NOMEM {
		return true
	}
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// sqlError classes what SQLite reports of the file called name. A constraint that fails is our bug, not the file's state, and
// an error that is not SQLite's is passed on as it is.
func sqlError(name string, err error) error {
	switch codeOf(err) {
	case -1:
		return err
	case codes.SQLITE_CONSTRAINT, codes.SQLITE_MISMATCH, codes.SQLITE_TOOBIG, codes.SQLITE_ERROR, codes.SQLITE_MISUSE, codes.SQLITE_RANGE:
		return fmt.Errorf("%s: %w", name, err)
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return damaged(name, err)
	case codes.SQLITE_BUSY, codes.SQLITE_PROTOCOL:
		return stateError(fmt.Errorf("%s %w: %w", name, ErrBusy, err))
	case codes.SQLITE_IOERR:
		return stateError(fmt.Errorf("%s: %s%w", name, failedCall(err), err))
	default:
		return stateError(fmt.Errorf("%s: %w", name, err))
	}
}

func damaged(name string, err error) error {
	return stateError(fmt.Errorf("%s %w: %w", name, ErrDamaged, err))
}

// failedCall says what an I/O error failed at, since SQLite's own words leave that out.
func failedCall(err error) string {
	switch e, _ := errors.AsType[*driver.Error](err); e.Code() {
	case codes.SQLITE_IOERR_READ, codes.SQLITE_IOERR_SHORT_READ:
		return "read: "
	case codes.SQLITE_IOERR_WRITE:
		return "write: "
	case codes.SQLITE_IOERR_FSYNC, codes.SQLITE_IOERR_DIR_FSYNC:
		return "fsync: "
	case codes.SQLITE_IOERR_TRUNCATE:
		return "truncate: "
	case codes.SQLITE_IOERR_SHMOPEN, codes.SQLITE_IOERR_SHMSIZE, codes.SQLITE_IOERR_SHMMAP, codes.SQLITE_IOERR_SHMLOCK:
		return "make the index of the log: "
	case codes.SQLITE_IOERR_LOCK, codes.SQLITE_IOERR_RDLOCK, codes.SQLITE_IOERR_UNLOCK:
		return "lock: "
	}
	return ""
}

// writeError is sqlError for what writes to the file at path: with the system's cause, which SQLite does not pass on.
func writeError(path string, err error) error {
	switch codeOf(err) {
	case codes.SQLITE_IOERR, codes.SQLITE_FULL, codes.SQLITE_CANTOPEN, codes.SQLITE_READONLY:
		if cause := tryWriting(filepath.Dir(path)); cause != nil {
			err = fmt.Errorf("%w: %w", err, cause)
		}
	}
	return sqlError(filepath.Base(path), err)
}

// tryWriting writes a little to a file in a folder, only to hear what the system says of it.
func tryWriting(dir string) error {
	f, err := os.CreateTemp(dir, ".docbatch-*.tmp")
	if err != nil {
		return bareCause(err)
	}
	_, err = f.Write(make([]byte, 64<<10))
	if err == nil {
		err = f.Sync()
	}
	_ = f.Close() // nothing in it is wanted
	_ = os.Remove(f.Name())
	return bareCause(err)
}

// bareCause strips the operation and path that the standard library put before an error.
func bareCause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// codeOf is SQLite's primary result code; -1 for an error that is not SQLite's.
func codeOf(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code() & 0xff
	}
	return -1
}
