package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"docbatch/pipeline"
)

// readBytes is how much of a file is read before the context is looked at again.
const readBytes = 1 << 20

var (
	errNotRegular = errors.New("not a regular file")
	errNotFolder  = errors.New("not a folder")
	errTwice      = errors.New("named twice")
	errChanged    = errors.New("the file changed while it was read")
)

// A tooLargeError is a file of size bytes where at most max may be read.
type tooLargeError struct{ size, max int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("%d bytes are more than the bound of %d", e.size, e.max)
}

// files is where a file is looked up: below a root, or anywhere.
type files interface {
	Lstat(name string) (fs.FileInfo, error)
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
}

// anywhere follows symbolic links to wherever they lead.
type anywhere struct{}

func (anywhere) Lstat(name string) (fs.FileInfo, error) { return os.Stat(name) }

func (anywhere) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

// read reads a regular file of at most max bytes. It looks before it opens, since opening alone wakes some devices, and again
// afterwards, since another file may have taken the name in between; a FIFO that did so does not block.
func read(ctx context.Context, in files, name string, max int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	info, err := in.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := in.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readOpen(ctx, f, max)
}

// readOpen reads the whole of f and sees to it that it is one state of the file and not parts of two.
func readOpen(ctx context.Context, f *os.File, max int64) ([]byte, error) {
	before, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !before.Mode().IsRegular():
		return nil, errNotRegular
	case before.Size() > max:
		return nil, &tooLargeError{before.Size(), max}
	}
	data, err := readSize(ctx, f, before.Size())
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return nil, errChanged
	}
	return data, nil
}

// readSize reads r, which should end after exactly size bytes, and no further than one more.
func readSize(ctx context.Context, r io.Reader, size int64) ([]byte, error) {
	data := make([]byte, size+1)
	n := 0
	for n < len(data) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k, err := r.Read(data[n:min(n+readBytes, len(data))])
		n += k
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if int64(n) != size {
		return nil, errChanged
	}
	return data[:n:n], nil
}

// failure gives an error of reading path its class and words; the end of ctx stays what it is.
func failure(ctx context.Context, path string, err error) error {
	if ctxErr := ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if _, ok := errors.AsType[*tooLargeError](err); ok {
		return pipeline.Errorf(pipeline.Invalid, pipeline.KindTooLarge, "read %s: %w", display(path), err)
	}
	if errors.Is(err, errChanged) {
		return pipeline.Errorf(pipeline.Transient, pipeline.KindRead, "read %s: %w", display(path), err)
	}
	class := pipeline.Invalid
	if passing(err) {
		class = pipeline.Transient
	}
	return pipeline.Errorf(class, pipeline.KindRead, "open %s: %w", display(path), cause(err))
}

// fatal is an error that means that the input as a whole can't be read.
func fatal(doing, path string, err error) error {
	return pipeline.Errorf(pipeline.Fatal, pipeline.KindRead, "%s %s: %w", doing, display(path), cause(err))
}

// passing reports whether the machine is at fault and not the file: too many open files, no memory, a disk or a network that does not answer.
func passing(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EAGAIN, syscall.EINTR,
		syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT, syscall.EHOSTDOWN, syscall.ENOTCONN} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// cause strips the operation and path that the standard library put before an error.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
