package folder

import (
	"io/fs"
	"syscall"
)

// changed is when the system last noted a change of the file, in nanoseconds: no program sets it back, as it can the time of change.
func changed(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ctim.Nano()
	}
	return 0
}
