//go:build linux || darwin

package pdf

import (
	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// allocate reserves size bytes as addresses alone: the system gives pages as they are touched, and growing copies nothing. A memory in the
// heap of Go is copied whenever it grows: an instance of 256 MiB left 3 GB of garbage behind.
func allocate(size int) experimental.LinearMemory {
	space, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return &heap{}
	}
	return &mapping{space}
}

// A mapping is a memory whose addresses are reserved.
type mapping struct{ space []byte }

func (m *mapping) Reallocate(size uint64) []byte { return m.space[:size] }

// Free gives the memory back. No call may be in the instance: to unmap under one ends the process.
func (m *mapping) Free() {
	unix.Munmap(m.space) // nothing is lost but addresses
	m.space = nil
}
