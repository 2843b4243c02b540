package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Look has see look at the state file at path, for a moment, without leaving a trace: where nobody has the file open, no log and no
// index of one are made beside it, as OpenReader would. see may be called twice, where a run begins meanwhile. Errors are those
// of OpenReader and of see.
func Look(ctx context.Context, path string, see func(*Reader) error) error {
	real, err := followLinks(path)
	if err != nil {
		return err
	}
	if atRest(real) {
		err := lookAs(ctx, real, "&immutable=1", see)
		if atRest(real) {
			return err
		}
	}
	return lookAs(ctx, real, "", see)
}

func lookAs(ctx context.Context, path, how string, see func(*Reader) error) error {
	r, err := openToRead(ctx, path, how, schemaVersion)
	if err != nil {
		return err
	}
	return errors.Join(see(r), r.Close())
}

// atRest reports whether all of the state file at path is in that one file: nobody has it open, and nobody died over it.
func atRest(path string) bool {
	for _, end := range []string{"-shm", "-journal"} {
		if _, err := os.Lstat(path + end); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return !hasLog(path)
}

// Holder says who holds the state file at path for writing; "" for nobody. It makes no lock file. While it looks, for some
// microseconds, a run that begins finds the lock taken.
func Holder(path string) (string, error) {
	path, err := followLinks(path)
	if err != nil {
		return "", err
	}
	path += ".lock"
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look at %s: %w", filepath.Base(path), bareCause(err))
	case free:
		return "", lock.Unlock()
	}
	return describeHolder(path, time.Now()), nil
}
