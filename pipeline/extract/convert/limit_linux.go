package convert

import "golang.org/x/sys/unix"

// maxMemory is the address space that a program may take, in bytes. LibreOffice takes 1.5 GiB of it, a tenth of that in memory.
// It is a variable for the race detector, under which a program takes terabytes.
var maxMemory uint64 = 4 << 30

// boundMemory bounds the memory of the process, and what it starts from then on. It can't be bounded before it runs; it has ended already
// where that fails.
func boundMemory(pid int) {
	_ = unix.Prlimit(pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: maxMemory, Max: maxMemory}, nil)
}
