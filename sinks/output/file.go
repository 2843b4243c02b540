package output

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A File is a Writer on a file that has its old content, or none, until Commit has replaced it in one step.
//
// The mode of an old file is kept, and its owner as far as the system lets us; a new one gets 0644 less the umask. Where the
// path is a symbolic link the file that it points at is replaced and the link stays. Hard links to the old file keep
// the old content.
type File struct {
	path    string // as the caller named it, for messages
	target  string // the file behind all links
	tmp     *os.File
	buf     *bufio.Writer
	scratch string // folder made by Scratch, or ""
	ended   bool
	closed  error // what Commit says once ended
}

var _ Writer = (*File)(nil)

// Open begins a new content for path. It removes what runs that were killed left beside it. It is an error where the folder is
// not there or not writable, and where path is there but not a regular file that may be written.
func Open(path string) (*File, error) {
	f, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, cause(err))
	}
	return f, nil
}

// Check says whether Open would succeed now. It leaves nothing behind.
func Check(path string) error {
	f, err := Open(path)
	if err != nil {
		return err
	}
	return f.Discard()
}

func open(path string) (*File, error) {
	target, err := resolve(path)
	if err != nil {
		return nil, err
	}
	old, err := existing(target)
	if err != nil {
		return nil, err
	}
	sweep(target)
	tmp, err := create(target, old)
	if err != nil {
		return nil, err
	}
	return &File{path: path, target: target, tmp: tmp, buf: bufio.NewWriterSize(tmp, bufferBytes)}, nil
}

// maxLinks bounds how many links are followed from one path, as systems do.
const maxLinks = 40

// resolve follows the links at path to the file they mean, which need not exist. It is made absolute, so that the
// output ends where it was opened even if the working directory changes.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for range maxLinks {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return "", errors.New("too many symbolic links")
}

// existing describes the file that will be replaced; nil where there is none.
func existing(target string) (fs.FileInfo, error) {
	info, err := os.Lstat(target)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("is a folder, not a file")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	// A rename needs no right to write the old file, but whoever protected it did so on purpose; and on Windows this
	// finds a file that Excel holds open.
	f, err := os.OpenFile(target, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return info, f.Close()
}

// Write adds p to the new content.
func (f *File) Write(p []byte) (int, error) {
	if f.ended {
		return 0, f.wrap(errClosed)
	}
	n, err := f.buf.Write(p)
	return n, f.wrap(err)
}

// Scratch makes a folder beside the target for what is needed until the end. Commit and Discard remove it; after a kill
// the next Open does.
func (f *File) Scratch() (string, error) {
	dir := scratchName(f.tmp.Name())
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", f.wrap(err)
	}
	f.scratch = dir
	return dir, nil
}

// Commit makes the new content durable and puts it in the place of the old. When it fails before that, as on a full disk,
// the old file is as it was and what was written is gone.
func (f *File) Commit() error {
	if f.ended {
		return f.closed
	}
	f.ended = true
	err := f.replace()
	f.removeScratch()
	f.closed = f.wrap(err)
	return f.closed
}

func (f *File) replace() error {
	err := f.buf.Flush()
	if err == nil {
		err = f.tmp.Sync()
	}
	if err != nil {
		return errors.Join(err, f.drop())
	}
	if err := publish(f.tmp, f.target); err != nil {
		return errors.Join(err, f.drop())
	}
	return syncDir(filepath.Dir(f.target))
}

// Discard removes what was written and leaves the old file as it was.
func (f *File) Discard() error {
	if f.ended {
		return nil
	}
	f.ended, f.closed = true, f.wrap(errClosed)
	f.removeScratch()
	return f.wrap(f.drop())
}

// drop closes and removes the temporary file.
func (f *File) drop() error {
	_ = f.tmp.Close() // its content is of no use any more, and publish may have closed it
	return os.Remove(f.tmp.Name())
}

// removeScratch ignores errors: the output itself is right, and the next Open tries again.
func (f *File) removeScratch() {
	if f.scratch != "" {
		_ = os.RemoveAll(f.scratch)
	}
}

// wrap names the target; the hidden name in the cause would tell a person nothing.
func (f *File) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %s: %w", f.path, cause(err))
}

func cause(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return p.Err
	}
	if l, ok := err.(*os.LinkError); ok {
		return l.Err
	}
	return err
}
