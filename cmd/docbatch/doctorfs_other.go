//go:build !linux && !darwin && !freebsd && !windows

package main

// freeBytes knows no space here.
func freeBytes(string) (free uint64, known bool) { return 0, false }

// networkOf knows no network file systems here.
func networkOf(string) string { return "" }

// folderWritable can't tell here without making a file.
func folderWritable(string) error { return nil }
