package folder

import (
	"io/fs"
	"runtime"
	"strconv"
	"strings"
)

// stamp is a mark that changes when a file does: size, time of change and, where the system keeps one, the time that it noted itself, in
// nanoseconds to the base of 36; permissions in octal. A copy that is given the time of the file that it replaces (cp -p, rsync,
// tar) is noticed by what the system noted; what was not changed costs reading it, and no request.
func stamp(info fs.FileInfo) string {
	b := make([]byte, 0, 48)
	b = strconv.AppendInt(b, info.Size(), 36)
	b = append(b, '-')
	b = strconv.AppendInt(b, info.ModTime().UnixNano(), 36)
	b = append(b, '-')
	b = strconv.AppendInt(b, changed(info), 36)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(info.Mode().Perm()), 8)
	return string(b)
}

// foldCase makes paths comparable where the system takes upper and lower case for the same.
func foldCase(path string) string {
	if runtime.GOOS == "windows" {
		return strings.ToLower(path)
	}
	return path
}
