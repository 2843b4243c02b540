//go:build unix

package main

import (
	"os"
	"syscall"
)

// isOnlyOurs reports whether nobody else can write into a folder: what is compiled there is run.
func isOnlyOurs(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
