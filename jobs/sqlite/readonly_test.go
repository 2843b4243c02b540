package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A state file in a folder that nobody can write to, such as a backup's, can be read and checked.
func TestReadOnlyFolder(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("who may write everywhere finds no such folder")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	s := open(t, path, Options{})
	list(t, s, rows(4))
	must(t, s.Close())
	must(t, os.Chmod(path, 0o400))
	must(t, os.Chmod(dir, 0o500))
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	must(t, Check(t.Context(), path))
}
