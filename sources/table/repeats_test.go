package table

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestRepeats compares the counts with those of a map: hashes at random, some of them again and again, and those at the ends of what a
// hash can be.
func TestRepeats(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	hashes := []uint64{shards, shards, math.MaxUint64, math.MaxUint64, math.MaxUint64 - 1}
	for range 200_000 {
		hashes = append(hashes, random.Uint64())
		if random.IntN(4) == 0 {
			hashes = append(hashes, hashes[random.IntN(len(hashes))])
		}
	}
	var seen repeats
	want := map[uint64]int{}
	for i, hash := range hashes {
		want[hash]++
		if got := seen.add(hash); got != want[hash] {
			t.Fatalf("hash %d, %x: got %d, want %d", i, hash, got, want[hash])
		}
	}
}

// TestRepeatsOfFreeSlots has the hashes that stand for a free slot: they count as repeats of each other, and none is lost.
func TestRepeatsOfFreeSlots(t *testing.T) {
	var seen repeats
	for i, tt := range []struct {
		hash uint64
		want int
	}{{0, 1}, {0, 2}, {shards, 2}, {shards, 3}, {0, 3}, {1, 1}} {
		if got := seen.add(tt.hash); got != tt.want {
			t.Errorf("step %d, hash %d: got %d, want %d", i, tt.hash, got, tt.want)
		}
	}
}

// TestRepeatsAreSmall is the memory of promise P9: 1,000,000 rows, all different, take 16 MB, and hardly more while it grows.
func TestRepeatsAreSmall(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var seen repeats
	for range 1_000_000 {
		seen.add(random.Uint64())
	}
	slots, most := 0, 0
	for i := range seen.once {
		slots += len(seen.once[i].slots)
		most = max(most, len(seen.once[i].slots))
	}
	if bytes, growing := 8*slots, 8*most; bytes > 17<<20 || growing > 1<<19 {
		t.Errorf("%d bytes, and %d more while a part grows", bytes, growing)
	}
}
