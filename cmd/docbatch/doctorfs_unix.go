//go:build linux || darwin || freebsd

package main

import (
	"io/fs"
	"runtime"
	"syscall"
)

// freeBytes is how much may still be written to the file system of a folder.
func freeBytes(dir string) (free uint64, known bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true
}

// networks are the file systems of Linux that lie on another machine or behind another process, by the magic numbers of statfs(2).
var networks = map[uint32]string{
	0x6969: "NFS", 0x517b: "SMB", 0xff534d42: "CIFS", 0xfe534d42: "SMB", 0x65735546: "FUSE", 0x01021997: "9p", 0x00c36400: "Ceph", 0x5346414f: "AFS",
}

// networkOf names the network file system that a folder is on; "" where it is on none, or where that is not known.
func networkOf(dir string) string {
	var s syscall.Statfs_t
	if runtime.GOOS != "linux" || syscall.Statfs(dir, &s) != nil {
		return ""
	}
	return networks[uint32(s.Type)]
}

// folderWritable says why no file can be made in a folder. It makes none.
func folderWritable(dir string) error {
	const writeAndEnter = 2 | 1 // W_OK, X_OK
	if err := syscall.Access(dir, writeAndEnter); err != nil {
		return &fs.PathError{Op: "write to folder", Path: dir, Err: err}
	}
	return nil
}
