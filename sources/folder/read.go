package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"docbatch/pipeline"
	"docbatch/sources/pathname"
)

const (
	// readBytes is how much of a file is read before the context is looked at again.
	readBytes = 1 << 20

	// clockTick is how far apart two changes must be to have different times for sure: file systems take the time from a clock that
	// ticks 100 to 1,000 times a second.
	clockTick = 20 * time.Millisecond
)

// pauses are how long a file that changed while it was read is left alone before it is read again: the first for one that was just
// finished, the second for one that is being written.
var pauses = [...]time.Duration{clockTick, 500 * time.Millisecond}

var (
	errNotRegular = errors.New("not a regular file")
	errNotFolder  = errors.New("not a folder")
	errTwice      = errors.New("named twice")
	errChanged    = fmt.Errorf("the file changed while it was read, %d times in a row", len(pauses)+1)
	errSize       = errors.New("it does not hold as many bytes as its size says, as no file on a disk does")
)

// A tooLargeError is a file of size bytes where at most max may be read.
type tooLargeError struct{ size, max int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("%d bytes are more than %d (the bound on size)", e.size, e.max)
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

// read reads a regular file of at most max bytes, anew where it changes meanwhile.
func read(ctx context.Context, in files, name string, max int64) ([]byte, error) {
	return again(ctx, func() ([]byte, error) { return readOnce(ctx, in, name, max) })
}

// again reads once more, after a pause, where a file changed while it was read.
func again(ctx context.Context, once func() ([]byte, error)) ([]byte, error) {
	for _, pause := range pauses {
		data, err := once()
		if !errors.Is(err, errChanged) {
			return data, err
		}
		if err := pipeline.Sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
	return once()
}

func readOnce(ctx context.Context, in files, name string, max int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := openRegular(in, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readOpen(ctx, f, max)
}

// openRegular looks before it opens, since opening alone wakes some devices, and again afterwards, since another file may have
// taken the name in between; a FIFO that did so does not block.
func openRegular(in files, name string) (*os.File, error) {
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
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// readOpen reads the whole of f and sees to it that it is one state of the file and not parts of two.
func readOpen(ctx context.Context, f *os.File, max int64) ([]byte, error) {
	before, err := f.Stat()
	looked := time.Now()
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
	switch {
	case err != nil:
		return nil, err
	case after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()):
		return nil, errChanged
	case int64(len(data)) != before.Size():
		return nil, errSize
	case looked.Sub(before.ModTime()).Abs() < clockTick:
		return nil, errChanged // for all that can be told: another change just after it would have the same time
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
	return data[:n:n], nil
}

// failure gives an error of reading path its class and words; the end of ctx stays what it is.
func failure(ctx context.Context, path string, err error) error {
	if ctxErr := ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if e, ok := errors.AsType[*pipeline.Error](err); ok {
		return e
	}
	if _, ok := errors.AsType[*tooLargeError](err); ok {
		return pipeline.Errorf(pipeline.Invalid, pipeline.KindTooLarge, "read %s: %w", pathname.Display(path), err)
	}
	if errors.Is(err, errChanged) {
		return pipeline.Errorf(pipeline.Transient, pipeline.KindRead, "read %s: %w", pathname.Display(path), err)
	}
	if lacking(err) {
		return machineError(path, err)
	}
	class := pipeline.Invalid
	if passing(err) {
		class = pipeline.Transient
	}
	return pipeline.Errorf(class, pipeline.KindRead, "open %s: %w", pathname.Display(path), cause(err))
}

// fatal is an error that means that the input as a whole can't be read.
func fatal(doing, path string, err error) error {
	if lacking(err) {
		return machineError(path, err)
	}
	return pipeline.Errorf(pipeline.Fatal, pipeline.KindRead, "%s %s: %w", doing, pathname.Display(path), cause(err))
}

// passing reports whether a later try may do better: a disk or a network that does not answer.
func passing(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EAGAIN, syscall.EINTR, syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT, syscall.EHOSTDOWN, syscall.ENOTCONN} {
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
