package output

import (
	"io/fs"
	"os"
)

// hold has nothing to do: Windows doesn't let anybody remove a file that Go holds open.
func hold(*os.File) bool { return true }

// removeStale removes the temporary file at path and reports true, unless a live process holds it.
func removeStale(path string) bool { return os.Remove(path) == nil }

// inherit has nothing to do: a new file inherits the rights of its folder, and a read-only file is not replaced.
func inherit(*os.File, fs.FileInfo) error { return nil }

// publish gives f the name target. An open file can't be renamed.
func publish(f *os.File, target string) error {
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}

// syncDir has nothing to do: Windows has no such call, and NTFS keeps a journal of names.
func syncDir(string) error { return nil }
