package sqlite

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// smallDisk is a folder on a disk of that size.
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no small file system can be mounted: %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(dir, 0)) })
	return dir
}

// A state file where nothing can be written, such as a snapshot's, is copied all the same.
func TestCopyFromReadOnly(t *testing.T) {
	dir := smallDisk(t, "4m")
	from := filepath.Join(dir, "state.db")
	writeAndClose(t, from, 3)
	must(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	wantCopy(t, from, jobs.Counts{Pending: 3})
}

// A full disk is that of the copy, and the error says so.
func TestCopyWithoutRoom(t *testing.T) {
	from := filepath.Join(t.TempDir(), "state.db")
	writeAndClose(t, from, 1000)
	to := filepath.Join(smallDisk(t, "64k"), "copy.db")
	err := Copy(t.Context(), from, to)
	if err == nil || pipeline.AsError(err).Kind != pipeline.KindMachine || !strings.HasPrefix(err.Error(), "copy.db: ") {
		t.Errorf("got error %v, want one of kind %s that names the copy", err, pipeline.KindMachine)
	}
}
