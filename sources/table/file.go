package table

import (
	"errors"
	"io/fs"
	"os"

	"docbatch/pipeline"
	"docbatch/sources/pathname"
)

// A File is a regular file of rows, open for reading, and what it was like when it was opened first.
type File struct {
	*os.File
	Info fs.FileInfo
}

// OpenFile opens a regular file, or a link to one. It looks before it opens, since opening a pipe waits for its other end.
func OpenFile(path string) (*File, error) {
	info, err := os.Stat(path)
	shown := pathname.Display(path)
	switch {
	case err != nil:
		return nil, ReadError("open", shown, err)
	case info.IsDir():
		return nil, pipeline.Errorf(pipeline.Fatal, pipeline.KindRead, "open %s: it is a folder", shown)
	case !info.Mode().IsRegular():
		return nil, pipeline.Errorf(pipeline.Fatal, pipeline.KindRead, "open %s: it is not a regular file", shown)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, ReadError("open", shown, err)
	}
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, ReadError("open", shown, err)
	}
	return &File{f, info}, nil
}

// Name is the file's path as pathname.Display writes it.
func (f *File) Name() string { return pathname.Display(f.File.Name()) }

// Unchanged returns an error if f is not of the size and time in seen any more.
func (f *File) Unchanged(seen fs.FileInfo) error {
	info, err := f.Stat()
	if err != nil {
		return ReadError("read", f.Name(), err)
	}
	if info.Size() != seen.Size() || !info.ModTime().Equal(seen.ModTime()) {
		return pipeline.Errorf(pipeline.Fatal, pipeline.KindRead, "read %s: it changed while the job was reading it", f.Name())
	}
	return nil
}

// ReadError is an error of a file as a whole, of class Fatal: what was being done, the file as pathname.Display writes it, the cause.
func ReadError(doing, path string, err error) *pipeline.Error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return pipeline.Errorf(pipeline.Fatal, pipeline.KindRead, "%s %s: %w", doing, path, err)
}
