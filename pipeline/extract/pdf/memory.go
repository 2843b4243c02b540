package pdf

import "github.com/tetratelabs/wazero/experimental"

// memoryBound bounds the memory of an instance, in bytes: with the rest of docbatch it stays under 256 MB. The document itself is not in it. Of 1,376
// documents the text took 49 MiB at most, and a scan in JPEG 2000, 300 dots to the inch in colour, 116 MiB to render.
const memoryBound = 128 << 20

// A memory is that of one instance.
type memory struct {
	experimental.LinearMemory
	refused bool // the instance wanted more than memoryBound
}

func newMemory() *memory { return &memory{LinearMemory: allocate(memoryBound)} }

// Reallocate is experimental.LinearMemory's: nil says that there is no more.
func (m *memory) Reallocate(size uint64) []byte {
	if size > memoryBound {
		m.refused = true
		return nil
	}
	return m.LinearMemory.Reallocate(size)
}

// A heap is a memory of Go's own, for where no addresses can be reserved.
type heap []byte

func (h *heap) Reallocate(size uint64) []byte {
	if uint64(cap(*h)) < size {
		grown := make(heap, size, max(size, 2*uint64(cap(*h))))
		copy(grown, *h)
		*h = grown
	}
	*h = (*h)[:size]
	return *h
}

func (h *heap) Free() { *h = nil }
