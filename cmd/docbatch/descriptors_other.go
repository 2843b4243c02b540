//go:build !unix

package main

// descriptorLimit knows no limit here.
func descriptorLimit() (limit uint64, known bool) { return 0, false }
