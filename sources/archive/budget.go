package archive

import (
	"io"

	"docbatch/pipeline"
)

// The bounds on an archive. They hold for an archive and all the archives in it together, but for nesting and the dictionary.
const (
	maxNesting    = 3         // archives within archives, the first included
	maxMembers    = 100_000   // entries, folders and links included
	maxUnpacked   = 4 << 30   // bytes unpacked of what can't be read in any order: all but zip and tar
	freeUnpacked  = 256 << 20 // bytes up to which the ratio does not matter
	maxRatio      = 250       // bytes unpacked to the size of the archive; deflate can do 1,032, bzip2 and xz much more
	maxDirectory  = 24 << 20  // bytes of a directory: 100,000 members with paths of 150 bytes
	maxDictionary = 128 << 20 // bytes that a decoder remembers: xz -9 takes 64 MiB, zstd --long 128
)

// A budget is what may still be done with an archive and those in it.
type budget struct {
	members int
	bytes   int64
	max     int64 // bytes to begin with
	spent   *pipeline.Error
}

func newBudget(size int64) *budget {
	max := min(maxUnpacked, maxRatio*max(size, freeUnpacked/maxRatio))
	return &budget{members: maxMembers, bytes: max, max: max}
}

// member takes one entry from the budget.
func (b *budget) member() error {
	if b.members--; b.members < 0 {
		b.spent = fault(pipeline.KindTooLarge, "more than %d members (the bound on members)", maxMembers)
		return b.spent
	}
	return nil
}

// unpack takes n bytes from the budget.
func (b *budget) unpack(n int64) error {
	if b.bytes -= n; b.bytes < 0 {
		b.spent = fault(pipeline.KindTooLarge, "it unpacks to more than %s (the bound on unpacked bytes for an archive of this size)", mebibytes(b.max))
		return b.spent
	}
	return nil
}

// dictionary is the bound on what a decoder remembers, at a depth: those of all the depths are in memory at once.
func dictionary(depth int) int64 {
	if depth == 1 {
		return maxDictionary
	}
	return maxDictionary / 2
}

// dictionaryFault is the fault of an archive that needs more.
func dictionaryFault(depth int) *pipeline.Error {
	return fault(pipeline.KindTooLarge, "unpacking it takes a dictionary of more than %s (the bound on memory)", mebibytes(dictionary(depth)))
}

// A metered reader takes what it reads from the budget.
type metered struct {
	in     io.Reader
	budget *budget
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.in.Read(p)
	if over := m.budget.unpack(int64(n)); over != nil {
		return 0, over
	}
	return n, err
}
