package table

const (
	// shards is how many parts a set of hashes has. Each grows by itself, so that the whole set is never in memory twice.
	shards = 64

	// firstSlots is how many hashes a part has room for at first; a power of two.
	firstSlots = 64
)

// repeats counts how often each hash came. One that came once takes 9 to 18 bytes, one that came again an entry of a map besides. The
// hashes must be spread evenly, as those of SHA-256 are.
type repeats struct {
	once  [shards]hashSet
	again map[uint64]int
}

// add notes a hash and returns how often it came so far: 1 for the first time.
func (r *repeats) add(hash uint64) int {
	if r.once[hash%shards].add(hash / shards) {
		return 1
	}
	if r.again == nil {
		r.again = map[uint64]int{}
	}
	n := max(1, r.again[hash]) + 1
	r.again[hash] = n
	return n
}

// A hashSet is a set of hashes by open addressing: a map takes three times as much. The hashes 0 and 1 count as one.
type hashSet struct {
	slots []uint64 // 0: free
	count int
}

// add reports whether the hash was not in the set.
func (s *hashSet) add(hash uint64) bool {
	if 8*s.count >= 7*len(s.slots) {
		s.grow()
	}
	return s.put(max(1, hash))
}

func (s *hashSet) grow() {
	old := s.slots
	*s = hashSet{slots: make([]uint64, max(firstSlots, 2*len(old)))}
	for _, hash := range old {
		if hash != 0 {
			s.put(hash)
		}
	}
}

func (s *hashSet) put(hash uint64) bool {
	last := uint64(len(s.slots) - 1)
	for i := hash & last; ; i = (i + 1) & last {
		switch s.slots[i] {
		case hash:
			return false
		case 0:
			s.slots[i] = hash
			s.count++
			return true
		}
	}
}
