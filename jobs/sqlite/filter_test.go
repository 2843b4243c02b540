package sqlite

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

func TestFilter(t *testing.T) {
	const n = 100_000
	hash := func(i int) []byte {
		sum := sha256.Sum256(fmt.Append(nil, i))
		return sum[:]
	}
	f := newFilter()
	for i := range n {
		f.add(hash(i))
	}
	for i := range n {
		if !f.mayHave(hash(i)) {
			t.Fatalf("hash %d was added, and is denied", i)
		}
	}
	passed := 0
	for i := range n {
		if f.mayHave(hash(n + i)) {
			passed++
		}
	}
	if passed > n/1000 {
		t.Errorf("%d of %d other hashes pass, want at most 1 in 1,000", passed, n)
	}
}
