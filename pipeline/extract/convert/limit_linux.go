package convert

import (
	"time"

	"golang.org/x/sys/unix"
)

// maxMemory is the address space that a program may take, in bytes. LibreOffice takes 1.5 GiB of it, a tenth of that in memory.
// It is a variable for the race detector, under which a program takes terabytes.
var maxMemory uint64 = 4 << 30

// maxCPU is how long a program may compute, in seconds: more than it can on a few cores in maxTime. It ends what a program has started where
// this process is killed and can't.
const maxCPU = 4 * uint64(maxTime/time.Second)

// bound bounds the memory and the time of the process, and of what it starts from then on. It can't be bounded before it runs; it has ended
// already where that fails.
func bound(pid int) {
	_ = unix.Prlimit(pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: maxMemory, Max: maxMemory}, nil)
	_ = unix.Prlimit(pid, unix.RLIMIT_CPU, &unix.Rlimit{Cur: maxCPU, Max: maxCPU}, nil)
}
