package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// errMoved is in the error of a write to a file that is no longer where it was.
var errMoved = errors.New("was moved, replaced or deleted while it was written to")

// openFiles are the state file and its log as the writer has them open: what it writes is there for others, and for the next
// run, only as long as their paths lead to them.
type openFiles []openFile

type openFile struct {
	path string
	info os.FileInfo
}

func lookAtFiles(path string) (openFiles, error) {
	if runtime.GOOS == "windows" {
		return nil, nil // nobody can move or delete a file there that is open
	}
	var files openFiles
	for _, file := range []string{path, path + "-wal"} {
		info, err := os.Stat(file)
		if errors.Is(err, os.ErrNotExist) { // SQLite has just opened it: someone else took it away
			return nil, stateError(fmt.Errorf("%s %w: %s was moved or deleted while it was opened", filepath.Base(path), ErrBusy, filepath.Base(file)))
		}
		if err != nil {
			return nil, stateError(fmt.Errorf("open state file: %w", err))
		}
		files = append(files, openFile{file, info})
	}
	return files, nil
}

// check looks whether the files are still where they were: 3 microseconds.
func (files openFiles) check() error {
	for _, f := range files {
		if info, err := os.Stat(f.path); errors.Is(err, os.ErrNotExist) || err == nil && !os.SameFile(info, f.info) {
			return stateError(fmt.Errorf("%s %w", filepath.Base(f.path), errMoved))
		}
	}
	return nil
}
