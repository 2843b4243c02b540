//go:build !windows

package output

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// hold locks f for as long as it is open: the kernel ends the lock with the process, however that ends. It reports whether f
// is still the file of its name. On a file system without locks nothing is marked, and nothing swept either.
func hold(f *os.File) bool {
	if errors.Is(flock(f), syscall.EWOULDBLOCK) {
		return false
	}
	named, err := os.Lstat(f.Name())
	if err != nil {
		return false
	}
	opened, err := f.Stat()
	return err == nil && os.SameFile(named, opened)
}

// removeStale removes the temporary file at path and reports true, unless a live process holds it.
func removeStale(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return flock(f) == nil && os.Remove(path) == nil
}

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR {
			return err
		}
	}
}

// inherit gives f the mode of old, and its owner or at least its group where that is allowed.
func inherit(f *os.File, old fs.FileInfo) error {
	if st, ok := old.Sys().(*syscall.Stat_t); ok {
		if f.Chown(int(st.Uid), int(st.Gid)) != nil {
			_ = f.Chown(-1, int(st.Gid))
		}
	}
	return f.Chmod(old.Mode().Perm())
}

// publish gives f the name target. The lock goes only after the name, so that nobody sweeps a file that is ready.
func publish(f *os.File, target string) error {
	if err := os.Rename(f.Name(), target); err != nil {
		return err
	}
	return f.Close()
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // some network file systems can't, and need not
	}
	return err
}
