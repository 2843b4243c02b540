package folder

import (
	"io/fs"
	"runtime"
	"strconv"
	"strings"
)

// stamp is a mark that changes when a file does: size and time of change in nanoseconds to the base of 36, permissions in octal.
func stamp(info fs.FileInfo) string {
	b := make([]byte, 0, 32)
	b = strconv.AppendInt(b, info.Size(), 36)
	b = append(b, '-')
	b = strconv.AppendInt(b, info.ModTime().UnixNano(), 36)
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
