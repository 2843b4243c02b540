//go:build unix

package main

import "syscall"

// descriptorLimit is how many files this process may have open; Go has raised it as far as it can by then.
func descriptorLimit() (limit uint64, known bool) {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 0, false
	}
	return uint64(l.Cur), true
}
